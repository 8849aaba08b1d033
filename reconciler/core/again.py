"""Commands that are printed to be pasted: they reach what this run reached.

Knows how a command line is written; nothing of who prints it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Again:
    """Options as they were given on the command line, which the next command needs too; "" where one was
    not. What the environment says is left out: it says it to the next command as well."""

    directory: str = ""
    target: str = ""
    api: str = ""
    env_file: str = ""


NOTHING: Final = Again()
"""Nothing was typed that matters."""


def command(again: Again, words: Iterable[str], api: str = "") -> str:
    """One line for a shell. `api`: the one that the command needs, where it isn't the one in use."""
    options = {
        "-C": again.directory,
        "-t": again.target,
        "--api": api or again.api,
        "--env-file": again.env_file,
    }
    given = [text for name, value in options.items() if value for text in (name, value)]
    return " ".join(["reconciler", *map(shlex.quote, [*words, *given])])


_WORD: Final = r"""(?:'[^']*'|"[^"]*"|[^\s'"`,;()]|[,;](?=[^\s]))+"""
COMMAND: Final = re.compile(rf"\breconciler(?: {_WORD})+")
"""A command inside a sentence: up to its end, a comma or semicolon and a blank, or a bracket."""
