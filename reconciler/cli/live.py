"""get, explain: what is live, and how one resource stands to it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import anyio
import click

from reconciler import app
from reconciler.cli.options import make_request, output_options, server_options
from reconciler.core.diagnostics import WrongUsage
from reconciler.core.encode import FORMAT_VERSION
from reconciler.core.jsontext import json_text
from reconciler.core.model import Address
from reconciler.render.explanation import encode_explanation, explanation_text
from reconciler.render.table import table
from reconciler.render.target import encode_target, target_lines

_UNCLAIMABLE: Final = ("workspaces", "connectors")


@click.command()
@click.argument(
    "what",
    type=click.Choice(["workspaces", "connectors", "sources", "destinations", "connections"]),
)
@server_options
@click.option("--unmanaged", is_flag=True, help="Only what no manifest means.")
@output_options
def get(*, what: str, unmanaged: bool, output: str, verbose: int, **options: Any) -> int:
    """List what is live. Reads only."""
    if unmanaged and what in _UNCLAIMABLE:
        raise WrongUsage(f"--unmanaged says nothing of {what}: no manifest ever means one")
    listing = anyio.run(
        partial(app.list_live, make_request(verbose=verbose, **options), what, unmanaged=unmanaged)
    )
    if output == "json":
        rows = [dict(zip(listing.columns, row, strict=True)) for row in listing.rows]
        body = {
            "formatVersion": FORMAT_VERSION,
            "target": encode_target(listing.line),
            what: rows,
        }
        click.echo(json_text(body), nl=False)
    else:
        click.echo("\n".join([*target_lines(listing.line), ""]))
        click.echo(table(listing.columns, listing.rows), nl=False)
    return 0


@click.command()
@click.argument("address", metavar="ADDRESS")
@server_options
@output_options
def explain(*, address: str, output: str, verbose: int, **options: Any) -> int:
    """One resource field by field: what git says and where, what is live, and what git leaves open."""
    try:
        wanted = Address.parse(address)
    except ValueError as error:
        raise WrongUsage(str(error)) from error
    found = anyio.run(partial(app.explain, make_request(verbose=verbose, **options), wanted))
    if output == "json":
        click.echo(json_text(encode_explanation(wanted, found.live_id, found.rows)), nl=False)
    else:
        notes = found.resource.annotations
        click.echo(explanation_text(wanted, found.live_id, notes, found.rows), nl=False)
    return 0
