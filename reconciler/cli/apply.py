"""apply: the command that makes live what git says."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio
import click

from reconciler import app
from reconciler.cli.interrupts import listening
from reconciler.cli.options import (
    make_request,
    output_options,
    plan_options,
    refuse_unnamed_target,
    server_options,
)
from reconciler.cli.progress import Progress
from reconciler.core.diagnostics import Refused
from reconciler.core.events import Event, Started
from reconciler.core.jsontext import json_text
from reconciler.core.plan import Plan
from reconciler.render import applied, text


@click.command()
@plan_options
@server_options
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
@output_options
def apply(*, yes: bool, output: str, verbose: int, target: str | None, **options: Any) -> int:
    """Make live what git says: plan, ask, write, read back.

    Refuses before the first write when anything in the plan is blocked.
    """
    refuse_unnamed_target(target)
    request = make_request(verbose=verbose, target=target, **options)
    plain = output == "text"

    progress = Progress(sys.stderr)

    def confirm(plan: Plan) -> bool:
        if plain:
            click.echo(text.plan_text(plan, verbose=verbose > 0))
        progress.total = len(plan.changes)
        return yes or _asked(plan)

    def emit(event: Event) -> None:
        with progress.told(event):
            if plain and not isinstance(event, Started):
                click.echo(applied.event_line(event))

    result = anyio.run(
        partial(app.apply, request, confirm=confirm, emit=emit, interrupts=listening)
    )
    if isinstance(result, Plan):
        return _not_written(result, plain=plain, verbose=verbose)
    progress.clear()
    _print(result, plain=plain)
    for bug in result.bugs:
        raise bug
    return result.exit_code


def _print(result: app.Applied, *, plain: bool) -> None:
    if plain:
        api = result.plan.target.api
        said = applied.outcome_text(result.outcome, result.remaining, result.note, api)
        click.echo(said, nl=False)
    else:
        body = applied.encode_outcome(result.plan, result.outcome, result.remaining, result.note)
        click.echo(json_text(body), nl=False)


def _asked(plan: Plan) -> bool:
    if not sys.stdin.isatty():
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


def _not_written(plan: Plan, *, plain: bool, verbose: int) -> int:
    """Nothing to do, refused, or declined: in each case nothing was written."""
    if not plain:
        click.echo(json_text(applied.encode_outcome(plan, None, None)), nl=False)
    elif not plan.changes or not plan.applyable:
        click.echo(text.plan_text(plan, verbose=verbose > 0), nl=False)
    else:
        click.echo("Nothing was written.")
    return 0 if not plan.changes and not plan.errored else 1
