"""check, discover: what sources and destinations say when they are asked."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import click

from reconciler import app
from reconciler.app import Checked
from reconciler.cli.options import (
    make_request,
    output_options,
    parallelism_option,
    selection_options,
    server_options,
)
from reconciler.core.again import Again, command
from reconciler.core.diagnostics import WrongUsage
from reconciler.core.jsontext import json_text
from reconciler.core.model import Address, Json
from reconciler.core.plan import TargetLine
from reconciler.render.checks import check_line, counts_text, encode_checks
from reconciler.render.offered import encode_offered, offered_text
from reconciler.render.target import target_lines


@click.command()
@selection_options
@server_options
@parallelism_option
@output_options
def check(*, output: str, verbose: int, **options: Any) -> int:
    """Test the connections of sources and destinations as they are live: all, or those selected.

    A connection means its source and its destination. Exit 1 if one fails, if one that was named isn't live
    yet, or if none of them is. Only the Configuration API has such tests: it is used by itself where neither
    the target nor --api states one.
    """
    request = make_request(verbose=verbose, **options)
    plain = output == "text"

    def announce(line: TargetLine) -> None:
        if plain:
            click.echo("\n".join([*target_lines(line), ""]))

    def emit(checked: Checked) -> None:
        if plain:
            click.echo(_line(checked, request.again))

    line, results = anyio.run(partial(app.check, request, announce=announce, emit=emit))
    if plain:
        click.echo(counts_text(map(_standing, results)), nl=False)
    else:
        found = [_encoded(result, request.again) for result in results]
        click.echo(json_text(encode_checks(line, found)), nl=False)
    tested = any(result.verdict is not None for result in results)
    return 0 if tested and all(result.good for result in results) else 1


def _standing(checked: Checked) -> str:
    return checked.verdict.standing if checked.verdict is not None else "not-live"


def _hint(checked: Checked, again: Again) -> str:
    if checked.verdict is None:
        return command(again, ("apply", str(checked.address)))
    return checked.verdict.hint


def _line(checked: Checked, again: Again) -> str:
    verdict = checked.verdict
    if verdict is None:
        return check_line(checked.address, "not-live", hint=_hint(checked, again))
    return check_line(
        checked.address, verdict.standing, verdict.message, verdict.hint, verdict.seconds
    )


def _encoded(checked: Checked, again: Again) -> dict[str, Json]:
    verdict = checked.verdict
    return {
        "address": str(checked.address),
        "result": _standing(checked),
        "message": verdict.message if verdict is not None else "",
        "hint": _hint(checked, again),
        **({} if not checked.live_id else {"id": checked.live_id}),
        **({} if verdict is None else {"seconds": round(verdict.seconds, 3)}),
    }


@click.command()
@click.argument("address", metavar="ADDRESS")
@click.option(
    "--destination",
    metavar="ADDRESS",
    help="The destination whose sync modes count; default: the one the project's connections use.",
)
@server_options
@output_options
def discover(
    *, address: str, destination: str | None, output: str, verbose: int, **options: Any
) -> int:
    """The streams that a source offers, as YAML that is ready to be pasted into a connection."""
    request = make_request(verbose=verbose, **options)
    to = None if destination is None else _address(destination)
    offered = anyio.run(partial(app.discover, request, _address(address), to))
    shown = (offered.source, offered.destination, offered.streams, offered.selected_by)
    if output == "json":
        body = encode_offered(offered.line, offered.live_id, *shown)
        click.echo(json_text(body), nl=False)
    else:
        click.echo(offered_text(offered.line, *shown), nl=False)
    return 0


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise WrongUsage(str(error)) from error
