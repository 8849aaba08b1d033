"""Connections: their defaults, how streams are written, and the saved positions that a write costs.

The handlers that both APIs share (PUB §4.5, CFG §5); knows nothing of either wire, nor of the public
API's checks of streams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from reconciler.core.model import Json
from reconciler.emulator import actors, catalog, mappers, states
from reconciler.emulator.catalog import ConfiguredStream, Descriptor
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument, NotFound, Problem, TooLarge
from reconciler.emulator.rows import Connection, ConnectionCatalog, Tag

MANUAL: Final = {"type": "manual"}
MAX_FIELDS: Final = 20_000

Selection = Sequence[tuple[ConfiguredStream, Descriptor]]
"""The streams of a write, each with what was discovered of it."""


def get(instance: Instance, connection_id: str) -> Connection:
    """A deleted one still answers, as `deprecated` (PUB-T 23). Raises NotFound."""
    connection = instance.store.get(Connection, connection_id)
    if connection is None:
        raise NotFound("STANDARD_SYNC", connection_id)
    return connection


def create(
    instance: Instance,
    *,
    source_id: str,
    destination_id: str,
    selection: Selection,
    catalog_id: str | None,
    namespace_definition: str,
    prefix: str | None,
    name: str | None = None,
    status: str = "active",
    schedule: Json = None,
    namespace_format: str | None = None,
    schema_changes: str = "ignore",
    tags: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
) -> Connection:
    """`more` is further fields of the row. Raises IllegalArgument for ends in two workspaces."""
    source = actors.get(instance, "source", source_id)
    destination = actors.get(instance, "destination", destination_id)
    if source.workspace_id != destination.workspace_id:
        raise IllegalArgument("source and destination are not of one workspace")
    connection = Connection(
        id=instance.new_id(),
        workspace_id=source.workspace_id,
        source_id=source_id,
        destination_id=destination_id,
        name=name if name is not None else f"{source.name} <> {destination.name}",
        status=status,
        schedule=schedule or MANUAL,
        namespace_definition=namespace_definition,
        namespace_format=namespace_format,
        prefix=prefix,
        schema_changes=schema_changes,
        catalog_id=catalog_id,
        streams=[],
        created_at=instance.now,
        tags=_own_tags(instance, source.workspace_id, tags),
    )
    return _with_streams(instance, replace(connection, **(more or {})), selection)


def update(
    instance: Instance,
    connection: Connection,
    *,
    changes: Mapping[str, Any],
    selection: Selection | None = None,
) -> Connection:
    """`changes` names fields of the row; a `selection` replaces all streams. Raises Problem when locked.

    A deleted connection can be written too (PUB §4.5).
    """
    ensure_unlocked(connection)
    changed = replace(connection, **changes)
    if "tags" in changes:
        tags = _own_tags(instance, connection.workspace_id, changes["tags"])
        changed = replace(changed, tags=tags)
    if selection is not None:
        return _with_streams(instance, changed, selection)
    instance.store.put(changed)
    return changed


def ensure_unlocked(connection: Connection) -> None:
    if connection.status == "locked":
        raise Problem("locked", {"connectionId": connection.id, "statusReason": None})


def streams_of(connection: Connection) -> list[ConfiguredStream]:
    return [catalog.from_json(stream) for stream in connection.streams]


def supports_refreshes(instance: Instance, connection: Connection) -> bool:
    """Whether the destination can take a stream anew beside what it holds of it (CFG §2)."""
    destination = actors.get(instance, "destination", connection.destination_id)
    connector = actors.connector_of(instance, "destination", destination.definition_id)
    return instance.generation.refreshes and connector.supports_refreshes


def tags_of(instance: Instance, connection: Connection) -> list[Tag]:
    found = [instance.store.get(Tag, tag_id) for tag_id in connection.tags]
    return sorted((tag for tag in found if tag), key=lambda tag: (tag.name, tag.id))


def _with_streams(instance: Instance, connection: Connection, selection: Selection) -> Connection:
    _check_size(selection)
    mappers.check([(stream, _columns(stream, source)) for stream, source in selection])
    before = {stream.key: stream for stream in streams_of(connection)}
    known = {
        stream.key: before[stream.key].mappers if stream.key in before else ()
        for stream, _ in selection
    }
    for stream, _ in selection:
        mappers.ensure_keys_known(known[stream.key], stream.mappers)
    workspace_id = connection.workspace_id
    configured = [
        replace(
            stream, mappers=mappers.kept(instance, workspace_id, known[stream.key], stream.mappers)
        )
        for stream, _ in selection
    ]
    changed = replace(connection, streams=[catalog.to_json(stream) for stream in configured])
    _lose_states(instance, connection, before, configured)
    _store_catalog(instance, connection, selection)
    instance.store.put(changed)
    return changed


def _check_size(selection: Selection) -> None:
    keys = [stream.key for stream, _ in selection]
    if len(set(keys)) != len(keys):
        # Two spellings of one stream get this far, because the namespace is ignored (PUB-T 17).
        raise IllegalArgument("Catalog contains duplicate stream names")
    fields = sum(len(_columns(stream, source)) for stream, source in selection)
    if fields > MAX_FIELDS:
        raise TooLarge(f"{fields} fields are selected; a connection has {MAX_FIELDS} at most.")


def _columns(stream: ConfiguredStream, source: Descriptor) -> Sequence[str]:
    return catalog.columns(source) if stream.selected_fields is None else stream.selected_fields


def _lose_states(
    instance: Instance,
    connection: Connection,
    before: Mapping[tuple[str | None, str], ConfiguredStream],
    after: Sequence[ConfiguredStream],
) -> None:
    """Only a changed source mode costs the position; a deselected stream keeps it (PUB-T 3, PUB-T 38)."""
    lost = [
        stream.key
        for stream in after
        if stream.key in before and before[stream.key].sync_mode != stream.sync_mode
    ]
    states.delete(instance, connection.id, lost, because="source sync mode changed")


def _store_catalog(instance: Instance, connection: Connection, selection: Selection) -> None:
    """The newest discovered schemas are accepted along with any write of streams (PUB-T 30)."""
    row = instance.store.get(ConnectionCatalog, connection.id)
    known = {(s.get("namespace"), s["name"]): s for s in row.streams} if row else {}
    streams = [catalog.pruned(source, stream.selected_fields) for stream, source in selection]
    for stream in streams:
        earlier = known.get((stream.get("namespace"), stream["name"]))
        if earlier is not None and earlier["json_schema"] != stream["json_schema"]:
            instance.record(
                "schema_refreshed",
                connectionId=connection.id,
                namespace=stream.get("namespace"),
                stream=stream["name"],
            )
    instance.store.put(ConnectionCatalog(connection.id, streams))


def _own_tags(instance: Instance, workspace_id: str, tag_ids: Sequence[str]) -> list[str]:
    """Unknown ones and those of another workspace are dropped without a word (PUB-T 27)."""
    kept = []
    for tag_id in dict.fromkeys(tag_ids):
        tag = instance.store.get(Tag, tag_id)
        if tag is not None and tag.workspace_id == workspace_id:
            kept.append(tag_id)
    return kept
