"""Replacement: in an order that loses nothing, and that the next run finishes wherever it was cut off."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import fields, replace

import anyio
import pytest

from reconciler.core.diagnostics import ApiError, OutcomeUnknown
from reconciler.core.jobs import Job
from reconciler.core.model import (
    Connection,
    Live,
    LiveObject,
    Ref,
    Resource,
    Source,
    Workspace,
)
from reconciler.render.applied import event_line, outcome_text
from tests.executor.fake import (
    FakeBackend,
    absent,
    connection,
    destination,
    planned,
    refused,
    source,
)
from tests.executor.test_executor import run


def before() -> list[Resource]:
    flows = [connection("c0", "s", "d"), connection("c1", "s", "d", status="inactive")]
    return [source("s"), destination("d"), *flows, source("other"), connection("far", "other", "d")]


def after() -> list[Resource]:
    """The source is of another connector now, and one connection has moved to another source."""
    moved = connection("far", "s", "d")
    return [source("s", "mysql"), *before()[1:4], source("other"), moved]


def world() -> FakeBackend:
    backend = FakeBackend()
    outcome, _ = run(backend, *before())
    assert outcome.exit_code == 0
    backend.calls.clear()
    backend.writes = 0
    return backend


def shape(objects: Iterable[LiveObject]) -> list[tuple[str, ...]]:
    """What stands, by names instead of ids."""
    every = list(objects)
    names = {found.id: found.spec.name for found in every}
    rows = []
    for found in every:
        spec = found.spec
        if isinstance(spec, Connection):
            rest = (names[str(spec.source.id)], names[str(spec.destination.id)], str(spec.status))
        else:
            rest = (spec.connector, str(spec.configuration))
        rows.append((found.kind, spec.name, *rest))
    return sorted(rows)


WANTED = [
    ("connection", "c0", "s", "d", "active"),
    ("connection", "c1", "s", "d", "inactive"),
    ("connection", "far", "s", "d", "active"),
    ("destination", "d", "def-d", "{'host': 'db'}"),
    ("source", "other", "def-s", "{'host': 'db'}"),
    ("source", "s", "def-m", "{'host': 'db'}"),
]


def test_the_new_stands_before_the_old_goes() -> None:
    backend = world()
    outcome, _ = run(backend, *after())
    assert outcome.exit_code == 0, outcome.failed
    assert shape(backend.objects.values()) == [
        (*row[:3], "{'bucket': 'b'}") if row[1] == "d" else row for row in WANTED
    ]
    calls = backend.calls
    new = "create s (reconciler: replaces id-s)"
    assert calls[0] == new
    assert calls[-2:] == ["delete s", "update s"]
    for name, status in (("c0", "active"), ("c1", "inactive")):
        asleep = f"create {name} (reconciler: replaces id-{name}, then {status})"
        assert calls.index(new) < calls.index(asleep) < calls.index(f"delete {name}")


def test_a_new_connection_does_not_run_before_the_old_one_is_gone() -> None:
    seen: list[str] = []
    backend = world()
    backend.ignores = lambda spec: (
        (  # type: ignore[assignment]
            seen.append(f"{spec.name} {spec.status}") if isinstance(spec, Connection) else None
        )
        or spec
    )
    run(backend, *after())
    assert [row for row in seen if row.startswith("c0")] == [
        "c0 (reconciler: replaces id-c0, then active) inactive",
        "c0 active",
    ]


def test_the_plan_is_empty_after_it() -> None:
    backend = world()
    run(backend, *after())
    assert _changes(backend) == []


def _changes(backend: FakeBackend) -> list[str]:
    async def ask() -> list[str]:
        found, _ = await planned(backend, *after())
        assert found.plan.not_covered.unmanaged == ()
        return [f"{change.action} {change.address}" for change in found.plan.changes]

    return anyio.run(ask)


def test_a_connection_that_stays_keeps_the_old_source_alive() -> None:
    backend = world()
    backend.failures["c0 (reconciler: replaces id-c0, then active)"] = refused()
    outcome, _ = run(backend, *after())
    failed = {str(failure.change.address): failure for failure in outcome.failed}
    assert set(failed) == {"connection/c0", "source/s"}
    assert "connections still use it: c0 (id-c0)" in failed["source/s"].message
    assert failed["source/s"].written
    assert outcome.exit_code == 4
    assert "id-s" in backend.objects
    backend.failures.clear()
    again, _ = run(backend, *after())
    assert again.exit_code == 0
    assert _changes(backend) == []


def test_a_connection_of_others_on_the_old_source_forbids_it() -> None:
    backend = world()
    spec = connection("clicked", "s", "d").spec
    assert isinstance(spec, Connection)
    theirs = replace(spec, source=Ref(id="id-s"), destination=Ref(id="id-d"))
    backend.objects["id-clicked"] = LiveObject("connection", "id-clicked", theirs)

    async def ask() -> bool:
        found, _ = await planned(backend, *after())
        return found.plan.applyable

    assert anyio.run(ask) is False


@pytest.mark.parametrize("after_commit", [False, True])
def test_cut_off_at_any_write_the_next_run_finishes_it(*, after_commit: bool) -> None:
    """Zero duplicates, zero leftovers, zero lost objects, at every index."""
    whole = world()
    run(whole, *after())
    total = whole.writes
    assert total > 10
    for index in range(total):
        backend = world()
        backend.fault_at, backend.fault_after_commit, backend.dies = index, after_commit, True
        first, _ = run(backend, *after())
        assert first.exit_code != 0, index
        backend.fault_at, backend.dead = None, False
        left = copy.deepcopy(shape(backend.objects.values()))
        for _ in range(2):
            last, _ = run(backend, *after())
        assert last.exit_code == 0, (index, left, last.failed)
        assert shape(backend.objects.values()) == shape(whole.objects.values()), (index, left)
        assert _changes(backend) == [], index


@pytest.mark.parametrize("fault", [OutcomeUnknown("lost"), ApiError("broken", status=500)])
def test_an_answer_lost_at_any_write_is_settled_in_the_same_run(fault: ApiError) -> None:
    whole = world()
    run(whole, *after())
    for index in range(whole.writes):
        backend = world()
        backend.fault_at, backend.fault_after_commit, backend.fault = index, True, fault
        outcome, _ = run(backend, *after())
        assert outcome.exit_code == 0, (index, outcome.failed)
        assert sorted(backend.calls) == sorted(whole.calls), index
        assert shape(backend.objects.values()) == shape(whole.objects.values()), index


# --- what a run that was cut off left ---------------------------------------------------------------


def left_source(backend: FakeBackend, connector: str) -> None:
    spec = Source("s (reconciler: replaces id-s)", connector, {"of": "another run"})
    backend.objects["id-half"] = LiveObject("source", "id-half", spec)


def left_connection(backend: FakeBackend, status: str) -> None:
    spec = backend.objects["id-c0"].spec
    assert isinstance(spec, Connection)
    name = "c0 (reconciler: replaces id-c0, then active)"
    half = replace(spec, name=name, status=status)
    backend.objects["id-half"] = LiveObject("connection", "id-half", half)


def test_one_of_the_same_connector_is_gone_on_with() -> None:
    backend = world()
    left_source(backend, "def-m")
    outcome, _ = run(backend, *after())
    assert outcome.exit_code == 0, outcome.failed
    assert backend.objects["id-half"].spec == Source("s", "def-m", {"host": "db"})
    assert "create s (reconciler: replaces id-s)" not in backend.calls


def test_nothing_is_written_into_one_of_another_connector() -> None:
    """Its masks are other ones: secrets would stand there in clear."""
    backend = world()
    left_source(backend, "def-s")
    outcome, _ = run(backend, *after())
    assert outcome.exit_code == 0, outcome.failed
    half = "s (reconciler: replaces id-s)"
    assert [call for call in backend.calls if call.endswith(half)] == [
        f"create {half}",
        f"delete {half}",
    ]
    assert shape(backend.objects.values())[-1] == ("source", "s", "def-m", "{'host': 'db'}")
    assert _changes(backend) == []


def moved_since_the_plan(left: LiveObject | None) -> FakeBackend:
    backend = world()
    left_source(backend, "def-m")

    def click() -> None:
        backend.objects.pop("id-half")
        if left is not None:
            backend.objects["id-half"] = left

    outcome, _ = run(backend, *after(), before=click)
    assert any("'s (reconciler: replaces id-s)' (id-half)" in f.message for f in outcome.failed)
    assert (outcome.wrote, outcome.exit_code) == (False, 3)
    return backend


def test_what_changed_since_the_plan_is_not_gone_on_with() -> None:
    other = Source("s (reconciler: replaces id-s)", "def-s", {})
    changed = LiveObject("source", "id-half", other)
    assert moved_since_the_plan(changed).objects["id-half"] == changed
    assert "id-half" not in moved_since_the_plan(None).objects


def test_a_half_done_connection_that_somebody_switched_on_since_is_not_deleted() -> None:
    backend = world()
    left_connection(backend, "inactive")
    outcome, _ = run(backend, *after(), before=lambda: left_connection(backend, "active"))
    failed = {str(failure.change.address): failure for failure in outcome.failed}
    assert "(id-half) was changed in Airbyte since the plan" in failed["connection/c0"].message
    assert {"id-half", "id-c0"} <= set(backend.objects)


@pytest.mark.parametrize(
    ("refused_call", "gone"),
    [
        ("create c0 (reconciler: replaces id-c0, then active)", ("id-half",)),
        ("update c0", ("id-half", "id-c0")),
    ],
)
def test_what_was_deleted_before_a_change_failed_is_told(
    refused_call: str, gone: tuple[str, ...]
) -> None:
    backend = world()
    left_connection(backend, "inactive")
    backend.failures[refused_call] = refused()
    outcome, _ = run(backend, *after())
    (failed,) = [f for f in outcome.failed if str(f.change.address) == "connection/c0"]
    assert [name.rpartition(" ")[2] for name in failed.gone] == [f"({each})" for each in gone]
    assert backend.objects.keys().isdisjoint(gone)
    text = " ".join(f"{event_line(failed)}\n{outcome_text(outcome, None)}".split())
    assert f"deleted before it failed: {', '.join(failed.gone)}" in text
    others = sum(len(each.gone) for each in outcome.failed)
    assert f" {others} deleted, " in text


def test_a_half_done_connection_that_ran_since_and_sleeps_again_is_not_deleted() -> None:
    backend = world()
    left_connection(backend, "inactive")

    def sync() -> None:
        backend.ran["7"] = Job("7", "id-half", "sync", "succeeded")

    outcome, _ = run(backend, *after(), before=sync)
    failed = {str(failure.change.address): failure for failure in outcome.failed}
    assert "(id-half) has run since the plan was made" in failed["connection/c0"].message
    assert failed["connection/c0"].moved
    assert {"id-half", "id-c0"} <= set(backend.objects)


@pytest.mark.parametrize("status", ["inactive", "active"])
def test_a_half_done_connection_on_which_a_job_runs_is_not_deleted(status: str) -> None:
    backend = world()
    left_connection(backend, status)
    backend.ran["7"] = Job("7", "id-half", "sync", "running")
    outcome, _ = run(backend, *after())
    failed = {str(failure.change.address): failure for failure in outcome.failed}
    assert "(job 7)" in failed["connection/c0"].message
    assert {"id-half", "id-c0"} <= set(backend.objects)
    backend.ran.clear()
    assert run(backend, *after())[0].exit_code == 0
    assert "id-half" not in backend.objects


def test_what_was_left_goes_with_what_it_was_to_replace() -> None:
    backend = world()
    left_connection(backend, "active")
    gone = [source("s"), destination("d"), absent(connection("c0", "s", "d"))]
    assert run(backend, *gone)[0].exit_code == 0
    assert {"id-half", "id-c0"} & set(backend.objects) == set()


def test_a_job_on_what_is_deleted_with_its_source_is_found_through_what_was_left_too() -> None:
    backend = world()
    left_connection(backend, "active")
    backend.ran["7"] = Job("7", "id-half", "sync", "running")
    gone = [source("s"), destination("d"), absent(connection("c0", "s", "d"))]
    outcome, _ = run(backend, *gone)
    assert outcome.exit_code == 3
    assert {"id-half", "id-c0"} <= set(backend.objects)


def test_the_old_one_stays_where_the_new_one_is_gone() -> None:
    class Forgetful(FakeBackend):
        async def read(self, kind: str, object_id: str) -> LiveObject | None:
            return None if object_id.startswith("id-s (") else await super().read(kind, object_id)

    backend = Forgetful(**{f.name: getattr(world(), f.name) for f in fields(FakeBackend)})
    outcome, _ = run(backend, *after())
    (failed,) = outcome.failed
    assert "is gone by now; the old one (id-s) stays" in failed.message
    assert (outcome.exit_code, outcome.bugs) == (4, ())
    assert "id-s" in backend.objects


def test_a_list_that_hides_the_new_one_is_no_matter() -> None:
    class Hiding(FakeBackend):
        """Lists of a server that is written to may hide rows (PUB-T 24)."""

        async def snapshot(self, workspace: Workspace) -> Live:
            live = await super().snapshot(workspace)
            return replace(
                live, objects=tuple(o for o in live.objects if not o.id.startswith("id-s ("))
            )

    backend = Hiding(**{f.name: getattr(world(), f.name) for f in fields(FakeBackend)})
    outcome, _ = run(backend, *after())
    assert outcome.exit_code == 0, (outcome.failed, outcome.bugs)
    assert shape(backend.objects.values())[-1] == ("source", "s", "def-m", "{'host': 'db'}")


def _cut_off(index: int, *, after_commit: bool) -> FakeBackend:
    backend = world()
    backend.fault_at, backend.fault_after_commit, backend.dies = index, after_commit, True
    run(backend, *after())
    backend.fault_at, backend.dead = None, False
    return backend


def _told(backend: FakeBackend, *resources: Resource) -> tuple[list[str], set[str], str]:
    """What a plan would do, what it says is not managed, and what it says was left behind."""

    async def ask() -> tuple[list[str], set[str], str]:
        plan = (await planned(backend, *resources))[0].plan
        texts = [found.message for found in plan.diagnostics if found.code == "left-behind"]
        ids = {found.id for found in plan.not_covered.unmanaged}
        return [str(change.address) for change in plan.changes], ids, "\n".join(texts)

    return anyio.run(ask)


@pytest.mark.parametrize("after_commit", [False, True])
def test_cut_off_at_any_write_a_third_connector_is_reached_as_well(*, after_commit: bool) -> None:
    wanted = [source("s", "oracle"), *after()[1:]]
    whole = world()
    run(whole, *wanted)
    for index in range(whole.writes):
        backend = _cut_off(index, after_commit=after_commit)
        left = copy.deepcopy(shape(backend.objects.values()))
        last, _ = run(backend, *wanted)
        assert last.exit_code == 0, (index, left, last.failed, last.bugs)
        assert shape(backend.objects.values()) == shape(whole.objects.values()), (index, left)
        assert _told(backend, *wanted) == ([], set(), ""), index


@pytest.mark.parametrize("after_commit", [False, True])
def test_cut_off_at_any_write_the_way_back_leaves_nothing_untold(*, after_commit: bool) -> None:
    total = world()
    run(total, *after())
    goal = shape(world().objects.values())
    for index in range(total.writes):
        backend = _cut_off(index, after_commit=after_commit)
        last, _ = run(backend, *before())
        assert last.exit_code == 0, (index, last.failed, last.bugs)
        changes, unmanaged, told = _told(backend, *before())
        assert changes == [], index
        assert all(each in told for each in unmanaged), (index, unmanaged, told)
        rest = [found for found in backend.objects.values() if found.id not in unmanaged]
        assert shape(rest) == goal, index
