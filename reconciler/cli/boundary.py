"""The only exception boundary: every way out of a command, and its exit code (design §8)."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import Final

import click

from reconciler import __version__
from reconciler.cli.main import cli
from reconciler.cli.streams import Printed, lasting
from reconciler.core.diagnostics import InvalidInput, ReconcilerError

WRONG_USAGE: Final = 64
BUG: Final = 70
INTERRUPTED: Final = 130


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; never raises. That nobody reads what it prints any
    longer changes neither what it does nor its exit code."""
    with lasting() as printed:
        code = _run(arguments, printed)
        sys.stdout.flush()
        if printed.problem is None or printed.unread:
            return code
        reason = printed.problem.strerror
        click.echo(f"Error: not all of the output could be written: {reason}", err=True)
        ended = "ended well: the exit code is that of its output alone"
        gone_on = "went on to its end, as its exit code tells"
        click.echo(f"  -> the command itself {gone_on if code else ended}", err=True)
        return code or printed.exit_if_lost


def _run(arguments: Sequence[str], printed: Printed) -> int:
    try:
        result = cli.main(
            args=list(arguments), prog_name="reconciler", standalone_mode=False, obj=printed
        )
    except click.exceptions.Exit as done:
        return done.exit_code
    except SystemExit as done:  # click's own way to print shell completion
        return done.code if isinstance(done.code, int) else 0
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:  # noqa: BLE001 - the boundary
        return _ended(_first(error))
    return result if isinstance(result, int) else 0


def _first(error: BaseException) -> BaseException:
    """What happened, taken out of the groups that things done at once raise; an interrupt goes first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    found = [_first(inner) for inner in error.exceptions]
    return next((inner for inner in found if isinstance(inner, KeyboardInterrupt)), found[0])


def _ended(error: BaseException) -> int:
    if isinstance(error, click.ClickException | ReconcilerError | click.Abort | KeyboardInterrupt):
        return _expected(error)
    _report(error)
    return BUG


def _expected(error: BaseException) -> int:
    if isinstance(error, ReconcilerError):
        _tell(error)
        return error.exit_code
    if isinstance(error, click.ClickException):
        error.show()
        return WRONG_USAGE if isinstance(error, click.UsageError) else 1
    click.echo("Interrupted.", err=True)
    return INTERRUPTED


def _tell(error: ReconcilerError) -> None:
    from reconciler.render.clean import clean  # noqa: PLC0415 - only where something went wrong
    from reconciler.render.problems import problems_text  # noqa: PLC0415

    if isinstance(error, InvalidInput):
        click.echo(problems_text(error.diagnostics), err=True, nl=False)
    click.echo(f"Error: {clean(error.message)}", err=True)
    if error.hint:
        click.echo(f"  -> {clean(error.hint)}", err=True)


def _report(error: BaseException) -> None:
    """Where it broke, without the values it broke on: a message of Python's may quote a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    head = [f"reconciler {__version__}", f"Python {sys.version}", type(error).__name__]
    click.echo(f"This is a bug in reconciler ({type(error).__name__}).", err=True, nl=False)
    try:
        with tempfile.NamedTemporaryFile(  # readable by its owner alone
            "w", prefix="reconciler-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write("\n".join([*head, *places]))
        click.echo(f" Report: {file.name}", err=True)
    except OSError:
        click.echo("\n" + "\n".join([*head, *places]), err=True)
