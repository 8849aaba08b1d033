"""What stands in an Airbyte, read past every API: by names instead of ids, secrets in clear, no times."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

from reconciler.core.model import Json
from reconciler.emulator import rows
from reconciler.emulator.secrets import coordinate_of
from reconciler.emulator.store import Store

Key: TypeAlias = tuple[str, str]
"""(kind, name)."""


@dataclass(frozen=True)
class Standing:
    """One object: its id, and all of it as text in which references are names; `own` is without those, as
    what another object is called is that one's matter."""

    id: str
    text: str
    own: str


@dataclass(frozen=True)
class Shape:
    """`objects`: what stands under each name, in most worlds one; `positions`: connection id → streams
    with a saved position; `tags`: names."""

    objects: dict[Key, tuple[Standing, ...]]
    positions: dict[str, tuple[str, ...]]
    tags: tuple[str, ...]

    def one(self, kind: str, name: str) -> Standing | None:
        found = self.objects.get((kind, name), ())
        return found[0] if len(found) == 1 else None

    def by_id(self) -> dict[str, Standing]:
        return {each.id: each for found in self.objects.values() for each in found}

    @property
    def texts(self) -> Counter[tuple[str, str, str]]:
        return Counter((*key, each.text) for key, found in self.objects.items() for each in found)


def shape_of(store: Store) -> Shape:
    actors = [actor for actor in store.select(rows.Actor) if not actor.tombstone]
    connections = [c for c in store.select(rows.Connection) if c.status != "deprecated"]
    tags = {tag.id: tag.name for tag in store.select(rows.Tag)}
    secrets = {secret.id: secret.value for secret in store.select(rows.Secret)}
    names = {actor.id: f"{actor.kind} {actor.name}" for actor in actors}
    objects: dict[Key, list[Standing]] = {}
    for actor in actors:
        told = [actor.definition_id, _unveiled(actor.configuration, secrets), actor.resources]
        standing = Standing(actor.id, _text(told), _text(told))
        objects.setdefault((actor.kind, actor.name), []).append(standing)
    for connection in connections:
        own = _connection(connection, tags)
        ends = [
            names.get(end, f"gone: {end}")
            for end in (connection.source_id, connection.destination_id)
        ]
        standing = Standing(connection.id, _text({**own, "ends": ends}), _text(own))
        objects.setdefault(("connection", connection.name), []).append(standing)
    return Shape(
        {key: tuple(sorted(found, key=lambda s: s.id)) for key, found in objects.items()},
        _positions(store),
        tuple(sorted(tags.values())),
    )


def _positions(store: Store) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for state in store.select(rows.StreamState):
        found.setdefault(state.connection_id, []).append(f"{state.namespace}.{state.name}")
    return {connection: tuple(sorted(streams)) for connection, streams in found.items()}


def _connection(row: rows.Connection, tags: dict[str, str]) -> dict[str, Json]:
    return {
        "status": row.status,
        "schedule": row.schedule,
        "namespace": [row.namespace_definition, row.namespace_format or ""],
        "prefix": row.prefix or "",
        "schema_changes": row.schema_changes,
        "streams": sorted((_without_mapper_ids(stream) for stream in row.streams), key=_text),
        "tags": sorted(tags.get(tag, f"gone: {tag}") for tag in row.tags),
    }


def _without_mapper_ids(stream: Any) -> Json:
    return {
        name: [{k: v for k, v in mapper.items() if k != "id"} for mapper in value or []]
        if name == "mappers"
        else value
        for name, value in stream.items()
    }


def _unveiled(value: Json, secrets: dict[str, Json]) -> Json:
    coordinate = coordinate_of(value)
    if coordinate is not None:
        return secrets.get(coordinate, f"gone: {coordinate}")
    if isinstance(value, dict):
        return {key: _unveiled(child, secrets) for key, child in value.items()}
    if isinstance(value, list):
        return [_unveiled(child, secrets) for child in value]
    return value


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True)
