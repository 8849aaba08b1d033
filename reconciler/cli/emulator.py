"""emulator serve: the embedded Airbyte over HTTP."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import click

from reconciler.core.diagnostics import ReconcilerError, WrongUsage
from reconciler.emulator.app import CONFIG, PUBLIC
from reconciler.emulator.chaos import Rule
from reconciler.emulator.chaos_syntax import SYNTAX, BadRule, parse
from reconciler.emulator.generations import GENERATIONS
from reconciler.emulator.serve import PortTaken, serve
from reconciler.emulator.settings import Chaos, Credentials, Profile, Settings


@click.group()
def emulator() -> None:
    """The embedded Airbyte over HTTP: a stand-in for development, not a real Airbyte."""


@emulator.command("serve", epilog=f"\b\n{SYNTAX}")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    "ports",
    type=click.IntRange(0, 65535),
    multiple=True,
    default=(8000,),
    show_default=True,
    help="0: a free one; given again, the same Airbyte on another port too.",
)
@click.option(
    "--db", type=click.Path(dir_okay=False), default=":memory:", help="Keep its data in this file."
)
@click.option(
    "--profile",
    type=click.Choice(get_args(Profile)),
    default="strict",
    show_default=True,
    help="lenient accepts more and says more, so that hand-written documents run.",
)
@click.option(
    "--generation",
    type=click.Choice(list(GENERATIONS)),
    default=list(GENERATIONS)[-1],
    show_default=True,
    help="Which of Airbyte's releases to be.",
)
@click.option(
    "--connectors",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Connector files that join the built-in ones.",
)
@click.option(
    "--catalogs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What sources offer: <connector>.json or <source name>.json.",
)
@click.option(
    "--auth",
    metavar="ID:SECRET",
    envvar="RECONCILER_EMULATOR_AUTH",
    help="Ask for these client credentials; up to generation 0.63 for this user and password.",
)
@click.option(
    "--sub-hourly/--no-sub-hourly",
    default=True,
    show_default=True,
    help="Allow crons that run more than once an hour, as a server does unless told otherwise.",
)
@click.option(
    "--job-seconds",
    type=click.FloatRange(0, 86_400),
    default=1.0,
    show_default=True,
    help="How long a job runs.",
)
@click.option(
    "--chaos",
    metavar="RULE",
    multiple=True,
    help="Misbehave by this rule (below); may be given again.",
)
def serve_command(
    *,
    host: str,
    ports: tuple[int, ...],
    db: str,
    profile: Profile,
    generation: str,
    connectors: Path | None,
    catalogs: Path | None,
    auth: str | None,
    sub_hourly: bool,
    job_seconds: float,
    chaos: tuple[str, ...],
) -> int:
    """Serve the public API at /api/public/v1 and the Configuration API at /api/v1 until interrupted."""
    settings = Settings(
        db=db if db == ":memory:" else _in_a_folder(Path(db)),
        profile=profile,
        generation=GENERATIONS[generation],
        connectors=connectors,
        catalogs=catalogs,
        auth=_credentials(auth),
        sub_hourly=sub_hourly,
        job_seconds=job_seconds,
        chaos=Chaos(rules=tuple(_rule(text) for text in chaos)),
    )
    try:
        serve(settings, host=host, ports=ports, on_ready=partial(_announce, settings))
    except PortTaken as taken:
        raise ReconcilerError(
            f"can't listen on {taken.address}: {taken.reason}",
            hint="choose another --port, or 0; nothing was served",
        ) from taken
    except sqlite3.DatabaseError as error:
        raise ReconcilerError(
            f"--db {db} can't be used: {error}", hint="name another file, or move that one away"
        ) from error
    return 0


def _in_a_folder(db: Path) -> Path:
    """A file is made where there is none, a folder isn't: a mistyped one would hide what was kept."""
    if not db.parent.is_dir():
        raise ReconcilerError(
            f"--db {db}: there is no folder {db.parent}", hint="make it, or correct the path"
        )
    return db


def _credentials(auth: str | None) -> Credentials | None:
    if auth is None:
        return None
    client_id, colon, secret = auth.partition(":")
    if not (client_id and colon and secret):
        raise WrongUsage("--auth takes ID:SECRET")
    return Credentials(client_id, secret)


def _rule(text: str) -> Rule:
    try:
        return parse(text)
    except BadRule as error:
        raise WrongUsage(f"--chaos {error}", hint="its form is in emulator serve --help") from error


def _announce(settings: Settings, urls: Sequence[str]) -> None:
    """What is served where, beginning with what most clients are given."""
    generation, first = settings.generation, urls[0]
    base = f"{first}{PUBLIC if generation.public_api else CONFIG}"
    click.echo(f"EMBEDDED Airbyte (not a real one) at {base}; Ctrl-C ends it.")
    click.echo(f"  as release {generation.version}, {settings.profile}")
    if generation.public_api:
        click.echo(f"  its Configuration API at {first}{CONFIG}")
    for url in urls[1:]:
        click.echo(f"  the same at {url}")
