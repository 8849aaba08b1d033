"""jobs: what ran, what runs, and stopping it."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any, Final

import anyio
import click

from reconciler import app
from reconciler.app import Listed
from reconciler.cli.interrupts import listening
from reconciler.cli.options import (
    about_to_write,
    make_request,
    output_options,
    selection_options,
    server_options,
)
from reconciler.cli.watching import Watching, timeout_option
from reconciler.core.again import command
from reconciler.core.diagnostics import WrongUsage
from reconciler.core.jobs import JobSeen
from reconciler.core.jsontext import json_text
from reconciler.core.plan import TargetLine
from reconciler.render.clean import clean
from reconciler.render.jobs import (
    encode_jobs,
    encode_results,
    job_text,
    jobs_table,
    result_line,
    results_text,
)
from reconciler.render.target import target_lines


def _job_id(_context: click.Context, _parameter: click.Parameter, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST):
        raise WrongUsage(
            f"{clean(text)!r} is no job id: those are numbers",
            hint="list them: reconciler jobs list",
        )
    return int(text)


_LONGEST: Final = 18
"""Digits, as many as a long of Java's has."""

_job_argument = click.argument("job_id", metavar="ID", callback=_job_id)


@click.group()
def jobs() -> None:
    """Syncs, refreshes and clears: what ran and what runs."""


@jobs.command("list")
@selection_options
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="The newest so many.",
)
@server_options
@output_options
def list_command(*, limit: int, output: str, verbose: int, **options: Any) -> int:
    """The newest jobs of the selected connections, or of the whole workspace. Reads only."""
    request = make_request(verbose=verbose, **options)
    listed = anyio.run(partial(app.list_jobs, request, limit))
    if output == "json":
        _print_json(listed)
    else:
        _print_target(listed.line)
        found = [(entry.job, entry.label) for entry in listed.jobs]
        click.echo(jobs_table(found) if found else "No jobs.\n", nl=False)
        _tell(listed.note)
    return 0


@jobs.command("get")
@_job_argument
@server_options
@output_options
def get_command(*, job_id: int, output: str, verbose: int, **options: Any) -> int:
    """One job, whatever became of it. Reads only."""
    request = make_request(verbose=verbose, **options)
    listed = anyio.run(partial(app.get_job, request, str(job_id)))
    _print_job(listed, output)
    return 0


@jobs.command("wait")
@_job_argument
@timeout_option
@server_options
@output_options
def wait_command(
    *, job_id: int, timeout: float | None, output: str, verbose: int, **options: Any
) -> int:
    """Wait until a job has ended: exit 1 if it failed or was cancelled, 4 if it still runs when the time
    is up. Ctrl-C leaves it running. Reads only."""
    request = make_request(verbose=verbose, **options)
    watching = Watching(sys.stderr)
    plain = output == "text"

    def announce(line: TargetLine, note: str) -> None:
        if plain:
            _print_target(line)
        _tell(note)

    def emit(seen: JobSeen) -> None:
        watching.tell(seen)

    work = partial(app.wait_job, request, str(job_id), seconds=timeout)
    ran = anyio.run(partial(work, announce=announce, emit=emit, interrupts=listening))
    watching.clear()
    if plain:
        click.echo("\n".join(map(result_line, ran.results)))
        click.echo(results_text(ran.results, request.again), nl=False)
    else:
        body = encode_results(ran.line, ran.results, interrupted=ran.interrupted)
        click.echo(json_text(body), nl=False)
    return ran.exit_code


@jobs.command("cancel")
@_job_argument
@server_options
@output_options
def cancel_command(
    *, job_id: int, target: str | None, output: str, verbose: int, **options: Any
) -> int:
    """Stop a job; one that has ended is left as it is."""
    about_to_write(target)
    request = make_request(verbose=verbose, target=target, **options)
    listed, had_ended = anyio.run(partial(app.cancel_job, request, str(job_id)))
    _print_job(listed, output)
    job = listed.jobs[0].job
    if had_ended:
        click.echo(f"It had ended already: {clean(job.status)}.", err=True)
    elif not job.ended:
        watch = command(request.again, ("jobs", "wait", str(job_id)))
        click.echo(f"It was asked to stop. Watch: {watch}", err=True)
    return 0


def _print_job(listed: Listed, output: str) -> None:
    if output == "json":
        _print_json(listed)
        return
    _print_target(listed.line)
    for entry in listed.jobs:
        click.echo(job_text(entry.job, entry.label), nl=False)
    _tell(listed.note)


def _tell(note: str) -> None:
    if note:
        click.echo(f"Note: {clean(note)}.", err=True)


def _print_json(listed: Listed) -> None:
    found = [(entry.job, entry.address, entry.name) for entry in listed.jobs]
    click.echo(json_text(encode_jobs(listed.line, found, listed.note)), nl=False)


def _print_target(line: TargetLine) -> None:
    click.echo("\n".join([*target_lines(line), ""]))
