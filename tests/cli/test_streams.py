"""Whoever reads may go away, and a disk may be full: what a command does and its exit code stay."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Project, Served
from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such pipes there")
FULL = Path("/dev/full")
full_disk = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@contextmanager
def unread() -> Iterator[int]:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def reconciler(*arguments: str, out: int, err: int = subprocess.PIPE) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        stdout=out,
        stderr=err,
        timeout=120,
        check=False,
    )
    return done.returncode, (done.stderr or b"").decode()


def test_an_apply_that_nobody_reads_goes_on_to_its_end(
    cli: Cli, project: Project, served: Served
) -> None:
    with unread() as pipe:
        code, err = reconciler("apply", *project.at, "-t", "remote", "--yes", out=pipe, err=pipe)
    assert (code, err) == (0, "")
    assert cli("plan", *project.at, "-t", "remote", "--detailed-exitcode").code == 0


def test_a_failed_apply_that_nobody_reads_fails(project: Project, served: Served) -> None:
    served.chaos("POST /connections 422")
    with unread() as pipe:
        code, _ = reconciler("apply", *project.at, "-t", "remote", "--yes", out=pipe)
    assert code == 4


def test_differences_that_nobody_reads_are_told_by_the_exit_code(project: Project) -> None:
    with unread() as pipe:
        assert reconciler("drift", *project.at, out=pipe) == (2, "")


@full_disk
def test_an_output_that_does_not_fit_is_an_error_and_no_bug(
    cli: Cli, project: Project, served: Served
) -> None:
    with FULL.open("wb") as disk:
        code, err = reconciler(
            "apply", *project.at, "-t", "remote", "--yes", "-o", "json", out=disk.fileno()
        )
    assert code == 1
    assert "not all of the output could be written: No space left on device" in err
    assert "went on to its end" in err
    assert cli("plan", *project.at, "-t", "remote", "--detailed-exitcode").code == 0


def test_a_pipe_that_is_full_for_a_while_loses_nothing(project: Project) -> None:
    command = [sys.executable, "-m", "reconciler", "schema", "connection"]
    whole = subprocess.run(command, capture_output=True, check=True, timeout=120).stdout
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    os.write(writer, b"x" * 60_000)
    with subprocess.Popen(command, stdout=writer) as process, os.fdopen(reader, "rb") as pipe:
        os.close(writer)
        assert pipe.read()[60_000:] == whole
        assert process.wait(timeout=120) == 0
