"""get: what is live, as a table or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import anyio
import click

from reconciler import app
from reconciler.app import Listing
from reconciler.cli.options import make_request, output_options, project_options
from reconciler.render.clean import clean


@click.command()
@click.argument(
    "what",
    type=click.Choice(["workspaces", "connectors", "sources", "destinations", "connections"]),
)
@project_options
@click.option("--unmanaged", is_flag=True, help="Only what no manifest means.")
@output_options
def get(*, what: str, unmanaged: bool, output: str, verbose: int, **options: Any) -> int:
    """List what is live. Reads only."""
    listing = anyio.run(
        partial(app.list_live, make_request(verbose=verbose, **options), what, unmanaged=unmanaged)
    )
    if output == "json":
        rows = [dict(zip(listing.columns, row, strict=True)) for row in listing.rows]
        click.echo(json.dumps(rows, indent=2))
    else:
        click.echo(_table(listing), nl=False)
    return 0


def _table(listing: Listing) -> str:
    rows: list[Sequence[str]] = [listing.columns, *listing.rows]
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(listing.columns))]
    lines = (
        "  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in cells
    )
    return "\n".join(lines) + "\n"
