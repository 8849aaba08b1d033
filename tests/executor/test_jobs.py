"""Starting jobs and waiting for them: once, in bounds, for as long as asked, and honestly told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

import anyio
import pytest

from reconciler.core.diagnostics import ApiError, OutcomeUnknown, Unreachable
from reconciler.core.jobs import Job, JobResult, JobSeen, exit_code, pauses
from reconciler.executor.jobs import RunEvent, Task, Watch, run_jobs
from tests.executor.fake import WORKSPACE, FakeBackend

SYNC = Task("connection/a", "id-a", "sync")


@dataclass
class Time:
    """A clock that only sleeping moves; `pressed`: what happens during a sleep."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    pressed: Callable[[], None] = lambda: None

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.pressed()
        await anyio.lowlevel.checkpoint()

    def watch(self, *, wait: bool = True, seconds: float | None = None) -> Watch:
        watch = Watch(wait=wait, clock=lambda: self.now, sleep=self.sleep)
        return watch.within(seconds)


@dataclass
class Somebody:
    """Who may press Ctrl-C."""

    scope: anyio.CancelScope | None = None

    def press(self) -> None:
        assert self.scope is not None
        self.scope.cancel()


@dataclass
class Told:
    events: list[RunEvent] = field(default_factory=list)

    @property
    def looks(self) -> list[str]:
        return [event.job.status for event in self.events if isinstance(event, JobSeen)]


def run(
    backend: FakeBackend,
    *tasks: Task,
    watch: Watch | None = None,
    told: Told | None = None,
    parallelism: int = 4,
    somebody: Somebody | None = None,
) -> tuple[JobResult, ...]:
    async def work() -> tuple[JobResult, ...]:
        scope = anyio.CancelScope()
        (somebody or Somebody()).scope = scope
        return await run_jobs(
            backend,
            WORKSPACE,
            tasks or (SYNC,),
            (told or Told()).events.append,
            watch or Time().watch(),
            parallelism=parallelism,
            scope=scope,
        )

    return anyio.run(work)


def started(backend: FakeBackend) -> int:
    return sum(call.startswith(("sync", "refresh", "clear")) for call in backend.calls)


def lost() -> OutcomeUnknown:
    return OutcomeUnknown("the answer was lost")


def test_looks_come_less_often_the_longer_it_takes() -> None:
    assert list(islice(pauses(), 8)) == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10.0, 10.0]


def test_a_job_is_watched_until_it_has_ended() -> None:
    backend, told, time = (
        FakeBackend(course=("pending", "running", "incomplete", "running2", "succeeded")),
        Told(),
        Time(),
    )
    (result,) = run(backend, watch=time.watch(), told=told)
    assert told.looks == ["pending", "running", "incomplete", "running2", "succeeded"]
    assert (result.standing, result.seconds) == ("succeeded", sum(time.slept))
    assert time.slept == [1.0, 1.5, 2.25, 3.375]
    assert told.events[-1] == result


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
def test_a_job_that_ends_badly_is_told_and_exits_1(ending: str) -> None:
    results = run(FakeBackend(course=("running", ending)))
    assert [result.standing for result in results] == [ending]
    assert exit_code(results, interrupted=False) == 1


def test_without_waiting_it_is_started_and_not_looked_at() -> None:
    time = Time()
    results = run(FakeBackend(), watch=time.watch(wait=False))
    assert [result.standing for result in results] == ["started"]
    assert time.slept == []
    assert exit_code(results, interrupted=False) == 0


def test_when_the_time_is_up_it_is_still_running_and_exits_4() -> None:
    time = Time()
    results = run(FakeBackend(course=("running",)), watch=time.watch(seconds=5))
    assert [result.standing for result in results] == ["running"]
    assert sum(time.slept) == 5
    assert exit_code(results, interrupted=False) == 4


def test_what_had_no_turn_in_time_is_not_started() -> None:
    backend = FakeBackend(course=("running",))
    first, second = run(
        backend,
        SYNC,
        Task("connection/b", "id-b", "sync"),
        watch=Time().watch(seconds=5),
        parallelism=1,
    )
    assert (first.standing, second.standing) == ("running", "not-started")
    assert started(backend) == 1


def test_at_most_so_many_run_at_once_while_they_are_waited_for() -> None:
    backend = FakeBackend(course=("pending", "running", "succeeded"))
    tasks = [Task(f"connection/{n}", f"id-{n}", "sync") for n in range(7)]
    results = run(backend, *tasks, parallelism=3)
    assert backend.most_jobs == 3
    assert [result.address for result in results] == [task.address for task in tasks]
    assert {result.standing for result in results} == {"succeeded"}


# --- one that runs already -------------------------------------------------------------------


def busy(kind: str = "sync") -> FakeBackend:
    backend = FakeBackend()
    backend.ran["1"] = Job("1", "id-a", kind, "running")
    return backend


def test_a_sync_that_runs_already_is_waited_for() -> None:
    backend = busy()
    (result,) = run(backend)
    assert result.job is not None
    assert (result.standing, result.job.id, result.joined) == ("succeeded", "1", True)
    assert list(backend.ran) == ["1"]


def test_without_waiting_a_sync_that_runs_already_is_no_success() -> None:
    results = run(busy(), watch=Time().watch(wait=False))
    assert [(result.standing, result.joined) for result in results] == [("not-started", True)]
    assert "already running: job 1" in results[0].message
    assert exit_code(results, interrupted=False) == 1


def test_a_job_of_another_kind_is_not_taken_for_the_one_that_was_asked_for() -> None:
    (result,) = run(busy("clear"))
    assert result.standing == "not-started"
    assert result.message == "a clear is running (job 1)"
    assert "reconciler jobs wait 1" in result.hint


def test_a_conflict_without_any_job_is_told_as_it_is() -> None:
    refused = ApiError("Could not fulfill request", status=409)
    (result,) = run(FakeBackend(start_faults=[refused], start_anyway=False))
    assert (result.standing, result.message) == ("not-started", "Could not fulfill request")


# --- lost answers ----------------------------------------------------------------------------


def test_a_start_whose_answer_was_lost_is_found_again_and_not_repeated() -> None:
    backend = FakeBackend(start_faults=[lost()])
    backend.ran["1"] = Job("1", "id-a", "sync", "succeeded")
    (result,) = run(backend)
    assert result.job is not None
    assert (result.standing, result.job.id) == ("succeeded", "2")
    assert started(backend) == 1


def test_a_start_that_never_shows_is_of_unknown_outcome_and_exits_4() -> None:
    backend, time = FakeBackend(start_faults=[lost()], start_anyway=False), Time()
    results = run(backend, watch=time.watch())
    assert [result.standing for result in results] == ["unknown"]
    assert started(backend) == 1
    assert sum(time.slept) == pytest.approx(120)
    assert "reconciler jobs list connection/a" in results[0].hint
    assert exit_code(results, interrupted=False) == 4


def test_a_job_of_another_kind_settles_no_lost_start() -> None:
    backend = FakeBackend(start_faults=[lost()], start_anyway=False)
    time = Time(pressed=lambda: backend.ran.update({"1": Job("1", "id-a", "clear", "running")}))
    assert [result.standing for result in run(backend, watch=time.watch())] == ["unknown"]


def test_a_server_error_after_the_start_is_looked_into_once() -> None:
    broke = ApiError("500", status=500)
    assert run(FakeBackend(start_faults=[broke]))[0].standing == "succeeded"
    time = Time()
    (result,) = run(FakeBackend(start_faults=[broke], start_anyway=False), watch=time.watch())
    assert (result.standing, result.message, time.slept) == ("not-started", "500", [])


# --- a server that can't be asked ------------------------------------------------------------


def test_looks_that_fail_for_a_while_are_waited_out() -> None:
    backend = FakeBackend(look_faults=[Unreachable("down")] * 4)
    assert run(backend)[0].standing == "succeeded"


def test_a_server_that_stays_away_leaves_the_outcome_unknown() -> None:
    results = run(FakeBackend(look_faults=[Unreachable("down")] * 5))
    assert [result.standing for result in results] == ["unknown"]
    assert "can't be watched any more: down" in results[0].message


def test_a_job_that_the_server_forgot_is_of_unknown_outcome() -> None:
    backend = FakeBackend(course=("running",))
    time = Time(pressed=backend.ran.clear)
    (result,) = run(backend, watch=time.watch())
    assert result.standing == "unknown"
    assert "no longer knows job 1" in result.message


# --- what is known beforehand, and interrupts ------------------------------------------------


def test_what_can_not_be_started_is_told_and_the_rest_goes_on() -> None:
    backend = FakeBackend()
    refused = Task("connection/b", "id-b", "sync", refusal=("it is inactive", "apply"))
    first, second = run(backend, SYNC, refused)
    assert (first.standing, second.standing) == ("succeeded", "not-started")
    assert started(backend) == 1


def test_an_interrupt_leaves_jobs_running_and_tells_what_was_not_begun() -> None:
    backend, told, somebody = FakeBackend(course=("running",)), Told(), Somebody()
    time = Time(pressed=somebody.press)
    first, second = run(
        backend,
        SYNC,
        Task("connection/b", "id-b", "sync"),
        watch=time.watch(),
        told=told,
        parallelism=1,
        somebody=somebody,
    )
    assert (first.standing, second.standing) == ("running", "not-started")
    assert "reconciler jobs cancel 1" in first.hint
    assert backend.ran["1"].status == "running"
    assert [event for event in told.events if isinstance(event, JobResult)] == [first, second]
    assert exit_code((first, second), interrupted=True) == 130


def test_an_interrupt_while_a_job_is_being_started_leaves_its_outcome_unknown() -> None:
    somebody = Somebody()

    class Slow(FakeBackend):
        async def start(self, *_arguments: object) -> Job:  # type: ignore[override]
            somebody.press()
            await anyio.sleep_forever()
            raise AssertionError

    (result,) = run(Slow(), somebody=somebody)
    assert result.standing == "unknown"
    assert "reconciler jobs list connection/a" in result.hint
