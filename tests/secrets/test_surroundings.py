"""No secret byte goes where other users of a machine look: command lines, process titles, temporary files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli
from tests.hostile.shop import RUNS, Run, Shop, found

_STARTS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.spawn", "os.posix_spawn"})
_listeners: list[list[str]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """`env` is left out: a child has the environment of its parent, as everywhere."""
    if event in _STARTS and _listeners:
        told = arguments[:2] if event != "os.spawn" else arguments[1:3]
        for heard in _listeners:
            heard.append(str(told))


sys.addaudithook(_hear)  # it can't be taken away, so it is there once


@contextmanager
def children() -> Iterator[list[str]]:
    """What each process that is started meanwhile is told."""
    heard: list[str] = []
    _listeners.append(heard)
    try:
        yield heard
    finally:
        _listeners.remove(heard)


def titles() -> str:
    """What `ps` shows of this process and its threads."""
    own = Path("/proc/self")
    return "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for path in (own / "cmdline", *own.glob("task/*/comm"))
    )


def committed(folder: Path) -> None:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    (folder / ".gitignore").write_text("key.pem\n", encoding="utf-8")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(folder), *author, *command], check=True)


SINCE = Run("plan", ("--since", "HEAD"))
CASES = [
    (run, api) for run in (*RUNS, SINCE) for api in (run.apis[:1] if run.remote else ("public",))
]


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
@pytest.mark.parametrize(("run", "api"), CASES, ids=[f"{run.name} {api}" for run, api in CASES])
def test_no_process_is_told_a_secret_and_none_is_left_in_a_file(
    cli: Cli, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, api: str
) -> None:
    if run is SINCE:
        committed(shop.folder)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = titles()
    with children() as heard:
        ran = cli(*run.line(shop, api))
    assert ran.code in (0, 1, 2, 64), ran.err
    assert bool(heard) == (run is SINCE), "a command that starts a process is new"
    assert found(" ".join(heard)) == []
    assert found(titles()) == found(before) == []
    assert list(temporary.iterdir()) == []


def test_what_is_kept_beside_a_project_holds_no_secret(cli: Cli, shop: Shop) -> None:
    cli("apply", "--yes", *shop.at)
    kept = [path for path in (shop.folder / ".reconciler").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        assert found(path.read_text(encoding="utf-8", errors="replace")) == []
