"""Options that several commands share, and the request they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource
from dotenv import dotenv_values

from reconciler.app import Request
from reconciler.cli.streams import Printed
from reconciler.core.again import Again
from reconciler.core.diagnostics import (
    Diagnostic,
    InvalidInput,
    ReconcilerError,
    WrongUsage,
    errors,
)
from reconciler.core.encode import FORMAT_VERSION, encode_diagnostic
from reconciler.core.jsontext import json_text
from reconciler.core.model import Consent, Json
from reconciler.core.policy import Expected, parse_consent
from reconciler.core.select import Selection
from reconciler.render.clean import clean
from reconciler.transport import Exchange
from reconciler.transport.hosts import VARIABLE, allowed_hosts

_F = TypeVar("_F", bound=Callable[..., Any])


def combined(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Several options as one decorator, in the order in which they are shown."""

    def decorate(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


project_options = combined(
    click.option(
        "-C",
        "directory",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=Path(),
        envvar="RECONCILER_DIRECTORY",
        help="The project's folder; default: this one.",
    ),
    click.option(
        "-t",
        "--target",
        envvar="RECONCILER_TARGET",
        help="The target to use; default: the project's defaultTarget.",
    ),
    click.option(
        "--env-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="RECONCILER_ENV_FILE",
        help="NAME=value lines for ${env:NAME}; the environment itself wins.",
    ),
)


server_options = combined(
    project_options,
    click.option(
        "--api",
        type=click.Choice(["public", "config", "auto"]),
        envvar="RECONCILER_API",
        help="The API of Airbyte's to use in this run; default: the target's.",
    ),
)


def encode_diagnostics(diagnostics: Sequence[Diagnostic]) -> dict[str, Json]:
    """What every command answers with -o json where it got no further than the manifests."""
    return {
        "formatVersion": FORMAT_VERSION,
        "valid": not errors(diagnostics),
        "diagnostics": [encode_diagnostic(diagnostic) for diagnostic in diagnostics],
    }


def encode_error(error: ReconcilerError) -> dict[str, Json]:
    """What every command answers with -o json where it ended with one error."""
    return {
        "formatVersion": FORMAT_VERSION,
        "error": {"message": error.message, "hint": error.hint, "exitCode": error.exit_code},
    }


def _errors_as_json(command: Callable[..., int]) -> Callable[..., int]:
    """That a command ended early is a result too: as JSON on stdout, and as text where errors go."""

    @wraps(command)
    def run(*, output: str, **options: Any) -> int:
        try:
            return command(output=output, **options)
        except InvalidInput as invalid:
            if output == "json":
                click.echo(json_text(encode_diagnostics(invalid.diagnostics)), nl=False)
            raise
        except ReconcilerError as error:
            if output == "json":
                click.echo(json_text(encode_error(error)), nl=False)
            raise

    return run


output_options = combined(
    click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        envvar="RECONCILER_OUTPUT",
        help="The form of the result on stdout.",
    ),
    click.option(
        "-v", "--verbose", count=True, help="Show everything; -vv: each HTTP request on stderr."
    ),
    _errors_as_json,
)

selection_options = combined(
    click.argument("addresses", nargs=-1, metavar="[ADDRESS]..."),
    click.option(
        "-s", "--select", multiple=True, help="Only these: an address, a glob, or label:key=value."
    ),
    click.option("--exclude", multiple=True, help="Not these."),
)

allow_option = click.option(
    "--allow",
    multiple=True,
    metavar="EFFECT[,EFFECT][=ADDRESS]",
    help="Accept effects on data; see the plan for what is needed.",
)

parallelism_option = click.option(
    "--parallelism",
    type=click.IntRange(1, 16),
    default=4,
    show_default=True,
    envvar="RECONCILER_PARALLELISM",
    help="Requests at the same time; slow ones are at most two.",
)

plan_options = combined(
    selection_options,
    allow_option,
    click.option(
        "--max-deletes", type=click.IntRange(0), help="The number of deletes that is meant."
    ),
    click.option(
        "--max-updates", type=click.IntRange(0), help="The number of updates that is meant."
    ),
    click.option(
        "--max-stops", type=click.IntRange(0), help="The number of streams meant to stop."
    ),
    click.option(
        "--allow-empty", is_flag=True, help="That no manifest is for this target is meant."
    ),
    parallelism_option,
)


WRITTEN: Final = 4
"""The exit code of a command that wrote and could not tell of it: 1 says that nothing was written."""


def about_to_write(target: str | None) -> None:
    """Begins every command that writes: in a pipeline a default target that moved would reach the wrong
    server."""
    printed = click.get_current_context().find_object(Printed)
    if printed is not None:
        printed.exit_if_lost = WRITTEN
    if target is None and os.environ.get("CI", "").lower() in ("true", "1"):
        raise WrongUsage(
            "under CI=true a command that writes needs an explicit target", hint="add -t TARGET"
        )


def make_request(
    *,
    directory: Path,
    target: str | None,
    api: str | None = None,
    verbose: int = 0,
    addresses: Sequence[str] = (),
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    allow: Sequence[str] = (),
    max_deletes: int | None = None,
    max_updates: int | None = None,
    max_stops: int | None = None,
    parallelism: int = 4,
    online: bool = False,
    check: bool = False,
    since: str | None = None,
    resend_secrets: Sequence[str] = (),
    allow_empty: bool = False,
    allow_running: bool = False,
    env_file: Path | None = None,
) -> Request:
    return Request(
        project=directory.resolve(),
        env=_environment(env_file),
        target=target,
        api=api,
        allow=tuple(_consent(text) for text in allow),
        expected=Expected(max_deletes, max_updates, max_stops),
        selection=Selection((*addresses, *select), tuple(exclude)),
        parallelism=parallelism,
        online=online,
        check=check,
        since=since,
        resend=tuple(resend_secrets),
        allow_empty=allow_empty,
        allow_running=allow_running,
        # Never from --env-file, which may lie in the repository that the list guards against.
        allowed_hosts=allowed_hosts(os.environ.get(VARIABLE)),
        again=_as_given(),
        observe=_print_exchange if verbose > 1 else None,
    )


def _as_given() -> Again:
    """What was typed, as it was typed: what a variable said it says to the next command too."""
    context = click.get_current_context(silent=True)
    if context is None:
        return Again()

    def typed(name: str) -> str:
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        return str(context.params[name]) if given else ""

    return Again(typed("directory"), typed("target"), typed("api"), typed("env_file"))


def _environment(env_file: Path | None) -> dict[str, str]:
    """The environment, and below it what a dotenv file sets: a variable that is set wins."""
    if env_file is None:
        return dict(os.environ)
    try:
        read = dotenv_values(env_file, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReconcilerError(
            f"{env_file} can't be read ({type(error).__name__})",
            hint="--env-file takes a text file (UTF-8) of NAME=value lines",
        ) from error
    return {**{name: value for name, value in read.items() if value is not None}, **os.environ}


def _consent(text: str) -> Consent:
    try:
        return parse_consent(text)
    except ValueError as error:
        raise WrongUsage(f"--allow {clean(text)}: {error}") from error


def _print_exchange(exchange: Exchange) -> None:
    click.echo(
        f"{exchange.method} {exchange.path} {exchange.status} {exchange.seconds:.2f} s", err=True
    )
