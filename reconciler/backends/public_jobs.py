"""Jobs over the public API (PUB §7): its JSON to core.jobs, and what is sent to start one.

Knows no HTTP beyond paths and bodies. Tolerant: statuses and kinds unknown to this version are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from reconciler.backends.fields import Malformed
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.jobs import Job, JobKind
from reconciler.core.model import Json
from reconciler.core.normalize import StreamKey

NEWEST_FIRST: Final = "createdAt|DESC"
"""The server's own order is oldest first (PUB-T 37)."""

_KINDS: Final[Mapping[str, str]] = {"reset": "clear", "reset_connection": "clear"}
_STARTED: Final = frozenset({"sync", "clear"})
_LONGEST_NUMBER: Final = 18
"""Digits, as many as a long of Java's has."""
_LARGEST_SECONDS: Final = 100_000_000_000
"""Larger numbers are milliseconds, as old servers write them (PUB §11)."""


def read_job(data: Json) -> Job:
    """Raises Malformed where it names no job."""
    if not isinstance(data, Mapping):
        raise Malformed("the job is no object")
    job_id, connection_id = data.get("jobId"), data.get("connectionId")
    if isinstance(job_id, bool) or not isinstance(job_id, int | str) or job_id == "":
        raise Malformed("jobId is missing")
    kind = str(data.get("jobType") or "")
    return Job(
        id=str(job_id),
        connection_id=connection_id if isinstance(connection_id, str) else "",
        kind=_KINDS.get(kind, kind),
        status=str(data.get("status") or ""),
        started=_seconds(data.get("startTime") or data.get("createdAt")),
        updated=_seconds(data.get("lastUpdatedAt")),
        rows=_count(data.get("rowsSynced")),
        size=_count(data.get("bytesSynced")),
    )


def start_body(connection_id: str, kind: JobKind, streams: tuple[StreamKey, ...]) -> Json:
    """Raises ReconcilerError for what this API can't start, before anything is sent."""
    if kind not in _STARTED or streams:
        what = f"{kind} single streams" if kind in _STARTED else kind
        raise ReconcilerError(
            f"the public API can't {what}", hint="the Configuration API can: --api config"
        )
    return {"connectionId": connection_id, "jobType": "reset" if kind == "clear" else kind}


def _count(value: Json) -> int | None:
    """Numbers, and numbers as text (PUB §11)."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= _LONGEST_NUMBER:
        return int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _seconds(value: Json) -> float | None:
    """Epoch seconds of an ISO time, which Java writes without its seconds where they are zero (PUB-T 37),
    or of a number."""
    number = _count(value)
    if number is not None:
        return number / 1000 if number > _LARGEST_SECONDS else float(number)
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
