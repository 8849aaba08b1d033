"""emulator serve: the embedded Airbyte over HTTP."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click

from reconciler.core.diagnostics import ReconcilerError, WrongUsage
from reconciler.emulator.chaos import Rule
from reconciler.emulator.chaos_syntax import SYNTAX, BadRule, parse
from reconciler.emulator.serve import serve
from reconciler.emulator.settings import Chaos, Credentials, Settings


@click.group()
def emulator() -> None:
    """The embedded Airbyte over HTTP: a stand-in for development, not a real Airbyte."""


@emulator.command("serve", epilog=f"\b\n{SYNTAX}")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: a free one."
)
@click.option(
    "--db", type=click.Path(dir_okay=False), default=":memory:", help="Keep its data in this file."
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
    help="Ask for these client credentials.",
)
@click.option(
    "--sub-hourly/--no-sub-hourly",
    default=True,
    show_default=True,
    help="Allow crons that run more than once an hour, as a server does unless told otherwise.",
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
    port: int,
    db: str,
    connectors: Path | None,
    catalogs: Path | None,
    auth: str | None,
    sub_hourly: bool,
    chaos: tuple[str, ...],
) -> int:
    """Serve the public API at /api/public/v1 until interrupted."""
    settings = Settings(
        db=db if db == ":memory:" else _in_a_folder(Path(db)),
        connectors=connectors,
        catalogs=catalogs,
        auth=_credentials(auth),
        sub_hourly=sub_hourly,
        chaos=Chaos(rules=tuple(_rule(text) for text in chaos)),
    )
    try:
        serve(settings, host=host, port=port, on_ready=_announce)
    except OSError as error:
        raise ReconcilerError(
            f"can't listen on {host}:{port}: {error.strerror}", hint="choose another --port, or 0"
        ) from error
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


def _announce(base_url: str) -> None:
    click.echo(f"EMBEDDED Airbyte (not a real one) at {base_url}/api/public/v1; Ctrl-C ends it.")
