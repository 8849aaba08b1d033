"""Starts jobs and waits for them, several at once: never one twice, and never longer than asked.

Decides nothing about content; clock and sleep come in, so that waiting can be tested without any.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, TypeAlias

import anyio

from reconciler.backends.protocol import Backend
from reconciler.core.again import Again, command
from reconciler.core.diagnostics import ApiError, OutcomeUnknown, ReconcilerError
from reconciler.core.jobs import (
    Job,
    JobKind,
    JobResult,
    JobSeen,
    RefreshMode,
    does_the_same,
    pauses,
    watched,
)
from reconciler.core.model import Workspace
from reconciler.core.normalize import StreamKey, stream_label
from reconciler.executor import settling

NEWEST: Final = 10
"""So many jobs of a connection are looked at to find the one that a lost answer was about."""
PATIENT: Final = 5
"""So many looks at a job may fail one after the other, each with its retries."""

RunEvent: TypeAlias = JobSeen | JobResult


@dataclass(frozen=True, slots=True)
class Task:
    """One job to start. `streams` empty: all of them, which are `every`. `refusal`: why it can't be, known
    beforehand, with a next step."""

    address: str
    connection_id: str
    kind: JobKind
    streams: tuple[StreamKey, ...] = ()
    mode: RefreshMode = "merge"
    refusal: tuple[str, str] | None = None
    every: tuple[StreamKey, ...] = ()

    def is_done_by(self, job: Job) -> bool:
        return does_the_same(job, self.kind, self.streams, self.every, self.mode)


@dataclass(frozen=True, slots=True)
class Watch:
    """How jobs are watched. `deadline`: on the clock, None: none. `settle`: for how many seconds a job is
    looked for whose start was answered by nobody; a server takes up to a minute to start one (PUB §7)."""

    wait: bool = False
    deadline: float | None = None
    settle: float = 120.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    def within(self, seconds: float | None) -> Watch:
        """The same, waiting for so many seconds from now."""
        return replace(self, deadline=None if seconds is None else self.clock() + seconds)

    @property
    def left(self) -> float:
        return math.inf if self.deadline is None else self.deadline - self.clock()


@dataclass(slots=True)
class _Runs:
    backend: Backend
    workspace: Workspace
    watch: Watch
    emit: Callable[[RunEvent], None]
    slots: anyio.CapacityLimiter
    again: Again
    sent: set[str] = field(default_factory=set)
    jobs: dict[str, JobSeen] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    results: dict[str, JobResult] = field(default_factory=dict)


async def run_jobs(
    backend: Backend,
    workspace: Workspace,
    tasks: Iterable[Task],
    emit: Callable[[RunEvent], None],
    watch: Watch,
    *,
    parallelism: int,
    scope: anyio.CancelScope,
    again: Again = Again(),  # noqa: B008 - frozen
) -> tuple[JobResult, ...]:
    """One result a task, in their order; each is also emitted as it comes. At most `parallelism` jobs at
    once where they are waited for. Cancelling `scope` leaves jobs running and stops looking. `again`: what
    printed commands repeat."""
    tasks = tuple(tasks)
    runs = _Runs(backend, workspace, watch, emit, anyio.CapacityLimiter(parallelism), again)
    with scope:
        async with anyio.create_task_group() as group:
            for task in tasks:
                group.start_soon(_run, runs, task)
    for task in tasks:
        if task.address not in runs.results:
            _end(runs, _left_behind(runs, task))
    return tuple(runs.results[task.address] for task in tasks)


async def watch_job(
    backend: Backend, address: str, job: Job, emit: Callable[[JobSeen], None], watch: Watch
) -> Job:
    """The job when it has ended, or as last seen at the deadline. A status that this version doesn't know
    is waited for. Raises ApiError where the server can't be asked, or knows the job no more."""
    began, troubles = watch.clock(), 0
    for pause in pauses():
        emit(JobSeen(address, job, watch.clock() - began))
        if job.ended or watch.left <= 0:
            break
        await watch.sleep(min(pause, watch.left))
        try:
            now = await backend.job(job.id)
        except ApiError:
            troubles += 1
            if troubles >= PATIENT:
                raise
            continue
        if now is None:
            raise ApiError(
                f"the server no longer knows job {job.id}", hint="look for it in Airbyte"
            )
        job, troubles = now, 0
    return job


async def _run(runs: _Runs, task: Task) -> None:
    async with runs.slots:
        if task.refusal is not None:
            _end(runs, _refused(task, *task.refusal))
        elif runs.watch.left <= 0:
            hint = f"with more time: {_started_by(runs, task)}"
            _end(runs, _refused(task, "the time was up before its turn came", hint))
        else:
            await _start_and_wait(runs, task)


async def _start_and_wait(runs: _Runs, task: Task) -> None:
    watch = runs.watch
    try:
        job, joined = await _start(runs, task)
    except ReconcilerError as error:
        _end(runs, _not_started(runs, task, error))
        return
    if joined and not watch.wait:
        _end(runs, _already_running(runs, task, job))
        return
    result = JobResult(task.address, task.kind, "started", job, joined=joined)
    if not watch.wait:
        _end(runs, result)
        return
    runs.joined |= {task.address} if joined else set()

    def seen(look: JobSeen) -> None:
        runs.jobs[task.address] = look
        runs.emit(look)

    try:
        job = await watch_job(runs.backend, task.address, job, seen, watch)
    except ApiError as error:
        last = runs.jobs[task.address]
        text = f"it was started, and can't be watched any more: {error.message}"
        _end(runs, replace(result, standing="unknown", job=last.job, message=text, hint=error.hint))
    else:
        seconds = runs.jobs[task.address].seconds
        _end(runs, watched(task.address, task.kind, job, seconds, joined=joined, again=runs.again))


async def _start(runs: _Runs, task: Task) -> tuple[Job, bool]:
    """The job, and whether it was running already. A start that may have arrived is never sent again:
    what is new among the connection's jobs is what it started."""
    before = {job.id for job in await _newest(runs, task)}

    async def look() -> Job | None:
        new = [j for j in await _newest(runs, task) if j.id not in before and _may_be_ours(j, task)]
        return new[0] if new else None

    runs.sent.add(task.address)
    try:
        job = await runs.backend.start(task.connection_id, task.kind, task.streams, task.mode)
    except OutcomeUnknown:
        found = await _look_until(runs.watch, look)
        if found is None:
            raise
        return found, False
    except ApiError as error:
        runs.sent.discard(task.address)
        if error.status == HTTPStatus.CONFLICT:
            return await _running(runs, task, error), True
        found = await look() if error.status == HTTPStatus.INTERNAL_SERVER_ERROR else None
        if found is None:
            raise
        return found, False
    return job, False


def _may_be_ours(job: Job, task: Task) -> bool:
    """Among jobs that are new since a start was sent. One that the server tells no streams of may be."""
    asked = set(task.streams or task.every)
    return job.kind == task.kind and (
        job.kind == "sync" or job.streams is None or job.streams >= asked
    )


async def _running(runs: _Runs, task: Task, refused: ApiError) -> Job:
    """The job that the server refused another one for. Raises where it does something else, or there is
    none."""
    running = [job for job in await _newest(runs, task) if not job.ended]
    if not running:
        raise refused
    same = next((job for job in running if task.is_done_by(job)), None)
    if same is not None:
        return same
    job = running[0]
    which = "another" if job.kind == task.kind else "a"
    raise ApiError(
        f"{which} {job.kind} is running (job {job.id}{_doing(job)})",
        hint=f"try again when it has ended: {command(runs.again, ('jobs', 'wait', job.id))}",
        status=refused.status,
    )


def _doing(job: Job) -> str:
    """What is known of what it does, where that is not all there is."""
    if job.kind == "sync" or not job.streams:
        return ""
    labels = sorted(map(stream_label, job.streams))
    more = f" and {len(labels) - _FEW} more" if len(labels) > _FEW else ""
    return f", of {', '.join(labels[:_FEW])}{more}"


_FEW: Final = 3


async def _newest(runs: _Runs, task: Task) -> tuple[Job, ...]:
    return await runs.backend.jobs(runs.workspace, task.connection_id, NEWEST)


async def _look_until(watch: Watch, look: Callable[[], Awaitable[Job | None]]) -> Job | None:
    """A server that can't be read says nothing about the start, so that it is asked again."""
    for pause in settling.pauses(watch.settle):
        await watch.sleep(pause)
        try:
            found = await look()
        except ReconcilerError:
            continue
        if found is not None:
            return found
    return None


def _end(runs: _Runs, result: JobResult) -> None:
    runs.results[result.address] = result
    runs.emit(result)


def _refused(task: Task, message: str, hint: str = "") -> JobResult:
    return JobResult(task.address, task.kind, "not-started", message=message, hint=hint)


def _started_by(runs: _Runs, task: Task) -> str:
    """The command that starts it, and with the same options."""
    streams = [f"--stream={stream_label(key)}" for key in task.streams]
    mode = [f"--mode={task.mode}"] if task.mode != "merge" else []
    allowed = task.kind == "clear" or bool(mode)
    allow = [f"--allow=data-erase={task.address}"] if allowed else []
    wait = ["--wait"] if runs.watch.wait else []
    return command(runs.again, (task.kind, task.address, *streams, *mode, *allow, *wait))


def _not_started(runs: _Runs, task: Task, error: ReconcilerError) -> JobResult:
    unknown = isinstance(error, OutcomeUnknown)
    return JobResult(
        task.address,
        task.kind,
        "unknown" if unknown else "not-started",
        message=error.message,
        hint=f"look before starting it again: {_listed_by(runs, task)}"
        if unknown
        else error.hint or f"when that is mended: {_started_by(runs, task)}",
    )


def _listed_by(runs: _Runs, task: Task) -> str:
    return command(runs.again, ("jobs", "list", task.address))


def _already_running(runs: _Runs, task: Task, job: Job) -> JobResult:
    return JobResult(
        task.address,
        task.kind,
        "not-started",
        job,
        f"a {job.kind} is already running: job {job.id}",
        f"--wait waits for that one, and so does: {command(runs.again, ('jobs', 'wait', job.id))}",
        joined=True,
    )


def _left_behind(runs: _Runs, task: Task) -> JobResult:
    """Of a task that an interrupt took the attention from."""
    look = runs.jobs.get(task.address)
    if look is not None:
        joined = task.address in runs.joined
        return watched(
            task.address, task.kind, look.job, look.seconds, joined=joined, again=runs.again
        )
    if task.address in runs.sent:
        return JobResult(
            task.address,
            task.kind,
            "unknown",
            message="interrupted while it was being started",
            hint=f"look for it: {_listed_by(runs, task)}",
        )
    return _refused(task, "interrupted before its turn came", _started_by(runs, task))
