"""Canonical forms: the one shape in which desired and live are compared, hashed and shown.

One pure function a kind. Values are in the manifests' language; what is noise to a comparison is gone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from reconciler.core import redact
from reconciler.core.model import (
    SYNC_MODES,
    UNSET,
    Address,
    Columns,
    Connection,
    Destination,
    Json,
    Mapper,
    Namespace,
    Ref,
    Schedule,
    Source,
    Stream,
)
from reconciler.core.schedule import canonical_schedule

StreamKey: TypeAlias = tuple[str, str]
"""(namespace or "", name)."""

Naming: TypeAlias = Callable[[Ref, str], str]
"""Gives a Ref of a connection one stable text: `source/shop` where we claim it, else its id."""

_LARGEST_EXACT_FLOAT: Final = 2**53


def stream_key(stream: Stream) -> StreamKey:
    return (stream.namespace or "", stream.name)


def stream_label(key: StreamKey) -> str:
    """`public.orders`, or `orders` where the source has no namespaces."""
    namespace, name = key
    return f"{namespace}.{name}" if namespace else name


def canonical_actor(spec: Source | Destination) -> dict[str, Json]:
    """{name, connector, configuration}; Secret and KEEP leaves and masks stay as they are."""
    return {
        "name": spec.name,
        "connector": spec.connector,
        "configuration": canonical_json(spec.configuration),
    }


def canonical_connection(spec: Connection, naming: Naming) -> dict[str, Json]:
    """Fields that are stated, in the manifests' language; `streams` is keyed by StreamKey."""
    form: dict[str, Json] = {
        "name": spec.name,
        "source": naming(spec.source, "source"),
        "destination": naming(spec.destination, "destination"),
    }
    if isinstance(spec.schedule, Schedule):
        form["schedule"] = canonical_schedule(spec.schedule)
    if isinstance(spec.namespace, Namespace):
        form["destinationNamespace"] = canonical_namespace(spec.namespace)
    if isinstance(spec.tags, tuple):
        form["tags"] = sorted(set(spec.tags))
    if isinstance(spec.resource_requirements, Mapping):
        # An empty text is how one is unset; the server may or may not show it (CFG-T 20).
        asked = {name: value for name, value in spec.resource_requirements.items() if value}
        form |= {"resourceRequirements": canonical_json(asked)} if asked else {}
    plain = {
        "status": spec.status,
        "prefix": spec.prefix,
        "schemaChanges": spec.schema_changes,
        "backfillPreference": spec.backfill,
        "notifySchemaChanges": spec.notify_schema_changes,
    }
    form |= {name: value for name, value in plain.items() if value is not UNSET}
    if isinstance(spec.streams, tuple):
        form["streams"] = {stream_key(stream): canonical_stream(stream) for stream in spec.streams}
    return form


def canonical_namespace(namespace: Namespace) -> Json:
    """A blank format is the destination's default namespace (CFG §5.1)."""
    if namespace.mode != "format":
        return namespace.mode
    return {"format": namespace.format} if namespace.format.strip() else "destination"


def canonical_stream(stream: Stream) -> dict[str, Json]:
    """Cursor and key only where the mode honours them (PUB-T 16); columns as a sorted set."""
    mode = SYNC_MODES.get(stream.sync_mode or "")
    form: dict[str, Json] = {"syncMode": stream.sync_mode}
    if isinstance(stream.cursor_field, tuple) and (mode is None or mode.uses_cursor):
        form["cursorField"] = list(stream.cursor_field)
    if isinstance(stream.primary_key, tuple) and (mode is None or mode.uses_key):
        form["primaryKey"] = [list(path) for path in stream.primary_key]
    if isinstance(stream.columns, Columns):
        form["columns"] = canonical_columns(stream.columns)
    if isinstance(stream.mappers, tuple):
        form["mappers"] = [canonical_mapper(mapper) for mapper in stream.mappers]
    if stream.include_files is True:
        form["includeFiles"] = True
    if isinstance(stream.destination_object_name, str):
        form["destinationObjectName"] = stream.destination_object_name
    return form


def canonical_columns(columns: Columns) -> Json:
    if columns.names is not None:
        return sorted(set(columns.names))
    return {"except": sorted(set(columns.excluding))} if columns.excluding else "all"


def canonical_mapper(mapper: Mapper) -> dict[str, Json]:
    return {"type": mapper.type, **canonical_json(mapper.config)}


def canonical_json(value: Json) -> Json:
    """Plain containers, keys sorted, and 1.0 as 1: JSON has one number type, Python has two."""
    if isinstance(value, Mapping):
        return {key: canonical_json(value[key]) for key in sorted(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [canonical_json(child) for child in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_EXACT_FLOAT:
        return int(value)
    return value


def naming_for(claimed: Mapping[tuple[str, str], Address]) -> Naming:
    """Names Refs by address where `claimed` ((kind, live id) → address) knows the id."""

    def name(ref: Ref, kind: str) -> str:
        if ref.address is not None:
            return str(ref.address)
        if ref.id is not None:
            return str(claimed.get((kind, ref.id), ref.id))
        return f"{kind} named {ref.name!r}"

    return name


def digest(form: Json) -> str:
    """SHA-256 of a canonical form. No secret goes in: git's by label, the server's as it masks them."""
    text = json.dumps(
        _with_text_keys(form), sort_keys=True, separators=(",", ":"), default=redact.shown
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _with_text_keys(form: Json) -> Json:
    """JSON knows no tuples as keys; a stream key becomes a JSON list as text, so that none can collide.
    They stand in `streams` alone, and the rest is not walked for them."""
    if not isinstance(form, dict):
        return form
    changed = dict(form)
    for key, child in form.items():
        if key == "streams" and isinstance(child, dict):
            changed[key] = {json.dumps(list(name)): stream for name, stream in child.items()}
        elif isinstance(child, dict) and "streams" in child:
            changed[key] = _with_text_keys(child)
    return changed
