"""Airbyte's public API as it answers: its JSON to the model.

Pure; knows no HTTP. Tolerant: unknown fields are ignored, unknown enum values kept, absent optional
fields fine, as servers of several years answer (PUB §11).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from reconciler.backends import fields
from reconciler.backends.fields import ActorKind, Malformed
from reconciler.core.model import (
    ALL_COLUMNS,
    MANUAL,
    UNSET,
    Columns,
    Connection,
    ConnectorDefinition,
    Destination,
    DiscoveredStream,
    Json,
    LiveObject,
    Namespace,
    Ref,
    Schedule,
    Source,
    Stream,
    Tag,
    Unset,
    Workspace,
)
from reconciler.core.schedule import parse_interval

SCHEMA_CHANGES: Final[Mapping[str, str]] = {"disable_connection": "disable"}
"""Where nonBreakingSchemaUpdatesBehavior has another word than the manifests."""

_GONE: Final = "deprecated"
_CRON_FIELDS: Final = 6


def workspace(data: Json) -> Workspace:
    return Workspace(id=fields.text(data, "workspaceId"), name=fields.text(data, "name"))


def tag(data: Json) -> Tag:
    return Tag(
        id=fields.text(data, "tagId"),
        name=fields.text(data, "name"),
        color=str(data.get("color", "")),
    )


def definition(kind: ActorKind, data: Json) -> ConnectorDefinition:
    """Of either definitions endpoint; /connector_definitions has `version` and no repository (PUB §6)."""
    return ConnectorDefinition(
        kind=kind,
        id=fields.text(data, "id"),
        name=fields.text(data, "name"),
        docker_repository=str(data.get("dockerRepository") or ""),
        docker_tag=str(data.get("dockerImageTag") or data.get("version") or ""),
    )


def type_resolver(
    kind: ActorKind, definitions: Iterable[ConnectorDefinition]
) -> Callable[[str], str]:
    """sourceType → definition id, for servers that don't name the id; an unknown type stays as it is."""
    ids = {d.short_name: d.id for d in definitions if d.kind == kind}
    return lambda short_name: ids.get(short_name, short_name)


def actor(kind: ActorKind, data: Json, resolve: Callable[[str], str]) -> LiveObject | None:
    """A source or destination; None when it is gone: no configuration (PUB-T 23)."""
    object_id = fields.text(data, f"{kind}Id")
    configuration = data.get("configuration")
    if configuration is None:
        return None
    if not isinstance(configuration, Mapping):
        raise Malformed("configuration is no object")
    connector = data.get("definitionId") or resolve(str(data.get(f"{kind}Type") or ""))
    spec_type = Source if kind == "source" else Destination
    spec = spec_type(
        name=fields.text(data, "name"),
        connector=str(connector),
        configuration=configuration,
        resource_allocation=data.get("resourceAllocation") or UNSET,
    )
    return LiveObject(kind, object_id, spec)


def connection(data: Json) -> LiveObject | None:
    """None when it is gone: `deprecated` (PUB-T 23)."""
    object_id = fields.text(data, "connectionId")
    if data.get("status") == _GONE:
        return None
    behavior = data.get("nonBreakingSchemaUpdatesBehavior")
    spec = Connection(
        name=fields.text(data, "name"),
        source=Ref(id=fields.text(data, "sourceId")),
        destination=Ref(id=fields.text(data, "destinationId")),
        status=fields.text_or_unset(data, "status"),
        schedule=schedule(data.get("schedule")),
        namespace=_namespace(data),
        prefix=str(data.get("prefix") or ""),
        schema_changes=SCHEMA_CHANGES.get(behavior, behavior)
        if isinstance(behavior, str)
        else UNSET,
        tags=tuple(sorted(fields.text(item, "name") for item in fields.items(data.get("tags")))),
        streams=_streams(data.get("configurations")),
    )
    return LiveObject("connection", object_id, spec)


def schedule(data: Json) -> Schedule | Unset:
    """`0 0 12 * * ? UTC` is cron and zone (PUB-T 12); `Every 24 HOURS` and `every_24_hours` an interval.
    A form unknown to us is UNSET: not known, never equal to what git states."""
    kind = data.get("scheduleType") if isinstance(data, Mapping) else None
    if kind == "manual":
        return MANUAL
    if kind == "cron" and isinstance(data.get("cronExpression"), str):
        return _cron(data["cronExpression"])
    if kind == "basic" and isinstance(data.get("basicTiming"), str):
        interval = parse_interval(data["basicTiming"].replace("_", " "))
        return Schedule(every=interval[0], unit=interval[1]) if interval else UNSET
    return UNSET


def _cron(expression: str) -> Schedule:
    """A zone follows the sixth field or the year; a year has no letters, a zone has."""
    parts = expression.split()
    if len(parts) > _CRON_FIELDS and re.search(r"[A-Za-z:]", parts[-1]):
        return Schedule(cron=" ".join(parts[:-1]), timezone=parts[-1])
    return Schedule(cron=" ".join(parts))


def _namespace(data: Mapping[str, Json]) -> Namespace | Unset:
    mode = data.get("namespaceDefinition")
    if mode == "source":
        return Namespace("source")
    if mode == "destination":
        return Namespace("destination")
    if mode == "custom_format":
        return Namespace("format", str(data.get("namespaceFormat") or ""))
    return UNSET


def _streams(configurations: Json) -> tuple[Stream, ...] | Unset:
    """Left out is not known, which is not the same as none."""
    streams = configurations.get("streams") if isinstance(configurations, Mapping) else None
    return tuple(_stream(item) for item in streams) if isinstance(streams, list) else UNSET


def _stream(data: Json) -> Stream:
    return Stream(
        name=fields.text(data, "name"),
        namespace=fields.text_or_unset(data, "namespace") or None,
        sync_mode=fields.text_or_unset(data, "syncMode") or None,
        cursor_field=fields.path(data.get("cursorField")) or UNSET,
        primary_key=fields.paths(data.get("primaryKey")) or UNSET,
        columns=_columns(data.get("selectedFields")),
        mappers=tuple(fields.mapper(item) for item in fields.items(data.get("mappers"))),
        include_files=fields.flag_or_unset(data, "includeFiles"),
        destination_object_name=fields.text_or_unset(data, "destinationObjectName"),
    )


def _columns(selected: Json) -> Columns:
    """Empty or absent is all (PUB-T 15)."""
    names = fields.selected_names(selected)
    return Columns(names=names) if fields.items(selected) else ALL_COLUMNS


def discovered(data: Json) -> DiscoveredStream:
    """One element of GET /streams; `streamnamespace` with a lower-case n (PUB §5)."""
    return DiscoveredStream(
        name=fields.text(data, "streamName"),
        namespace=fields.text_or_unset(data, "streamnamespace")
        or fields.text_or_unset(data, "streamNamespace")
        or None,
        sync_modes=fields.path(data.get("syncModes")),
        default_cursor_field=fields.path(data.get("defaultCursorField")),
        source_defined_cursor=data.get("sourceDefinedCursorField") is True,
        source_defined_primary_key=fields.paths(data.get("sourceDefinedPrimaryKey")),
        fields=fields.paths(data.get("propertyFields")),
    )
