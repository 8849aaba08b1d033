"""Lines of at most 100 columns: wrapping, hanging labels, places at the right margin."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

from reconciler.render.clean import clean

WIDTH: Final = 100
LABEL: Final = 22


def joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent]


def hanging(indent: str, name: str, text: str) -> list[str]:
    wrapped = textwrap.wrap(
        clean(text), WIDTH - len(indent) - LABEL, break_long_words=False, break_on_hyphens=False
    )
    return [
        f"{indent}{name if index == 0 else '':<{LABEL}}{line}" for index, line in enumerate(wrapped)
    ]


def with_place(text: str, where: str) -> str:
    if not where:
        return text
    gap = max(2, WIDTH - len(text) - len(where))
    return f"{text}{' ' * gap}{clean(where)}"
