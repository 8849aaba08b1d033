"""Airbyte's Configuration API as it answers: its JSON to the model.

Pure; knows no HTTP, and no streams: those are config_streams'. Tolerant: servers from 0.40 on answer in
the same words with more or fewer of them (CFG §0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciler.backends import fields
from reconciler.backends.config_streams import read_streams
from reconciler.backends.fields import ActorKind, Malformed
from reconciler.core.jobs import Check
from reconciler.core.model import (
    MANUAL,
    UNSET,
    Connection,
    ConnectorDefinition,
    Destination,
    Json,
    LiveObject,
    Namespace,
    Ref,
    Schedule,
    Source,
    Tag,
    Unset,
    Workspace,
)
from reconciler.core.specification import usable

_GONE: Final = "deprecated"
_SILENT: Final = "the server gives no reason"


def workspace(data: Json) -> Workspace:
    return Workspace(id=fields.text(data, "workspaceId"), name=fields.text(data, "name"))


def tag(data: Json) -> Tag:
    color = str(data.get("color", "")) if isinstance(data, Mapping) else ""
    return Tag(id=fields.text(data, "tagId"), name=fields.text(data, "name"), color=color)


def definition(kind: ActorKind, data: Json) -> ConnectorDefinition:
    return ConnectorDefinition(
        kind=kind,
        id=fields.text(data, f"{kind}DefinitionId"),
        name=fields.text(data, "name"),
        docker_repository=str(data.get("dockerRepository") or ""),
        docker_tag=str(data.get("dockerImageTag") or ""),
    )


def specification(data: Json) -> Mapping[str, Json] | None:
    found = data.get("connectionSpecification") if isinstance(data, Mapping) else None
    return usable(found)


def actor(kind: ActorKind, data: Json) -> LiveObject | None:
    """A source or destination; None when it is gone: a deleted one answers `get` without its
    configuration (CFG-T 8)."""
    object_id = fields.text(data, f"{kind}Id")
    configuration = data.get("connectionConfiguration")
    if configuration is None or data.get("tombstone") is True:
        return None
    if not isinstance(configuration, Mapping):
        raise Malformed("connectionConfiguration is no object")
    spec_type = Source if kind == "source" else Destination
    spec = spec_type(
        name=fields.text(data, "name"),
        connector=fields.text(data, f"{kind}DefinitionId"),
        configuration=configuration,
        resource_allocation=data.get("resourceAllocation") or UNSET,
    )
    return LiveObject(kind, object_id, spec)


def connection(data: Json) -> LiveObject | None:
    """None when it is gone: `deprecated` (CFG-T 8). What the server computes is left out (CFG-T 15)."""
    object_id = fields.text(data, "connectionId")
    if data.get("status") == _GONE:
        return None
    spec = Connection(
        name=fields.text(data, "name"),
        source=Ref(id=fields.text(data, "sourceId")),
        destination=Ref(id=fields.text(data, "destinationId")),
        status=fields.text_or_unset(data, "status"),
        schedule=schedule(data),
        namespace=_namespace(data),
        prefix=str(data.get("prefix") or ""),
        schema_changes=fields.text_or_unset(data, "nonBreakingChangesPreference"),
        tags=tuple(sorted(fields.text(item, "name") for item in fields.items(data.get("tags")))),
        streams=read_streams(data.get("syncCatalog")),
        backfill=fields.text_or_unset(data, "backfillPreference"),
        notify_schema_changes=fields.flag_or_unset(data, "notifySchemaChanges"),
        resource_requirements=_requirements(data.get("resourceRequirements")),
    )
    beyond = tuple(name for name in _BEYOND if data.get(name))
    return LiveObject("connection", object_id, spec, beyond)


_BEYOND: Final = ("notifySchemaChangesByEmail", "onDemandEnabled", "operationIds")
"""What a manifest can't state, and a new connection would not have."""


def schedule(data: Mapping[str, Json]) -> Schedule | Unset:
    """Of `scheduleType` and `scheduleData`; of `schedule` alone where a server knows no other, which is
    manual where there is none. A form unknown to us is UNSET: never equal to what git states."""
    kind = data.get("scheduleType")
    given = data.get("scheduleData")
    stated = given if isinstance(given, Mapping) else {}
    if kind == "cron":
        return _cron(stated.get("cron"))
    if kind == "manual":
        return MANUAL
    legacy = data.get("schedule")
    if kind == "basic":
        return _basic(stated.get("basicSchedule") or legacy)
    if kind is None:
        return MANUAL if legacy is None else _basic(legacy)
    return UNSET


def _cron(data: Json) -> Schedule | Unset:
    expression = data.get("cronExpression") if isinstance(data, Mapping) else None
    if not isinstance(expression, str):
        return UNSET
    return Schedule(cron=expression, timezone=str(data.get("cronTimeZone") or "UTC"))


def _basic(data: Json) -> Schedule | Unset:
    units = data.get("units") if isinstance(data, Mapping) else None
    unit = data.get("timeUnit") if isinstance(data, Mapping) else None
    if not isinstance(units, int) or isinstance(units, bool) or not isinstance(unit, str):
        return UNSET
    return Schedule(every=units, unit=unit)


def _namespace(data: Mapping[str, Json]) -> Namespace | Unset:
    mode = data.get("namespaceDefinition")
    if mode == "source":
        return Namespace("source")
    if mode == "destination":
        return Namespace("destination")
    if mode == "customformat":
        return Namespace("format", str(data.get("namespaceFormat") or ""))
    return UNSET


def _requirements(data: Json) -> Mapping[str, str] | Unset:
    """Blank is unbounded, which is the same as nothing said."""
    stated = data if isinstance(data, Mapping) else {}
    return {name: str(value) for name, value in sorted(stated.items()) if value} or UNSET


# --- Tests of a connection, and failed discoveries -------------------------------------------


def check(data: Json) -> Check:
    """Three outcomes with one HTTP status: it works, it doesn't, and a test that broke off, which has no
    status and is no success (CFG §3)."""
    said = data if isinstance(data, Mapping) else {}
    message = said.get("message")
    text = message if isinstance(message, str) else ""
    outcome = said.get("status")
    if outcome in ("succeeded", "failed"):
        return Check(outcome == "succeeded", text)
    why = text or failure(said)
    return Check(succeeded=False, message=f"the test broke off: {why or _SILENT}")


def failure(data: Mapping[str, Json]) -> str:
    """Why a synchronous job failed, in the connector's words; empty where it left none."""
    job = data.get("jobInfo")
    reason = job.get("failureReason") if isinstance(job, Mapping) else None
    if not isinstance(reason, Mapping):
        return ""
    texts = (reason.get("externalMessage"), reason.get("internalMessage"))
    return next((text for text in texts if isinstance(text, str) and text), "")
