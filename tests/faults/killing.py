"""The same trial with a process that is killed: `kill -9` in the middle of a request, over real sockets.

The server lives on, its data in a file. Time is real until then; the second apply is told that an hour has
passed: what the dead process sent is not still to come.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import httpx

from reconciler import app
from reconciler.emulator.serve import running
from reconciler.emulator.settings import Credentials, Settings
from reconciler.emulator.store import Store
from reconciler.executor import Patience
from tests.faults import world
from tests.faults.clock import BEGINNING, Time
from tests.faults.shape import Shape, shape_of
from tests.faults.trial import (
    ALL_OF_IT,
    STATE,
    Ground,
    Server,
    Trial,
    apply,
    ended,
)
from tests.faults.verdicts import Ran, leftovers

KILLS: Final = {"kill": "hang", "kill-after": "hang after"}
"""The request at which the process is killed is never answered: not carried out, or carried out."""

_DONE = re.compile(r"^  \S+ (?P<address>[a-z]+/\S+) +done ")


class Airbyte:
    """One over HTTP, for one trial."""

    def __init__(self, url: str, db: Path) -> None:
        self.url = url
        self.db = db

    def obey(self, *rules: str) -> None:
        httpx.post(f"{self.url}/_emulator/chaos", json={"rules": list(rules)}).raise_for_status()

    def advance(self) -> None:
        """What is late comes now."""
        httpx.post(f"{self.url}/_emulator/advance").raise_for_status()

    def shape(self) -> Shape:
        store = Store(self.db)
        try:
            return shape_of(store)
        finally:
            store.close()

    def image(self) -> bytes:
        """As one in memory can be made of it: bytes 18 and 19 say that there is no write-ahead log."""
        with closing(sqlite3.connect(self.db)) as db:
            image = db.serialize()
        return image[:18] + b"\x01\x01" + image[20:]

    def wait_for_the_rule(self, process: subprocess.Popen[str]) -> bool:
        """Until the one rule has struck; false where the process ended without that."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while process.poll() is None:
                (rule,) = client.get("/_emulator/chaos").json()["rules"]
                if rule["fired"]:
                    return True
                time.sleep(0.02)
        return False


@contextmanager
def airbyte(ground: Ground, folder: Path) -> Iterator[Airbyte]:
    """With the world before the change, and a project in `folder` whose targets are there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    db = folder / "server.db"
    db.write_bytes(ground.image)
    settings = Settings(
        db=db, auth=Credentials(*world.CLIENT), catalogs=ground.catalogs, token_ttl=86_400
    )
    with running(settings) as url:
        bases = {"public": f"{url}/api/public/v1", "config": f"{url}/api/v1"}
        world.write(folder / "project", world.after(), bases)
        yield Airbyte(url, db)


def start_apply(folder: Path, api: str, *options: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "CI"} | world.ENV
    allow = ("--allow", ",".join(ALL_OF_IT.effects))
    where = ("-C", str(folder / "project"), "-t", api)
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", *where, "--yes", *allow, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def apply_again(folder: Path, api: str, *, hours: float = 1, **more: Any) -> Ran:
    """The same arguments, so many hours later."""
    request = app.Request(folder / "project", world.ENV, api, allow=(ALL_OF_IT,))
    work = partial(
        app.apply,
        request,
        confirm=lambda _plan: True,
        emit=lambda _event: None,
        now=lambda: time.time() + hours * 3600,
        **{"patience": Patience(quick=2, slow=5), **more},
    )
    return ended(lambda: anyio.run(work))


def violations(ground: Ground, trial: Trial) -> list[str]:
    folder, goal = ground.scratch, ground.goals[trial.api]
    found: list[str] = []
    with airbyte(ground, folder) as server:
        server.obey(f"* * {KILLS[trial.fault]} at={trial.at}")
        process = start_apply(folder, trial.api)
        struck = server.wait_for_the_rule(process)
        process.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        if not struck:
            found.append(f"it ended before that request: {process.returncode} {out[-500:]} {err}")
        server.obey()
        middle, image = server.shape(), server.image()
    found += _untruths(out, ground.start, middle, goal)
    found += _untrue_entries(journal(folder, trial.api), middle)
    for memory in trial.memories:
        if memory == "deleted":
            shutil.rmtree(folder / "project" / STATE, ignore_errors=True)
        left = _left_an_hour_later(ground, folder / "project", trial.api, image)
        found += [f"with its memory {memory}, {violation}" for violation in left]
    return found


def _left_an_hour_later(ground: Ground, project: Path, api: str, image: bytes) -> list[str]:
    """By an apply on what the server held at the kill, in this process: no socket is of any matter to it."""
    later = Time()
    later.passed = time.time() + 3600 - BEGINNING
    server = Server(later, ground.catalogs, image)
    try:
        second = apply(server, project, api)
        return list(leftovers(second, ground.start, shape_of(server.store), ground.goals[api]))
    finally:
        server.close()


def journal(folder: Path, api: str) -> list[dict[str, Any]]:
    """What is whole of it."""
    path = folder / "project" / STATE / f"{api}.journal.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _untruths(out: str, start: Shape, middle: Shape, goal: Shape) -> Iterator[str]:
    """Lines that say done of what is not: nothing may be, that was to be changed, as it was before."""
    undone = {
        key: found
        for key, found in start.objects.items()
        if goal.objects.get(key) != found and middle.objects.get(key) == found
    }
    for line in out.splitlines():
        match = _DONE.match(line)
        if match is None:
            continue
        kind, _, name = match["address"].partition("/")
        called = f"Flow {name}" if kind == "connection" else name
        if (kind, called) in undone:
            yield f"it said done, and it is not: {match['address']}"
        if name.startswith("new") and (kind, called) not in middle.objects:
            yield f"it said made, and it is not there: {match['address']}"


def _untrue_entries(entries: Iterable[dict[str, Any]], middle: Shape) -> Iterator[str]:
    """A create that is noted as done is there, unless it was deleted again."""
    there = middle.by_id()
    sent: dict[int, dict[str, Any]] = {}
    for entry in entries:
        if entry["event"] == "sent":
            sent[entry["n"]] = entry
    gone = {entry["id"] for entry in sent.values() if entry["verb"] == "delete"}
    for entry in entries:
        write = sent.get(entry.get("n", 0), {})
        is_made = entry["event"] == "done" and write.get("verb") == "create"
        if is_made and write["kind"] != "tag" and entry["id"] not in there.keys() | gone:
            yield f"the journal says made, and it is not there: {write['address']}"
