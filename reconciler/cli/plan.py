"""plan, drift, show: commands that only read."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import click

from reconciler import app, planfile
from reconciler.cli.options import make_request, output_options, plan_options, server_options
from reconciler.core.again import Again
from reconciler.core.plan import Plan
from reconciler.render import drift as drift_render
from reconciler.render import text


def _print(plan: Plan, output: str, *, verbose: int, as_drift: bool = False) -> None:
    if output == "json":
        click.echo(planfile.plan_text(plan), nl=False)
    elif as_drift:
        click.echo(drift_render.drift_text(plan), nl=False)
    else:
        click.echo(text.plan_text(plan, verbose=verbose > 0), nl=False)


@click.command()
@plan_options
@server_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan in this file, which may hold an older plan and nothing else.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@click.option(
    "--resend-secrets",
    multiple=True,
    metavar="ADDRESS",
    is_flag=False,
    flag_value="*",
    help="Plan as apply --resend-secrets would.",
)
@click.option(
    "--since",
    metavar="REF",
    help="Tell what this branch changes from what was different before it.",
)
@click.option(
    "--online", is_flag=True, help="Check all streams against their sources, not only changed ones."
)
@click.option(
    "--check",
    is_flag=True,
    help="Test the connections of sources and destinations that exist, as they are now.",
)
@output_options
def plan(
    *, out: Path | None, detailed_exitcode: bool, output: str, verbose: int, **options: Any
) -> int:
    """Show what apply would do, and what each change does to data.

    Exit 1 when something is blocked: apply would refuse.
    """
    talk = partial(click.echo, err=True)
    place = None if out is None else planfile.discard(out)
    made = anyio.run(partial(app.plan, make_request(verbose=verbose, **options), talk))
    if place is not None:
        planfile.save(made, place)
    _print(made, output, verbose=verbose)
    if not made.applyable:
        return 1
    return 2 if made.changes and detailed_exitcode else 0


@click.command()
@plan_options
@server_options
@output_options
def drift(*, output: str, verbose: int, **options: Any) -> int:
    """Exit 2 when live differs from git, 0 when it does not. Made for a cron."""
    made = anyio.run(partial(app.plan, make_request(verbose=verbose, **options)))
    _print(made, output, verbose=verbose, as_drift=True)
    if made.errored:
        return 1
    return 2 if made.changes else 0


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_options
def show(*, file: Path, output: str, verbose: int) -> int:
    """Show a saved plan again."""
    plan = planfile.load(file)
    again = Again(target=plan.target.name, api=plan.target.api)
    _print(replace(plan, target=replace(plan.target, again=again)), output, verbose=verbose)
    return 0
