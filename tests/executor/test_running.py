"""Right before something goes: what runs on it, and what still stands on it."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from reconciler.core.capabilities import Capabilities
from reconciler.core.diagnostics import Unreachable
from reconciler.core.events import Outcome
from reconciler.core.jobs import Job
from reconciler.core.model import Resource, Workspace
from reconciler.executor import execute
from reconciler.executor.running import have_run
from tests.executor.fake import (
    WORKSPACE,
    FakeBackend,
    absent,
    connection,
    destination,
    no_pause,
    planned,
    source,
)
from tests.executor.test_executor import run

FLOW = connection("c", "s", "d")
WORLD = [source("s"), destination("d"), FLOW]


class Deaf(FakeBackend):
    """Lists no jobs."""

    async def jobs(
        self, workspace: Workspace, connection_id: str | None, limit: int
    ) -> tuple[Job, ...]:
        raise Unreachable("no answer")


class Stubborn(FakeBackend):
    """Says that a connection is deleted, and keeps it."""

    async def delete(self, kind: str, object_id: str) -> None:
        if kind != "connection":
            await super().delete(kind, object_id)


def made(backend: FakeBackend) -> FakeBackend:
    outcome, _ = run(backend, *WORLD)
    assert outcome.exit_code == 0
    return backend


def deleted(backend: FakeBackend, *resources: Resource, may_interrupt: bool = False) -> Outcome:
    async def work() -> Outcome:
        plan, live = await planned(backend, *resources)
        plan = replace(plan, may_interrupt=may_interrupt)
        return await execute(plan, live, backend, lambda _event: None, sleep=no_pause)

    return anyio.run(work)


def test_what_runs_is_not_deleted_unless_that_is_meant() -> None:
    backend = made(FakeBackend())
    backend.ran["7"] = Job("7", "id-c", "sync", "running")
    going = (*WORLD[:2], absent(FLOW))
    outcome = deleted(backend, *going)
    assert outcome.exit_code == 3
    assert "it was not deleted: a sync runs on 'c' (job 7)" in outcome.failed[0].message
    assert outcome.failed[0].hint.endswith("to go on all the same: --allow-running")
    assert "id-c" in backend.objects
    assert deleted(backend, *going, may_interrupt=True).exit_code == 0
    assert "id-c" not in backend.objects


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_what_has_ended_is_no_matter(status: str) -> None:
    backend = made(FakeBackend())
    backend.ran["7"] = Job("7", "id-c", "sync", status)
    assert deleted(backend, *WORLD[:2], absent(FLOW)).exit_code == 0


def test_a_status_that_nobody_knows_may_be_running() -> None:
    backend = made(FakeBackend())
    backend.ran["7"] = Job("7", "id-c", "sync", "hibernating")
    assert deleted(backend, *WORLD[:2], absent(FLOW)).exit_code == 3


def test_where_it_can_not_be_told_nothing_goes() -> None:
    backend = made(Deaf())
    outcome = deleted(backend, *WORLD[:2], absent(FLOW))
    assert outcome.exit_code == 1
    assert outcome.failed[0].message == (
        "it was not deleted: whether a job runs on 'c' can't be told: no answer"
    )
    assert "id-c" in backend.objects


def test_a_connection_that_was_to_be_gone_and_is_not_keeps_its_source() -> None:
    """Airbyte would delete it again, whatever kept it (PUB-T 2)."""
    backend = made(Stubborn())
    outcome = deleted(backend, absent(source("s")), destination("d"), absent(FLOW))
    (failed,) = outcome.failed
    assert str(failed.change.address) == "source/s"
    assert failed.message == "connections that were to be gone use it now: c (id-c)"
    assert "id-s" in backend.objects


def known_to_have_run(backend: FakeBackend) -> frozenset[str]:
    flow = backend.objects["id-c"]
    return anyio.run(have_run, backend, WORKSPACE, (flow,))


def test_what_has_no_job_never_ran() -> None:
    backend = made(FakeBackend())
    assert known_to_have_run(backend) == frozenset()
    backend.ran["7"] = Job("7", "id-c", "sync", "cancelled")
    assert known_to_have_run(backend) == {"id-c"}


def test_where_nobody_can_tell_it_may_have_run() -> None:
    assert known_to_have_run(made(Deaf())) == {"id-c"}
    backend = made(FakeBackend())
    backend.capabilities = Capabilities("old")
    assert known_to_have_run(backend) == {"id-c"}


def test_where_the_api_lists_no_jobs_nothing_goes() -> None:
    backend = made(FakeBackend())
    backend.capabilities = Capabilities("old")
    outcome = deleted(backend, *WORLD[:2], absent(FLOW))
    assert outcome.exit_code == 1
    assert "the API in use lists no jobs" in outcome.failed[0].message
