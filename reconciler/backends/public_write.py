"""Airbyte's public API as it is asked: the model to request bodies.

Pure; knows no HTTP. The one place where secrets of a configuration are unwrapped. It never makes a body
that destroys a secret or that the server would silently read as something else: it raises instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from reconciler.backends.public_read import SCHEMA_CHANGES
from reconciler.core.connector import escape
from reconciler.core.diagnostics import ReconcilerError, Refused
from reconciler.core.model import (
    KEEP,
    MASK,
    UNSET,
    Columns,
    Connection,
    Destination,
    Json,
    Mapper,
    Ref,
    Schedule,
    Secret,
    Source,
    Stream,
    Tag,
    Unset,
    Update,
    is_mask,
)
from reconciler.core.redact import leaves
from reconciler.core.schedule import canonical_timezone

Body: TypeAlias = dict[str, Any]
Actor: TypeAlias = Source | Destination
TagObjects: TypeAlias = Mapping[str, Body]
"""Tag name → the whole object that a connection's `tags` wants."""

_T = TypeVar("_T")
_BUG: Final = "nothing was sent; this is a bug in reconciler, please report it"
_STATUSES: Final = ("active", "inactive")
_SCHEMA_CHANGES: Final = {ours: theirs for theirs, ours in SCHEMA_CHANGES.items()}
_ACTOR_FIELDS: Final = frozenset({"name", "configuration", "resource_allocation"})


# --- Sources and destinations ----------------------------------------------------------------


def actor_create(workspace_id: str, spec: Actor) -> Body:
    body = {
        "name": spec.name,
        "workspaceId": workspace_id,
        "definitionId": spec.connector,
        "configuration": plain(spec.configuration, "/configuration"),
        **_allocation(spec.resource_allocation),
    }
    return _without_masks(body)


def actor_put(update: Update, live: Actor) -> Body:
    """The whole object. A stored secret stays where the exact mask stands (PUB §3.4)."""
    spec = _actor_of(update)
    body = {
        "name": spec.name if "name" in update.fields else live.name,
        "configuration": plain(spec.configuration, "/configuration"),
        **_allocation(spec.resource_allocation, live.resource_allocation),
    }
    for pointer, value in leaves(body):
        if is_mask(value) and value != MASK:
            raise ReconcilerError(
                f"{pointer} is a mask that the server would store as the value", hint=_BUG
            )
    return body


def actor_patch(update: Update, live: Actor) -> Body:
    """Only what changes; resourceAllocation always, as the server resets it otherwise (PUB-T 7)."""
    spec = _actor_of(update)
    body: Body = {}
    if "name" in update.fields:
        body["name"] = spec.name
    if "configuration" in update.fields:
        body["configuration"] = plain(spec.configuration, "/configuration")
    body |= _allocation(spec.resource_allocation, live.resource_allocation)
    return _without_masks(body)


def _actor_of(update: Update) -> Actor:
    _known_fields(update, _ACTOR_FIELDS)
    if isinstance(update.spec, Source | Destination):
        return update.spec
    raise ReconcilerError("an actor is updated with the spec of a connection", hint=_BUG)


def _allocation(wanted: Json | Unset, live: Json | Unset = UNSET) -> Body:
    """With `default` always: an allocation without it may make later reads fail (PUB §3.6)."""
    value = live if wanted is UNSET else wanted
    if value is UNSET or value is None:
        return {}
    return {"resourceAllocation": {"default": {}, **plain(value, "/resourceAllocation")}}


# --- Connections -----------------------------------------------------------------------------


def connection_create(spec: Connection, tags: TagObjects) -> Body:
    if not spec.streams:
        raise Refused(
            f"connection {spec.name!r} can't be created without streams",
            hint="the server would choose streams by itself (PUB-T 19); list at least one",
        )
    body: Body = {
        "sourceId": _id_of(spec.source, "source"),
        "destinationId": _id_of(spec.destination, "destination"),
    }
    for field, write in _CONNECTION_FIELDS.items():
        if getattr(spec, field) is not UNSET:
            body |= write(spec, tags)
    return _without_masks(body)


def connection_patch(update: Update, tags: TagObjects) -> Body:
    """Only the fields named: what is not sent stays, `streams` as a whole (PUB-T 4)."""
    spec = update.spec
    if not isinstance(spec, Connection):
        raise ReconcilerError("a connection is updated with the spec of an actor", hint=_BUG)
    _known_fields(update, _CONNECTION_FIELDS)
    body: Body = {}
    for field in sorted(update.fields):
        body |= _CONNECTION_FIELDS[field](spec, tags)
    return _without_masks(body, but=_kept_keys(body))


def _kept_keys(body: Body) -> frozenset[str]:
    """Where a mask keeps an encryption key: in a mapper that goes back under its own id (PUB-T 18)."""
    return frozenset(
        f"/configurations/streams/{i}/mappers/{j}/mapperConfiguration/key"
        for i, stream in enumerate(body.get("configurations", {}).get("streams", ()))
        for j, mapper in enumerate(stream.get("mappers", ()))
        if "id" in mapper
    )


def _name(spec: Connection, _tags: TagObjects) -> Body:
    return {"name": spec.name}


def _status(spec: Connection, _tags: TagObjects) -> Body:
    status = _stated(spec.status, "status")
    if status not in _STATUSES:
        raise Refused(
            f"connection {spec.name!r} can't be given the status {status}",
            hint="only active and inactive can be written safely (PUB-T 40)",
        )
    return {"status": status}


def _schedule(spec: Connection, _tags: TagObjects) -> Body:
    wanted = _stated(spec.schedule, "schedule")
    if wanted.every is not None:
        raise Refused(
            f"connection {spec.name!r}: the public API can't write an interval schedule",
            hint="write it as a cron in UTC, or use the Configuration API (PUB-T 13)",
        )
    if wanted.cron is None:
        return {"schedule": {"scheduleType": "manual"}}
    if canonical_timezone(wanted.timezone) != "UTC":
        raise Refused(
            f"connection {spec.name!r}: the public API can't write the time zone {wanted.timezone}",
            hint="write the cron in UTC, or use the Configuration API (PUB-T 13)",
        )
    return {"schedule": {"scheduleType": "cron", "cronExpression": _cron(wanted)}}


def _cron(schedule: Schedule) -> str:
    return " ".join((schedule.cron or "").split())


def _namespace(spec: Connection, _tags: TagObjects) -> Body:
    namespace = _stated(spec.namespace, "namespace")
    if namespace.mode == "format":
        return {"namespaceDefinition": "custom_format", "namespaceFormat": namespace.format}
    return {"namespaceDefinition": namespace.mode}


def _prefix(spec: Connection, _tags: TagObjects) -> Body:
    return {"prefix": _stated(spec.prefix, "prefix")}


def _schema_changes(spec: Connection, _tags: TagObjects) -> Body:
    word = _stated(spec.schema_changes, "schema_changes")
    return {"nonBreakingSchemaUpdatesBehavior": _SCHEMA_CHANGES.get(word, word)}


def _tags(spec: Connection, tags: TagObjects) -> Body:
    names = sorted(set(_stated(spec.tags, "tags")))
    unknown = [name for name in names if name not in tags]
    if unknown:
        raise ReconcilerError(
            f"connection {spec.name!r}: no tag {', '.join(map(repr, unknown))} in the workspace",
            hint="nothing was sent; tags are created before the connections that use them",
        )
    return {"tags": [tags[name] for name in names]}


def _streams(spec: Connection, _tags: TagObjects) -> Body:
    streams = _stated(spec.streams, "streams")
    if not streams:
        raise Refused(
            f"connection {spec.name!r}: the server ignores an empty list of streams (PUB-T 20)",
            hint="to stop everything set status: inactive",
        )
    return {"configurations": {"streams": [_stream(stream) for stream in streams]}}


_CONNECTION_FIELDS: Final[Mapping[str, Callable[[Connection, TagObjects], Body]]] = {
    "name": _name,
    "status": _status,
    "schedule": _schedule,
    "namespace": _namespace,
    "prefix": _prefix,
    "schema_changes": _schema_changes,
    "tags": _tags,
    "streams": _streams,
}


def _stream(stream: Stream) -> Body:
    """Whatever is left out, the server sets to its own default (PUB §4.3), so the mode never is."""
    if stream.sync_mode is None:
        raise Refused(
            f"stream {stream.name!r} has a sync mode that the public API has no name for",
            hint="sending it back would reset it to full_refresh_overwrite; state its syncMode in git",
        )
    body: Body = {"name": stream.name}
    if stream.namespace:
        body["namespace"] = stream.namespace
    body["syncMode"] = stream.sync_mode
    if stream.cursor_field:
        body["cursorField"] = list(stream.cursor_field)
    if stream.primary_key:
        body["primaryKey"] = [list(path) for path in stream.primary_key]
    if isinstance(stream.columns, Columns):
        body |= _selected(stream.name, stream.columns)
    if isinstance(stream.mappers, tuple):
        body["mappers"] = [_mapper(stream.name, mapper) for mapper in stream.mappers]
    if stream.include_files is True:
        body["includeFiles"] = True
    if stream.destination_object_name:
        body["destinationObjectName"] = stream.destination_object_name
    return body


def _selected(stream: str, columns: Columns) -> Body:
    """All columns is no selectedFields at all: an empty list is a 400 (PUB-T 14)."""
    if columns.names == () or (columns.excluding and columns.names is None):
        raise ReconcilerError(f"the columns of stream {stream!r} are not resolved", hint=_BUG)
    if columns.names is None:
        return {}
    return {"selectedFields": [{"fieldPath": [name]} for name in sorted(set(columns.names))]}


def _mapper(stream: str, mapper: Mapper) -> Body:
    """A kept key goes as the mask, which the server restores for a known mapper id (PUB-T 18)."""
    config = dict(mapper.config)
    if mapper.id and config.get("key") is KEEP:
        config["key"] = MASK
    where = f"streams[{stream}] mapper {mapper.type} "
    body = {"type": mapper.type, "mapperConfiguration": plain(config, where)}
    return {"id": mapper.id, **body} if mapper.id else body


# --- What every body goes through ------------------------------------------------------------


def plain(value: Json, pointer: str) -> Json:
    """The tree with its secrets unwrapped. Raises ReconcilerError at one that this run doesn't have."""
    if isinstance(value, Secret):
        if value.value is UNSET:
            raise ReconcilerError(
                f"{pointer} needs {value.label}, which is not set",
                hint="nothing was sent; set it before applying",
            )
        return value.value
    if value is KEEP or value is UNSET:
        raise ReconcilerError(f"{pointer} has no value to send ({value!r})", hint=_BUG)
    if isinstance(value, Mapping):
        return {key: plain(child, f"{pointer}/{escape(key)}") for key, child in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(child, f"{pointer}/{index}") for index, child in enumerate(value)]
    return value


def tag_objects(workspace_id: str, tags: Mapping[str, Tag]) -> TagObjects:
    return {
        name: {"tagId": tag.id, "workspaceId": workspace_id, "name": tag.name, "color": tag.color}
        for name, tag in tags.items()
    }


def _without_masks(body: Body, but: Collection[str] = ()) -> Body:
    """A POST or PATCH stores a mask as the new secret: the real one would be destroyed (PUB-T 1)."""
    for pointer, value in leaves(body):
        if is_mask(value) and not (pointer in but and value == MASK):
            raise ReconcilerError(
                f"{pointer} is a mask, which would overwrite the stored secret", hint=_BUG
            )
    return body


def _known_fields(update: Update, known: Collection[str]) -> None:
    unknown = sorted(update.fields.difference(known))
    if unknown or not (update.fields or update.whole):
        what = f"can't change {', '.join(unknown)}" if unknown else "changes nothing"
        raise ReconcilerError(f"an update of {update.spec.name!r} {what}", hint=_BUG)


def _stated(value: _T | Unset, field: str) -> _T:
    if isinstance(value, Unset):
        raise ReconcilerError(f"{field} is to be written and has no value", hint=_BUG)
    return value


def _id_of(ref: Ref, kind: str) -> str:
    if ref.id is None:
        raise ReconcilerError(f"the {kind} of the connection has no id yet", hint=_BUG)
    return ref.id
