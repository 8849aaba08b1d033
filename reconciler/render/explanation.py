"""One resource field by field, as text or JSON."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.encode import FORMAT_VERSION
from reconciler.core.explanation import Row
from reconciler.core.model import UNSET, Address, Json
from reconciler.render.clean import clean, value_text
from reconciler.render.layout import joined

_WIDE = 34


def explanation_text(
    address: Address, live_id: str, annotations: Mapping[str, str], rows: tuple[Row, ...]
) -> str:
    """A line for each field: where it stands, git's value, and the live one where they are not the same."""
    notes = "   ".join(f"{name} {value}" for name, value in sorted(annotations.items()))
    lines = [clean(f"{address}   {live_id or 'not live'}   {notes}"), ""]
    for row in rows:
        place = f"{row.span.file}:{row.span.line}" if row.span else ""
        value = value_text(row.live if row.git is UNSET else row.git)
        if row.standing == "not readable" and row.git is UNSET:
            value = "(this API can't show it)"
        lines.append(clean(f"  {row.standing:<15}{row.field:<{_WIDE}} {value}"))
        if row.standing == "differs":
            lines.append(clean(f"  {'':<15}{'live':>{_WIDE}} {value_text(row.live)}"))
        if place and row.standing != "same":
            lines.append(clean(f"  {'':<15}{place:>{_WIDE}}"))
    differing = sum(row.standing in ("differs", "missing") for row in rows)
    silent = sum(row.standing == "not stated" for row in rows)
    hidden = sum(row.standing == "not comparable" for row in rows)
    lines += [
        "",
        f"{differing} of {len(rows)} fields differ; {silent} not stated in git, {hidden} hidden.",
    ]
    return joined(lines)


def encode_explanation(address: Address, live_id: str, rows: tuple[Row, ...]) -> dict[str, Json]:
    return {
        "formatVersion": FORMAT_VERSION,
        "address": str(address),
        "liveId": live_id,
        "fields": [
            {
                "field": row.field,
                "standing": row.standing,
                **({} if row.git is UNSET else {"git": row.git}),
                **({} if row.live is UNSET else {"live": row.live}),
                **(
                    {
                        "span": {
                            "file": row.span.file,
                            "line": row.span.line,
                            "column": row.span.column,
                        }
                    }
                    if row.span
                    else {}
                ),
            }
            for row in rows
        ],
    }
