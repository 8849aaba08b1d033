"""Jobs: started, finished by the clock, cancelled; what a sync saves and what a clear erases (PUB §7).

No data is moved: a sync only takes its time and leaves the positions that a real one would.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.emulator import connections, states
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound, Problem
from reconciler.emulator.rows import Connection, Job


def settle(instance: Instance) -> None:
    """Finishes every job whose time has come: the store has no worker of its own."""
    due = instance.settings.clock() - instance.settings.job_seconds
    for job in instance.store.select(Job, "status = 'running' AND created_at <= ?", (due,)):
        ended = job.created_at + instance.settings.job_seconds
        instance.store.put(replace(job, status="succeeded", updated_at=ended))
        if job.type == "sync":
            _save_positions(instance, job, ended)


def get(instance: Instance, job_id: int) -> Job:
    settle(instance)
    job = instance.store.get(Job, job_id)
    if job is None:
        raise NotFound("JOB", str(job_id))
    return job


def sync(instance: Instance, connection: Connection) -> Job:
    settle(instance)
    if connection.status != "active":
        raise Problem("state-conflict", {"message": "Could not fulfill request"})
    if running(instance, connection.id):
        message = f"A sync is already running for: {connection.id}"
        raise Problem("try-again-later", {"message": message})
    return _start(instance, connection, "sync")


def clear(instance: Instance, connection: Connection) -> Job:
    """Erases the destination's data and all positions, cancelling a running sync (PUB-T 5)."""
    settle(instance)
    if connection.status == "deprecated":
        raise Problem("state-conflict", {"message": "Could not fulfill request"})
    cancel_running(instance, connection.id)
    states.delete_all(instance, connection.id, because="connection cleared")
    for stream in connections.streams_of(connection):
        instance.record(
            "data_erased",
            connectionId=connection.id,
            namespace=stream.namespace,
            stream=stream.name,
        )
    return _start(instance, connection, "reset")


def cancel(instance: Instance, job: Job) -> Job:
    if job.status != "running":
        raise Problem("state-conflict", {"message": "Job is not currently running"})
    cancelled = replace(job, status="cancelled", updated_at=instance.settings.clock())
    instance.store.put(cancelled)
    return cancelled


def cancel_running(instance: Instance, connection_id: str) -> None:
    for job in running(instance, connection_id):
        cancel(instance, job)


def running(instance: Instance, connection_id: str) -> list[Job]:
    return instance.store.select(Job, "connection_id = ? AND status = 'running'", (connection_id,))


def _start(instance: Instance, connection: Connection, kind: str) -> Job:
    now = instance.settings.clock()
    job = Job(instance.store.next_id(Job), connection.id, kind, "running", now, now)
    instance.store.put(job)
    instance.record("job_started", connectionId=connection.id, jobId=job.id, jobType=kind)
    return job


def _save_positions(instance: Instance, job: Job, ended: float) -> None:
    for stream in connections.streams_of(connections.get(instance, job.connection_id)):
        if stream.sync_mode == "incremental":
            position = {"cursor_field": stream.cursor_field, "cursor": int(ended)}
            states.save(instance, job.connection_id, stream.key, position)
