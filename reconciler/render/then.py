"""What is left to be done by hand after a change: one command, never run by itself.

Reading history again costs hours and money, and emptying tables can't be undone: people decide that.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from reconciler.core.jobs import ONLY_CONFIG
from reconciler.core.plan import Change
from reconciler.render.clean import clean

_SHOWN: Final = 12
"""Streams that are named in one command."""


def follow_up(change: Change, api: str) -> str:
    """The command after which old and new rows follow one rule again; "" where nothing parts them."""
    parted = {
        stream
        for effect in change.effects
        if effect.name == "inconsistent"
        for stream in effect.streams
    }
    if not parted:
        return ""
    with_api = " --api config" if "refresh" in ONLY_CONFIG and api != "config" else ""
    streams = " ".join(_options(sorted(parted)))
    if change.address.kind == "connection":
        return f"reconciler refresh {change.address} {streams}{with_api}"
    return (
        "if what it reads or writes lies elsewhere now, for each connection on it: "
        f"reconciler refresh connection/NAME {streams}{with_api}"
    )


def _options(streams: list[str]) -> Iterator[str]:
    for stream in streams[:_SHOWN]:
        yield f"--stream={shlex.quote(clean(stream))}"
    if len(streams) > _SHOWN:
        yield f"(and {len(streams) - _SHOWN} more streams)"
