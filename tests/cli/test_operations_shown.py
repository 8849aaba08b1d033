"""How running jobs and their amounts are shown: on a terminal, in a log, and to somebody who reads."""

from __future__ import annotations

from io import StringIO

import pytest

from reconciler.cli.watching import Watching
from reconciler.core.jobs import Job, JobResult, JobSeen
from reconciler.render.clean import clean
from reconciler.render.figures import duration, moment, rows, size
from reconciler.render.jobs import progress_line, result_line

LONG = "connection/" + "a-very-long-name-" * 3


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def seen(seconds: float, rows: int = 0, status: str = "running", name: str = "c") -> JobSeen:
    job = Job("7", "id", "sync", status, rows=rows)
    return JobSeen(f"connection/{name}", job, seconds)


def test_in_a_log_there_is_a_line_where_the_status_changes_or_much_time_went_by() -> None:
    log = StringIO()
    watching = Watching(log)
    for look in (
        seen(0),
        seen(5, 10),
        seen(31, 20),
        seen(40, 30),
        seen(80, 30),
        seen(81, 30, "succeeded"),
    ):
        watching.tell(look)
    assert log.getvalue().splitlines() == [
        "connection/c  job 7  running, 0 rows, 0.0 s",
        "connection/c  job 7  running, 20 rows, 31 s",
        "connection/c  job 7  running, 30 rows, 1 min 20 s",
        "connection/c  job 7  succeeded, 30 rows, 1 min 21 s",
    ]


def test_on_a_terminal_one_line_is_rewritten_in_place_and_goes_at_the_end() -> None:
    screen = Terminal()
    watching = Watching(screen)
    watching.tell(seen(0))
    watching.tell(seen(1, 5, name="d"))
    assert "connection/c  job 7  running, 0 rows, 0.0 s; connection/d" in screen.getvalue()
    watching.tell(JobResult("connection/c", "sync", "succeeded"))
    assert screen.getvalue().split("\r")[-1].startswith("connection/d")
    watching.tell(JobResult("connection/d", "sync", "succeeded"))
    watching.clear()
    assert "\n" not in screen.getvalue()
    assert "\x1b" not in screen.getvalue()
    assert screen.getvalue().endswith(" \r")


def test_what_a_server_says_is_shown_without_control_characters() -> None:
    look = JobSeen("connection/c", Job("7", "id", "sync", "\x1b[31mrunning\n"), 1)
    assert progress_line(look) == clean("connection/c  job 7  \x1b[31mrunning\n, 1.0 s")
    failed = JobResult("connection/c", "sync", "failed", message="bad\x1b[0m\ntext", hint="\u202eh")
    assert not set(result_line(failed)) & {"\x1b", "\u202e"}


def test_lines_are_at_most_100_columns_wide() -> None:
    job = Job("123456", "id", "sync", "succeeded", rows=1_234_567_890, size=9_876_543_210)
    result = JobResult(LONG, "refresh", "unknown", job, "why " * 60, "what to do " * 20, 12345)
    assert max(map(len, result_line(result).splitlines())) <= 100


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (41.4, "41 s"),
        (59.9, "1 min 00 s"),
        (123, "2 min 03 s"),
        (3599.9, "1 h 00 min"),
        (7860, "2 h 11 min"),
    ],
)
def test_durations_are_said_in_fitting_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3_400_000, "3.4 MB"), (2 * 10**13, "20.0 TB")],
)
def test_sizes_are_said_in_fitting_units(count: int, said: str) -> None:
    assert size(count) == said


def test_one_row_is_one_row() -> None:
    assert [rows(1), rows(1200)] == ["1 row", "1,200 rows"]


def test_a_moment_that_is_none_is_shown_as_it_came() -> None:
    assert moment(1704067200) == "2024-01-01T00:00:00Z"
    assert moment(1e30) == "1e+30"
