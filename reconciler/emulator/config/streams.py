"""A discovered stream on the wire of the Configuration API, and the choices it comes with (CFG §4, §5.4)."""

from __future__ import annotations

import re

from reconciler.core.model import Json
from reconciler.emulator import catalog, propagation
from reconciler.emulator.catalog import Descriptor
from reconciler.emulator.config import fields


def shown(stream: Descriptor) -> dict[str, Json]:
    return fields.present(
        name=stream["name"],
        jsonSchema=stream["json_schema"],
        supportedSyncModes=stream["supported_sync_modes"],
        sourceDefinedCursor=stream["source_defined_cursor"],
        defaultCursorField=stream["default_cursor_field"],
        sourceDefinedPrimaryKey=stream["source_defined_primary_key"],
        namespace=stream.get("namespace"),
        isResumable=stream.get("is_resumable"),
        isFileBased=stream.get("is_file_based"),
    )


def by_default(stream: Descriptor, offered: int, suggested: frozenset[str]) -> dict[str, Json]:
    """The `config` of a stream out of so many, as discovery proposes it; it knows of no destination."""
    mode, destination_mode = propagation.usual_modes(stream)
    is_chosen = catalog.selected_by_default(stream, offered, suggested)
    return {
        "syncMode": mode,
        "cursorField": stream["default_cursor_field"],
        "destinationSyncMode": destination_mode,
        "primaryKey": stream["source_defined_primary_key"],
        "aliasName": alias(stream["name"]),
        "selected": is_chosen,
        "suggested": is_chosen,
        "selectedFields": [],
        "hashedFields": [],
        "mappers": [],
    }


def alias(name: str) -> str:
    """Letters, digits and underscores; recomputed whenever a stream is read (CFG §5.4)."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)
