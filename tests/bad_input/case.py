"""One piece of bad input: a small project with something wrong in it, and what the product then prints.

Knows nothing of pytest: the manifest reference takes its examples from here too.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
)
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.cli.boundary import run
from reconciler.emulator.settings import Settings
from tests.bad_input.project import FILES
from tests.emulator.builders import Airbyte

CANARIES = {name: f"canary-{secrets.token_hex(12)}" for name in ("PASSWORD", "TOKEN", "KEY")}
"""Secrets of this process: none of them may ever be printed."""

ENVIRONMENT = {
    "SHOP_PASSWORD": CANARIES["PASSWORD"],
    "LAKE_PASSWORD": CANARIES["KEY"],
    "AIRBYTE_CLIENT_ID": "pipelines-client",
    "AIRBYTE_CLIENT_SECRET": CANARIES["TOKEN"],
}
_DB = Path(".reconciler") / "local.db"

People = Callable[[Airbyte], Mapping[str, str] | None]
"""What people did in the UI; it may name what came out of it, for `@NAME@` in the files."""


@dataclass(frozen=True)
class Case:
    """`edits` replace text in the base project's files, `files` write whole ones (None: take it away).

    In both, `@PASSWORD@` and the like stand for a canary, `@URL@` for the server's address. `applied`: the
    base project was applied before; `committed`: it is HEAD of a repository. `codes` are the diagnostics
    that are printed; `placed`: with file, line and column.
    """

    name: str
    edits: tuple[tuple[str, str, str], ...] = ()
    files: Mapping[str, str | None] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ("validate",)
    exit: int = 1
    codes: tuple[str, ...] = ()
    placed: bool = True
    applied: bool = False
    committed: bool = False
    people: People | None = None
    env: Mapping[str, str | None] = field(default_factory=dict)
    server: Callable[[Path], AbstractContextManager[str]] | None = None


def case(name: str, *edits: tuple[str, str, str], **more: Any) -> Case:
    return Case(name, edits, **more)


@dataclass(frozen=True)
class Shown:
    """`before` and `after` are all objects of the embedded Airbyte."""

    exit: int
    out: str
    err: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def text(self) -> str:
        return self.out + self.err


def shown(bad: Case, *, command: tuple[str, ...] | None = None) -> Shown:
    """The case's command (or another), run in a folder of its own; paths and ids made alike."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "shop"
        _write(folder, FILES, CANARIES)
        if bad.applied:
            _restore(folder)
        if bad.committed:
            _commit(folder)
        known = dict(CANARIES)
        if bad.people is not None:
            with airbyte(folder) as server:
                known |= bad.people(server) or {}
        with bad.server(folder) if bad.server is not None else nullcontext("") as url:
            _spoil(folder, bad, {**known, "URL": url})
            before = objects(folder)
            exit_code, out, err = _run(folder, command or bad.command, bad.env)
        plain = [_alike(text, folder, url) for text in (out, err)]
        return Shown(exit_code, plain[0], plain[1], before, objects(folder))


def _commit(folder: Path) -> None:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(folder), *author, *command], check=True)


def _write(folder: Path, files: Mapping[str, str | None], known: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        filled = re.sub("@([A-Z_]+)@", lambda found: known[found[1]], text)
        path.write_text(filled, encoding="utf-8")


def _spoil(folder: Path, bad: Case, known: Mapping[str, str]) -> None:
    changed: dict[str, str | None] = dict(bad.files)
    for name, old, new in bad.edits:
        text = changed.get(name) or FILES[name]
        if text.count(old) != 1:
            raise ValueError(f"{bad.name}: {old!r} stands {text.count(old)} times in {name}")
        changed[name] = text.replace(old, new)
    _write(folder, changed, known)
    for link, to in bad.links.items():
        (folder / link).symlink_to(to)


def _run(
    folder: Path, command: tuple[str, ...], env: Mapping[str, str | None]
) -> tuple[int, str, str]:
    name, *options = command
    out, err = io.StringIO(), io.StringIO()
    with _environment({**ENVIRONMENT, **env}), redirect_stdout(out), redirect_stderr(err):
        exit_code = run([name, "-C", str(folder), *options])
    return exit_code, out.getvalue(), err.getvalue()


@contextmanager
def _environment(wanted: Mapping[str, str | None]) -> Iterator[None]:
    """Without what the machine's own may say to the product."""
    saved = dict(os.environ)
    for name in [n for n in saved if n == "CI" or n.startswith("RECONCILER_")]:
        del os.environ[name]
    for name, value in wanted.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


@contextmanager
def airbyte(folder: Path) -> Iterator[Airbyte]:
    """The embedded Airbyte behind a project, over raw HTTP. What is started runs for an hour."""
    db = folder / _DB
    db.parent.mkdir(exist_ok=True)
    with asyncio.Runner() as runner:
        server = Airbyte(Settings(db=db, catalogs=folder / "catalogs", job_seconds=3600), runner)
        try:
            yield server
        finally:
            server.close()


def objects(folder: Path) -> Mapping[str, Any]:
    """Everything that a write could have changed; nothing where there is no Airbyte yet."""
    kinds = ("sources", "destinations", "connections", "tags")
    if not (folder / _DB).exists():
        return {kind: [] for kind in kinds}
    with airbyte(folder) as server:
        return {kind: server.made("GET", f"/{kind}")["data"] for kind in kinds}


@cache
def _applied() -> bytes:
    """The data of an Airbyte to which the base project was applied."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _write(folder, FILES, CANARIES)
        exit_code, out, err = _run(folder, ("apply", "--yes"), {})
        if exit_code:
            raise RuntimeError(f"the base project can't be applied:\n{out}{err}")
        return (folder / _DB).read_bytes()


def _restore(folder: Path) -> None:
    (folder / _DB).parent.mkdir()
    (folder / _DB).write_bytes(_applied())


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _alike(text: str, folder: Path, url: str) -> str:
    """Without what differs between two runs: the folder, ids, the port."""
    text = text.replace(str(folder.resolve()), "<project>").replace(str(folder), "<project>")
    text = text.replace(url, "http://127.0.0.1:<port>") if url else text
    return _UUID.sub("<id>", text)


_HEAD = re.compile(
    r"^(?P<where>\S+:\d+:\d+: )?(?P<severity>ERROR|WARNING) (?P<code>[a-z-]+)(  (?P<address>\S+))?$"
)


@dataclass(frozen=True)
class Told:
    """One diagnostic as it was printed, all its lines."""

    code: str
    severity: str
    where: str
    lines: tuple[str, ...]

    @property
    def has_next_step(self) -> bool:
        return any(line.startswith("    -> ") for line in self.lines)


def told(text: str) -> tuple[Told, ...]:
    """The diagnostics in what a command printed."""
    found: list[Told] = []
    for line in text.splitlines():
        head = _HEAD.match(line)
        if head:
            where = (head["where"] or "").removesuffix(": ")
            found.append(Told(head["code"], head["severity"], where, (line,)))
        elif found and line.startswith("    "):
            found[-1] = replace(found[-1], lines=(*found[-1].lines, line))
        elif not line and found:
            break
    return tuple(found)
