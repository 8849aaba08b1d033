"""What became of a write whose answer was lost: looked for, never sent twice (design §6.6)."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from reconciler.core.diagnostics import ApiError, OutcomeUnknown
from reconciler.core.events import Outcome
from reconciler.core.model import Connection, Live, LiveObject, Ref, Resource, Workspace
from reconciler.executor import Patience, execute
from reconciler.executor.settling import pauses
from tests.executor.fake import (
    FakeBackend,
    absent,
    connection,
    destination,
    planned,
    source,
)
from tests.executor.test_executor import run

LOST = OutcomeUnknown("the answer was lost")
BROKEN = ApiError("it broke", status=500)


def made(name: str, connector: str = "def-s") -> LiveObject:
    spec = replace(source(name).spec, connector=connector)
    return LiveObject("source", f"late-{name}", spec)


def later(backend: FakeBackend, looks: int, found: LiveObject) -> None:
    """`found` appears at the so many-th look after a lost create."""
    listed = backend.snapshot
    seen = 0

    async def snapshot(workspace: Workspace) -> Live:
        nonlocal seen
        seen += any(call.startswith("create") for call in backend.calls)
        if seen == looks:
            backend.objects[found.id] = found
        return await listed(workspace)

    backend.snapshot = snapshot  # type: ignore[method-assign]


def test_a_create_that_was_done_is_found_and_not_sent_again() -> None:
    backend = FakeBackend(failures={"s": LOST})
    later(backend, 4, made("s"))
    outcome, _ = run(backend, source("s"), destination("d"), connection("c", "s", "d"))
    assert outcome.exit_code == 0
    assert backend.calls.count("create s") == 1
    (done,) = [d for d in outcome.done if str(d.change.address) == "source/s"]
    assert "late-s" in done.note
    flow = backend.objects["id-c"].spec
    assert isinstance(flow, Connection)
    assert flow.source == Ref(id="late-s")


def test_a_create_that_is_nowhere_stays_unknown_after_a_bounded_time() -> None:
    backend = FakeBackend(failures={"s": LOST})
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def work() -> Outcome:
        plan, live = await planned(backend, source("s"))
        patience = Patience(quick=10, slow=100)
        return await execute(plan, live, backend, lambda _: None, sleep=sleep, patience=patience)

    outcome = anyio.run(work)
    assert [failure.unknown for failure in outcome.failed] == [True]
    assert outcome.exit_code == 4
    assert backend.calls == ["create s"]
    assert sum(slept) == 10


def test_connections_are_waited_for_as_long_as_a_slow_call_may_take() -> None:
    assert sum(pauses(Patience().slow)) == 600
    assert sum(pauses(Patience().quick)) == 30
    assert next(pauses(30)) == 0
    assert max(pauses(600)) <= 30


def test_what_is_of_that_name_but_not_what_was_sent_is_not_taken() -> None:
    backend = FakeBackend(failures={"s": LOST})
    later(backend, 1, made("s", connector="def-m"))
    outcome, _ = run(backend, source("s"))
    assert outcome.exit_code == 4
    backend = FakeBackend(failures={"c": LOST})
    spec = connection("c", "s", "d").spec
    other = replace(spec, source=Ref(id="id-else"), destination=Ref(id="id-d"))  # type: ignore[arg-type]
    later(backend, 1, LiveObject("connection", "late-c", other))
    outcome, _ = run(backend, source("s"), destination("d"), connection("c", "s", "d"))
    assert [str(failure.change.address) for failure in outcome.failed] == ["connection/c"]
    assert outcome.failed[0].unknown


def test_a_500_to_a_create_is_looked_for_once() -> None:
    done = FakeBackend(failures={"s": BROKEN})
    later(done, 1, made("s"))
    before = done.snapshots
    assert run(done, source("s"))[0].exit_code == 0
    not_done = FakeBackend(failures={"s": BROKEN})
    outcome, _ = run(not_done, source("s"))
    assert [(f.message, f.unknown) for f in outcome.failed] == [("it broke", False)]
    assert not_done.snapshots - before == 3  # the plan's, the run's, and one look
    assert outcome.exit_code == 1


def test_a_refusal_is_not_looked_for() -> None:
    backend = FakeBackend(failures={"s": ApiError("no", status=422)})
    run(backend, source("s"))
    assert backend.snapshots == 2


def test_what_is_there_and_not_as_it_was_asked_is_told() -> None:
    backend = FakeBackend(failures={"s": LOST})
    found = made("s")
    later(backend, 1, replace(found, spec=replace(found.spec, configuration={"host": "x"})))
    outcome, _ = run(backend, source("s"))
    assert "/configuration/host" in outcome.failed[0].message
    assert outcome.failed[0].written


def edited() -> tuple[FakeBackend, Resource]:
    """A source that is live, and its manifest after an edit."""
    backend = FakeBackend()
    run(backend, source("s", host="db"))
    backend.calls.clear()
    backend.writes = 0
    return backend, source("s", host="new")


@pytest.mark.parametrize("fault", [LOST, BROKEN])
def test_an_update_that_was_done_is_settled_by_reading(fault: Exception) -> None:
    backend, wanted = edited()
    backend.fault_at, backend.fault_after_commit, backend.fault = 0, True, fault
    outcome, _ = run(backend, wanted)
    assert outcome.exit_code == 0
    assert backend.calls == ["update s"]


def test_an_update_that_was_not_done_is_unknown_when_lost_and_failed_when_answered() -> None:
    backend, wanted = edited()
    backend.fault_at = 0
    lost, _ = run(backend, wanted)
    assert [failure.unknown for failure in lost.failed] == [True]
    assert lost.exit_code == 4
    backend, wanted = edited()
    backend.fault_at, backend.fault = 0, BROKEN
    answered, _ = run(backend, wanted)
    assert [failure.unknown for failure in answered.failed] == [False]
    assert answered.exit_code == 1


@pytest.mark.parametrize("fault", [LOST, BROKEN])
def test_a_delete_that_was_done_is_settled_by_reading(fault: Exception) -> None:
    backend, wanted = edited()
    backend.fault_at, backend.fault_after_commit, backend.fault = 0, True, fault
    outcome, _ = run(backend, absent(wanted))
    assert outcome.exit_code == 0
    assert backend.objects == {}


def test_a_delete_that_was_not_done_is_unknown() -> None:
    backend, wanted = edited()
    backend.fault_at = 0
    outcome, _ = run(backend, absent(wanted))
    assert [failure.unknown for failure in outcome.failed] == [True]


def test_what_appeared_since_the_plan_is_not_made_twice() -> None:
    backend = FakeBackend()

    def somebody_clicks() -> None:
        backend.objects["late-s"] = made("s")

    outcome, _ = run(backend, source("s"), source("t"), before=somebody_clicks)
    (failure,) = outcome.failed
    assert "appeared in Airbyte since the plan was made: late-s" in failure.message
    assert failure.hint == "plan again"
    assert failure.moved
    assert backend.calls == ["create t"]


def test_a_run_lists_once_before_its_first_create_and_not_for_updates() -> None:
    backend = FakeBackend()
    run(backend, *[source(f"s{i}") for i in range(8)])
    assert backend.snapshots == 2
    run(backend, *[source(f"s{i}", host="new") for i in range(8)])
    assert backend.snapshots == 3


def test_an_interrupt_ends_the_looking() -> None:
    backend = FakeBackend(failures={"s": LOST})
    run(backend, source("s"), stopping=lambda: bool(backend.calls))
    assert backend.snapshots == 3
