"""Airbyte's Configuration API as it is asked: the model to request bodies.

Pure; knows no HTTP. Never a body that was read and is sent back (CFG-T 5), never one that destroys a secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from reconciler.backends import bodies
from reconciler.backends.bodies import BUG, Actor, Body, TagObjects
from reconciler.backends.config_streams import kept_keys
from reconciler.backends.fields import ActorKind
from reconciler.core.connector import mask_is_restored, unescape
from reconciler.core.diagnostics import ReconcilerError, Refused
from reconciler.core.model import (
    MANUAL,
    UNSET,
    Connection,
    Json,
    LiveObject,
    Namespace,
    Schedule,
    Update,
    is_mask,
)
from reconciler.core.redact import leaves
from reconciler.core.schedule import canonical_timezone

LARGEST_BODY: Final = 10 * 1024**2
"""Bytes of a request (CFG §0); written as ASCII, a character is one."""

_DEFAULTS: Final[Mapping[str, object]] = {
    "status": "active",
    "schedule": MANUAL,
    "namespace": Namespace("destination"),
    "schema_changes": "ignore",
}
"""Of a create where nothing is stated: the server's own differ from the public API's (CFG-T 28)."""


# --- Sources and destinations ----------------------------------------------------------------


def actor_create(kind: ActorKind, workspace_id: str, spec: Actor) -> Body:
    body = {
        "name": spec.name,
        "workspaceId": workspace_id,
        f"{kind}DefinitionId": spec.connector,
        "connectionConfiguration": bodies.plain(spec.configuration, "/configuration"),
        **bodies.allocation(spec.resource_allocation),
    }
    bodies.without_masks(_as_stated(body))
    return body


def actor_whole(kind: ActorKind, update: Update, live: LiveObject) -> Body:
    """The whole object: a stored secret stays where the exact mask stands (CFG §3)."""
    spec, was = bodies.actor_of(update), _actor(live)
    body = {
        f"{kind}Id": live.id,
        "name": spec.name if "name" in update.fields else was.name,
        "connectionConfiguration": bodies.plain(spec.configuration, "/configuration"),
        **bodies.allocation(spec.resource_allocation, was.resource_allocation),
    }
    bodies.only_exact_masks(_as_stated(body))
    return body


def actor_merge(kind: ActorKind, update: Update, live: LiveObject) -> Body:
    """Only what changes; never a mask, which a merge would store (CFG-T 17); resourceAllocation always,
    as the server erases it otherwise (CFG-T 19)."""
    spec, was = bodies.actor_of(update), _actor(live)
    body: Body = {f"{kind}Id": live.id}
    if "name" in update.fields:
        body["name"] = spec.name
    if "configuration" in update.fields:
        body["connectionConfiguration"] = bodies.plain(spec.configuration, "/configuration")
    body |= bodies.allocation(spec.resource_allocation, was.resource_allocation)
    bodies.without_masks(_as_stated(body))
    return body


def actor_merged_here(
    kind: ActorKind, update: Update, now: LiveObject, spec: Mapping[str, Json] | None
) -> Body:
    """A merge as a whole write, for a server that merges nothing itself: laid over the object as it was
    just read. Raises Refused where it isn't proven that each masked secret would be restored."""
    part = actor_merge(kind, update, now)
    was = _actor(now)
    merged = _laid_over(was.configuration, part.get("connectionConfiguration", {}))
    for pointer, value in leaves(merged):
        path = [unescape(token) for token in pointer.split("/")[1:]]
        if is_mask(value) and not mask_is_restored(spec, merged, path):
            raise Refused(
                f"{kind} {was.name!r}: this server writes configurations only as a whole, and nothing "
                f"proves that it would restore /configuration{pointer}; nothing was sent",
                hint="set that secret from ${env:…} instead of ${keep}",
            )
    return {"name": was.name, **part, "connectionConfiguration": merged}


def _as_stated(body: Body) -> Body:
    """With the configuration where manifests have it: what an error points at."""
    words = {"connectionConfiguration": "configuration"}
    return {words.get(name, name): value for name, value in body.items()}


def _laid_over(stored: Json, part: Json) -> Json:
    """As the server merges: objects key by key, everything else replaced (CFG §3)."""
    if not (isinstance(stored, Mapping) and isinstance(part, Mapping)):
        return part
    laid = {key: _laid_over(stored[key], part[key]) for key in stored.keys() & part.keys()}
    return {**stored, **part, **laid}


def _actor(live: LiveObject) -> Actor:
    if isinstance(live.spec, Connection):
        raise ReconcilerError("a connection is updated with the spec of an actor", hint=BUG)
    return live.spec


# --- Connections -----------------------------------------------------------------------------


def connection_create(spec: Connection, tags: TagObjects, streams: Body) -> Body:
    """`streams` is config_streams.sync_catalog's."""
    if not spec.streams:
        raise Refused(
            f"connection {spec.name!r} can't be created without streams", hint="list at least one"
        )
    body: Body = {
        "sourceId": bodies.id_of(spec.source, "source"),
        "destinationId": bodies.id_of(spec.destination, "destination"),
        **streams,
    }
    for field, write in _FIELDS.items():
        value = getattr(spec, field)
        value = _DEFAULTS.get(field, UNSET) if value is UNSET else value
        if value is not UNSET:
            body |= write(spec.name, value)
    if isinstance(spec.tags, tuple):
        body |= bodies.tags(spec.name, spec.tags, tags)
    return _checked(spec.name, body)


def connection_patch(live: LiveObject, update: Update, tags: TagObjects, streams: Body) -> Body:
    """Only the fields named; what is not sent stays. `streams` is empty where they are not among them."""
    spec, was = update.spec, live.spec
    if not (isinstance(spec, Connection) and isinstance(was, Connection)):
        raise ReconcilerError("a connection is updated with the spec of an actor", hint=BUG)
    bodies.known_fields(update, {*_FIELDS, "tags", "streams"})
    body: Body = {"connectionId": live.id, **streams}
    for field in sorted(update.fields & _FIELDS.keys()):
        body |= _FIELDS[field](spec.name, bodies.stated(getattr(spec, field), field))
    if "tags" in update.fields:
        body |= bodies.tags(spec.name, spec.tags, tags)
    if "backfill" in update.fields and "schema_changes" not in update.fields:
        kept = spec.schema_changes if spec.schema_changes is not UNSET else was.schema_changes
        body |= _schema_changes(spec.name, kept if isinstance(kept, str) else "ignore")
    if update.fields & {"namespace"} and "namespaceFormat" not in body:
        body["namespaceFormat"] = ""  # null is "as it was" (CFG-T 20): a stale format would stay
    return _checked(spec.name, body)


def _checked(connection: str, body: Body) -> Body:
    """No mask but those that keep a mapper's key. A stream's schema is the server's own text: not judged.
    Raises Refused for a body that the server would not take (CFG §0)."""
    items = body.get("syncCatalog", {}).get("streams", ())
    stated = {**body, "syncCatalog": {"streams": [{"config": item["config"]} for item in items]}}
    bodies.without_masks(stated, but=kept_keys(body))
    size = len(json.dumps(body)) if items else 0
    if size > LARGEST_BODY:
        raise Refused(
            f"connection {connection!r}: its {len(items)} streams weigh {size / 1024**2:.1f} MB with their "
            f"schemas, and Airbyte takes at most {LARGEST_BODY / 1024**2:g} MB at once; nothing was sent",
            hint="select columns, or split the connection; the public API, where the server has it, is sent "
            "no schemas",
        )
    return body


def _name(_connection: str, value: str) -> Body:
    return {"name": value}


def _schedule(connection: str, value: Schedule) -> Body:
    """Type and data together, and never the old `schedule` (CFG §5.3)."""
    if value.every is not None:
        data = {"basicSchedule": {"timeUnit": value.unit, "units": value.every}}
        return {"scheduleType": "basic", "scheduleData": data}
    if value.cron is None:
        return {"scheduleType": "manual"}
    zone = canonical_timezone(value.timezone)
    if zone.lower().startswith("etc"):
        raise Refused(
            f"connection {connection!r}: Airbyte refuses the time zone {zone}",
            hint="name a place, such as Europe/Berlin, or UTC",
        )
    expression = " ".join(value.cron.split())
    data = {"cron": {"cronExpression": expression, "cronTimeZone": zone}}
    return {"scheduleType": "cron", "scheduleData": data}


def _namespace(_connection: str, value: Namespace) -> Body:
    if value.mode == "format":
        return {"namespaceDefinition": "customformat", "namespaceFormat": value.format}
    return {"namespaceDefinition": value.mode}


def _prefix(_connection: str, value: str) -> Body:
    return {"prefix": value}


def _schema_changes(_connection: str, value: str) -> Body:
    return {"nonBreakingChangesPreference": value}


def _backfill(_connection: str, value: str) -> Body:
    """Lost by a create that doesn't state nonBreakingChangesPreference too (CFG-T 22)."""
    return {"backfillPreference": value}


def _notify(_connection: str, value: bool) -> Body:  # noqa: FBT001 - the field is a flag
    return {"notifySchemaChanges": value}


def _requirements(_connection: str, value: Mapping[str, str]) -> Body:
    return {"resourceRequirements": dict(value)}


_FIELDS: Final[Mapping[str, Callable[[str, Json], Body]]] = {
    "name": _name,
    "status": bodies.status,
    "schedule": _schedule,
    "namespace": _namespace,
    "prefix": _prefix,
    "schema_changes": _schema_changes,
    "backfill": _backfill,
    "notify_schema_changes": _notify,
    "resource_requirements": _requirements,
}
"""Each takes the connection's name, for messages, and the value."""
