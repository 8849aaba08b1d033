"""How a plan is carried out: order, bounds, what a failure takes with it, and truthful counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import anyio

from reconciler.core.diagnostics import OutcomeUnknown
from reconciler.core.events import Done, Event, Failed, Outcome, Skipped, Started
from reconciler.core.model import (
    Columns,
    Connection,
    DiscoveredStream,
    LiveObject,
    Ref,
    Resource,
    Source,
    Stream,
)
from reconciler.executor import execute
from tests.executor.fake import (
    FakeBackend,
    absent,
    connection,
    destination,
    no_pause,
    planned,
    refused,
    source,
)


def run(
    backend: FakeBackend,
    *resources: Resource,
    parallelism: int = 4,
    stopping: Callable[[], bool] = lambda: False,
    before: Callable[[], None] = lambda: None,
) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []

    async def work() -> Outcome:
        plan, live = await planned(backend, *resources)
        before()
        return await execute(
            plan,
            live,
            backend,
            events.append,
            parallelism=parallelism,
            stopping=stopping,
            sleep=no_pause,
        )

    return anyio.run(work), events


def world(connections: int = 2) -> list[Resource]:
    flows = [connection(f"c{i}", "s", "d") for i in range(connections)]
    return [source("s"), destination("d"), *flows]


def test_what_others_need_is_made_first() -> None:
    backend = FakeBackend()
    outcome, events = run(backend, *world())
    assert sorted(backend.calls[:2]) == ["create d", "create s"]
    assert sorted(backend.calls[2:]) == ["create c0", "create c1"]
    assert outcome.exit_code == 0
    assert [str(done.change.address) for done in outcome.done] == [
        "destination/d",
        "source/s",
        "connection/c0",
        "connection/c1",
    ]
    assert sum(isinstance(event, Started) for event in events) == 4


def test_deletes_come_last_and_users_before_what_they_use() -> None:
    backend = FakeBackend()
    run(backend, *world(1))
    backend.calls.clear()
    new = source("s2")
    outcome, _ = run(backend, *map(absent, world(1)), new)
    assert backend.calls[:2] == ["create s2", "delete c0"]
    assert sorted(backend.calls[2:]) == ["delete d", "delete s"]
    assert outcome.exit_code == 0
    assert list(backend.objects) == ["id-s2"]


def test_writes_are_bounded_and_slow_ones_more_so() -> None:
    backend = FakeBackend()
    run(backend, *[source(f"s{i}") for i in range(12)], parallelism=3)
    assert backend.most_running == 3
    backend = FakeBackend()
    run(backend, *world(12), parallelism=4)
    assert backend.most_slow == 2


def test_a_failure_skips_its_dependents_with_the_reason_and_nothing_else() -> None:
    backend = FakeBackend(failures={"s": refused()})
    outcome, _ = run(backend, *world(), source("other"), connection("fine", "other", "d"))
    assert [str(f.change.address) for f in outcome.failed] == ["source/s"]
    assert outcome.failed[0].message == "the server said no"
    assert [(str(s.change.address), s.reason) for s in outcome.skipped] == [
        ("connection/c0", "source/s failed"),
        ("connection/c1", "source/s failed"),
    ]
    done = [str(d.change.address) for d in outcome.done]
    assert done == ["destination/d", "source/other", "connection/fine"]
    assert outcome.exit_code == 4


def test_when_nothing_was_written_the_exit_code_is_1() -> None:
    backend = FakeBackend(failures={"s": refused(), "d": refused()})
    outcome, _ = run(backend, *world())
    assert outcome.done == ()
    assert len(outcome.skipped) == 2
    assert outcome.exit_code == 1


def test_an_unknown_outcome_is_neither_done_nor_failed_and_exits_4() -> None:
    backend = FakeBackend(failures={"s": OutcomeUnknown("the answer was lost")})
    outcome, _ = run(backend, source("s"))
    assert [failure.unknown for failure in outcome.failed] == [True]
    assert outcome.exit_code == 4


def test_what_the_server_ignored_is_an_error_that_names_it() -> None:
    def deaf(spec: object) -> object:
        return (
            replace(spec, configuration={"host": "elsewhere"}) if isinstance(spec, Source) else spec
        )

    backend = FakeBackend(ignores=deaf)  # type: ignore[arg-type]
    outcome, _ = run(backend, source("s"))
    (failure,) = outcome.failed
    assert "/configuration/host" in failure.message
    assert failure.written
    assert outcome.exit_code == 4


def test_what_moved_since_the_plan_is_not_overwritten() -> None:
    backend = FakeBackend()
    run(backend, source("s"))

    def somebody_edits() -> None:
        live = backend.objects["id-s"]
        backend.objects["id-s"] = replace(
            live, spec=replace(live.spec, configuration={"host": "clicked"})
        )

    outcome, _ = run(backend, source("s", host="new"), before=somebody_edits)
    assert "changed in Airbyte since the plan was made" in outcome.failed[0].message
    assert backend.objects["id-s"].spec.configuration == {"host": "clicked"}
    assert outcome.failed[0].moved
    assert outcome.exit_code == 3


def test_what_was_deleted_since_the_plan_is_not_written() -> None:
    backend = FakeBackend()
    run(backend, source("s"))
    outcome, _ = run(backend, source("s", host="new"), before=backend.objects.clear)
    assert "deleted in Airbyte since the plan was made" in outcome.failed[0].message
    assert backend.objects == {}
    assert outcome.exit_code == 3


def test_a_moved_world_with_something_written_is_a_partial_apply() -> None:
    backend = FakeBackend()
    run(backend, source("s"))
    outcome, _ = run(backend, source("s", host="new"), source("t"), before=backend.objects.clear)
    assert [failure.moved for failure in outcome.failed] == [True]
    assert outcome.exit_code == 4


def test_a_refusal_beside_a_moved_object_is_a_failure() -> None:
    backend = FakeBackend(failures={"t": refused()})
    run(backend, source("s"))
    outcome, _ = run(backend, source("s", host="new"), source("t"), before=backend.objects.clear)
    assert outcome.exit_code == 1


def test_an_exception_that_nobody_expected_is_told_without_its_text_and_the_rest_goes_on() -> None:
    backend = FakeBackend(failures={"s": KeyError("hunter2")})
    outcome, _ = run(backend, source("s"), source("t"))
    (failure,) = outcome.failed
    assert failure.unknown
    assert "KeyError" in failure.message
    assert "hunter2" not in failure.message
    assert [str(done.change.address) for done in outcome.done] == ["source/t"]
    assert [type(bug) for bug in outcome.bugs] == [KeyError]


def test_giving_up_ends_every_change_in_one_event() -> None:
    backend = FakeBackend()

    async def work() -> Outcome:
        plan, live = await planned(backend, *world())
        scope = anyio.CancelScope()

        def give_up(event: Event) -> None:
            if isinstance(event, Done):
                scope.cancel()

        return await execute(plan, live, backend, give_up, parallelism=1, scope=scope)

    outcome = anyio.run(work)
    assert [str(done.change.address) for done in outcome.done] == ["destination/d"]
    assert outcome.interrupted
    assert outcome.exit_code == 130
    assert len(outcome.failed) + len(outcome.skipped) == 3


def test_what_is_under_way_when_a_run_is_given_up_is_of_unknown_outcome() -> None:
    backend = FakeBackend()

    async def work() -> Outcome:
        plan, live = await planned(backend, source("s"))
        scope = anyio.CancelScope()
        return await execute(plan, live, backend, lambda _: scope.cancel(), scope=scope)

    outcome = anyio.run(work)
    assert [failure.unknown for failure in outcome.failed] == [True]
    assert outcome.exit_code == 130


def test_a_connection_that_appeared_on_an_actor_saves_it_from_deletion() -> None:
    """Airbyte would delete the connection with it (PUB-T 2)."""
    backend = FakeBackend()
    run(backend, source("s"), destination("d"))

    def somebody_connects() -> None:
        spec = replace(
            connection("clicked", "s", "d").spec, source=Ref(id="id-s"), destination=Ref(id="id-d")
        )
        backend.objects["id-clicked"] = LiveObject("connection", "id-clicked", spec)

    outcome, _ = run(backend, absent(source("s")), destination("d"), before=somebody_connects)
    assert "connections that the plan did not know use it now: clicked" in outcome.failed[0].message
    assert "id-s" in backend.objects


def test_tags_exist_before_the_connections_that_carry_them() -> None:
    backend = FakeBackend()
    run(backend, source("s"), destination("d"), connection("c", "s", "d", tags=("gold",)))
    assert backend.calls.index("tag gold") < backend.calls.index("create c")


def test_a_tag_that_cannot_be_made_fails_only_what_carries_it() -> None:
    backend = FakeBackend(failures={"tag gold": refused("too many tags")})
    tagged = connection("tagged", "s", "d", tags=("gold",))
    outcome, _ = run(backend, source("s"), destination("d"), tagged, connection("plain", "s", "d"))
    (failure,) = outcome.failed
    assert str(failure.change.address) == "connection/tagged"
    assert failure.message == "its tag 'gold' could not be made: too many tags"
    assert len(outcome.done) == 3


def test_streams_are_checked_against_what_the_source_offers_before_the_write() -> None:
    backend = FakeBackend(offered=(DiscoveredStream("invoices"),))
    outcome, _ = run(backend, *world(1))
    (failure,) = outcome.failed
    assert failure.message == "the source offers no stream 'orders'"
    assert "create c0" not in backend.calls


def test_columns_that_except_leaves_are_resolved_from_what_the_source_offers() -> None:
    fields = (("id",), ("email",), ("password",))
    backend = FakeBackend(offered=(DiscoveredStream("orders", fields=fields),))
    hidden = Stream(
        "orders", sync_mode="full_refresh_append", columns=Columns(excluding=("password",))
    )
    outcome, _ = run(
        backend, source("s"), destination("d"), connection("c", "s", "d", streams=(hidden,))
    )
    assert outcome.exit_code == 0
    made = backend.objects["id-c"].spec
    assert isinstance(made, Connection)
    assert isinstance(made.streams, tuple)
    columns = made.streams[0].columns
    assert isinstance(columns, Columns)
    assert columns.names == ("email", "id")


def test_an_interrupt_starts_nothing_more_and_says_so() -> None:
    backend = FakeBackend()
    outcome, events = run(backend, *world(), stopping=lambda: len(backend.calls) >= 2)
    assert len(outcome.done) == 2
    assert {s.reason for s in outcome.skipped} == {"interrupted before it was started"}
    assert outcome.interrupted
    assert outcome.exit_code == 130
    assert [type(event) for event in events[-2:]] == [Skipped, Skipped]


def test_every_change_ends_in_exactly_one_event() -> None:
    backend = FakeBackend(failures={"c0": refused(), "d2": refused()})
    resources = [*world(), destination("d2"), connection("c3", "s", "d2")]
    outcome, events = run(backend, *resources)
    ends = [str(e.change.address) for e in events if isinstance(e, Done | Failed | Skipped)]
    assert sorted(ends) == sorted(str(resource.address) for resource in resources)
    assert len(outcome.done) + len(outcome.failed) + len(outcome.skipped) == len(resources)
