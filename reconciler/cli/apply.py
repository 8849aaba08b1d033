"""apply: the only command that writes to an Airbyte."""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial
from typing import Any

import anyio
import click

from reconciler import app
from reconciler.cli.options import (
    make_request,
    output_options,
    parallelism_option,
    plan_options,
    project_options,
)
from reconciler.core.diagnostics import Refused, WrongUsage
from reconciler.core.events import Event, Started
from reconciler.core.plan import Plan
from reconciler.render import applied, text


@click.command()
@plan_options
@project_options
@click.option("--yes", "--auto-approve", is_flag=True, help="Do not ask.")
@click.option(
    "--resend-secrets",
    multiple=True,
    metavar="ADDRESS",
    is_flag=False,
    flag_value="*",
    help="Send secrets again though the server hides whether they differ; without ADDRESS: all.",
)
@parallelism_option()
@output_options
def apply(*, yes: bool, output: str, verbose: int, target: str | None, **options: Any) -> int:
    """Make live what git says: plan, ask, write, read back.

    Refuses before the first write when anything in the plan is blocked.
    """
    if target is None and os.environ.get("CI") == "true":
        raise WrongUsage(
            "under CI=true a command that writes needs an explicit target", hint="add -t TARGET"
        )
    request = make_request(verbose=verbose, target=target, **options)
    plain = output == "text"

    def confirm(plan: Plan) -> bool:
        if plain:
            click.echo(text.plan_text(plan, verbose=verbose > 0))
        return yes or _asked(plan)

    def emit(event: Event) -> None:
        if plain and not isinstance(event, Started):
            click.echo(applied.event_line(event))
        elif isinstance(event, Started) and sys.stderr.isatty():
            click.echo(f"  {event.change.address} …", err=True)

    interrupts = _Interrupts()
    result = anyio.run(
        partial(app.apply, request, confirm=confirm, emit=emit, stopping=interrupts.stopping)
    )
    if isinstance(result, Plan):
        return _not_written(result, plain=plain, verbose=verbose)
    click.echo(
        applied.outcome_text(result.outcome, result.remaining)
        if plain
        else json.dumps(
            applied.encode_outcome(result.plan, result.outcome, result.remaining), indent=2
        ),
        nl=not plain,
    )
    return result.outcome.exit_code or (4 if result.remaining.changes else 0)


class _Interrupts:
    """Ctrl-C finishes what is in flight and starts nothing more (design §6.7)."""

    def __init__(self) -> None:
        self.pressed = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._press)

    def _press(self, _number: int, _frame: object) -> None:
        self.pressed = True
        click.echo("Interrupted: finishing what is in flight.", err=True)

    def stopping(self) -> bool:
        return self.pressed


def _asked(plan: Plan) -> bool:
    if not sys.stdin.isatty():
        raise Refused("nobody can be asked here, and nothing was written", hint="add --yes")
    count = len(plan.changes)
    return click.confirm(f"Make {count} change{'s' if count != 1 else ''} now?", err=True)


def _not_written(plan: Plan, *, plain: bool, verbose: int) -> int:
    """Nothing to do, refused, or declined: in each case nothing was written."""
    if not plain:
        click.echo(json.dumps(applied.encode_outcome(plan, None, None), indent=2))
    elif not plan.changes or not plan.applyable:
        click.echo(text.plan_text(plan, verbose=verbose > 0), nl=False)
    else:
        click.echo("Nothing was written.")
    return 0 if not plan.changes and not plan.errored else 1
