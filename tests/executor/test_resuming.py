"""A create of an earlier run that may still be carried out: whether it is waited for, and for how long."""

from __future__ import annotations

import anyio

from reconciler.core.diagnostics import Unreachable
from reconciler.core.model import Live, LiveObject, Resource, Source
from reconciler.core.planning import Planned
from reconciler.executor.journal import Unresolved
from reconciler.executor.resuming import created_again, look_for, seconds_left
from tests.executor.fake import WORKSPACE, FakeBackend, planned, source
from tests.executor.test_executor import run

S = Unresolved("source/s", "source", "s", sent=1_000.0)


def again(
    *resources: Resource,
    one: Unresolved = S,
    now: float = 1_100.0,
    backend: FakeBackend | None = None,
) -> list[str]:
    """Addresses that are waited for, of a plan of these resources, where a create may take 600 s."""
    server = backend or FakeBackend()

    async def ask() -> tuple[Planned, Live]:
        return await planned(server, *resources)

    found, live = anyio.run(ask)
    return [w.address for w in created_again(found.plan, live, [one], now=now, limit=600)]


def test_a_create_that_the_plan_repeats_is_waited_for() -> None:
    assert again(source("s")) == ["source/s"]


def test_for_as_long_as_a_slow_call_may_take_and_counted_from_when_it_was_sent() -> None:
    assert again(source("s"), now=1_599) == ["source/s"]
    assert again(source("s"), now=1_600) == []


def test_what_the_plan_does_not_make_is_not_waited_for() -> None:
    assert again(source("t")) == []


def test_what_is_there_by_now_is_not_waited_for() -> None:
    backend = FakeBackend()
    run(backend, source("s"))
    assert again(source("s", host="new"), backend=backend) == []


def test_the_new_half_of_a_replacement_is_waited_for() -> None:
    backend = FakeBackend()
    run(backend, source("s"))
    interim = Unresolved("source/s", "source", "s (reconciler: replaces id-s)", 1_000)
    assert again(source("s", "mysql"), one=interim, backend=backend) == ["source/s"]
    assert again(source("s", host="new"), one=interim, backend=backend) == []


def test_a_manifest_that_moved_to_another_address_means_the_same_object() -> None:
    moved = Unresolved("source/\x1b[2Jold", "source", "s", 1_000)
    assert again(source("s"), one=moved) == [
        "source/s"
    ]  # never what a file says that may be anyone's


def test_a_clock_that_was_set_back_makes_no_wait_longer() -> None:
    assert seconds_left(S, now=0, limit=600) == 600
    assert seconds_left(S, now=1_010, limit=600) == 590


class Passing:
    """Time that passes only in sleep."""

    def __init__(self, now: float) -> None:
        self.now = now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def looked_for(time: Passing, *looks: Live | Exception) -> int:
    """How often the server was looked at; the last look goes on for ever."""
    seen = 0

    async def snapshot() -> Live:
        nonlocal seen
        seen += 1
        look = looks[min(seen, len(looks)) - 1]
        if isinstance(look, Exception):
            raise look
        return look

    async def work() -> None:
        await look_for([S], snapshot, limit=600, now=lambda: time.now, sleep=time.sleep)

    anyio.run(work)
    return seen


NOTHING = Live(WORKSPACE, ())
THERE = Live(WORKSPACE, (LiveObject("source", "late", Source("s", "def-s", {})),))


def test_it_ends_as_soon_as_it_is_there() -> None:
    time = Passing(1_100)
    assert looked_for(time, NOTHING, NOTHING, THERE) == 3
    assert time.now < 1_105


def test_it_ends_when_it_can_no_longer_come() -> None:
    time = Passing(1_100)
    assert looked_for(time, NOTHING) > 10
    assert time.now == 1_600


def test_a_server_that_can_not_be_read_is_asked_again() -> None:
    time = Passing(1_100)
    assert looked_for(time, Unreachable("down"), Unreachable("down"), THERE) == 3
