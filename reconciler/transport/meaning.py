"""What a request does, in the words of HTTP: for an API whose every call is a POST, a table says it.

Knows no API; retries, errors and read-only transports go by a request's meaning, not by its method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

Meaning: TypeAlias = Callable[[str, str], str]
"""(method, path below the base) → the method that would say it: GET reads, PUT and DELETE may be repeated,
PATCH and POST may not."""

ONCE: Final = "POST"
"""What a request means of which nothing is known: a write that is never sent twice."""


def of_method(method: str, _path: str) -> str:
    return method


def of_table(table: Mapping[str, str]) -> Meaning:
    """For an API whose calls are POSTs: path → meaning; a GET is what it says."""

    def meaning(method: str, path: str) -> str:
        return method if method == "GET" else table.get(path, ONCE)

    return meaning
