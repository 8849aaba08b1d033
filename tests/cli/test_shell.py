"""Around the core: the lock, allowed hosts, files that can't be used, wrong usage, JSON of mistakes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from functools import partial
from io import StringIO
from pathlib import Path

import anyio
import click
import httpx
import pytest

from reconciler import app, planfile
from reconciler.app.lock import locked
from reconciler.cli import boundary
from reconciler.cli.progress import Progress
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.events import Done, Failed, Started
from reconciler.core.model import Address
from reconciler.core.plan import Change, Plan
from reconciler.emulator.app import create_app
from reconciler.emulator.settings import Settings
from tests.cli.conftest import Project, Served
from tests.conftest import Cli

# --- One apply at a time ---------------------------------------------------------------------


def test_a_second_apply_from_the_same_folder_is_refused(cli: Cli, project: Project) -> None:
    with locked(project.folder / ".reconciler" / "apply.lock"):
        refused = cli("apply", *project.at, "--yes")
        assert refused.code == 1
        assert f"another apply is under way in this folder (process {os.getpid()})" in (refused.err)
        assert cli("plan", *project.at).code == 0
    assert cli("apply", *project.at, "--yes").code == 0


def test_another_target_waits_too_since_both_may_be_one_workspace(
    cli: Cli, project: Project, served: Served
) -> None:
    with locked(project.folder / ".reconciler" / "apply.lock"):
        assert cli("apply", *project.at, "-t", "remote", "--yes").code == 1


@pytest.mark.skipif(sys.platform == "win32", reason="its locks fail in other ways")
def test_a_file_system_without_locks_is_no_other_apply(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    refused = cli("apply", *project.at, "--yes")
    assert refused.code == 1
    assert "can't be taken, and nothing was written: No locks available" in refused.err


def test_a_lock_ends_with_its_process_however_it_ends(cli: Cli, project: Project) -> None:
    path = project.folder / ".reconciler" / "apply.lock"
    code = (
        "import sys, time; from pathlib import Path; from reconciler.app.lock import locked\n"
        f"with locked(Path({str(path)!r})): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    refused = cli("apply", *project.at, "--yes")
    assert f"(process {holder.pid})" in refused.err
    holder.kill()
    holder.communicate(timeout=10)
    assert cli("apply", *project.at, "--yes").code == 0


# --- Results -----------------------------------------------------------------------------------


def test_a_plan_that_could_not_be_made_leaves_no_older_one(cli: Cli, project: Project) -> None:
    out = project.folder / "plan.json"
    assert cli("plan", *project.at, "--out", str(out)).code == 0
    assert out.exists()
    assert cli("plan", *project.at, "--out", str(out), "-t", "nowhere").code == 1
    assert not out.exists()
    assert [path for path in project.folder.iterdir() if path.name.startswith(".plan")] == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"formatVersion": "0.9", "changes": []}',
        '{"formatVersion": "7.0", "changes": 0, "x": 1}',
    ],
)
def test_an_older_plan_of_any_version_and_an_empty_file_are_replaced(
    cli: Cli, project: Project, content: str
) -> None:
    project.write("plan.json", content)
    out = project.folder / "plan.json"
    assert cli("plan", *project.at, "--out", str(out)).code == 0
    assert cli("show", str(out)).code == 0


@pytest.mark.parametrize("more", [(), ("-t", "nowhere")])
@pytest.mark.parametrize(
    "name", ["reconciler.yaml", "notes.json", "list.json", "diagnostics.json", "binary"]
)
def test_a_file_that_is_no_plan_is_never_replaced(
    cli: Cli, project: Project, name: str, more: tuple[str, ...]
) -> None:
    project.write("notes.json", '{"changes": []}')
    project.write("list.json", '["formatVersion", "changes"]')
    project.write("diagnostics.json", '{"formatVersion": "1.0", "valid": true, "diagnostics": []}')
    (project.folder / "binary").write_bytes(b"\x80" * 20)
    out = project.folder / name
    before = out.read_bytes()
    refused = cli("plan", *project.at, "--out", str(out), *more)
    assert refused.code == 1
    assert f"{out} is no saved plan, and is left as it is" in refused.err
    assert "give --out another name" in refused.err
    assert out.read_bytes() == before


def test_a_file_too_large_for_a_plan_is_left_as_it_is(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = project.folder / "plan.json"
    assert cli("plan", *project.at, "--out", str(out)).code == 0
    monkeypatch.setattr(planfile, "LARGEST", out.stat().st_size - 1)
    refused = cli("plan", *project.at, "--out", str(out))
    assert (refused.code, out.exists()) == (1, True)
    assert "is no saved plan, and is left as it is" in refused.err


def test_a_file_that_came_while_the_plan_was_made_is_left_as_it_is(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = project.folder / "plan.json"
    made = planfile.plan_text

    def meanwhile(plan: Plan) -> str:
        out.write_text("somebody's", encoding="utf-8")
        return made(plan)

    monkeypatch.setattr(planfile, "plan_text", meanwhile)
    refused = cli("plan", *project.at, "--out", str(out))
    assert refused.code == 1
    assert "is left as it is" in refused.err
    assert out.read_text(encoding="utf-8") == "somebody's"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("older", [True, False])
def test_a_plan_is_saved_behind_a_link(cli: Cli, project: Project, *, older: bool) -> None:
    kept, link = project.folder / "kept" / "plan.json", project.folder / "plan.json"
    kept.parent.mkdir()
    link.symlink_to("kept/plan.json")
    if older:
        kept.touch()
    assert cli("plan", *project.at, "--out", str(link)).code == 0
    assert link.is_symlink()
    assert not kept.is_symlink()
    assert cli("show", str(kept)).code == 0
    assert cli("plan", *project.at, "--out", str(link), "-t", "nowhere").code == 1
    assert (link.is_symlink(), kept.exists()) == (True, False)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_in_a_circle_are_told_and_stay(cli: Cli, project: Project) -> None:
    link, other = project.folder / "plan.json", project.folder / "other.json"
    link.symlink_to("other.json")
    other.symlink_to("plan.json")
    refused = cli("plan", *project.at, "--out", str(link))
    assert refused.code == 1
    assert f"the plan can't be saved as {link}: " in refused.err
    assert link.is_symlink()
    assert other.is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="no such bits there")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o400])
def test_the_bits_of_an_older_plan_are_those_of_the_new_one(
    cli: Cli, project: Project, mode: int
) -> None:
    out = project.folder / "plan.json"
    out.touch()
    out.chmod(mode)
    assert cli("plan", *project.at, "--out", str(out)).code == 0
    assert stat.S_IMODE(out.stat().st_mode) == mode
    assert out.stat().st_size


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_a_plan_does_not_go_where_the_output_goes(project: Project) -> None:
    """The file would be replaced, and what is printed into it lost."""
    printed = project.folder / "printed.txt"
    command = [sys.executable, "-m", "reconciler", "plan", *project.at, "--out", "/dev/stdout"]
    with printed.open("w") as out:
        ran = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert "give --out a file of its own" in ran.stderr
    assert printed.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes there")
def test_a_plan_may_go_into_a_pipe(cli: Cli, project: Project) -> None:
    pipe = project.folder / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        assert cli("plan", *project.at, "--out", str(pipe)).code == 0
        assert reader.stdout is not None
        assert json.loads(reader.stdout.read())["formatVersion"]
    assert pipe.is_fifo()


def test_an_error_is_json_too_where_json_is_asked_for(cli: Cli, project: Project) -> None:
    ran = cli("apply", *project.at, "-o", "json")
    assert ran.code == 1
    assert ran.json["error"] == {
        "message": "nobody can be asked here, and nothing was written",
        "hint": "add --yes",
        "exitCode": 1,
    }
    assert "nobody can be asked here" in ran.err


def test_nobody_is_asked_about_a_plan_that_was_not_shown(cli: Cli, project: Project) -> None:
    ran = cli("apply", *project.at, "-o", "json")
    assert "EMBEDDED, not a real Airbyte" in ran.err
    assert "source/shop-postgres" in ran.err


# --- Allowed hosts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("plan",),
        ("drift",),
        ("apply", "--yes"),
        ("get", "sources"),
        ("get", "workspaces"),
        ("explain", "source/shop-postgres"),
    ],
)
def test_a_host_that_the_machine_does_not_allow_gets_nothing(
    cli: Cli,
    project: Project,
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", "airbyte.example.com")
    refused = cli(*command, *project.at, "-t", "remote")
    assert refused.code == 1
    assert f"the host {served.url.removeprefix('http://')} is not in RECONCILER_ALLOWED_HOSTS" in (
        refused.err
    )
    assert served.requests() == []
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", "airbyte.example.com, 127.0.0.*")
    assert cli(*command, *project.at, "-t", "remote").code in (0, 2)


def test_embedded_is_allowed_and_the_project_can_not_widen_the_list(
    cli: Cli, project: Project, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", "")
    assert cli("plan", *project.at).code == 0
    project.write(".env", "RECONCILER_ALLOWED_HOSTS=*\n")
    dotenv = str(project.folder / ".env")
    refused = cli("plan", *project.at, "-t", "remote", "--env-file", dotenv)
    assert refused.code == 1
    assert served.requests() == []


def test_connectors_by_url_are_asked_of_allowed_hosts_only(
    cli: Cli, project: Project, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(data: dict) -> None:
        data["spec"]["targets"]["remote"]["connectors"] = f"{served.url}/api/public/v1/registry"

    project.edit("reconciler.yaml", elsewhere)
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", "airbyte.example.com")
    refused = cli("validate", *project.at, "-t", "remote")
    assert refused.code == 1
    assert "target remote, connectors: the host 127.0.0.1" in refused.err
    assert served.requests() == []


# --- Files -----------------------------------------------------------------------------------


def test_a_plan_that_cannot_be_saved_names_the_file(cli: Cli, project: Project) -> None:
    file = str(project.folder / "missing" / "plan.json")
    refused = cli("plan", *project.at, "--out", file)
    assert refused.code == 1
    assert f"the plan can't be saved as {file}: No such file or directory" in refused.err


def test_a_broken_database_names_the_file(cli: Cli, applied: Project) -> None:
    db = applied.folder / ".reconciler" / "local.db"
    for leftover in db.parent.glob("local.db*"):
        leftover.unlink()
    db.write_bytes(b"this is no database, however long it is read" * 100)
    for command in (("plan",), ("apply", "--yes"), ("drift",), ("get", "sources")):
        refused = cli(*command, *applied.at)
        assert refused.code == 1
        assert f"{db}, can't be used: file is not a database" in refused.err
        assert "move that file away" in refused.err


def test_a_file_in_place_of_the_folder_for_data_is_told(cli: Cli, project: Project) -> None:
    project.write(".reconciler", "")
    for command in (("plan",), ("apply", "--yes")):
        refused = cli(*command, *project.at)
        assert refused.code == 1
        assert str(project.folder / ".reconciler") in refused.err
        assert "->" in refused.err


def test_init_where_nothing_can_be_written_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = cli("init", str(tmp_path / "file" / "project"))
    assert refused.code == 1
    assert f"no project can be made in {tmp_path / 'file' / 'project'}" in refused.err


def test_an_env_file_that_is_no_text_is_told(cli: Cli, project: Project) -> None:
    path = project.folder / "binary.env"
    path.write_bytes(b"\xff\xfe\x00A=1\n")
    refused = cli("plan", *project.at, "--env-file", str(path))
    assert refused.code == 1
    assert f"{path} can't be read" in refused.err


@pytest.mark.parametrize("setting", ["catalogs", "connectors"])
def test_a_folder_that_the_target_names_and_is_not_there_is_an_error(
    cli: Cli, project: Project, setting: str
) -> None:
    def point(data: dict) -> None:
        data["spec"]["targets"]["local"][setting] = "nowhere/"

    project.edit("reconciler.yaml", point)
    for command in ("validate", "plan"):
        refused = cli(command, *project.at)
        assert refused.code == 1
        assert str(project.folder / "nowhere") in refused.out + refused.err


def test_an_emulator_makes_no_folder_for_its_file(cli: Cli, tmp_path: Path) -> None:
    refused = cli("emulator", "serve", "--db", str(tmp_path / "missing" / "a.db"), "--port", "0")
    assert refused.code == 1
    assert f"there is no folder {tmp_path / 'missing'}" in refused.err
    assert not (tmp_path / "missing").exists()
    (tmp_path / "a.db").write_bytes(b"no database at all" * 100)
    broken = cli("emulator", "serve", "--db", str(tmp_path / "a.db"), "--port", "0")
    assert broken.code == 1
    assert "can't be used: file is not a database" in broken.err


# --- Usage and mistakes ----------------------------------------------------------------------


@pytest.mark.parametrize("what", ["workspaces", "connectors"])
def test_unmanaged_says_nothing_of_what_no_manifest_means(
    cli: Cli, project: Project, what: str
) -> None:
    assert cli("get", what, *project.at, "--unmanaged").code == 64


@pytest.mark.parametrize(
    "command",
    [
        ("validate",),
        ("plan",),
        ("drift",),
        ("apply", "--yes"),
        ("explain", "source/shop-postgres"),
    ],
    ids=lambda command: command[0],
)
def test_mistakes_are_json_on_stdout_and_text_on_stderr(
    cli: Cli, project: Project, command: tuple[str, ...]
) -> None:
    project.edit("sources/shop-postgres.yaml", lambda data: data["spec"].update(conector="x"))
    ran = cli(*command, *project.at, "-o", "json")
    assert ran.code == 1
    assert ran.json["formatVersion"]
    assert ran.json["valid"] is False
    (found,) = ran.json["diagnostics"]
    assert found["code"] == "schema-unknown-key"
    assert "unknown-key" in ran.err
    assert "conector" in ran.err


def test_completion_is_told_in_help_and_prints_a_script(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "_RECONCILER_COMPLETE=bash_source reconciler" in cli("--help").out
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    monkeypatch.setenv("_RECONCILER_COMPLETE", "zsh_source")
    printed = cli()
    assert printed.code == 0
    assert "#compdef reconciler" in printed.out
    monkeypatch.setenv("_RECONCILER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "reconciler va")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert "validate" in cli().out


def test_what_groups_raise_is_judged_by_what_is_in_them() -> None:
    refused = ReconcilerError("no")
    assert boundary._first(ExceptionGroup("", [ExceptionGroup("", [refused])])) is refused
    stop = KeyboardInterrupt()
    assert boundary._first(BaseExceptionGroup("", [ValueError("x"), stop])) is stop
    assert boundary._ended(refused) == 1
    assert boundary._ended(stop) == 130
    assert boundary._ended(click.Abort()) == 130


# --- What is seen meanwhile ------------------------------------------------------------------


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def change(number: int) -> Change:
    return Change(Address("source", f"s{number}"), "create", f"s{number}")


def test_progress_is_one_line_rewritten_on_a_terminal() -> None:
    stream = Terminal()
    progress = Progress(stream, total=4)
    for event in (Started(change(0)), Done(change(0), 1.0), Failed(change(1), "no")):
        with progress.told(event):
            stream.write("|")
    progress.clear()
    lines = [line.strip() for line in stream.getvalue().split("\r") if line.strip(" |")]
    assert lines == ["|0 of 4 done", "|1 of 4 done", "|2 of 4 done, 1 failed"]
    assert stream.getvalue().endswith("\r")


def test_no_progress_for_a_few_changes_or_without_a_terminal() -> None:
    for stream, total in ((Terminal(), 3), (StringIO(), 40)):
        with Progress(stream, total).told(Done(change(0), 1.0)):
            pass
        assert stream.getvalue() == ""


@pytest.mark.parametrize("parallelism", [1, 2])
def test_so_many_requests_are_on_the_way_at_once_as_was_asked_for(
    project: Project, parallelism: int
) -> None:
    class Counting(httpx.ASGITransport):
        running = most = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.running += 1
            self.most = max(self.most, self.running)
            await anyio.sleep(0.01)
            try:
                return await super().handle_async_request(request)
            finally:
                self.running -= 1

    transport = Counting(create_app(Settings()))
    request = app.Request(project.folder, {}, parallelism=parallelism, http_transport=transport)
    anyio.run(partial(app.plan, request))
    assert transport.most == parallelism


def test_all_that_speak_to_a_workspace_take_parallelism(cli: Cli, project: Project) -> None:
    for command in (("plan",), ("drift",), ("apply", "--yes")):
        assert cli(*command, *project.at, "--parallelism", "1").code in (0, 2)
        assert cli(*command, *project.at, "--parallelism", "0").code == 64
