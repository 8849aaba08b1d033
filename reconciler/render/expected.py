"""What is not as it was reviewed, in words and as JSON. Both plans hold foreign text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.diff import FieldChange
from reconciler.core.encode import encode_field, encode_span
from reconciler.core.expect import Comparison, Detail, Difference
from reconciler.core.model import UNSET, Json, Unset
from reconciler.core.plan import Plan
from reconciler.render.clean import clean, value_text
from reconciler.render.layout import hanging, joined, with_place, wrapped
from reconciler.render.target import target_lines
from reconciler.render.text import field_sides, own_name
from reconciler.render.view import counted

_WORDS: Final = {
    "new": "NEW      ",
    "gone": "GONE     ",
    "differs": "DIFFERS  ",
}
_AGAIN: Final = (
    "plan again with the options that apply gets (addresses, --exclude, --allow, --resend-secrets), "
    "review it, and apply with that file: reconciler plan --out FILE"
)
_DONE: Final = "nothing is left to do: live is as git says"


def refused_text(comparison: Comparison, plan: Plan, name: str) -> str:
    """`name` is the file of the reviewed plan."""
    count = len(comparison.differences)
    verb = "is" if count == 1 else "are"
    said = (
        f"Refused: {counted(count, 'thing')} {verb} not as reviewed in {clean(name)}, "
        "and nothing was written."
    )
    lines = [*target_lines(plan.target), "", *wrapped(said), ""]
    for difference in comparison.differences:
        lines += [*_difference_lines(difference), ""]
    return joined([*lines, *wrapped(f"-> {_AGAIN if plan.changes or plan.errored else _DONE}")])


def same_text(comparison: Comparison, plan: Plan, name: str) -> str:
    lines = wrapped(
        f"The same {counted(len(plan.changes), 'change')} as reviewed in {clean(name)}."
    )
    if comparison.aside:
        moved = ", ".join(map(str, comparison.aside))
        lines += wrapped(
            f"Changed in Airbyte since then, where git states nothing: {clean(moved)}."
        )
    if comparison.stated_otherwise:
        lines += wrapped("Git states something else than then, and nothing of that is written.")
    return joined(lines)


def _difference_lines(difference: Difference) -> Iterator[str]:
    span = difference.span
    where = f"{span.file}:{span.line}" if span else ""
    yield with_place(f"  {_WORDS[difference.sort]}{clean(difference.subject)}", where)
    if difference.note:
        yield from wrapped(clean(difference.note), "      ")
    for detail in difference.details:
        yield from _detail_lines(detail, difference)


def _detail_lines(detail: Detail, difference: Difference) -> Iterator[str]:
    one = next((v for v in (detail.now, detail.reviewed) if isinstance(v, FieldChange)), None)
    stream = f"{one.stream} " if one is not None and one.stream else ""
    name = clean(stream) + (own_name(one) if one is not None else clean(detail.name))
    if difference.sort == "new":
        yield from hanging("      ", name, _side(detail.now))
    else:
        said = f"reviewed: {_side(detail.reviewed)}   now: {_side(detail.now)}"
        yield from hanging("      ", name, said)
    if detail.note:
        yield from hanging("      ", "", detail.note)


def _side(value: FieldChange | Json | Unset) -> str:
    if value is UNSET:
        return "(not in it)"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return clean("; ".join(value))  # whole: ids stand in it that people copy
    if not isinstance(value, FieldChange):
        return value_text(value)
    before, after = field_sides(value)
    return after if value.before is UNSET else f"{before} -> {after}"


def encode_comparison(comparison: Comparison, name: str) -> dict[str, Json]:
    return {
        "file": name,
        "same": comparison.same,
        "differences": [_encode_difference(found) for found in comparison.differences],
        "movedAside": [str(address) for address in comparison.aside],
        "statedOtherwise": comparison.stated_otherwise,
    }


def _encode_difference(difference: Difference) -> dict[str, Json]:
    return {
        "difference": difference.sort,
        "subject": difference.subject,
        "note": difference.note,
        "details": [_encode_detail(detail) for detail in difference.details],
        **({"span": encode_span(difference.span)} if difference.span else {}),
    }


def _encode_detail(detail: Detail) -> dict[str, Json]:
    sides = {"reviewed": detail.reviewed, "now": detail.now}
    return {
        "name": detail.name,
        "note": detail.note,
        **{
            side: encode_field(value) if isinstance(value, FieldChange) else value
            for side, value in sides.items()
            if value is not UNSET
        },
        **({"span": encode_span(detail.span)} if detail.span else {}),
    }
