"""Real processes that end in the middle: the lock, the journal, and a create that comes late all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.executor import Patience
from tests.faults.killing import Airbyte, airbyte, apply_again, journal, start_apply
from tests.faults.trial import STATE, Ground

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")

CREATES = {"public": "POST /api/public/v1/sources", "config": "POST /api/v1/sources/create"}


@pytest.fixture
def folder(ground: Ground) -> Path:
    return ground.scratch


@pytest.fixture
def server(ground: Ground, folder: Path) -> Iterator[Airbyte]:
    with airbyte(ground, folder) as running:
        yield running


def killed_at(server: Airbyte, folder: Path, rule: str, api: str = "public") -> str:
    """An apply that is killed when the rule strikes; what it had said by then."""
    server.obey(rule)
    process = start_apply(folder, api, "--parallelism", "1")
    assert server.wait_for_the_rule(process)
    return killed(process)


def killed(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    return out


# --- The lock --------------------------------------------------------------------------------


def test_a_second_apply_is_refused_while_one_runs_and_not_after_it_was_killed(
    server: Airbyte, folder: Path
) -> None:
    server.obey(f"{CREATES['public']} hang times=1")
    first = start_apply(folder, "public")
    assert server.wait_for_the_rule(first)
    second = start_apply(folder, "public")
    _, err = second.communicate(timeout=30)
    assert second.returncode == 1
    assert f"another apply is under way in this folder (process {first.pid})" in err
    killed(first)
    server.obey()
    assert apply_again(folder, "public").exit_code == 0


def test_a_link_in_place_of_the_lock_is_not_followed(server: Airbyte, folder: Path) -> None:
    theirs = folder / "theirs"
    theirs.write_text("theirs")
    state = folder / "project" / STATE
    state.mkdir()
    (state / "apply.lock").symlink_to(theirs)
    ran = apply_again(folder, "public")
    assert "can't be made, and nothing was written" in ran.message
    assert theirs.read_text() == "theirs"


# --- The journal -----------------------------------------------------------------------------


def test_what_was_under_way_when_it_was_killed_stands_in_the_journal(
    server: Airbyte, folder: Path
) -> None:
    killed_at(server, folder, f"{CREATES['public']} hang at=3")
    entries = journal(folder, "public")
    assert entries[0]["event"] == "began"
    assert entries[-1]["event"] != "ended"
    ended = {entry["n"] for entry in entries if entry["event"] == "done"}
    (under_way, *_) = (
        e for e in entries if e["event"] == "sent" and e["n"] not in ended and e["verb"] == "create"
    )
    assert under_way["kind"] == "source"


@pytest.mark.parametrize("api", CREATES)
def test_a_create_that_comes_late_is_waited_for_and_made_once(
    ground: Ground, server: Airbyte, folder: Path, api: str
) -> None:
    """The proxy gave up on it, the client is dead, and the server carries it out all the same."""
    killed_at(server, folder, f"{CREATES[api]} late=2s times=1", api)
    told: list[str] = []
    ran = apply_again(folder, api, hours=0, patience=Patience(2, 60), talk=told.append)
    assert ran.exit_code == 0, ran.message
    assert server.shape().texts == ground.goals[api].texts
    (line,) = [line for line in told if "source/" in line]
    assert "sent its create" in line
    assert "60 s at most" in line or "59 s at most" in line or "58 s at most" in line


def test_one_that_never_comes_is_waited_for_as_long_as_a_slow_call_takes_and_sent_again(
    ground: Ground, server: Airbyte, folder: Path
) -> None:
    killed_at(server, folder, f"{CREATES['public']} hang times=1")
    server.obey()
    began = time.monotonic()
    ran = apply_again(folder, "public", hours=0, patience=Patience(2, 3))
    assert ran.exit_code == 0, ran.message
    assert time.monotonic() - began > 2
    assert server.shape().texts == ground.goals["public"].texts


def test_without_the_journal_a_late_create_that_comes_after_the_next_run_is_a_second_one(
    server: Airbyte, folder: Path
) -> None:
    """What nobody can know without a memory is not made worse: the next plan names both and refuses."""
    killed_at(server, folder, f"{CREATES['public']} late times=1")
    for path in (folder / "project" / STATE).iterdir():
        path.unlink()
    server.obey()
    first = apply_again(folder, "public", hours=0)
    assert first.exit_code == 0, first.message
    server.advance()
    second = apply_again(folder, "public", hours=0)
    assert second.exit_code == 1
    assert "2 live sources are named" in second.message
