"""apply: the command that makes live what git says."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import click

from reconciler import app, planfile
from reconciler.cli.interrupts import listening
from reconciler.cli.options import (
    about_to_write,
    make_request,
    output_options,
    plan_options,
    server_options,
)
from reconciler.cli.progress import Progress
from reconciler.core.diagnostics import NotAsReviewed, Refused
from reconciler.core.events import Event, Started
from reconciler.core.expect import Comparison
from reconciler.core.jsontext import json_text
from reconciler.core.model import Json
from reconciler.core.plan import Plan
from reconciler.render import applied, expected, text


@click.command()
@plan_options
@server_options
@click.option(
    "--expect",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Only what this plan of `plan --out` shows: where anything differs, exit 3 and write nothing.",
)
@click.option("--yes", "--auto-approve", is_flag=True, help="Do not ask.")
@click.option(
    "--resend-secrets",
    multiple=True,
    metavar="ADDRESS",
    is_flag=False,
    flag_value="*",
    help="Send secrets again though the server hides whether they differ; without ADDRESS: all.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Test the sources and destinations that are written or used before connections are.",
)
@click.option(
    "--allow-running",
    is_flag=True,
    help="Delete or replace connections also while a job runs on them, which kills it.",
)
@output_options
def apply(
    *,
    yes: bool,
    expect: Path | None,
    output: str,
    verbose: int,
    target: str | None,
    **options: Any,
) -> int:
    """Make live what git says: plan, ask, write, read back.

    Refuses before the first write when anything in the plan is blocked.
    """
    about_to_write(target)
    request = make_request(verbose=verbose, target=target, **options)
    review = None if expect is None else Review(str(expect), planfile.load(expect))
    plain = output == "text"

    progress = Progress(sys.stderr)

    def confirm(plan: Plan) -> bool:
        if plain:
            click.echo(text.plan_text(plan, verbose=verbose > 0))
            click.echo(_as_reviewed(plan, review), nl=False)
        elif not yes:
            click.echo(text.plan_text(plan, verbose=verbose > 0), err=True)
        progress.total = len(plan.changes)
        return yes or _asked(plan)

    def emit(event: Event) -> None:
        with progress.told(event):
            if plain and not isinstance(event, Started):
                click.echo(applied.event_line(event))

    talk = partial(click.echo, err=True)
    work = partial(app.apply, request, confirm=confirm, emit=emit, interrupts=listening, talk=talk)
    if review is not None:
        work = partial(work, reviewed=review.plan, compared=review.keep)
    result = anyio.run(work)
    if isinstance(result, Plan):
        return _not_written(result, review, plain=plain, verbose=verbose)
    progress.clear()
    _print(result, review, plain=plain)
    for bug in result.bugs:
        raise bug
    return result.exit_code


@dataclass(slots=True)
class Review:
    """A reviewed plan, the file it came from, and what comparing it with the plan of now has found."""

    file: str
    plan: Plan
    comparison: Comparison | None = None

    def keep(self, comparison: Comparison) -> None:
        self.comparison = comparison


def _as_reviewed(plan: Plan, review: Review | None) -> str:
    if review is None or review.comparison is None:
        return ""
    return expected.same_text(review.comparison, plan, review.file) + "\n"


def _encoded(review: Review | None) -> dict[str, Json]:
    if review is None or review.comparison is None:
        return {}
    return {"reviewed": expected.encode_comparison(review.comparison, review.file)}


def _print(result: app.Applied, review: Review | None, *, plain: bool) -> None:
    if plain:
        target = result.plan.target
        said = applied.outcome_text(
            result.outcome, result.remaining, result.note, target, result.differing
        )
        click.echo(said, nl=False)
    else:
        body = applied.encode_outcome(
            result.plan, result.outcome, result.remaining, result.note, result.differing
        )
        click.echo(json_text({**body, **_encoded(review)}), nl=False)


def _asked(plan: Plan) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():  # None: closed before the start
        raise Refused("nobody can be asked here, and nothing was written", hint="add --yes")
    count = len(plan.changes)
    with _interruptible():
        return click.confirm(f"Make {count} change{'s' if count != 1 else ''} now?", err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """While somebody is asked the event loop stands still, and its own way to be interrupted with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _not_written(plan: Plan, review: Review | None, *, plain: bool, verbose: int) -> int:
    """Nothing to do, refused, or declined: in each case nothing was written."""
    comparison = review.comparison if review else None
    other = comparison is not None and not comparison.same
    if not plain:
        body = {**applied.encode_outcome(plan, None, None), **_encoded(review)}
        click.echo(json_text(body), nl=False)
    elif review is not None and comparison is not None and other:
        click.echo(expected.refused_text(comparison, plan, review.file), nl=False)
    elif not plan.changes or not plan.applyable:
        click.echo(text.plan_text(plan, verbose=verbose > 0), nl=False)
    else:
        click.echo("Nothing was written.")
    if other:
        return NotAsReviewed.exit_code
    return 0 if not plan.changes and not plan.errored else 1
