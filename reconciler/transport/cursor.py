"""Reading a whole list page by page, by the id of the last row read.

Some servers ignore the cursor and send everything each time, and no count of theirs is believed (CFG-T 2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from reconciler.core.diagnostics import Unreachable
from reconciler.core.model import Json
from reconciler.transport.pages import PAGE, Row, identity, items_of

_PASSES: Final = 20
_QUIET: Final = 3
"""Passes that bring nothing new, after which a list that looks disturbed is taken to be whole."""
_MOST_PAGES: Final = 2_000

Window = Mapping[str, Any]


async def read_cursor_pages(
    page: Callable[[Window], Awaitable[Json]], request: str, items: str, key: str
) -> tuple[Row, ...]:
    """Every row once, by `key`, in the order they came; the rows stand in the answer's `items`. Where
    anything says that a row may be hidden, the list is read again. Raises Unreachable."""
    found: dict[str, Row] = {}
    quiet = 0
    for _ in range(_PASSES):
        before = len(found)
        if await _one_pass(page, request, items, key, found):
            return tuple(found.values())
        quiet = quiet + 1 if len(found) == before else 0
        if quiet == _QUIET:
            return tuple(found.values())
    raise Unreachable(
        f"{request}: the list changed each of the {_PASSES} times it was read",
        hint="something else writes to this workspace right now; try again when it is done",
    )


async def _one_pass(
    page: Callable[[Window], Awaitable[Json]],
    request: str,
    items: str,
    key: str,
    found: dict[str, Row],
) -> bool:
    """Adds what it reads to `found`; whether the list was in order. It isn't where rows came twice, where
    the server counts more of them, and where a full page is followed by none that the server's count
    doesn't explain: the row that the cursor names may have been deleted."""
    seen: set[str] = set()
    repeated, last_page, cursor = False, 0, ""
    for _ in range(_MOST_PAGES):
        answer = await page({"pageSize": PAGE, **({"cursor": cursor} if cursor else {})})
        rows = {identity(row, request, key): row for row in items_of(answer, request, items)}
        found |= rows
        if rows.keys() <= seen:
            unpaged = rows.keys() == seen and len(rows) != PAGE
            counted = _counted(answer)
            cut = last_page >= PAGE and counted != len(found)
            hidden = not unpaged and (bool(rows) or repeated or cut)
            return not hidden and counted <= len(found)
        repeated = repeated or not seen.isdisjoint(rows)
        seen |= rows.keys()
        last_page, cursor = len(rows), list(rows)[-1]
    raise Unreachable(f"{request}: the list has no end")


def _counted(answer: Json) -> int:
    """How many rows the server says there are, under the name it has for that (CFG §3): a reason to look
    again, never to stop."""
    count = answer.get("num_connections") if isinstance(answer, Mapping) else None
    return count if isinstance(count, int) else 0
