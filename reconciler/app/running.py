"""sync, refresh, clear and jobs: running connections, and what became of it.

Which connections are meant and what may be started is decided in the core; starting and waiting is the
executor's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Final

from reconciler.app.operations import claims_of, meant
from reconciler.app.project import Request, open_project
from reconciler.app.session import Session, open_session
from reconciler.app.stop import Interrupts, Stop, never
from reconciler.core.again import Again, command
from reconciler.core.claim import Claims, claim
from reconciler.core.diagnostics import ApiError, ReconcilerError, Refused
from reconciler.core.jobs import (
    Job,
    JobKind,
    JobResult,
    JobSeen,
    Operation,
    RefreshMode,
    connections_meant,
    exit_code,
    refuse_erasing,
    refuse_missing,
    streams_meant,
    watched,
)
from reconciler.core.model import Address, Connection, Live
from reconciler.core.normalize import StreamKey, stream_key
from reconciler.core.plan import TargetLine
from reconciler.executor.jobs import RunEvent, Task, Watch, run_jobs, watch_job
from reconciler.transport.answers import safe


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to start: of which connections is the request's selection. `streams`: as people name them,
    none for all; `timeout`: seconds to wait in all, None: as long as it takes."""

    kind: JobKind
    streams: tuple[str, ...] = ()
    mode: RefreshMode = "merge"
    wait: bool = False
    timeout: float | None = None

    @property
    def operation(self) -> Operation:
        return "clear-streams" if self.kind == "clear" and self.streams else self.kind


@dataclass(frozen=True, slots=True)
class Ran:
    line: TargetLine
    results: tuple[JobResult, ...]
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        return exit_code(self.results, interrupted=self.interrupted)


async def run(
    request: Request,
    wanted: Wanted,
    *,
    announce: Callable[[TargetLine], None],
    emit: Callable[[RunEvent], None],
    interrupts: Interrupts = never,
    watch: Watch = Watch(),  # noqa: B008 - frozen
) -> Ran:
    """Starts a job for each selected connection and, where asked, waits for it. An interrupt leaves what
    runs running."""
    project = open_project(request, runs=wanted.operation)
    project.refuse_errors()
    chosen = meant(connections_meant(request.selection, project.desired.resources))
    if not chosen:
        raise ReconcilerError("there is no connection in what is selected")
    async with open_session(request, project, read_only=False, needs=wanted.operation) as session:
        announce(session.line)
        _, claims = await claims_of(session, chosen)
        tasks = [_task(request, wanted, address, claims) for address in chosen]
        readable = partial(_readable, partial(safe, redact=project.redactor))

        def emit_readable(event: RunEvent) -> None:
            emit(readable(event) if isinstance(event, JobResult) else event)

        stop = Stop(on_giving_up=_NO_LONGER_WAITING)
        async with interrupts(stop):
            with stop.abandonable(finishing=False) as scope:
                results = await run_jobs(
                    session.backend,
                    session.workspace,
                    tasks,
                    emit_readable,
                    replace(watch.within(wanted.timeout), wait=wanted.wait),
                    parallelism=request.parallelism,
                    scope=scope,
                    again=request.again,
                )
    return Ran(session.line, tuple(map(readable, results)), stop.given_up)


def _task(request: Request, wanted: Wanted, address: Address, claims: Claims) -> Task:
    live = claims.live.get(address)
    if live is None or not isinstance(live.spec, Connection):
        refusal = ("it isn't live yet", command(request.again, ("apply", str(address))))
        return Task(str(address), "", wanted.kind, refusal=refusal)
    selected = _streams_of(live.spec)
    streams = streams_meant(wanted.streams, selected)
    task = Task(str(address), live.id, wanted.kind, streams, wanted.mode, every=selected)
    if wanted.kind in _ONLY_ACTIVE and live.spec.status == "inactive":
        return replace(task, refusal=_inactive(wanted.kind, address, request.again))
    if wanted.kind == "clear" or (wanted.kind == "refresh" and wanted.mode == "truncate"):
        refuse_erasing(wanted.kind, address, streams or selected, request.allow)
    return task


_ONLY_ACTIVE: Final[Mapping[JobKind, str]] = {"sync": "syncs", "refresh": "refreshes"}
"""What Airbyte starts on active connections alone."""


def _inactive(kind: JobKind, address: Address, again: Again) -> tuple[str, str]:
    return (
        f"it is inactive, and Airbyte {_ONLY_ACTIVE[kind]} only active connections",
        f"set status: active in its manifest, then: {command(again, ('apply', str(address)))}",
    )


def _readable(clean: Callable[[str], str], result: JobResult) -> JobResult:
    """Without a secret in what the server said."""
    job = result.job and replace(result.job, failure=clean(result.job.failure))
    return replace(result, job=job, message=clean(result.message))


def _streams_of(spec: Connection) -> tuple[StreamKey, ...]:
    streams = spec.streams if isinstance(spec.streams, tuple) else ()
    return tuple(sorted(stream_key(stream) for stream in streams))


# --- jobs ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job, and what people call its connection; `name` is Airbyte's, `address` empty where no manifest
    means it."""

    job: Job
    address: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        return self.address or self.name or self.job.connection_id


@dataclass(frozen=True, slots=True)
class Listed:
    """`note`: what else is to be known of them."""

    line: TargetLine
    jobs: tuple[ListedJob, ...]
    note: str = ""


async def list_jobs(request: Request, limit: int) -> Listed:
    """The newest jobs of the selected connections, or of the whole workspace; newest first."""
    async with _looking(request, read_only=True) as at:
        backend, workspace, note = at.session.backend, at.session.workspace, ""
        if not request.selection.include and not request.selection.exclude:
            found = list(await backend.jobs(workspace, None, limit))
        else:
            resources = at.session.project.desired.resources
            chosen = meant(connections_meant(request.selection, resources))
            ids = [at.claims.live[address].id for address in chosen if address in at.claims.live]
            gone = [address for address in chosen if address not in at.claims.live]
            note = _gone(gone, request.again) if gone else ""
            found = []
            for connection_id in ids:
                found += await backend.jobs(workspace, connection_id, limit)
        found.sort(key=lambda job: (job.started or 0.0, job.id.zfill(20)), reverse=True)
        return replace(at.listed(*found[:limit]), note=note)


def _gone(addresses: list[Address], again: Again) -> str:
    """A job stays when its connection goes, and is found by that connection's id alone."""
    names = ", ".join(map(str, addresses[:_FEW]))
    more = f" and {len(addresses) - _FEW} more" if len(addresses) > _FEW else ""
    verb = "isn't" if len(addresses) == 1 else "aren't"
    return (
        f"{names}{more} {verb} live; jobs of connections that were deleted are among all jobs: "
        f"{command(again, ('jobs', 'list'))}"
    )


_FEW: Final = 5


async def get_job(request: Request, job_id: str) -> Listed:
    async with _looking(request, read_only=True) as at:
        job = await at.existing(job_id)
        return replace(at.listed(job), note=at.elsewhere(job))


async def wait_job(
    request: Request,
    job_id: str,
    *,
    seconds: float | None,
    announce: Callable[[TargetLine, str], None],
    emit: Callable[[JobSeen], None],
    interrupts: Interrupts = never,
    watch: Watch = Watch(),  # noqa: B008 - frozen
) -> Ran:
    """Waits until the job has ended, for at most so many seconds. An interrupt leaves it running.
    `announce` is also told what else is to be known of the job."""
    async with _looking(request, read_only=True) as at:
        job = await at.existing(job_id)
        announce(at.session.line, at.elsewhere(job))
        label = at.listed(job).jobs[0].label
        last = JobSeen(label, job, 0.0)

        def seen(look: JobSeen) -> None:
            nonlocal last
            last = look
            emit(look)

        stop = Stop(on_giving_up=_NO_LONGER_WAITING)
        async with interrupts(stop):
            with stop.abandonable(finishing=False) as scope, scope:
                await watch_job(at.session.backend, label, job, seen, watch.within(seconds))
        job = at.listed(last.job).jobs[0].job
        told = watched(label, job.kind, job, last.seconds, again=request.again)
        return Ran(at.session.line, (told,), stop.given_up)


async def cancel_job(request: Request, job_id: str) -> tuple[Listed, bool]:
    """The job afterwards, and whether it had ended before. Raises Refused for one of another workspace."""
    async with _looking(request, read_only=False) as at:
        session = at.session
        refuse_missing(session.backend.capabilities, "cancel", session.project.target)
        job = await at.existing(job_id)
        if job.ended:
            return at.listed(job), True
        if at.elsewhere(job):
            raise Refused(
                f"job {job.id} is of no connection in workspace {session.workspace.name!r}, and was left "
                "alone",
                hint="name the target that it belongs to with -t",
            )
        return at.listed(await session.backend.cancel(job.id)), False


@dataclass(frozen=True, slots=True)
class _Looking:
    """A session with what gives jobs their connections' names, and takes secrets out of their texts."""

    session: Session
    live: Live
    claims: Claims
    clean: Callable[[str], str]

    @property
    def list_all(self) -> str:
        return command(self.session.again, ("jobs", "list"))

    async def existing(self, job_id: str) -> Job:
        where = f"job {job_id} at target {self.session.project.target.name}"
        try:
            job = await self.session.backend.job(job_id)
        except ApiError as error:
            if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            message = error.message.replace(f"job {job_id}", where, 1)
            raise ApiError(message, hint=self.list_all, status=error.status) from error
        if job is None:
            raise ReconcilerError(f"there is no {where}", hint=self.list_all)
        return job

    def elsewhere(self, job: Job) -> str:
        """A server shows jobs of all its workspaces; "" where it is of a connection that is here."""
        if any(found.id == job.connection_id for found in self.live.objects):
            return ""
        return (
            f"job {job.id} is of no connection in workspace {self.session.workspace.name!r}: it is of "
            "another workspace, or its connection was deleted"
        )

    def listed(self, *jobs: Job) -> Listed:
        names = {found.id: found.spec.name for found in self.live.objects}
        return Listed(
            self.session.line,
            tuple(
                ListedJob(
                    replace(job, failure=self.clean(job.failure)),
                    str(self.claims.address_of.get(("connection", job.connection_id), "")),
                    names.get(job.connection_id, ""),
                )
                for job in jobs
            ),
        )


@asynccontextmanager
async def _looking(request: Request, *, read_only: bool) -> AsyncIterator[_Looking]:
    """Manifests only lend their names here: mistakes in them don't matter to what runs."""
    project = open_project(request, tolerate_missing=True)
    async with open_session(request, project, read_only=read_only, needs="jobs") as session:
        live = await session.snapshot()
        claims, _ = claim(project.desired, live, project.target.name)
        yield _Looking(session, live, claims, partial(safe, redact=project.redactor))


_NO_LONGER_WAITING: Final = "no longer waiting."
