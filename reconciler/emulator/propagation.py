"""A source whose schema changes, and what the server makes of its connections by itself (PUB-T 21, PUB-T 22).

The rules are the server's own: what breaks a connection switches it off, the rest follows its preference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.model import Json
from reconciler.emulator import actors, catalog, connections, discovery, schema_diff
from reconciler.emulator.catalog import ConfiguredStream, Descriptor
from reconciler.emulator.connections import Selection
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Problem, bad_request
from reconciler.emulator.rows import Actor, Connection, ConnectionCatalog, Offer

Key = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class StreamName:
    """Without a namespace it means the only stream of the name."""

    name: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    stream: StreamName
    name: str
    schema: Json


@dataclass(frozen=True, slots=True)
class SchemaChange:
    add_columns: tuple[Column, ...] = ()
    remove_columns: tuple[Column, ...] = ()
    add_streams: tuple[Descriptor, ...] = ()
    remove_streams: tuple[StreamName, ...] = ()


def disable(instance: Instance, connection: Connection, *, because: str) -> None:
    instance.record(
        "auto_disabled", connectionId=connection.id, name=connection.name, because=because
    )
    if connection.status == "active":
        instance.store.put(replace(connection, status="inactive"))


def propagate(instance: Instance, source: Actor, change: SchemaChange) -> dict[str, list[str]]:
    """Changes what the source offers, discovers it, and treats each active connection by its preference;
    an inactive one runs no sync, and so finds nothing out.

    Gives the ids of connections that were `disabled`, `propagated` and, for a mapper that no longer fits,
    `failed`. Raises Problem for a stream or column that isn't there, ConnectorFailed as discover does.
    """
    connector = actors.connector_of(instance, "source", source.definition_id)
    held = discovery.held(instance, source, connector)
    changed = list(_changed(_by_key(held), change).values())
    instance.store.put(Offer(source.id, changed))
    found = discovery.discover(instance, source, connector, ignore_cache=True)
    schemas = _Schemas(_by_key(discovery.visible(source, held)), _by_key(found.streams))
    outcome: dict[str, list[str]] = {"disabled": [], "propagated": [], "failed": []}
    for connection in instance.store.select(
        Connection, "source_id = ? AND status = 'active'", (source.id,)
    ):
        happened = _follow(instance, connection, schemas, found.catalog_id)
        if happened:
            outcome[happened].append(connection.id)
    return outcome


# --- What the source offers ------------------------------------------------------------------


def _by_key(streams: Sequence[Descriptor]) -> dict[Key, Descriptor]:
    return {_key(stream): stream for stream in streams}


def _key(stream: Descriptor) -> Key:
    return (stream.get("namespace"), stream["name"])


def _changed(streams: Mapping[Key, Descriptor], change: SchemaChange) -> dict[Key, Descriptor]:
    result = dict(streams)
    for stream_name in change.remove_streams:
        del result[_find(result, stream_name)]
    for column in change.remove_columns:
        key = _find(result, column.stream)
        columns = _columns(result[key])
        if column.name not in columns:
            raise bad_request(f"the stream {column.stream.name} has no column {column.name}")
        del columns[column.name]
        result[key] = _with_columns(result[key], columns)
    for column in change.add_columns:
        key = _find(result, column.stream)
        columns = {**_columns(result[key]), column.name: column.schema}
        result[key] = _with_columns(result[key], columns)
    for stream in change.add_streams:
        result[_key(stream)] = stream
    return result


def _find(streams: Mapping[Key, Descriptor], wanted: StreamName) -> Key:
    named = [key for key in streams if key[1] == wanted.name]
    exact = [key for key in named if key[0] == wanted.namespace]
    found = exact or (named if wanted.namespace is None else [])
    if len(found) != 1:
        raise bad_request(f"{len(found)} streams are called {wanted.name} ({wanted.namespace})")
    return found[0]


def _columns(stream: Descriptor) -> dict[str, Json]:
    return dict((stream["json_schema"] or {}).get("properties") or {})


def _with_columns(stream: Descriptor, columns: Mapping[str, Json]) -> Descriptor:
    return {**stream, "json_schema": {**stream["json_schema"], "properties": dict(columns)}}


# --- What becomes of a connection ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Schemas:
    before: Mapping[Key, Descriptor]
    after: Mapping[Key, Descriptor]

    def lost(self, stream: ConfiguredStream) -> set[str]:
        return set(self._of(self.before, stream)) - set(self._of(self.after, stream))

    def gained(self, stream: ConfiguredStream) -> set[str]:
        return set(self._of(self.after, stream)) - set(self._of(self.before, stream))

    def _of(self, streams: Mapping[Key, Descriptor], stream: ConfiguredStream) -> list[str]:
        found = streams.get(stream.key)
        return catalog.columns(found) if found is not None else []


def _follow(
    instance: Instance, connection: Connection, schemas: _Schemas, catalog_id: str
) -> str | None:
    present = [s for s in connections.streams_of(connection) if s.key in schemas.after]
    moved = any(schemas.lost(stream) or schemas.gained(stream) for stream in present)
    if any(_breaks(stream, schemas.lost(stream)) for stream in present):
        disable(instance, connection, because="breaking schema change")
        return "disabled"
    if not moved and set(schemas.before) == set(schemas.after):
        return None
    if connection.schema_changes == "disable_connection":
        disable(instance, connection, because="schema change")
        return "disabled"
    if connection.schema_changes not in ("propagate_columns", "propagate_fully"):
        return None
    selection = _selection(instance, connection, schemas)
    try:
        connections.update(
            instance, connection, changes={"catalog_id": catalog_id}, selection=selection
        )
    except Problem as problem:
        # As on the server: nothing of the connection changes, and nobody is told but its log.
        instance.record("propagation_failed", connectionId=connection.id, because=problem.kind)
        return "failed"
    instance.record("auto_propagated", connectionId=connection.id, name=connection.name)
    return "propagated"


def _breaks(stream: ConfiguredStream, lost: set[str]) -> bool:
    """Whether the stream can't be synced any more without one of these columns."""
    return any(path[0] in lost for path in schema_diff.needed(stream))


def _selection(instance: Instance, connection: Connection, schemas: _Schemas) -> Selection:
    """New columns join every selection; streams come and go only under propagate_fully."""
    fully = connection.schema_changes == "propagate_fully"
    stored = instance.store.get(ConnectionCatalog, connection.id)
    known = _by_key(stored.streams if stored else ())
    result: list[tuple[ConfiguredStream, Descriptor]] = []
    for stream in connections.streams_of(connection):
        if stream.key in schemas.after:
            source = schemas.after[stream.key]
            result.append((_widened(stream, source, schemas.gained(stream)), source))
        elif not fully:
            result.append((stream, known[stream.key]))
    if fully:
        destination = actors.get(instance, "destination", connection.destination_id)
        connector = actors.connector_of(instance, "destination", destination.definition_id)
        result.extend(
            (_configured(stream, connector.destination_modes), stream)
            for key, stream in schemas.after.items()
            if key not in schemas.before
        )
    return result


def _widened(stream: ConfiguredStream, source: Descriptor, gained: set[str]) -> ConfiguredStream:
    if stream.selected_fields is None:
        return stream
    wanted = {*stream.selected_fields, *gained}
    return replace(stream, selected_fields=[c for c in catalog.columns(source) if c in wanted])


def _configured(stream: Descriptor, destination_modes: Sequence[str]) -> ConfiguredStream:
    """The server's defaults for a stream that it selects by itself."""
    modes = usual_modes(stream)
    if modes[1] not in destination_modes:
        overwrites = "overwrite" in destination_modes
        overwrites = overwrites and "full_refresh" in stream["supported_sync_modes"]
        fallback = (stream["supported_sync_modes"][0], destination_modes[0])
        modes = ("full_refresh", "overwrite") if overwrites else fallback
    return ConfiguredStream(
        name=stream["name"],
        namespace=stream.get("namespace"),
        sync_mode=modes[0],
        destination_sync_mode=modes[1],
        cursor_field=stream["default_cursor_field"],
        primary_key=stream["source_defined_primary_key"],
        selected_fields=None,
        mappers=[],
    )


def usual_modes(stream: Descriptor) -> tuple[str, str]:
    """Source and destination mode of a stream that nobody chose modes for (CFG §4)."""
    if stream["source_defined_cursor"] and stream["source_defined_primary_key"]:
        return ("incremental", "append_dedup")
    if stream["source_defined_cursor"] and "full_refresh" not in stream["supported_sync_modes"]:
        return ("incremental", "append")
    return ("full_refresh", "overwrite")
