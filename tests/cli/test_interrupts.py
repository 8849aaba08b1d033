"""Ctrl-C, at each moment of an apply, in a process of its own (design §6.7)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.cli.conftest import Project, Served
from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")

BRONZE = "connections/shop-to-bronze.yaml"


class Apply:
    """`reconciler apply -t remote`, with pipes, or with a terminal for stdin and stderr."""

    def __init__(self, project: Project, *options: str, terminal: int | None = None) -> None:
        self.began = time.monotonic()
        environment = {k: v for k, v in os.environ.items() if k != "CI"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "apply", *project.at, "-t", "remote", *options],
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if terminal is None else terminal,
            text=True,
            env=environment,
        )

    def press(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def ends(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err or ""


def until(happens: Callable[[], bool]) -> None:
    for _ in range(400):
        if happens():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def sent(served: Served, method: str, count: int = 1) -> Callable[[], bool]:
    """Whether so many requests are in: they are logged before a delay holds them back."""
    return lambda: len(served.requests(method)) >= count


class Person:
    """Somebody at a terminal, who reads all the time: a program may wait until it was read."""

    def __init__(self) -> None:
        self.text = ""
        self._ours, self.terminal = os.openpty()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        with suppress(OSError):  # the end of a terminal
            while part := os.read(self._ours, 4096):
                self.text += part.decode()

    def leave(self) -> None:
        os.close(self.terminal)
        self._reading.join(5)
        os.close(self._ours)


@pytest.fixture
def person() -> Iterator[Person]:
    somebody = Person()
    yield somebody
    somebody.leave()


def test_before_anything_is_written_it_ends_at_once(project: Project, served: Served) -> None:
    served.chaos("GET /sources delay=5")
    run = Apply(project, "--yes")
    until(sent(served, "GET", 2))
    time.sleep(0.2)
    run.press()
    code, out, err = run.ends()
    assert code == 130
    assert "finishing" not in err
    assert time.monotonic() - run.began < 4
    assert out == ""
    served.chaos()
    assert served.names("source") == []


def test_at_the_question_one_press_is_enough(
    project: Project, served: Served, person: Person
) -> None:
    run = Apply(project, terminal=person.terminal)
    until(lambda: "Make 5 changes now?" in person.text)
    run.press()
    assert run.ends()[0] == 130
    assert served.names("source") == []


def test_what_is_in_flight_is_finished_and_nothing_more_is_started(
    cli: Cli, project: Project, served: Served
) -> None:
    served.chaos("POST /sources delay=1.5", "POST /destinations delay=1.5")
    run = Apply(project, "--yes")
    until(sent(served, "POST", 4))  # the tag, a source, two destinations
    run.press()
    code, out, err = run.ends()
    assert code == 130
    assert "Interrupted: finishing what is in flight" in err
    assert "interrupted before it was started" in out
    assert "Interrupted: apply again to finish." in out
    assert served.names("connection") == []
    assert len(served.names("source")) == 1
    served.chaos()
    assert cli("apply", *project.at, "-t", "remote", "--yes").code == 0


def test_a_second_press_gives_up_and_tells_what_is_not_known(
    project: Project, served: Served
) -> None:
    served.chaos("POST /sources delay=20", "POST /destinations delay=20")
    run = Apply(project, "--yes", "--parallelism", "1")
    until(sent(served, "POST", 2))  # the tag, and then one that is held back
    time.sleep(0.3)
    run.press()
    time.sleep(0.5)
    run.press()
    code, out, err = run.ends()
    assert code == 130
    assert time.monotonic() - run.began < 18  # the answers would take 20
    assert "OUTCOME UNKNOWN" in out
    assert "0 created" in out
    assert "Interrupted: giving up." in err


def test_a_press_while_reading_back_keeps_the_outcome(
    cli: Cli, project: Project, served: Served
) -> None:
    assert cli("apply", *project.at, "-t", "remote", "--yes").code == 0
    project.edit(BRONZE, lambda data: data["spec"].update(schedule="manual"))
    served.chaos("GET /destinations delay=5 at=2")
    run = Apply(project, "--yes")
    until(sent(served, "PATCH"))
    time.sleep(0.7)
    run.press()
    code, out, _ = run.ends()
    assert code == 4
    assert time.monotonic() - run.began < 5
    assert "1 changed" in out
    assert "could not be read back: interrupted" in out


def test_handlers_are_as_they_were_afterwards(cli: Cli, project: Project) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert cli("apply", *project.at, "--yes").code == 0
    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert after == before


def test_a_person_at_a_terminal_sees_how_far_it_is(
    project: Project, served: Served, person: Person
) -> None:
    run = Apply(project, "--yes", terminal=person.terminal)
    code, out, _ = run.ends()
    until(lambda: "5 of 5 done" in person.text)
    assert "3 of 5 done" in person.text
    assert code == 0
    assert "of 5 done" not in out
