"""/connections (PUB §4)."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import (
    actors,
    connections,
    deletion,
    discovery,
    jobs,
    schedules,
    stream_rules,
)
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.connections import MANUAL, Selection
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument, Problem, bad_request
from reconciler.emulator.public import fields, pages, streams, tags
from reconciler.emulator.rows import Actor, Connection
from reconciler.emulator.store import among
from reconciler.emulator.stream_rules import Choice

STATUSES: Final = ("active", "inactive", "deprecated", "locked")
NAMESPACES: Final = ("source", "destination", "custom_format")
_TIMING: Final = re.compile(r"every[ _](\d{1,6})[ _](minute|hour|day|week|month)s?", re.IGNORECASE)
SCHEMA_CHANGES: Final = ("ignore", "disable_connection", "propagate_columns", "propagate_fully")


def read(instance: Instance, connection: Connection) -> Json:
    return fields.present(
        connectionId=connection.id,
        name=connection.name,
        sourceId=connection.source_id,
        destinationId=connection.destination_id,
        workspaceId=connection.workspace_id,
        status=connection.status,
        schedule=_read_schedule(connection.schedule),
        nonBreakingSchemaUpdatesBehavior=connection.schema_changes,
        namespaceDefinition=connection.namespace_definition,
        namespaceFormat=connection.namespace_format,
        prefix=connection.prefix,
        configurations={
            "streams": [streams.read(instance, s) for s in connections.streams_of(connection)]
        },
        createdAt=connection.created_at,
        tags=[tags.read(tag) for tag in connections.tags_of(instance, connection)]
        if instance.generation.tags
        else None,
    )


def _read_schedule(schedule: Json) -> Json:
    """A cron reads back with its zone (PUB-T 12), an interval as a sentence (PUB §4.2)."""
    if schedule["type"] == "cron":
        expression = f"{schedule['expression']} {schedule['time_zone']}"
        return {"scheduleType": "cron", "cronExpression": expression}
    if schedule["type"] == "basic":
        timing = f"Every {schedule['units']} {schedule['time_unit'].upper()}"
        return {"scheduleType": "basic", "basicTiming": timing}
    return {"scheduleType": "manual"}


def list_all(instance: Instance, call: Call) -> Response:
    page = pages.asked(call)
    tag_ids = fields.query_ids(call, "tagIds")
    conditions: list[tuple[str, list[str]]] = []
    if not page.include_deleted:
        conditions.append(("status <> 'deprecated'", []))
    if tag_ids:
        carried = f"EXISTS (SELECT 1 FROM json_each(tags) WHERE {among('value', tag_ids)})"  # noqa: S608 - question marks only
        conditions.append((carried, tag_ids))
    found = pages.select(instance, page, Connection, conditions)
    return pages.envelope(page, "connections", found, partial(read, instance))


def get(instance: Instance, call: Call) -> Response:
    return JSONResponse(read(instance, _found(instance, call)))


def create(instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    source_id = fields.required_identifier(sent, "sourceId")
    destination_id = fields.required_identifier(sent, "destinationId")
    chosen, changes = streams.choices(instance, sent), _changes(instance, sent)
    destination = actors.get(instance, "destination", destination_id)
    source = actors.get(instance, "source", source_id)
    selection, catalog_id = _selection(instance, source, destination, chosen)
    _ensure_not_null(sent)
    defaults: dict[str, Any] = {"namespace_definition": "destination", "prefix": ""}
    try:
        connection = connections.create(
            instance,
            source_id=source_id,
            destination_id=destination_id,
            selection=selection,
            catalog_id=catalog_id,
            **{**defaults, **changes},
        )
    except IllegalArgument as error:
        # Here, unlike in a PATCH, the server keeps the reason to itself (PUB §8).
        raise Problem("unexpected-problem") from error
    jobs.follow_schedule(instance, connection)
    return JSONResponse(read(instance, connection))


def _ensure_not_null(sent: fields.Body) -> None:
    """A null defeats the default of the schema, and the server breaks on it (PUB §4.1)."""
    for name in ("namespaceDefinition", "nonBreakingSchemaUpdatesBehavior"):
        if name in sent and sent[name] is None:
            raise Problem("unexpected-problem")


def patch(instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    connection = _found(instance, call)
    connections.ensure_unlocked(connection)
    chosen, changes = streams.choices(instance, sent), _changes(instance, sent)
    selection = None
    if chosen:
        source = actors.get(instance, "source", connection.source_id)
        destination = actors.get(instance, "destination", connection.destination_id)
        selection, changes["catalog_id"] = _selection(instance, source, destination, chosen)
    changed = connections.update(instance, connection, changes=changes, selection=selection)
    jobs.follow_schedule(instance, changed, connection)
    return JSONResponse(read(instance, changed))


def delete(instance: Instance, call: Call) -> Response:
    deletion.delete_connection(instance, _found(instance, call))
    return Response(status_code=204)


def _found(instance: Instance, call: Call) -> Connection:
    return connections.get(instance, fields.path_id(call, "connectionId"))


def _changes(instance: Instance, sent: fields.Body) -> dict[str, Any]:
    """The fields that a request states, under the names of the row; null is not stating (PUB-T 34), and
    what this server doesn't know is ignored (PUB-T 27)."""
    sent_tags = fields.children(sent, "tags") if instance.generation.tags else None
    return fields.present(
        name=fields.text(sent, "name"),
        status=fields.word(sent, "status", STATUSES),
        schedule=_schedule(instance, sent),
        namespace_definition=fields.word(sent, "namespaceDefinition", NAMESPACES),
        namespace_format=fields.text(sent, "namespaceFormat"),
        prefix=fields.text(sent, "prefix"),
        schema_changes=fields.word(sent, "nonBreakingSchemaUpdatesBehavior", SCHEMA_CHANGES),
        tags=None if sent_tags is None else [_tag_id(tag) for tag in sent_tags],
    )


def _schedule(instance: Instance, sent: fields.Body) -> Json:
    """Only manual and cron can be written (PUB-T 13); lenient also takes an interval."""
    schedule = fields.child(sent, "schedule")
    if schedule is None:
        return None
    fields.required(schedule, "scheduleType")
    if instance.lenient and str(schedule["scheduleType"]).lower() == "basic":
        interval = _interval(fields.required_text(schedule, "basicTiming"))
        schedules.ensure_frequency(instance, interval)
        return interval
    if fields.word(schedule, "scheduleType", ("manual", "cron")) == "manual":
        return MANUAL
    cron = schedules.cron(fields.text(schedule, "cronExpression"))
    schedules.ensure_frequency(instance, cron)
    return cron


def _interval(timing: str) -> Json:
    """As documents write it, and as it reads back."""
    match = _TIMING.fullmatch(timing.strip())
    if match is None:
        raise bad_request(f"Not an interval: {timing}")
    return schedules.basic(int(match[1]), f"{match[2].lower()}s")


def _tag_id(tag: fields.Body) -> str:
    """All four fields are asked for, only the id is read (PUB §4.1)."""
    fields.required_text(tag, "name")
    fields.required_text(tag, "color")
    fields.required_identifier(tag, "workspaceId")
    return fields.required_identifier(tag, "tagId")


def _selection(
    instance: Instance, source: Actor, destination: Actor, chosen: list[Choice]
) -> tuple[Selection, str]:
    """Runs discover (from its cache where it can) and fits the request to what was found."""
    source_connector = actors.connector_of(instance, "source", source.definition_id)
    connector = actors.connector_of(instance, "destination", destination.definition_id)
    found = discovery.discover(instance, source, source_connector)
    if not chosen:
        suggested = source_connector.suggested_streams
        return stream_rules.defaults(found.streams, suggested), found.catalog_id
    selection = stream_rules.configure(
        chosen,
        found.streams,
        connector.destination_modes,
        moves_files=connector.moves_files,
    )
    return selection, found.catalog_id


ENDPOINTS = (
    Endpoint("GET", "/connections", list_all),
    Endpoint("POST", "/connections", create),
    Endpoint("GET", "/connections/{connectionId}", get),
    Endpoint("PATCH", "/connections/{connectionId}", patch),
    Endpoint("DELETE", "/connections/{connectionId}", delete),
)
