"""What a source offers: YAML that is ready to be pasted under `streams:`, and all of it as JSON.

Names are foreign text: they are quoted so that YAML reads back exactly them, and no comment can end early.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import yaml

from reconciler.core.encode import FORMAT_VERSION
from reconciler.core.model import SYNC_MODES, Address, DiscoveredStream, Json
from reconciler.core.plan import TargetLine
from reconciler.render.clean import clean
from reconciler.render.layout import joined
from reconciler.render.target import encode_target, target_lines

_OVERWRITE: Final = "full_refresh_overwrite"
_FEW: Final = 8


def suggested_mode(stream: DiscoveredStream) -> str:
    """Incremental where the source knows a cursor, merged where it knows a key too; else the table is
    replaced, which Airbyte always accepts (PUB-T 36). Only what is supported, where that is known."""
    wished = [_OVERWRITE]
    if stream.default_cursor_field or stream.source_defined_cursor:
        wished.insert(0, "incremental_append")
        if stream.source_defined_primary_key:
            wished.insert(0, "incremental_deduped_history")
    if not stream.sync_modes:
        return _OVERWRITE
    known = [mode for mode in stream.sync_modes if mode in SYNC_MODES]
    return next((mode for mode in wished if mode in known), [*known, _OVERWRITE][0])


def offered_text(
    line: TargetLine,
    source: Address,
    destination: Address | None,
    streams: tuple[DiscoveredStream, ...],
    selected_by: Mapping[int, tuple[Address, ...]],
) -> str:
    lines = [f"# {text}" for text in target_lines(line)]
    to = f" to {destination}" if destination is not None else ""
    count = "1 stream" if len(streams) == 1 else f"{len(streams)} streams"
    lines.append(f"# {source} offers {count}{to}. Paste under spec: of a connection.")
    if destination is None:
        lines.append(
            "# Which modes there are depends on the destination too: name it with --destination."
        )
    lines.append("streams:" if streams else "streams: []")
    placed = any(stream.namespace is not None for stream in streams)
    for index, stream in enumerate(streams):
        lines += _stream_lines(stream, selected_by.get(index, ()), placed=placed)
    return joined(lines)


def _stream_lines(
    stream: DiscoveredStream, users: tuple[Address, ...], *, placed: bool
) -> Iterator[str]:
    """`placed`: others have a namespace, so that having none is said: left out would mean any."""
    mode = suggested_mode(stream)
    by = f"   # selected by {', '.join(map(str, users))}" if users else ""
    yield f"  - name: {_scalar(stream.name)}{by}"
    if stream.namespace is not None:
        yield f"    namespace: {_scalar(stream.namespace)}"
    elif placed:
        yield "    namespace: null"
    others = [other for other in stream.sync_modes if other != mode]
    also = f"   # or {', '.join(map(clean, others))}" if others else ""
    yield f"    syncMode: {_scalar(mode)}{also}"
    yield from _cursor_lines(stream, mode)
    yield from _key_lines(stream)
    columns = list(dict.fromkeys(path[0] for path in stream.fields if path))
    if columns:
        more = f" and {len(columns) - _FEW} more" if len(columns) > _FEW else ""
        yield f"    # columns: {', '.join(map(clean, columns[:_FEW]))}{more}"


def _cursor_lines(stream: DiscoveredStream, mode: str) -> Iterator[str]:
    cursor = stream.default_cursor_field
    if not cursor and not stream.source_defined_cursor and _can_be_incremental(stream):
        yield "    # incremental modes need a cursorField: the source names none"
    if stream.source_defined_cursor:
        named = f": {clean('.'.join(cursor))}" if cursor else ""
        yield f"    # the source defines the cursor itself{named}"
    elif cursor and mode.startswith("incremental"):
        yield f"    cursorField: {_path(cursor)}"
    elif cursor:
        yield f"    # usual cursor: {clean('.'.join(cursor))}"


def _can_be_incremental(stream: DiscoveredStream) -> bool:
    return any(mode.startswith("incremental") for mode in stream.sync_modes)


def _key_lines(stream: DiscoveredStream) -> Iterator[str]:
    key = stream.source_defined_primary_key
    if key:
        listed = ", ".join(clean(".".join(path)) for path in key)
        yield f"    # the source defines the key itself: {listed}"


def _path(parts: tuple[str, ...]) -> str:
    """One name, or the list of a nested field's."""
    return _scalar(parts[0]) if len(parts) == 1 else f"[{', '.join(map(_scalar, parts))}]"


def _scalar(text: str) -> str:
    """The text as YAML on one line, quoted where it must be; a reference's `${` stays text."""
    written = text.replace("${", "$${")
    readable = clean(written) == written
    dumped = yaml.safe_dump(
        [written],
        default_flow_style=True,
        default_style=None if readable else '"',
        allow_unicode=readable,
        width=1_000_000,
    )
    plain = str(dumped).strip()[1:-1]
    return plain if readable else plain.replace("##", "#\\x23")  # CI systems obey ##[…] in any text


def encode_offered(
    line: TargetLine,
    live_id: str,
    source: Address,
    destination: Address | None,
    streams: tuple[DiscoveredStream, ...],
    selected_by: Mapping[int, tuple[Address, ...]],
) -> dict[str, Json]:
    return {
        "formatVersion": FORMAT_VERSION,
        "target": encode_target(line),
        "source": str(source),
        "sourceId": live_id,
        **({} if destination is None else {"destination": str(destination)}),
        "streams": [
            {
                "name": stream.name,
                **({} if stream.namespace is None else {"namespace": stream.namespace}),
                "suggestedSyncMode": suggested_mode(stream),
                "syncModes": list(stream.sync_modes),
                "defaultCursorField": list(stream.default_cursor_field),
                "sourceDefinedCursor": stream.source_defined_cursor,
                "sourceDefinedPrimaryKey": [list(p) for p in stream.source_defined_primary_key],
                "fields": [list(path) for path in stream.fields],
                "selectedBy": [str(address) for address in selected_by.get(index, ())],
            }
            for index, stream in enumerate(streams)
        ],
    }
