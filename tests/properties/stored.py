"""What Airbyte holds, as data to compare: secrets by value, streams by label, tags by name. Read from its
store, so that neither API and nothing of the product stands between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator import rows
from tests.properties.server import Server

Data = dict[str, Any]


@dataclass(frozen=True)
class Actor:
    """`leaves`: JSON pointer → value of the configuration; a secret is ("secret", value).
    `stored`: the configuration as the cache of what it offers sees it, coordinates included."""

    id: str
    kind: str
    name: str
    definition: str
    leaves: Mapping[str, Any]
    stored: Any

    def secrets(self) -> set[str]:
        return {at for at, value in self.leaves.items() if isinstance(value, tuple)}


@dataclass(frozen=True)
class Connection:
    """`fields`: what is not its streams, by the manifests' names; `streams`: by label."""

    id: str
    name: str
    source: str
    destination: str
    fields: Mapping[str, Any]
    streams: Mapping[str, Data]

    @property
    def incremental(self) -> set[str]:
        return {label for label, s in self.streams.items() if s["syncMode"][0] == "incremental"}


@dataclass(frozen=True)
class Stored:
    """What exists; what was deleted and still answers is not in it."""

    actors: Mapping[str, Actor]
    connections: Mapping[str, Connection]

    def on(self, actor_id: str) -> list[Connection]:
        return [c for c in self.connections.values() if actor_id in (c.source, c.destination)]


def stored(server: Server) -> Stored:
    secrets = {row.id: row.value for row in server.rows(rows.Secret)}
    tags = {row.id: row.name for row in server.rows(rows.Tag)}
    return Stored(
        {row.id: _actor(row, secrets) for row in server.rows(rows.Actor) if not row.tombstone},
        {
            row.id: _connection(row, secrets, tags)
            for row in server.rows(rows.Connection)
            if row.status != "deprecated"
        },
    )


def _actor(row: rows.Actor, secrets: Mapping[str, Any]) -> Actor:
    leaves = dict(_leaves(row.configuration, secrets))
    return Actor(row.id, row.kind, row.name, row.definition_id, leaves, row.configuration)


def _connection(
    row: rows.Connection, secrets: Mapping[str, Any], tags: Mapping[str, str]
) -> Connection:
    namespace = (row.namespace_definition, row.namespace_format)
    fields = {
        "name": row.name,
        "status": row.status,
        "schedule": row.schedule,
        "destinationNamespace": namespace if namespace[0] == "customformat" else namespace[0],
        "prefix": row.prefix or "",
        "schemaChanges": row.schema_changes,
        "tags": sorted(tags[tag] for tag in row.tags),
        "backfillPreference": row.backfill,
        "notifySchemaChanges": row.notifies,
        "resourceRequirements": {k: v for k, v in (row.resources or {}).items() if v},
    }
    streams = {label(s["namespace"], s["name"]): _stream(s, secrets) for s in row.streams}
    return Connection(row.id, row.name, row.source_id, row.destination_id, fields, streams)


def label(namespace: str | None, name: str) -> str:
    return f"{namespace}.{name}" if namespace else name


def _stream(row: Data, secrets: Mapping[str, Any]) -> Data:
    """By the manifests' names; `syncMode` is the pair. Mappers without the server's ids."""
    return {
        "syncMode": (row["sync_mode"], row["destination_sync_mode"]),
        "cursorField": row["cursor_field"],
        "primaryKey": row["primary_key"],
        "columns": None if row["selected_fields"] is None else sorted(row["selected_fields"]),
        "mappers": [
            {"type": m["type"], **dict(_leaves(m["config"], secrets))} for m in row["mappers"]
        ],
        "includeFiles": row["include_files"],
        "destinationObjectName": row["destination_object_name"],
    }


def _leaves(node: Any, secrets: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict) and set(node) == {"_secret"}:
        yield at, ("secret", secrets.get(node["_secret"]))
    elif isinstance(node, dict) and node:
        for key, child in node.items():
            yield from _leaves(child, secrets, f"{at}/{key}")
    elif isinstance(node, list) and node:
        for index, child in enumerate(node):
            yield from _leaves(child, secrets, f"{at}/{index}")
    else:
        yield at, node
