"""A job on the wire of the Configuration API: alone, with its attempts, with their logs (CFG §7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from reconciler.core.model import Json
from reconciler.emulator import jobs, progress
from reconciler.emulator.config import fields
from reconciler.emulator.instance import Instance
from reconciler.emulator.progress import Attempt, Plan, StreamWork
from reconciler.emulator.rows import Job

CONFIG_TYPES: Final = {"reset": "reset_connection"}
"""What this API calls the types of jobs, where its names differ (CFG §10)."""


def config_type(job: Job) -> str:
    return CONFIG_TYPES.get(job.type, job.type)


def job(instance: Instance, row: Job) -> dict[str, Json]:
    """Without any numbers: those are in its attempts, and in lists (CFG §7)."""
    reached, plan = jobs.progress_of(instance, row), jobs.plan_of(row)
    named = [_descriptor(stream) for stream in plan.streams]
    shown = fields.present(
        id=row.id,
        configType=config_type(row),
        configId=row.connection_id,
        enabledStreams=named,
        createdAt=int(row.created_at),
        updatedAt=int(reached.since),
        startedAt=None if reached.began is None else int(reached.began),
        status=reached.status,
        resetConfig={"streamsToReset": named} if row.type in ("reset", "clear") else None,
        refreshConfig={"streamsToRefresh": named} if row.type == "refresh" else None,
    )
    return {**shown, "summary": _summary(instance, row)} if instance.lenient else shown


def _summary(instance: Instance, row: Job) -> Json:
    """What lenient adds for hand-written clients."""
    plan = jobs.plan_of(row)
    records = progress.moved(plan, jobs.progress_of(instance, row).attempts)
    return {"recordsSynced": records, "bytesSynced": records * progress.BYTES}


def with_attempts(instance: Instance, row: Job, *, logs: bool) -> Json:
    plan = jobs.plan_of(row)
    attempts = [
        {"attempt": shown, "logType": "formatted", **({"logs": _logs(one)} if logs else {})}
        for one, shown in _attempts(instance, row, plan)
    ]
    return {"job": job(instance, row), "attempts": attempts}


def listed(instance: Instance, row: Job) -> Json:
    """With the numbers of all attempts together, which only lists have. Lenient repeats the job's keys
    beside the job."""
    plan, reached = jobs.plan_of(row), jobs.progress_of(instance, row)
    shown = {
        **job(instance, row),
        "aggregatedStats": _counted(progress.moved(plan, reached.attempts)),
        "streamAggregatedStats": [
            {
                **_stream_name(stream),
                **_counted(sum(progress.records(one, stream) for one in reached.attempts)),
            }
            for stream in plan.streams
        ],
    }
    item = {"job": shown, "attempts": [one for _, one in _attempts(instance, row, plan)]}
    return {**shown, **item} if instance.lenient else item


def _attempts(
    instance: Instance, row: Job, plan: Plan
) -> Sequence[tuple[Attempt, dict[str, Json]]]:
    reached = jobs.progress_of(instance, row)
    return [(one, _attempt(number, one, plan)) for number, one in enumerate(reached.attempts)]


def _attempt(number: int, attempt: Attempt, plan: Plan) -> dict[str, Json]:
    records = progress.moved(plan, [attempt])
    ended = None if attempt.ended is None else int(attempt.ended)
    return fields.present(
        id=number,
        status=attempt.status,
        createdAt=int(attempt.began),
        updatedAt=int(attempt.began) if ended is None else ended,
        endedAt=ended,
        bytesSynced=records * progress.BYTES,
        recordsSynced=records,
        totalStats=_counted(records),
        streamStats=[
            {**_stream_name(stream), "stats": _counted(progress.records(attempt, stream))}
            for stream in plan.streams
        ],
        failureSummary=_failures(attempt, records) if attempt.failure else None,
    )


def _failures(attempt: Attempt, records: int) -> Json:
    reason = {
        "failureOrigin": "airbyte_platform" if attempt.cancelled else "source",
        "failureType": "manual_cancellation" if attempt.cancelled else "system_error",
        "externalMessage": attempt.failure,
        "internalMessage": attempt.failure,
        "retryable": not attempt.cancelled,
        "timestamp": int((attempt.ended or attempt.began) * 1000),
    }
    return {"failures": [reason], "partialSuccess": records > 0}


def _counted(records: int) -> dict[str, Json]:
    moved = records * progress.BYTES
    return {
        "recordsEmitted": records,
        "bytesEmitted": moved,
        "recordsCommitted": records,
        "bytesCommitted": moved,
        "recordsRejected": 0,
    }


def _logs(attempt: Attempt) -> Json:
    lines = [f"{_moment(attempt.began)} platform > Attempt started"]
    if attempt.ended is not None:
        end = f"Attempt {attempt.status}"
        lines.append(f"{_moment(attempt.ended)} platform > {end} {attempt.failure}".strip())
    return {"logLines": lines}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _descriptor(stream: StreamWork) -> Json:
    return fields.present(name=stream.name, namespace=stream.namespace)


def _stream_name(stream: StreamWork) -> dict[str, Json]:
    return fields.present(streamName=stream.name, streamNamespace=stream.namespace)
