"""What still differs after an apply: both canonical forms, side by side. Holds nothing secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.core.encode import encode_change
from reconciler.core.lastlook import StillDiffers
from reconciler.core.model import Json
from reconciler.render.clean import clean
from reconciler.render.layout import wrapped
from reconciler.render.text import field_sides, own_name
from reconciler.render.view import counted

_MISSING: Final = object()


def differing_lines(found: StillDiffers) -> Iterator[str]:
    """The fields that differ, then each form whole, but for streams that are the same in both."""
    yield from wrapped(f"Read back and planned again: {found.change.address} still differs:")
    for field in found.change.fields:
        name = " ".join(part for part in (clean(field.stream), own_name(field)) if part)
        live, asked = field_sides(field)
        yield from wrapped(
            f"{name or clean(field.pointer)}   asked: {asked}   live: {live}", "    "
        )
    yield from _form_lines("asked", found.asked, found.live)
    yield from _form_lines("live", found.live, found.asked)


def encode_differing(found: StillDiffers) -> dict[str, Json]:
    return {**encode_change(found.change), "asked": found.asked, "live": found.live}


def _form_lines(side: str, form: Json, other: Json) -> Iterator[str]:
    if form is None:
        yield f"    {side:<7}nothing"
        return
    yield f"    {side}"
    for name, value in form.items():
        if name != "streams":
            yield from wrapped(clean(f"{name}: {_compact(value)}"), "      ")
    theirs = _by_name(other)
    same = 0
    for key, stream in _by_name(form).items():
        if theirs.get(key, _MISSING) == stream:
            same += 1
        else:
            yield from wrapped(clean(f"stream {_compact(stream)}"), "      ")
    if same:
        yield f"      {counted(same, 'stream')} as on the other side"


def _by_name(form: Json) -> dict[tuple[str, str], Json]:
    streams = form.get("streams") if isinstance(form, Mapping) else None
    return {(stream.get("namespace", ""), stream["name"]): stream for stream in streams or ()}


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
