"""Columns of text. Cells may be foreign: each is cleaned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.render.clean import clean
from reconciler.render.layout import joined


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [[clean(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    return joined(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
