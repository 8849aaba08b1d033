"""What testing a connection comes to. No host is ever called: the names in a configuration decide.

Knows nothing of either API's wire.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from reconciler.core.model import Json

UNREACHABLE: Final = "fail.invalid"
CRASHING: Final = "crash.invalid"
"""Hosts, bare or in a URL, at any depth of a configuration: one that no connector reaches, and one that
kills the connector before it can say anything. `.invalid` belongs to nobody (RFC 2606)."""

SUCCESS: Final = "Connection test succeeded"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`crashed`: the connector said nothing, and `message` is the platform's own."""

    status: Literal["succeeded", "failed", "crashed"]
    message: str = ""


def check(configuration: Json) -> Outcome:
    """Of a configuration as it is stored or as it was sent."""
    hosts = {
        host
        for text in _texts(configuration)
        for host in (UNREACHABLE, CRASHING)
        if _names(text, host)
    }
    if CRASHING in hosts:
        return Outcome("crashed", "The check failed: the connector exited with status 137.")
    if UNREACHABLE in hosts:
        return Outcome("failed", f"Could not connect: the host {UNREACHABLE} is not known.")
    return Outcome("succeeded", SUCCESS)


def _names(text: str, host: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w.-])", text) is not None


def _texts(node: Json) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for part in node.values():
            yield from _texts(part)
    elif isinstance(node, list):
        for part in node:
            yield from _texts(part)
