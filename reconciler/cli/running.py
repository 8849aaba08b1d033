"""sync, refresh, clear: what starts a job on a connection."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import anyio
import click

from reconciler import app
from reconciler.app import Request, Wanted
from reconciler.cli.interrupts import listening
from reconciler.cli.options import (
    about_to_write,
    allow_option,
    combined,
    make_request,
    output_options,
    parallelism_option,
    selection_options,
    server_options,
)
from reconciler.cli.watching import Watching, timeout_option
from reconciler.core.diagnostics import WrongUsage
from reconciler.core.jobs import JobResult, RefreshMode
from reconciler.core.jsontext import json_text
from reconciler.core.model import Address
from reconciler.core.plan import TargetLine
from reconciler.executor.jobs import RunEvent
from reconciler.render.jobs import encode_results, result_line, results_text
from reconciler.render.target import target_lines

_wait_options = combined(
    click.option("--wait", is_flag=True, help="Wait until it has ended; exit 1 if it fails."),
    timeout_option,
)
_streams_option = click.option(
    "--stream",
    "streams",
    multiple=True,
    metavar="STREAM",
    help="Only this stream, as NAMESPACE.NAME or NAME; may be given again.",
)


@click.command()
@selection_options
@server_options
@_wait_options
@parallelism_option
@output_options
def sync(*, target: str | None, wait: bool, timeout: float | None, **options: Any) -> int:
    """Start a sync of each selected connection, at most --parallelism at once where they are waited for.

    Without --wait: exit 0 once all are started. With it: exit 1 if one fails or is cancelled, 4 if one
    still runs when the time is up. Ctrl-C leaves syncs running.
    """
    if not (options["addresses"] or options["select"]):
        raise WrongUsage(
            "sync needs to be told which connections",
            hint="name them, or select them; all of them: reconciler sync 'connection/*'",
        )
    return _run(Wanted("sync", wait=wait, timeout=timeout), target=target, **options)


@click.command()
@click.argument("address", metavar="ADDRESS")
@_streams_option
@click.option(
    "--mode",
    type=click.Choice(["merge", "truncate"]),
    default="merge",
    show_default=True,
    help="Keep the rows of earlier syncs, or drop them at the end: that needs --allow data-erase.",
)
@allow_option
@server_options
@_wait_options
@output_options
def refresh(
    *,
    address: str,
    streams: tuple[str, ...],
    mode: RefreshMode,
    wait: bool,
    timeout: float | None,
    target: str | None,
    **options: Any,
) -> int:
    """Read the history of a connection's streams again, all of them where none is named.

    Only the Configuration API has it: used by itself where neither the target nor --api states one.
    """
    wanted = Wanted("refresh", streams, mode, wait, timeout)
    return _run(wanted, target=target, addresses=_one(address), **options)


@click.command()
@click.argument("address", metavar="ADDRESS")
@_streams_option
@allow_option
@server_options
@_wait_options
@output_options
def clear(
    *,
    address: str,
    streams: tuple[str, ...],
    wait: bool,
    timeout: float | None,
    target: str | None,
    **options: Any,
) -> int:
    """Empty the tables of a connection and delete the saved positions of its streams; there is no undo.

    Needs --allow data-erase[=ADDRESS]. Single streams: only with the Configuration API, which is
    used by itself where neither the target nor --api states one.
    """
    wanted = Wanted("clear", streams, wait=wait, timeout=timeout)
    return _run(wanted, target=target, addresses=_one(address), **options)


def _one(text: str) -> tuple[str, ...]:
    """Exactly one connection, not a pattern of them."""
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise WrongUsage(str(error)) from error
    if address.kind != "connection" or set(address.name) & set("*?["):
        raise WrongUsage(f"{text} is no connection's address", hint="write connection/NAME")
    return (str(address),)


def _run(wanted: Wanted, *, output: str, verbose: int, target: str | None, **options: Any) -> int:
    about_to_write(target)
    if wanted.timeout is not None and not wanted.wait:
        raise WrongUsage("--timeout limits waiting, which is not asked for", hint="add --wait")
    request = make_request(verbose=verbose, target=target, **options)
    _refuse_other_effects(request)
    plain = output == "text"
    watching = Watching(sys.stderr)

    def announce(line: TargetLine) -> None:
        if plain:
            click.echo("\n".join([*target_lines(line), ""]))

    def emit(event: RunEvent) -> None:
        watching.tell(event)
        if plain and isinstance(event, JobResult):
            watching.clear()
            click.echo(result_line(event))

    ran = anyio.run(
        partial(app.run, request, wanted, announce=announce, emit=emit, interrupts=listening)
    )
    watching.clear()
    if plain:
        click.echo(results_text(ran.results, request.again), nl=False)
    else:
        body = encode_results(ran.line, ran.results, interrupted=ran.interrupted)
        click.echo(json_text(body), nl=False)
    return ran.exit_code


def _refuse_other_effects(request: Request) -> None:
    for consent in request.allow:
        if consent.effects != ("data-erase",):
            raise WrongUsage(
                f"this can only erase data; not: --allow {','.join(consent.effects)}",
                hint="--allow data-erase=ADDRESS",
            )
