"""Lists in pages, with the links that no client should follow (PUB §2, PUB-T 24, PUB-T 25)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote_plus

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator.calls import Call
from reconciler.emulator.instance import Instance
from reconciler.emulator.public import fields
from reconciler.emulator.store import among

API_HOST: Final = "http://localhost:8001/api/public"
"""The community default: the container's own port, which nobody reaches from outside."""

_ALL: Final = 2**31 - 1
_SHIFTS: Final = {"repeat": -1, "hide": 1}
"""By how many rows the pages after the first move when something is written meanwhile (PUB §2)."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    limit: int
    offset: int
    include_deleted: bool
    workspace_ids: list[str]


def asked(call: Call) -> Page:
    return Page(
        fields.query_number(call, "limit", 20, 1, 100),
        fields.query_number(call, "offset", 0, 0, _ALL),
        fields.query_flag(call, "includeDeleted"),
        fields.query_ids(call, "workspaceIds"),
    )


def select(
    instance: Instance,
    page: Page,
    kind: type[Row],
    conditions: Sequence[tuple[str, Sequence[Any]]],
    *,
    workspace_column: str = "workspace_id",
) -> list[Row]:
    """The rows of the page. Without an order of the database's own, chaos may shuffle them."""
    every = list(conditions)
    if page.workspace_ids:
        every.append((among(workspace_column, page.workspace_ids), page.workspace_ids))
    where = " AND ".join(condition for condition, _ in every) or "1"
    parameters = [value for _, values in every for value in values]
    order, random, offset = instance.conditions.order, instance.conditions.random, page.offset
    if order == "shuffle" and random is not None:
        found = instance.store.select(kind, where, parameters)
        random.shuffle(found)
        return found[offset : offset + page.limit]
    if offset and order in _SHIFTS:
        offset += _SHIFTS[order]
    return instance.store.select(kind, where, parameters, limit=page.limit, offset=offset)


def envelope(
    page: Page,
    resource: str,
    rows: Sequence[Row],
    read: Callable[[Row], Json],
    filters: Mapping[str, str] | None = None,
) -> Response:
    """`next` stands whenever the page holds anything; one builder makes both links, so that `previous`
    repeats the limit where `next` came first. Of the filters only `filters` are in them."""
    if filters is None:
        filters = {"includeDeleted": str(page.include_deleted).lower()}
    parts = dict(filters)
    if page.workspace_ids:
        parts["workspaceIds"] = ",".join(page.workspace_ids)
    limit = f"limit={page.limit}"
    query = "&".join([*(f"{name}={quote_plus(value)}" for name, value in parts.items()), limit])
    link = f"{API_HOST}/v1/{resource}?{query}"
    again = f"&{limit}" if rows else ""
    before = max(0, page.offset - page.limit)
    return JSONResponse(
        {
            "previous": f"{link}{again}&offset={before}" if page.offset else "",
            "next": f"{link}&offset={page.offset + page.limit}" if rows else "",
            "data": [read(row) for row in rows],
        }
    )
