"""Jobs: started, finished by the clock, cancelled; what a sync saves and a clear erases (PUB §7, CFG §7).

No data is moved: a sync only takes its time and leaves the positions that a real one would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from reconciler.emulator import checks, connections, progress, schedules, states
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound, Refusal
from reconciler.emulator.progress import Plan, Progress, StreamWork
from reconciler.emulator.rows import Actor, Connection, Job, JobFault
from reconciler.emulator.states import StreamKey
from reconciler.emulator.store import among

RefreshMode = Literal["Merge", "Truncate"]


class NotActive(Refusal):
    """The connection is switched off, or gone."""


class Busy(Refusal):
    """A job of the connection is under way."""


class Gone(Refusal):
    """The connection was deleted, and nothing is left that could run."""


class Finished(Refusal):
    """The job has ended, so there is nothing to cancel."""


# --- Looking ---------------------------------------------------------------------------------


def settle(instance: Instance) -> None:
    """Brings every job to where it is by now, before each request: the store has no worker of its own."""
    unfinished = among("status", progress.UNFINISHED)
    for job in instance.store.select(Job, unfinished, progress.UNFINISHED):
        reached = progress.at(plan_of(job), job.created_at, instance.settings.clock())
        if reached.status != job.status:
            changed = replace(job, status=reached.status, updated_at=reached.since)
            instance.store.put(changed)
            if reached.status in progress.FINISHED:
                _finish(instance, changed)


def get(instance: Instance, job_id: int) -> Job:
    job = instance.store.get(Job, job_id)
    if job is None:
        raise NotFound("JOB", str(job_id))
    return job


def of(instance: Instance, connection_id: str) -> list[Job]:
    """Newest first."""
    return instance.store.select(Job, "connection_id = ?", (connection_id,), order="id DESC")


def running(instance: Instance, connection_id: str) -> list[Job]:
    unfinished = among("status", progress.UNFINISHED)
    where = f"connection_id = ? AND {unfinished}"
    return instance.store.select(Job, where, (connection_id, *progress.UNFINISHED))


def is_unfinished(job: Job) -> bool:
    return job.status in progress.UNFINISHED


def plan_of(job: Job) -> Plan:
    return progress.from_json(job.plan)


def progress_of(instance: Instance, job: Job) -> Progress:
    if job.status == "cancelled":
        return progress.cancelled(plan_of(job), job.created_at, job.updated_at)
    return progress.at(plan_of(job), job.created_at, instance.settings.clock())


# --- Starting and stopping -------------------------------------------------------------------


def sync(instance: Instance, connection: Connection) -> Job:
    """Raises NotActive, Busy. Documents create a connection, which starts its first sync by itself, and
    start one in the next line: lenient answers with the sync that runs."""
    under_way = [job for job in running(instance, connection.id) if job.type == "sync"]
    if instance.lenient and under_way:
        return under_way[0]
    _ensure_idle(instance, connection)
    return _start(instance, connection, "sync", _work(instance, connection))


def refresh(
    instance: Instance,
    connection: Connection,
    mode: RefreshMode,
    keys: Sequence[StreamKey] | None = None,
) -> Job:
    """A sync that reads these streams (all, if none are named) from their beginning: their positions go at
    once, and under Truncate also what the destination holds of them. Raises NotActive, Busy."""
    _ensure_idle(instance, connection)
    wanted = keys or _keys(connection)
    states.delete(instance, connection.id, wanted, because="stream refreshed")
    if mode == "Truncate":
        _erase(instance, connection, wanted)
    work = _work(instance, connection, wanted)
    return _start(instance, connection, "refresh", work, refresh_mode=mode)


def take_anew(instance: Instance, connection: Connection, keys: Sequence[StreamKey]) -> None:
    """What the UI's save does to streams that it changed (CFG §5.6): a merging refresh, in place of a sync
    that runs, or a clear where the destination knows no refresh. While the connection is switched off
    nothing runs, but the positions are gone all the same."""
    if not connections.supports_refreshes(instance, connection):
        clear(instance, connection, keys)
        return
    cancel_running(instance, connection.id)
    if connection.status == "active":
        refresh(instance, connection, "Merge", keys)
    else:
        states.delete(instance, connection.id, keys, because="stream refreshed")


def clear(
    instance: Instance, connection: Connection, keys: Sequence[StreamKey] | None = None
) -> Job:
    """Erases the destination's data and the positions of these streams (of all, if none are named),
    cancelling a running sync (PUB-T 5). Raises Gone."""
    if connection.status == "deprecated":
        raise Gone(f"Connection {connection.id} is deleted")
    cancel_running(instance, connection.id)
    because = "stream cleared" if keys else "connection cleared"
    if keys:
        states.delete(instance, connection.id, keys, because=because)
    else:
        states.delete_all(instance, connection.id, because=because)
    wanted = keys or _keys(connection)
    _erase(instance, connection, wanted)
    return _start(instance, connection, "reset", [StreamWork(n, ns, 0) for ns, n in wanted])


def follow_schedule(
    instance: Instance, connection: Connection, before: Connection | None = None
) -> None:
    """What a write does to the clockwork of an interval (CFG-T 24): a connection that never ran runs now,
    another one as soon as its interval has passed since. A cron waits for its time.

    `before` is the connection as it was; without a change of status or schedule nothing is due that was not
    due anyway.
    """
    seconds = schedules.interval(connection.schedule)
    if connection.status != "active" or seconds is None or running(instance, connection.id):
        return
    if before and (before.status, before.schedule) == (connection.status, connection.schedule):
        return
    syncs = [job for job in of(instance, connection.id) if job.type in ("sync", "refresh")]
    if not syncs or syncs[0].created_at + seconds <= instance.settings.clock():
        sync(instance, connection)


def cancel(instance: Instance, job: Job) -> Job:
    """Raises Finished."""
    if not is_unfinished(job):
        raise Finished("Job is not currently running")
    cancelled = replace(job, status="cancelled", updated_at=instance.settings.clock())
    instance.store.put(cancelled)
    _finish(instance, cancelled)
    return cancelled


def cancel_running(instance: Instance, connection_id: str) -> None:
    for job in running(instance, connection_id):
        cancel(instance, job)


def fail_next(
    instance: Instance, connection: Connection, message: str, attempts: int, *, recovers: bool
) -> None:
    """The next job of the connection, instead of what was to go wrong before."""
    instance.store.put(JobFault(connection.id, message, attempts, recovers))


def _ensure_idle(instance: Instance, connection: Connection) -> None:
    if connection.status != "active":
        raise NotActive("Can only sync an active connection")
    if running(instance, connection.id):
        raise Busy(f"A sync is already running for: {connection.id}")


def _start(
    instance: Instance,
    connection: Connection,
    kind: str,
    work: Sequence[StreamWork],
    refresh_mode: str | None = None,
) -> Job:
    """It is done at once where jobs take no time."""
    failures, recovers = _failures(instance, connection, kind)
    plan = Plan(
        streams=work,
        seconds=instance.settings.job_seconds,
        queued=instance.settings.queue_seconds,
        failures=failures,
        recovers=recovers,
        refresh_mode=refresh_mode,
    )
    now = instance.settings.clock()
    number = instance.store.next_id(Job)
    job = Job(number, connection.id, kind, "pending", now, now, progress.to_json(plan))
    instance.store.put(job)
    instance.record("job_started", connectionId=connection.id, jobId=number, jobType=kind)
    settle(instance)
    return get(instance, number)


def _failures(instance: Instance, connection: Connection, kind: str) -> tuple[list[str], bool]:
    fault = instance.store.get(JobFault, connection.id)
    if fault is not None:
        instance.store.delete(JobFault, "id = ?", (fault.id,))
        return [fault.message] * fault.attempts, fault.recovers
    for actor_id in (connection.source_id, connection.destination_id):
        actor = instance.store.get(Actor, actor_id)
        outcome = checks.check(actor.configuration if actor is not None else None)
        if kind != "reset" and outcome.status != "succeeded":
            return [outcome.message], False
    return [], False


# --- What they work on and leave behind ------------------------------------------------------


def _keys(connection: Connection) -> list[StreamKey]:
    return [stream.key for stream in connections.streams_of(connection)]


def _work(
    instance: Instance, connection: Connection, wanted: Sequence[StreamKey] | None = None
) -> list[StreamWork]:
    """An incremental stream with a saved position moves only what is new."""
    saved = {(s.namespace or None, s.name) for s in states.of(instance, connection.id)}
    return [
        StreamWork(
            stream.name,
            stream.namespace,
            progress.LATEST
            if stream.sync_mode == "incremental" and stream.key in saved
            else progress.WHOLE,
        )
        for stream in connections.streams_of(connection)
        if wanted is None or stream.key in wanted
    ]


def _erase(instance: Instance, connection: Connection, keys: Sequence[StreamKey]) -> None:
    for namespace, name in keys:
        instance.record("data_erased", connectionId=connection.id, namespace=namespace, stream=name)


def _finish(instance: Instance, job: Job) -> None:
    instance.record(
        "job_finished",
        connectionId=job.connection_id,
        jobId=job.id,
        jobType=job.type,
        status=job.status,
    )
    if job.status != "succeeded" or job.type not in ("sync", "refresh"):
        return
    worked_on = {stream.key for stream in plan_of(job).streams}
    for stream in connections.streams_of(connections.get(instance, job.connection_id)):
        if stream.sync_mode == "incremental" and stream.key in worked_on:
            position = {"cursor_field": stream.cursor_field, "cursor": int(job.updated_at)}
            states.save(instance, job.connection_id, stream.key, position)
