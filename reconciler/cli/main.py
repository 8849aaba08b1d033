"""The command group. A command's module is imported when it is called, which keeps --help quick."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

from reconciler import __version__

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "init": ("project", "Make a project that plans at once against the embedded Airbyte."),
    "validate": ("project", "Check the manifests; needs no server."),
    "plan": ("plan", "Show what apply would do, and what that does to data. Reads only."),
    "apply": ("apply", "Make live what git says."),
    "drift": ("plan", "Exit 2 when live differs from git; for a cron. Reads only."),
    "show": ("plan", "Show a saved plan again."),
    "explain": ("live", "One resource field by field: git, live, and where it stands."),
    "get": ("live", "List what is live."),
    "check": ("operations", "Test the connections of sources and destinations. Reads only."),
    "discover": ("operations", "The streams a source offers, ready to paste. Reads only."),
    "sync": ("running", "Start syncs of connections, and wait for them if asked."),
    "refresh": ("running", "Read the history of streams again."),
    "clear": ("running", "Empty the tables of a connection; needs --allow data-erase."),
    "jobs": ("jobs", "List, watch and cancel what runs."),
    "schema": ("project", "Print the JSON Schema of the manifests."),
    "emulator": ("emulator", "The embedded Airbyte over HTTP."),
}
"""Command → (module, one line of help). The one list of commands."""


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"reconciler.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong row in the table above
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


_COMPLETION: Final = """\b
Completion in a shell: put one line into its start-up file.
  bash  eval "$(_RECONCILER_COMPLETE=bash_source reconciler)"
  zsh   eval "$(_RECONCILER_COMPLETE=zsh_source reconciler)"
  fish  _RECONCILER_COMPLETE=fish_source reconciler | source
"""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_COMPLETION,
)
@click.version_option(__version__, prog_name="reconciler")
def cli() -> None:
    """Run Airbyte from git: manifests, validated, planned with their effect on data, and applied.

    Exit codes: 0 done or no changes; 1 invalid, blocked, refused or failed with nothing written;
    2 changes present (plan --detailed-exitcode, drift); 3 not what was reviewed; 4 partly applied or
    outcome unknown, or its output could not be written; 64 wrong usage; 70 a bug; 130 interrupted.
    """
