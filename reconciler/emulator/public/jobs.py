"""/jobs (PUB §7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import connections, jobs, progress
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Opaque, Problem, bad_request
from reconciler.emulator.public import fields, pages
from reconciler.emulator.rows import Job
from reconciler.emulator.store import among

TYPES: Final = ("sync", "reset", "refresh", "clear")
STATUSES: Final = ("pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled")
_TERMINAL: Final = ("failed", "succeeded", "cancelled")
_ORDER_COLUMNS: Final = {"createdAt": "created_at", "updatedAt": "updated_at"}
_TIME_FILTERS: Final = {
    "createdAtStart": "created_at >= ?",
    "createdAtEnd": "created_at <= ?",
    "updatedAtStart": "updated_at >= ?",
    "updatedAtEnd": "updated_at <= ?",
}


def read(instance: Instance, job: Job) -> Json:
    """Rows and bytes only where something was moved, a duration only once it runs (PUB §7)."""
    reached = jobs.progress_of(instance, job)
    ended = reached.since if reached.status in progress.FINISHED else None
    until = instance.settings.clock() if ended is None else ended
    rows = progress.moved(jobs.plan_of(job), reached.attempts)
    shown = fields.present(
        jobId=job.id,
        status=reached.status,
        jobType=job.type,
        startTime=_time(job.created_at),
        connectionId=job.connection_id,
        lastUpdatedAt=None if ended is None else _time(ended),
        duration=_duration(until - job.created_at) if reached.attempts or ended else None,
        rowsSynced=rows or None,
        bytesSynced=rows * progress.BYTES or None,
    )
    return {**_for_documents(job, reached, rows), **shown} if instance.lenient else shown


def _for_documents(job: Job, reached: progress.Progress, rows: int) -> dict[str, Json]:
    """What lenient adds, so that hand-written clients find all they look for."""
    return {
        "createdAt": str(int(job.created_at * 1000)),
        "lastUpdatedAt": _time(reached.since),
        "rowsSynced": rows,
        "bytesSynced": rows * progress.BYTES,
    }


def list_all(instance: Instance, call: Call) -> Response:
    """Oldest first unless asked otherwise (PUB-T 37)."""
    page = pages.asked(call)
    conditions = _conditions(call)
    if page.workspace_ids:
        inside = among("workspace_id", page.workspace_ids)
        where = f"connection_id IN (SELECT id FROM connection WHERE {inside})"  # noqa: S608 - question marks only
        conditions.append((where, page.workspace_ids))
    found = instance.store.select(
        Job,
        " AND ".join(condition for condition, _ in conditions) or "1",
        [value for _, values in conditions for value in values],
        limit=page.limit,
        offset=page.offset,
        order=_order(call.query.get("orderBy") or "createdAt|ASC"),
    )
    kept = {name: call.query[name] for name in ("jobType", "connectionId") if call.query.get(name)}
    return pages.envelope(page, "jobs", found, lambda job: read(instance, job), kept)


def create(instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    connection_id = fields.required_identifier(sent, "connectionId")
    fields.required(sent, "jobType")
    kind = fields.word(sent, "jobType", TYPES)
    connection = connections.get(instance, connection_id)
    if kind == "refresh":
        message = "Refreshes are not supported in the public API"
        raise Problem("unprocessable-entity", {"message": message})
    start = jobs.sync if kind == "sync" else jobs.clear
    return JSONResponse(read(instance, _said(lambda: start(instance, connection))))


def get(instance: Instance, call: Call) -> Response:
    return JSONResponse(read(instance, _found(instance, call)))


def cancel(instance: Instance, call: Call) -> Response:
    job = _found(instance, call)
    return JSONResponse(read(instance, _said(lambda: jobs.cancel(instance, job))))


def _said(change: Callable[[], Job]) -> Job:
    """The rules' refusals in this API's words."""
    try:
        return change()
    except jobs.Busy as busy:
        raise Problem("try-again-later", {"message": str(busy)}) from busy
    except jobs.Finished as finished:
        raise Problem("state-conflict", {"message": str(finished)}) from finished
    except (jobs.NotActive, jobs.Gone) as refusal:
        message = "Could not fulfill request"
        raise Problem("state-conflict", {"message": message}) from refusal


def _found(instance: Instance, call: Call) -> Job:
    job_id = call.path["jobId"]
    if not job_id.isdigit():
        raise Opaque(400, "jobId is not a number")
    return jobs.get(instance, int(job_id))


def _conditions(call: Call) -> list[tuple[str, list[str] | list[float]]]:
    conditions: list[tuple[str, list[str] | list[float]]] = []
    connection_id = fields.query_id(call, "connectionId")
    if connection_id:
        conditions.append(("connection_id = ?", [connection_id]))
    for name, column, allowed in (("jobType", "type", TYPES), ("status", "status", STATUSES)):
        value = fields.word({name: call.query.get(name)}, name, allowed)
        if value:
            stored = "reset" if value == "clear" else value
            conditions.append((f"{column} = ?", [stored]))
    for name, condition in _TIME_FILTERS.items():
        if call.query.get(name):
            conditions.append((condition, [_seconds(call.query[name])]))
    return conditions


def _order(clause: str) -> str:
    field, _, direction = clause.partition("|")
    if field not in _ORDER_COLUMNS or direction not in ("ASC", "DESC"):
        raise bad_request(f"Invalid order by clause provided: {clause}")
    return f"{_ORDER_COLUMNS[field]} {direction}, id {direction}"


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Opaque(400, "not a time") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _time(seconds: float) -> str:
    """As Java writes it: without the seconds where there are none (PUB-T 37)."""
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ")


def _duration(seconds: float) -> str:
    """ISO 8601 as Java writes it."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{hours}H" if hours else "",
        f"{minutes}M" if minutes else "",
        f"{left}S" if left else "",
    ]
    return "PT" + ("".join(parts) or "0S")


ENDPOINTS = (
    Endpoint("GET", "/jobs", list_all),
    Endpoint("POST", "/jobs", create),
    Endpoint("GET", "/jobs/{jobId}", get),
    Endpoint("DELETE", "/jobs/{jobId}", cancel),
)
