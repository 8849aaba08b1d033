"""Jobs over the Configuration API (CFG §7): its JSON to core.jobs, and what is sent to start one.

Knows no HTTP beyond paths and bodies. Jobs come nested (`{job, attempts}`) and flat (CFG §12).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from reconciler.backends import fields
from reconciler.backends.fields import Malformed
from reconciler.backends.refusals import LOCKED
from reconciler.core.diagnostics import ApiError
from reconciler.core.jobs import Job, JobKind, RefreshMode
from reconciler.core.model import Json
from reconciler.core.normalize import StreamKey

CONFIG_TYPES: Final[tuple[str, ...]] = ("sync", "reset_connection", "refresh", "clear")
OLD_CONFIG_TYPES: Final[tuple[str, ...]] = ("sync", "reset_connection")
"""What servers before refreshes know; they refuse a list that asks for more."""

_KINDS: Final[Mapping[str, str]] = {"reset_connection": "clear", "reset": "clear"}
_UNKNOWN: Final = "could not find job"


def read_job(data: Json) -> Job:
    """Raises Malformed where it names no job."""
    whole = data if isinstance(data, Mapping) else {}
    nested = whole.get("job")
    job = nested if isinstance(nested, Mapping) else whole
    job_id, kind = job.get("id"), str(job.get("configType") or "")
    if isinstance(job_id, bool) or not isinstance(job_id, int | str) or job_id == "":
        raise Malformed("the job has no id")
    attempt = _last_attempt(whole)
    return Job(
        id=str(job_id),
        connection_id=str(job.get("configId") or ""),
        kind=_KINDS.get(kind, kind),
        status=str(job.get("status") or ""),
        started=_number(job.get("startedAt")) or _number(job.get("createdAt")),
        updated=_number(job.get("updatedAt")),
        rows=_count(job, attempt, "records"),
        size=_count(job, attempt, "bytes"),
        failure=_failure(attempt),
        streams=_streams_of(job),
    )


_NAMED: Final = (("refreshConfig", "streamsToRefresh"), ("resetConfig", "streamsToReset"))


def _streams_of(job: Mapping[str, Json]) -> frozenset[StreamKey] | None:
    """Of a refresh or clear, None where not told. Not `enabledStreams`, which may be the whole catalog."""
    for place, name in _NAMED:
        config = job.get(place)
        listed = config.get(name) if isinstance(config, Mapping) else None
        if isinstance(listed, list) and all(isinstance(one, Mapping) for one in listed):
            return frozenset(
                (str(one.get("namespace") or ""), str(one.get("name") or "")) for one in listed
            )
    return None


def _last_attempt(whole: Mapping[str, Json]) -> Mapping[str, Json]:
    """Bare in lists, beside its logs in `get`."""
    found = [item for item in fields.items(whole.get("attempts")) if isinstance(item, Mapping)]
    last = found[-1] if found else {}
    inner = last.get("attempt")
    return inner if isinstance(inner, Mapping) else last


def _count(job: Mapping[str, Json], attempt: Mapping[str, Json], what: str) -> int | None:
    """From the first place that has it (CFG §12): most are left out by one endpoint or another."""
    places = (
        (job.get("aggregatedStats"), f"{what}Committed"),
        (job.get("summary"), f"{what}Synced"),
        (attempt.get("totalStats"), f"{what}Committed"),
        (attempt, f"{what}Synced"),
    )
    for place, name in places:
        number = _number(place.get(name)) if isinstance(place, Mapping) else None
        if number is not None:
            return int(number)
    return None


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _failure(attempt: Mapping[str, Json]) -> str:
    summary = attempt.get("failureSummary")
    reasons = fields.items(summary.get("failures")) if isinstance(summary, Mapping) else ()
    for name in ("externalMessage", "internalMessage"):
        for reason in reasons:
            if isinstance(reason, Mapping) and isinstance(reason.get(name), str):
                return str(reason[name])
    return ""


def start_requests(
    connection_id: str, kind: JobKind, streams: tuple[StreamKey, ...], mode: RefreshMode
) -> tuple[tuple[str, Json], ...]:
    """Path and body; the second, where there is one, is what older servers call the same. A refresh has
    none: what they have instead erases first."""
    body: dict[str, Json] = {"connectionId": connection_id}
    if kind == "sync":
        return (("/connections/sync", body),)
    if streams:
        body["streams"] = [_stream(key) for key in streams]
    if kind == "refresh":
        return (("/connections/refresh", {**body, "refreshMode": mode.capitalize()}),)
    suffix = "/stream" if streams else ""
    return ((f"/connections/clear{suffix}", body), (f"/connections/reset{suffix}", body))


def _stream(key: StreamKey) -> dict[str, str]:
    namespace, name = key
    return {"streamName": name, **({"streamNamespace": namespace} if namespace else {})}


def says_unknown(error: ApiError) -> bool:
    """Whether the server knows no job of that id, as far as it says so: a 500, which servers from 2.0 on
    leave without a word (CFG-T 33)."""
    if error.status == HTTPStatus.NOT_FOUND and type(error) is ApiError:
        return True
    return error.status == HTTPStatus.INTERNAL_SERVER_ERROR and _UNKNOWN in error.message.lower()


def explain(error: ApiError) -> None:
    """Adds what may be meant: a 409 is several things (CFG-T 32), told apart by its text alone; a bare 500
    may be an id that the server doesn't know (CFG-T 33)."""
    text = error.message.lower()
    for words, hint in _HINTS_FOR.get(error.status, ()):
        if type(error) is ApiError and words in text:
            error.hint = hint
            return


_HINTS_FOR: Final[Mapping[int, tuple[tuple[str, str], ...]]] = {
    HTTPStatus.CONFLICT: (
        ("already running", "wait for that job, or cancel it"),
        ("locked", LOCKED),
        ("failed to access database", "two writes met in Airbyte's database; try again"),
        ("", "the connection may be deleted, or a job is running on it: look at it in Airbyte"),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        ("active connection", "the connection is inactive: set status: active and apply first"),
        ("", "the id may be unknown or the connection inactive: newer servers don't say which"),
    ),
}
