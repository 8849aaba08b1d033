"""Streams: what is discovered, what a connection selects of it, and the lists that both are read for.

The form that both APIs write and read; knows nothing of which choices an API refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.model import SYNC_MODES, Json, SyncMode

Descriptor = Mapping[str, Json]
"""One discovered stream in Airbyte's protocol form (snake_case), as discovery.py keeps it."""

_MODE_BY_PAIR: Final[Mapping[tuple[str, str], SyncMode]] = {
    (mode.source, mode.destination): mode for mode in SYNC_MODES.values()
}


@dataclass(frozen=True, slots=True)
class ConfiguredStream:
    """One selected stream. `selected_fields` is None when all columns are taken, else top-level names in
    the schema's order; `mappers` are {id, type, config}."""

    name: str
    namespace: str | None
    sync_mode: str
    destination_sync_mode: str
    cursor_field: list[str]
    primary_key: list[list[str]]
    selected_fields: list[str] | None
    mappers: list[Mapping[str, Json]]
    include_files: bool = False
    destination_object_name: str | None = None

    @property
    def key(self) -> tuple[str | None, str]:
        return (self.namespace, self.name)

    @property
    def mode(self) -> SyncMode | None:
        """None for a stored pair that has no public name (PUB §4.3)."""
        return _MODE_BY_PAIR.get((self.sync_mode, self.destination_sync_mode))


def to_json(stream: ConfiguredStream) -> dict[str, Json]:
    return {name: getattr(stream, name) for name in ConfiguredStream.__slots__}


def from_json(data: Mapping[str, Json]) -> ConfiguredStream:
    return ConfiguredStream(**data)


def columns(stream: Descriptor) -> list[str]:
    """The top-level columns in the schema's order."""
    return list((stream["json_schema"] or {}).get("properties") or {})


def field_paths(stream: Descriptor) -> list[list[str]]:
    """Every path through nested `properties`, not through items or combinations (PUB §5)."""
    return list(_paths(stream["json_schema"] or {}, ()))


def _paths(schema: Mapping[str, Json], prefix: tuple[str, ...]) -> Iterator[list[str]]:
    for name, field in (schema.get("properties") or {}).items():
        yield [*prefix, name]
        if isinstance(field, Mapping):
            yield from _paths(field, (*prefix, name))


def has_field(stream: Descriptor, path: Sequence[str]) -> bool:
    """Whether the path is one of field_paths, without listing them all."""
    node: Json = stream["json_schema"]
    for part in path:
        properties = (node.get("properties") if isinstance(node, Mapping) else None) or {}
        if part not in properties:
            return False
        node = properties[part]
    return bool(path)


def pruned(stream: Descriptor, selected: Iterable[str] | None) -> dict[str, Json]:
    """The stream with only the selected columns in its schema, as the server stores it."""
    if selected is None:
        return dict(stream)
    wanted = set(selected)
    properties = (stream["json_schema"] or {}).get("properties") or {}
    left = {name: field for name, field in properties.items() if name in wanted}
    return {**stream, "json_schema": {**stream["json_schema"], "properties": left}}


def mode_names(
    stream: Descriptor, destination_modes: Iterable[str], among: Iterable[str] = tuple(SYNC_MODES)
) -> list[str]:
    """The named modes that the source's stream and the destination both support."""
    source_modes, known = set(stream["supported_sync_modes"]), set(destination_modes)
    return [
        name
        for name in among
        if SYNC_MODES[name].source in source_modes and SYNC_MODES[name].destination in known
    ]


def selected_by_default(stream: Descriptor, offered: int, suggested: frozenset[str]) -> bool:
    """Only a source's single stream and those that the connector suggests (PUB-T 19)."""
    return offered == 1 or stream["name"] in suggested
