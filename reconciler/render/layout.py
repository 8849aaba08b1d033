"""Lines of at most 100 columns: wrapping, hanging labels, places at the right margin."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

from reconciler.core.again import COMMAND
from reconciler.render.clean import clean

WIDTH: Final = 100
LABEL: Final = 22
_KEPT: Final = "\ue000"
"""Stands for a blank inside a command; what is cleaned has none of its own."""


def joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def wrap(text: str, width: int) -> list[str]:
    """Words and commands are never broken: names, flags and whole command lines stay fit to be copied."""
    whole = COMMAND.sub(lambda found: found[0].replace(" ", _KEPT), text)
    lines = textwrap.wrap(whole, max(width, 20), break_long_words=False, break_on_hyphens=False)
    return [line.replace(_KEPT, " ") for line in lines]


def wrapped(text: str, indent: str = "") -> list[str]:
    return [f"{indent}{line}" for line in wrap(text, WIDTH - len(indent))] or [indent]


def hanging(indent: str, name: str, text: str) -> list[str]:
    """A label and its text beside it, the text's further lines below its first."""
    label = f"{name:<{LABEL}}" if len(name) < LABEL else f"{name}  "
    width = WIDTH - len(indent) - LABEL
    first = wrap(clean(text), width - max(0, len(label) - LABEL))[:1] or [""]
    rest = wrap(clean(text).removeprefix(first[0]).strip(), width)
    return [f"{indent}{label}{first[0]}", *(f"{indent}{'':<{LABEL}}{line}" for line in rest)]


def with_place(text: str, where: str) -> str:
    if not where:
        return text
    gap = max(2, WIDTH - len(text) - len(where))
    return f"{text}{' ' * gap}{clean(where)}"
