"""Connection tests: how many at once, what they come to, and what a failed one takes with it in an apply."""

from __future__ import annotations

import anyio

from reconciler.core.diagnostics import ApiError, OutcomeUnknown
from reconciler.core.events import Outcome
from reconciler.core.interim import Interim, interim_name
from reconciler.core.jobs import Check
from reconciler.core.model import LiveObject, Ref, Resource, Source
from reconciler.executor import execute
from reconciler.executor.checks import Verdict, check_all
from tests.executor.fake import (
    FakeBackend,
    absent,
    connection,
    destination,
    no_pause,
    planned,
    source,
)

NO = Check(succeeded=False, message="password is wrong")


def live(*names: str) -> dict[str, LiveObject]:
    return {
        f"id-{name}": LiveObject("source", f"id-{name}", Source(name, "def-s", {}))
        for name in names
    }


def checked(backend: FakeBackend, parallel: int = 2) -> dict[str, Verdict]:
    async def work() -> dict[str, Verdict]:
        actors = [("source", object_id) for object_id in sorted(backend.objects)]
        found = await check_all(
            backend,
            actors,
            parallel=parallel,
            clean=lambda text: text.replace("hunter2", "…"),
            clock=lambda: 0.0,
        )
        return {object_id: verdict for (_, object_id), verdict in found.items()}

    return anyio.run(work)


def test_at_most_two_are_tested_at_once() -> None:
    backend = FakeBackend(objects=live(*"abcdefg"))
    verdicts = checked(backend)
    assert backend.most_slow == 2
    assert [verdict.standing for verdict in verdicts.values()] == ["succeeded"] * 7


def test_a_connector_that_says_no_and_one_that_nobody_could_ask_are_told_apart() -> None:
    backend = FakeBackend(
        objects=live("bad", "broken", "lost"),
        checks={"bad": NO, "broken": ApiError("500"), "lost": OutcomeUnknown("no answer")},
    )
    verdicts = checked(backend)
    assert verdicts["id-bad"].reason == "its connection test failed: password is wrong"
    assert verdicts["id-broken"].reason == "its connection could not be tested: 500"
    assert verdicts["id-lost"].standing == "untested"


def test_what_a_connector_says_is_cleaned() -> None:
    leaks = Check(succeeded=False, message="user u password hunter2")
    backend = FakeBackend(objects=live("s"), checks={"s": leaks})
    assert checked(backend)["id-s"].message == "user u password …"


# --- apply --check ---------------------------------------------------------------------------


def applied(backend: FakeBackend, *resources: Resource, testing: bool = True) -> Outcome:
    async def work() -> Outcome:
        plan, found = await planned(backend, *resources)
        return await execute(
            plan,
            found,
            backend,
            lambda _event: None,
            sleep=no_pause,
            testing=str if testing else None,
        )

    return anyio.run(work)


def world() -> list[Resource]:
    return [source("s"), destination("d"), connection("c", "s", "d")]


def asked_of(backend: FakeBackend) -> list[str]:
    return sorted(call for call in backend.calls if call.startswith("check"))


def test_what_was_written_is_tested_before_connections_use_it() -> None:
    backend = FakeBackend()
    outcome = applied(backend, *world())
    assert outcome.exit_code == 0
    assert asked_of(backend) == ["check d", "check s"]
    assert backend.calls[-1] == "create c"
    assert [done.note for done in outcome.done] == ["its connection test succeeded"] * 2 + [""]


def test_nothing_is_tested_unless_it_was_asked_for() -> None:
    backend = FakeBackend(checks={"s": NO})
    assert applied(backend, *world(), testing=False).exit_code == 0
    assert asked_of(backend) == []


def test_a_failed_test_is_a_failure_and_skips_what_depends_on_it() -> None:
    backend = FakeBackend(checks={"s": NO})
    outcome = applied(backend, *world(), source("other"), connection("fine", "other", "d"))
    (failed,) = outcome.failed
    assert failed.message == "written, but its connection test failed: password is wrong"
    assert failed.written
    assert [(str(skipped.change.address), skipped.reason) for skipped in outcome.skipped] == [
        ("connection/c", "source/s failed its connection test")
    ]
    assert "connection/fine" in [str(done.change.address) for done in outcome.done]
    assert outcome.exit_code == 4


def test_what_is_used_and_not_written_is_tested_once_for_all_its_connections() -> None:
    backend = FakeBackend()
    applied(backend, source("s"), destination("d"))
    backend.calls.clear()
    backend.checks["s"] = NO
    outcome = applied(backend, *world(), connection("c2", "s", "d"))
    assert asked_of(backend) == ["check d", "check s"]
    assert {skipped.reason for skipped in outcome.skipped} == {
        "source/s: its connection test failed: password is wrong"
    }
    assert len(outcome.skipped) == 2
    assert outcome.exit_code == 1  # nothing was written


def test_what_is_used_and_not_managed_is_tested_too() -> None:
    backend = FakeBackend(checks={"s": NO})
    applied(backend, source("s"), destination("d"), testing=False)
    theirs = connection("c", "s", "d", source=Ref(name="s"), destination=Ref(name="d"))
    (skipped,) = applied(backend, theirs).skipped
    assert skipped.reason == "source id-s: its connection test failed: password is wrong"


def test_what_no_change_touches_is_not_tested() -> None:
    backend = FakeBackend()
    applied(backend, *world())
    backend.calls.clear()
    assert applied(backend, *world(), source("new")).exit_code == 0
    assert asked_of(backend) == ["check new"]


def test_what_goes_is_not_tested() -> None:
    backend = FakeBackend()
    applied(backend, *world())
    backend.calls.clear()
    assert applied(backend, *map(absent, world())).exit_code == 0
    assert asked_of(backend) == []


def test_a_replacement_that_fails_its_test_leaves_the_old_one_in_its_place() -> None:
    backend = FakeBackend()
    applied(backend, *world())
    backend.checks[interim_name(Interim("s", "id-s"))] = NO
    outcome = applied(backend, source("s", "mysql"), destination("d"), connection("c", "s", "d"))
    assert [failed.change.action for failed in outcome.failed] == ["replace"]
    assert "id-s" in backend.objects
    assert "id-c" in backend.objects


def test_a_stop_ends_the_testing_too() -> None:
    backend = FakeBackend()

    async def work() -> Outcome:
        plan, found = await planned(backend, *world())
        stopping = lambda: bool(backend.calls)  # noqa: E731 - from the first write on
        return await execute(
            plan,
            found,
            backend,
            lambda _event: None,
            stopping=stopping,
            sleep=no_pause,
            testing=str,
        )

    outcome = anyio.run(work)
    assert asked_of(backend) == []
    assert outcome.exit_code == 130


def test_written_ones_are_tested_two_at_a_time_too() -> None:
    backend = FakeBackend()
    assert applied(backend, *[source(f"s{n}") for n in range(6)]).exit_code == 0
    assert backend.most_slow == 2
