"""Lists of the Configuration API: by cursor, by offset, or all at once (CFG §3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from reconciler.emulator.config import fields
from reconciler.emulator.instance import Instance

DEFAULT_SIZE: Final = 20

Row = TypeVar("Row")


def by_offset(sent: fields.Body, rows: Sequence[Row]) -> list[Row]:
    """`pagination: {pageSize, rowOffset}`, 20 from the start unless said otherwise."""
    asked = fields.child(sent, "pagination") or {}
    size = fields.number(asked, "pageSize")
    offset = max(0, fields.number(asked, "rowOffset") or 0)
    return list(rows[offset : offset + (DEFAULT_SIZE if size is None else max(0, size))])


def size_of(instance: Instance, sent: fields.Body) -> int | None:
    """How many rows a page by cursor holds; None where this generation lists all and ignores paging."""
    if instance.generation.page_size is None:
        return None
    return fields.number(sent, "pageSize") or instance.generation.page_size
