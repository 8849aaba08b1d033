"""Reading a whole list page by page, by our own offset.

The server's lists have no order and its `next` is unusable (PUB §2): rows can repeat and hide behind that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from reconciler.core.diagnostics import Unreachable
from reconciler.core.model import Json

PAGE: Final = 100
"""Rows a page: the server's maximum."""
_PASSES: Final = 20

Row: TypeAlias = dict[str, Any]
Window: TypeAlias = Mapping[str, int]


async def read_pages(
    page: Callable[[Window], Awaitable[Json]], path: str, key: str
) -> tuple[Row, ...]:
    """Every row once, by `key`. Where a row came on two pages another one was hidden, so the list is read
    again until there are as many rows as a pass has read (PUB-T 24). Raises Unreachable."""
    found: dict[str, Row] = {}
    for _ in range(_PASSES):
        counted = await _one_pass(page, path, key, found)
        if len(found) >= counted:
            return tuple(found.values())
    raise Unreachable(
        f"GET {path}: the list changed each of the {_PASSES} times it was read",
        hint="something else writes to this workspace right now; try again when it is done",
    )


async def _one_pass(
    page: Callable[[Window], Awaitable[Json]], path: str, key: str, found: dict[str, Row]
) -> int:
    """Adds what it reads to `found`; returns how many rows there were, counting each once a page."""
    read = counted = 0
    request = f"GET {path}"
    while True:
        rows = rows_of(await page({"limit": PAGE, "offset": read}), path)
        on_page = {identity(row, request, key): row for row in rows}
        found |= on_page
        read += len(rows)
        counted += len(on_page)
        if len(rows) < PAGE:
            return counted
        if read > 2 * len(found) + 3 * PAGE:  # in any order most rows of a pass are distinct
            raise Unreachable(f"{request}: the list repeats itself without end")


def rows_of(answer: Json, path: str) -> list[Row]:
    """The `data` of a list answer, or a bare array. Anything else is no list, not an empty one."""
    return items_of(answer, f"GET {path}", "data")


def items_of(answer: Json, request: str, name: str) -> list[Row]:
    """The rows that an answer holds under `name`, or is."""
    rows = answer.get(name) if isinstance(answer, Mapping) else answer
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise Unreachable(
        f"{request}: the answer is no list of objects",
        hint="is the target's url the base path of Airbyte's API?",
    )


def identity(row: Row, request: str, key: str) -> str:
    value = row.get(key)
    if isinstance(value, str) and value:
        return value
    raise Unreachable(f"{request}: a row has no {key}")
