"""Whoever reads may go away, and a disk may be full: what a command does and its exit code stay."""

from __future__ import annotations

import os
import shlex
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


# --- Closed before the start -------------------------------------------------------------------


def closed(descriptors: str, *arguments: str) -> tuple[int, str, str]:
    """As a shell runs it: `>&-`, `2>&-`, `<&-`."""
    command = shlex.join([sys.executable, "-m", "reconciler", *arguments])
    done = subprocess.run(
        ["sh", "-c", f"exec {command} {descriptors}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("descriptors", "form"),
    [(">&-", "text"), (">&-", "json"), ("2>&-", "text"), ("<&- >&- 2>&-", "text")],
)
def test_an_apply_whose_output_is_closed_goes_on_to_its_end(
    cli: Cli, project: Project, descriptors: str, form: str
) -> None:
    code, _, err = closed(descriptors, "apply", *project.at, "--yes", "-o", form)
    assert (code, err) == (0, "")
    assert cli("plan", *project.at, "--detailed-exitcode").code == 0


@pytest.mark.parametrize("descriptors", [">&-", "2>&-"])
def test_what_waits_for_a_job_needs_no_output_either(
    cli: Cli, project: Project, served: Served, descriptors: str
) -> None:
    assert cli("apply", *project.at, "-t", "remote", "--yes").code == 0
    at = (*project.at, "-t", "remote")
    code, _, err = closed(descriptors, "sync", *at, "connection/*", "--wait")
    assert code == 0
    assert "Error" not in err


def test_an_error_is_told_where_only_the_output_is_closed(project: Project) -> None:
    code, _, err = closed(">&-", "plan", *project.at, "-t", "nowhere")
    assert code == 1
    assert "unknown-target" in err
    code, out, _ = closed("2>&-", "plan", *project.at, "-t", "nowhere", "-o", "json")
    assert code == 1
    assert "unknown-target" in out


def test_nobody_can_be_asked_whose_input_is_closed(project: Project) -> None:
    code, _, err = closed("<&-", "apply", *project.at)
    assert code == 1
    assert "nobody can be asked here" in err


@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_no_file_takes_the_place_of_what_is_closed(tmp_path: Path, descriptor: int) -> None:
    file = tmp_path / "file"
    code = (
        "import os, sys\n"
        "from reconciler.cli.streams import lasting\n"
        "with lasting(), open(sys.argv[1], 'wb') as file:\n"
        "    assert file.fileno() > 2, file.fileno()\n"
        f"    assert os.get_inheritable({descriptor})\n"
        "    print('lost', flush=True)\n"
    )
    python = shlex.join([sys.executable, "-c", code, str(file)])
    done = subprocess.run(
        ["sh", "-c", f"exec {python} {descriptor}>&-"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert file.read_bytes() == b""


# --- An output that does not fit ---------------------------------------------------------------


def on_a_full_disk(*arguments: str) -> tuple[int, str]:
    with FULL.open("wb") as disk:
        return reconciler(*arguments, out=disk.fileno())


@full_disk
def test_an_apply_whose_output_does_not_fit_does_not_say_that_nothing_was_written(
    cli: Cli, project: Project, served: Served
) -> None:
    code, err = on_a_full_disk("apply", *project.at, "-t", "remote", "--yes", "-o", "json")
    assert code == 4
    assert "not all of the output could be written: No space left on device" in err
    assert "ended well: the exit code is that of its output alone" in err
    assert cli("plan", *project.at, "-t", "remote", "--detailed-exitcode").code == 0


@full_disk
def test_so_it_is_of_every_command_that_writes(cli: Cli, project: Project, served: Served) -> None:
    at = (*project.at, "-t", "remote", "--api", "config")
    assert cli("apply", *at, "--yes").code == 0
    address = "connection/shop-to-bronze"
    for command in (
        ("sync", address, "--wait"),
        ("refresh", address, "--wait"),
        ("clear", address, "--allow", "data-erase", "--wait"),
        ("jobs", "cancel", "1"),
    ):
        code, err = on_a_full_disk(*command, *at)
        assert (code, "ended well" in err) == (4, True), (command, err)


@full_disk
def test_of_a_command_that_reads_nothing_was_written(project: Project) -> None:
    for command in (("plan",), ("validate",), ("get", "sources")):
        code, err = on_a_full_disk(*command, *project.at)
        assert (code, "ended well" in err) == (1, True), (command, err)
    assert on_a_full_disk("apply", "--help")[0] == 1


@full_disk
def test_an_exit_code_that_tells_something_stays(project: Project) -> None:
    code, err = on_a_full_disk("drift", *project.at)
    assert code == 2
    assert "went on to its end, as its exit code tells" in err
    code, err = on_a_full_disk("apply", *project.at)
    assert code == 1
    assert "nobody can be asked here" in err
    assert "as its exit code tells" in err


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
