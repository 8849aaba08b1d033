"""A backend without a wire: objects in a dict, with delays and failures on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import anyio
import anyio.lowlevel

from reconciler.core.capabilities import Capabilities
from reconciler.core.diagnostics import ApiError, OutcomeUnknown, Span, Unreachable
from reconciler.core.effects import EFFECTS
from reconciler.core.jobs import Check, Job, JobKind, RefreshMode
from reconciler.core.model import (
    Address,
    Connection,
    ConnectorDefinition,
    Consent,
    Desired,
    Destination,
    DiscoveredStream,
    Json,
    Live,
    LiveObject,
    Namespace,
    Ref,
    Resource,
    Source,
    Spec,
    Stream,
    Tag,
    Update,
    Workspace,
)
from reconciler.core.normalize import StreamKey
from reconciler.core.plan import TargetLine
from reconciler.core.planning import Planned, Situation, make_plan

WORKSPACE = Workspace("w", "Workspace")
DEFINITIONS = (
    ConnectorDefinition("source", "def-s", "Postgres", "airbyte/source-postgres"),
    ConnectorDefinition("source", "def-m", "MySQL", "airbyte/source-mysql"),
    ConnectorDefinition("source", "def-x", "Oracle", "airbyte/source-oracle"),
    ConnectorDefinition("destination", "def-d", "S3", "airbyte/destination-s3"),
)
CAPABILITIES = Capabilities("public", operations=frozenset({"jobs"}))
ALL_OF_IT = Consent(tuple(name for name, kind in EFFECTS.items() if kind.consent == "needed"))


@dataclass
class FakeBackend:
    """`failures`: name, or verb and name → what to raise when it is written. `calls` in order.

    `checks`: name → the result of a connection test, which succeeds where nothing is said. `ran`: jobs by
    id; each look takes one on by a step of `course`. `start_faults`: what to raise instead of answering the
    next starts, which happen all the same where they `start_anyway`; `look_faults`: instead of the next
    looks. `fault_at`: the write at which the connection is lost; with `dies`, the server is gone after it.
    """

    capabilities: Capabilities = CAPABILITIES
    generation: str = ""
    objects: dict[str, LiveObject] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    ignores: Callable[[Spec], Spec] = lambda spec: spec
    offered: tuple[DiscoveredStream, ...] = (DiscoveredStream("orders"),)
    calls: list[str] = field(default_factory=list)
    fault_at: int | None = None
    fault_after_commit: bool = False
    fault: Exception = field(default_factory=lambda: OutcomeUnknown("the connection was lost"))
    dies: bool = False
    dead: bool = False
    writes: int = 0
    snapshots: int = 0
    running: int = 0
    most_running: int = 0
    slow_running: int = 0
    most_slow: int = 0
    checks: dict[str, Check | Exception] = field(default_factory=dict)
    ran: dict[str, Job] = field(default_factory=dict)
    course: tuple[str, ...] = ("running", "succeeded")
    start_faults: list[Exception] = field(default_factory=list)
    start_anyway: bool = True
    look_faults: list[Exception] = field(default_factory=list)
    most_jobs: int = 0

    async def workspaces(self) -> tuple[Workspace, ...]:
        return (WORKSPACE,)

    async def snapshot(self, workspace: Workspace) -> Live:
        self._refuse_when_dead()
        self.snapshots += 1
        return Live(workspace, tuple(self.objects.values()), DEFINITIONS, dict(self.tags))

    async def read(self, kind: str, object_id: str) -> LiveObject | None:
        self._refuse_when_dead()
        return self.objects.get(object_id)

    async def create(self, workspace: Workspace, spec: Spec) -> LiveObject:
        await self._work("create", spec)
        kind = type(spec).__name__.lower()
        made = LiveObject(kind, self.new_id(spec.name), self.ignores(spec))
        self.objects[made.id] = made
        self._fault(after=True)
        return made

    async def update(self, live: LiveObject, update: Update) -> LiveObject:
        await self._work("update", update.spec)
        changed = {name: getattr(update.spec, name) for name in update.fields}
        made = replace(live, spec=self.ignores(replace(live.spec, **changed)))
        self.objects[live.id] = made
        self._fault(after=True)
        return made

    async def delete(self, kind: str, object_id: str) -> None:
        await self._work("delete", self.objects[object_id].spec)
        del self.objects[object_id]
        self._fault(after=True)

    async def create_tag(self, workspace: Workspace, name: str) -> Tag:
        self.calls.append(f"tag {name}")
        if f"tag {name}" in self.failures:
            raise self.failures[f"tag {name}"]
        self.tags[name] = Tag(f"tag-{name}", name, "000000")
        return self.tags[name]

    async def discover(
        self, source_id: str, destination_id: str | None
    ) -> tuple[DiscoveredStream, ...]:
        self._refuse_when_dead()
        await self._slowly()
        return self.offered

    async def specification(
        self, workspace: Workspace, definition: ConnectorDefinition
    ) -> Mapping[str, Json] | None:
        return None

    async def check(self, kind: str, object_id: str) -> Check:
        self._refuse_when_dead()
        name = self.objects[object_id].spec.name
        self.calls.append(f"check {name}")
        await self._slowly()
        result = self.checks.get(name, Check(succeeded=True))
        if isinstance(result, Exception):
            raise result
        return result

    async def jobs(
        self, workspace: Workspace, connection_id: str | None, limit: int
    ) -> tuple[Job, ...]:
        self._refuse_when_dead()
        mine = [job for job in self.ran.values() if connection_id in (None, job.connection_id)]
        return tuple(sorted(mine, key=lambda job: int(job.id), reverse=True)[:limit])

    async def job(self, job_id: str) -> Job | None:
        self._refuse_when_dead()
        if self.look_faults:
            raise self.look_faults.pop(0)
        job = self.ran.get(job_id)
        if job is not None and job.status in self.course[:-1]:
            job = replace(job, status=self.course[self.course.index(job.status) + 1])
            self.ran[job_id] = job
        return job

    async def start(
        self,
        connection_id: str,
        kind: JobKind,
        streams: tuple[StreamKey, ...] = (),
        mode: RefreshMode = "merge",
    ) -> Job:
        self._refuse_when_dead()
        named = ",".join(f"{namespace}.{name}" for namespace, name in streams)
        self.calls.append(f"{kind} {connection_id} {named}".strip())
        await anyio.lowlevel.checkpoint()
        fault = self.start_faults.pop(0) if self.start_faults else None
        if fault is not None and not self.start_anyway:
            raise fault
        if any(job.connection_id == connection_id and not job.ended for job in self.ran.values()):
            raise ApiError(f"A sync is already running for: {connection_id}", status=409)
        job = Job(str(len(self.ran) + 1), connection_id, kind, self.course[0])
        self.ran[job.id] = job
        self.most_jobs = max(self.most_jobs, sum(not job.ended for job in self.ran.values()))
        if fault is not None:
            raise fault
        return job

    async def cancel(self, job_id: str) -> Job:
        self.calls.append(f"cancel {job_id}")
        job = self.ran[job_id]
        self.ran[job_id] = job if job.ended else replace(job, status="cancelled")
        return self.ran[job_id]

    async def _slowly(self) -> None:
        self.slow_running += 1
        self.most_slow = max(self.most_slow, self.slow_running)
        await anyio.sleep(0.01)
        self.slow_running -= 1

    def new_id(self, name: str) -> str:
        """`id-NAME` the first time, then numbered: an id is never used twice."""
        count = sum(1 for call in self.calls if call == f"create {name}")
        return f"id-{name}" if count == 1 else f"id-{name}-{count}"

    def _fault(self, *, after: bool) -> None:
        """A lost connection at the `fault_at`-th write, before or after it was done."""
        if self.writes - 1 == self.fault_at and after == self.fault_after_commit:
            self.dead = self.dies
            raise self.fault

    def _refuse_when_dead(self) -> None:
        if self.dead:
            raise Unreachable("no connection")

    async def _work(self, verb: str, spec: Spec) -> None:
        self._refuse_when_dead()
        self.calls.append(f"{verb} {spec.name}")
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await anyio.sleep(0.01)
        self.running -= 1
        self.writes += 1
        self._fault(after=False)
        for call in (spec.name, f"{verb} {spec.name}"):
            if call in self.failures:
                raise self.failures[call]


def _nowhere(_pointer: str) -> Span:
    return Span("m.yaml", 1, 1)


def source(name: str, connector: str = "postgres", **configuration: object) -> Resource:
    spec = Source(name, connector, configuration or {"host": "db"})
    return Resource(Address("source", name), name, spec, _nowhere)


def destination(name: str) -> Resource:
    spec = Destination(name, "s3", {"bucket": "b"})
    return Resource(Address("destination", name), name, spec, _nowhere)


def connection(name: str, source_name: str, destination_name: str, **fields: object) -> Resource:
    spec = Connection(
        name,
        Ref(address=Address("source", source_name)),
        Ref(address=Address("destination", destination_name)),
        namespace=Namespace("source"),
        streams=(Stream("orders", sync_mode="full_refresh_append"),),
    )
    return Resource(Address("connection", name), name, replace(spec, **fields), _nowhere)


def absent(resource: Resource) -> Resource:
    return replace(resource, spec=None, absent=True)


async def planned(backend: FakeBackend, *resources: Resource) -> tuple[Planned, Live]:
    live = await backend.snapshot(WORKSPACE)
    by_address: Mapping[Address, Resource] = {
        r.address: r for r in sorted(resources, key=lambda r: r.address)
    }
    line = TargetLine("test", "nowhere", "public", WORKSPACE.name, WORKSPACE.id)
    situation = Situation(line, Desired(by_address), live, CAPABILITIES, allow=(ALL_OF_IT,))
    return make_plan(situation), live


async def no_pause(_seconds: float) -> None:
    """For what would wait: a look at the loop, and on."""
    await anyio.lowlevel.checkpoint()


def refused(text: str = "the server said no") -> ApiError:
    return ApiError(text, status=400)
