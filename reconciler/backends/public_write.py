"""Airbyte's public API as it is asked: the model to request bodies.

Pure; knows no HTTP. It never makes a body that destroys a secret or that the server would silently read as
something else: it raises instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from reconciler.backends import bodies
from reconciler.backends.bodies import BUG, Actor, Body, TagObjects
from reconciler.backends.public_read import SCHEMA_CHANGES
from reconciler.core.diagnostics import ReconcilerError, Refused
from reconciler.core.model import UNSET, Columns, Connection, Schedule, Stream, Update
from reconciler.core.schedule import canonical_timezone

_SCHEMA_CHANGES: Final = {ours: theirs for theirs, ours in SCHEMA_CHANGES.items()}


# --- Sources and destinations ----------------------------------------------------------------


def actor_create(workspace_id: str, spec: Actor) -> Body:
    body = {
        "name": spec.name,
        "workspaceId": workspace_id,
        "definitionId": spec.connector,
        "configuration": bodies.plain(spec.configuration, "/configuration"),
        **bodies.allocation(spec.resource_allocation),
    }
    return bodies.without_masks(body)


def actor_put(update: Update, live: Actor) -> Body:
    """The whole object. A stored secret stays where the exact mask stands (PUB §3.4)."""
    spec = bodies.actor_of(update)
    body = {
        "name": spec.name if "name" in update.fields else live.name,
        "configuration": bodies.plain(spec.configuration, "/configuration"),
        **bodies.allocation(spec.resource_allocation, live.resource_allocation),
    }
    return bodies.only_exact_masks(body)


def actor_patch(update: Update, live: Actor) -> Body:
    """Only what changes; resourceAllocation always, as the server resets it otherwise (PUB-T 7)."""
    spec = bodies.actor_of(update)
    body: Body = {}
    if "name" in update.fields:
        body["name"] = spec.name
    if "configuration" in update.fields:
        body["configuration"] = bodies.plain(spec.configuration, "/configuration")
    body |= bodies.allocation(spec.resource_allocation, live.resource_allocation)
    return bodies.without_masks(body)


# --- Connections -----------------------------------------------------------------------------


def connection_create(spec: Connection, tags: TagObjects) -> Body:
    if not spec.streams:
        raise Refused(
            f"connection {spec.name!r} can't be created without streams",
            hint="the server would choose streams by itself (PUB-T 19); list at least one",
        )
    body: Body = {
        "sourceId": bodies.id_of(spec.source, "source"),
        "destinationId": bodies.id_of(spec.destination, "destination"),
    }
    for field, write in _CONNECTION_FIELDS.items():
        if getattr(spec, field) is not UNSET:
            body |= write(spec, tags)
    return bodies.without_masks(body)


def connection_patch(update: Update, tags: TagObjects) -> Body:
    """Only the fields named: what is not sent stays, `streams` as a whole (PUB-T 4)."""
    spec = update.spec
    if not isinstance(spec, Connection):
        raise ReconcilerError("a connection is updated with the spec of an actor", hint=BUG)
    bodies.known_fields(update, _CONNECTION_FIELDS)
    body: Body = {}
    for field in sorted(update.fields):
        body |= _CONNECTION_FIELDS[field](spec, tags)
    return bodies.without_masks(body, but=_kept_keys(body))


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
    return bodies.status(spec.name, spec.status)


def _schedule(spec: Connection, _tags: TagObjects) -> Body:
    wanted = bodies.stated(spec.schedule, "schedule")
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
    namespace = bodies.stated(spec.namespace, "namespace")
    if namespace.mode == "format":
        return {"namespaceDefinition": "custom_format", "namespaceFormat": namespace.format}
    return {"namespaceDefinition": namespace.mode}


def _prefix(spec: Connection, _tags: TagObjects) -> Body:
    return {"prefix": bodies.stated(spec.prefix, "prefix")}


def _schema_changes(spec: Connection, _tags: TagObjects) -> Body:
    word = bodies.stated(spec.schema_changes, "schema_changes")
    return {"nonBreakingSchemaUpdatesBehavior": _SCHEMA_CHANGES.get(word, word)}


def _tags(spec: Connection, tags: TagObjects) -> Body:
    return bodies.tags(spec.name, spec.tags, tags)


def _streams(spec: Connection, _tags: TagObjects) -> Body:
    streams = bodies.stated(spec.streams, "streams")
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
        body["mappers"] = [bodies.mapper(stream.name, mapper) for mapper in stream.mappers]
    if stream.include_files is True:
        body["includeFiles"] = True
    if stream.destination_object_name:
        body["destinationObjectName"] = stream.destination_object_name
    return body


def _selected(stream: str, columns: Columns) -> Body:
    """All columns is no selectedFields at all: an empty list is a 400 (PUB-T 14)."""
    selected = bodies.selected_fields(stream, columns)
    if selected == []:
        raise ReconcilerError(f"the columns of stream {stream!r} are not resolved", hint=BUG)
    return {} if selected is None else {"selectedFields": selected}
