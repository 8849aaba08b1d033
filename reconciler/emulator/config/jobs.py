"""/jobs, and the calls of /connections that start one (CFG §7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.emulator import connections, jobs
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields, job_reads
from reconciler.emulator.config.connections import IDENTITY, found
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument, Known, NotFound, Unreadable
from reconciler.emulator.rows import Job
from reconciler.emulator.states import StreamKey
from reconciler.emulator.store import among

TYPES: Final = (
    "check_connection_source",
    "check_connection_destination",
    "discover_schema",
    "get_spec",
    "sync",
    "reset_connection",
    "refresh",
    "clear",
)
STATUSES: Final = ("pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled")
DEFAULT_SIZE: Final = 200
_COLUMNS: Final = {"createdAt": "created_at", "updatedAt": "updated_at"}
_TIME_FILTERS: Final = {
    "createdAtStart": "created_at >= ?",
    "createdAtEnd": "created_at <= ?",
    "updatedAtStart": "updated_at >= ?",
    "updatedAtEnd": "updated_at <= ?",
}
_STREAMS: Final[fields.Shape] = {
    **IDENTITY,
    "streams": fields.leaves("streamName streamNamespace"),
}


# --- Started ---------------------------------------------------------------------------------


def sync(instance: Instance, call: Call) -> Response:
    connection = found(instance, fields.body(instance, call, IDENTITY))
    return _started(instance, lambda: jobs.sync(instance, connection))


def clear(instance: Instance, call: Call) -> Response:
    """Reset and clear are one thing, whatever it is called (PUB §7)."""
    connection = found(instance, fields.body(instance, call, IDENTITY))
    return _started(instance, lambda: jobs.clear(instance, connection))


def clear_streams(instance: Instance, call: Call) -> Response:
    """No streams named are all streams."""
    sent = fields.body(instance, call, _STREAMS)
    connection, keys = found(instance, sent), _keys(sent)
    return _started(instance, lambda: jobs.clear(instance, connection, keys))


def refresh(instance: Instance, call: Call) -> Response:
    """Of a destination that can't be refreshed nothing is started, and nothing is said."""
    sent = fields.body(instance, call, {**_STREAMS, "refreshMode": None})
    connection, keys = found(instance, sent), _keys(sent)
    fields.required(sent, "refreshMode")
    mode = fields.word(sent, "refreshMode", ("Merge", "Truncate"))
    if not connections.supports_refreshes(instance, connection):
        return JSONResponse({})
    job = _said(
        lambda: jobs.refresh(
            instance, connection, "Truncate" if mode == "Truncate" else "Merge", keys
        )
    )
    return JSONResponse({"job": job_reads.job(instance, job)})


def _keys(sent: fields.Body) -> list[StreamKey]:
    return [
        (fields.text(item, "streamNamespace"), fields.required_text(item, "streamName"))
        for item in fields.children(sent, "streams") or ()
    ]


def _started(instance: Instance, start: Callable[[], Job]) -> Response:
    return JSONResponse(job_reads.with_attempts(instance, _said(start), logs=True))


def _said(change: Callable[[], Job]) -> Job:
    """The rules' refusals in this API's words."""
    try:
        return change()
    except (jobs.Busy, jobs.Gone) as refusal:
        raise Known(409, str(refusal)) from refusal
    except jobs.NotActive as refusal:
        raise IllegalArgument(str(refusal)) from refusal


# --- Read and stopped ------------------------------------------------------------------------


def get(instance: Instance, call: Call, *, logs: bool) -> Response:
    job = _asked(instance, call)
    return JSONResponse(job_reads.with_attempts(instance, job, logs=logs))


def get_light(instance: Instance, call: Call) -> Response:
    return JSONResponse({"job": job_reads.job(instance, _asked(instance, call))})


def cancel(instance: Instance, call: Call) -> Response:
    """One that has ended stays as it is."""
    job = _asked(instance, call)
    if jobs.is_unfinished(job):
        job = jobs.cancel(instance, job)
    return JSONResponse(job_reads.with_attempts(instance, job, logs=True))


def _asked(instance: Instance, call: Call) -> Job:
    """One that isn't there is a 500, not a 404 (CFG-T 33)."""
    sent = fields.body(instance, call)
    fields.required(sent, "id")
    number = fields.number(sent, "id")
    try:
        return jobs.get(instance, number or 0)
    except NotFound as error:
        raise IllegalArgument(f"Could not find job with id: {number}") from error


def last_replication(instance: Instance, call: Call) -> Response:
    """The newest sync or refresh of a connection, if there was one."""
    sent = fields.body(instance, call)
    connection_id = fields.required_identifier(instance, sent, "connectionId")
    moving = [job for job in jobs.of(instance, connection_id) if job.type in ("sync", "refresh")]
    return JSONResponse({"job": job_reads.job(instance, moving[0])} if moving else {})


# --- Lists -----------------------------------------------------------------------------------


def list_all(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    return _list(instance, sent, *_conditions(instance, sent))


def list_for_workspaces(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    where, values = _conditions(instance, sent)
    workspaces = fields.identifiers(instance, sent, "workspaceIds") or []
    inside = among("workspace_id", workspaces)
    where = f"{where} AND connection_id IN (SELECT id FROM connection WHERE {inside})"  # noqa: S608 - question marks only
    return _list(instance, sent, where, [*values, *workspaces])


def _list(
    instance: Instance, sent: fields.Body, where: str, values: Sequence[str | float]
) -> Response:
    """Newest first, and as many pages as it takes to hold the job that shall be among them."""
    asked = fields.child(sent, "pagination") or {}
    size = fields.number(asked, "pageSize") or DEFAULT_SIZE
    offset = max(0, fields.number(asked, "rowOffset") or 0)
    rows = instance.store.select(Job, where, values, order=_order(sent))
    including = fields.number(sent, "includingJobId")
    if including is None:
        page = rows[offset : offset + size]
    else:
        places = [place for place, row in enumerate(rows, 1) if row.id == including]
        page = rows[: (places[0] // size + 1) * size] if places else []
    shown = [job_reads.listed(instance, row) for row in page]
    return JSONResponse({"jobs": shown, "totalJobCount": len(rows)})


def _conditions(instance: Instance, sent: fields.Body) -> tuple[str, list[str | float]]:
    names = fields.texts(sent, "configTypes")
    if not names:
        raise IllegalArgument("At least one config type must be specified")
    types = [fields.word({"configTypes": name}, "configTypes", TYPES) or "" for name in names]
    stored = {name: kind for kind, name in job_reads.CONFIG_TYPES.items()}
    clauses = [among("type", types)]
    values: list[str | float] = [stored.get(name, name) for name in types]
    connection_id = _config_id(instance, sent)
    if connection_id is not None:
        clauses.append("connection_id = ?")
        values.append(connection_id)
    statuses = [
        fields.word({"statuses": one}, "statuses", STATUSES) or ""
        for one in fields.texts(sent, "statuses") or ()
    ]
    if statuses:
        clauses.append(among("status", statuses))
        values.extend(statuses)
    for name, condition in _TIME_FILTERS.items():
        moment = fields.text(sent, name)
        if moment is not None:
            clauses.append(condition)
            values.append(_seconds(moment))
    return " AND ".join(clauses), values


def _config_id(instance: Instance, sent: fields.Body) -> str | None:
    """Text to the server, so nothing else than finding nothing comes of a wrong one."""
    if instance.lenient:
        return fields.identifier(instance, sent, "configId")
    return fields.text(sent, "configId")


def _order(sent: fields.Body) -> str:
    column = _COLUMNS[fields.word(sent, "orderByField", _COLUMNS) or "createdAt"]
    direction = fields.word(sent, "orderByMethod", ("ASC", "DESC")) or "DESC"
    return f"{column} {direction}, id {direction}"


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("not a time") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/connections/sync", sync),
    Endpoint("POST", "/connections/reset", clear),
    Endpoint("POST", "/connections/reset/stream", clear_streams),
    Endpoint("POST", "/connections/clear", clear),
    Endpoint("POST", "/connections/clear/stream", clear_streams),
    Endpoint("POST", "/connections/refresh", refresh),
    Endpoint("POST", "/jobs/get", partial(get, logs=True)),
    Endpoint("POST", "/jobs/get_without_logs", partial(get, logs=False)),
    Endpoint("POST", "/jobs/get_light", get_light),
    Endpoint("POST", "/jobs/get_last_replication_job", last_replication),
    Endpoint("POST", "/jobs/cancel", cancel),
    Endpoint("POST", "/jobs/list", list_all),
    Endpoint("POST", "/jobs/list_for_workspaces", list_for_workspaces),
)
