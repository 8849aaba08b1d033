"""init, validate, schema: commands that need no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler import app, scaffold
from reconciler.cli.options import (
    encode_diagnostics,
    make_request,
    output_options,
    project_options,
)
from reconciler.core.diagnostics import InvalidInput, errors
from reconciler.core.jsontext import json_text
from reconciler.manifests.schema import PUBLISHED, schema_text
from reconciler.render.problems import validated_text


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path())
def init(*, directory: Path) -> int:
    """Make a project in DIRECTORY (default: this folder) that plans at once against the embedded Airbyte.

    Overwrites nothing.
    """
    for path in scaffold.create(directory):
        click.echo(f"  + {path}")
    where = "" if directory == Path() else f" -C {directory}"
    click.echo(f"\nNext: reconciler plan{where}, then reconciler apply{where}")
    return 0


@click.command()
@project_options
@output_options
def validate(*, output: str, verbose: int, **options: Any) -> int:
    """Check the manifests: YAML, schema, references, meaning, and configurations where specs are known."""
    try:
        project = app.open_project(make_request(verbose=verbose, **options), tolerate_missing=True)
    except InvalidInput as invalid:
        documents, found = 0, invalid.diagnostics
    else:
        documents, found = project.documents, project.diagnostics
    text = validated_text(documents, found)
    if output == "json":
        body = {**encode_diagnostics(found), "manifests": documents}
        click.echo(json_text(body), nl=False)
        click.echo(text if errors(found) else "", nl=False, err=True)
    else:
        click.echo(text, nl=False)
    return 1 if errors(found) else 0


@click.command()
@click.argument("kind", type=click.Choice(sorted(PUBLISHED)), default="manifest")
def schema(*, kind: str) -> int:
    """Print the JSON Schema of KIND (default: all manifests; also of a saved plan), for editors and tools."""
    click.echo(schema_text(kind), nl=False)
    return 0
