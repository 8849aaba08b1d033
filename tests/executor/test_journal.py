"""What is noted of each write, when, and what a later run makes of it (design §6.7)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from reconciler.core.diagnostics import ApiError, OutcomeUnknown, ReconcilerError
from reconciler.core.events import Outcome
from reconciler.core.model import Json, LiveObject, Resource, Spec, Update, Workspace
from reconciler.executor import execute
from reconciler.executor.journal import (
    LARGEST,
    Append,
    Entry,
    Journal,
    Write,
    opened,
    unresolved,
)
from tests.executor.fake import (
    WORKSPACE,
    FakeBackend,
    absent,
    connection,
    destination,
    no_pause,
    planned,
    refused,
    source,
)

LOST = OutcomeUnknown("the answer was lost")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "production.journal.jsonl"


def applied(backend: FakeBackend, append: Append, *resources: Resource) -> Outcome:
    async def work() -> Outcome:
        plan, live = await planned(backend, *resources)
        journal = Journal(append, WORKSPACE.id, lambda: 1_700_000_000.0, "r1")
        return await execute(
            plan, live, backend, lambda _event: None, sleep=no_pause, journal=journal
        )

    return anyio.run(work)


def noted(entries: list[Entry]) -> list[str]:
    """In one line each: what happened to which write."""
    sent: dict[int, Entry] = {e["n"]: e for e in entries if e["event"] == "sent"}
    return [
        f"{e['event']} {sent[e['n']]['verb']} {sent[e['n']]['name']}" for e in entries if "n" in e
    ]


# --- What is noted ---------------------------------------------------------------------------


def test_a_write_is_on_the_disk_before_it_is_sent_and_its_result_after_it(path: Path) -> None:
    seen: list[list[str]] = []

    class Watched(FakeBackend):
        async def create(self, workspace: Workspace, spec: Spec) -> LiveObject:
            seen.append(_events(path))
            return await super().create(workspace, spec)

        async def update(self, live: LiveObject, update: Update) -> LiveObject:
            seen.append(_events(path))
            return await super().update(live, update)

        async def delete(self, kind: str, object_id: str) -> None:
            seen.append(_events(path))
            await super().delete(kind, object_id)

    backend = Watched()
    for resources in ([source("s")], [source("s", host="new")], [absent(source("s"))]):
        with opened(path) as append:
            applied(backend, append, *resources)
        seen.append(_events(path))
    assert seen == [
        ["sent"],
        ["sent", "done", "ended"],
        ["sent", "done", "ended", "sent"],
        ["sent", "done", "ended"] * 2,
        ["sent", "done", "ended"] * 2 + ["sent"],
        ["sent", "done", "ended"] * 3,
    ]


def _events(path: Path) -> list[str]:
    return [json.loads(line)["event"] for line in path.read_text().splitlines()]


def test_an_entry_says_what_is_written_and_never_a_value() -> None:
    entries: list[Entry] = []
    backend = FakeBackend()
    applied(backend, entries.append, source("s", host="db", password="canary-0123456789"))
    applied(backend, entries.append, source("s", host="canary-9876543210"))
    assert "canary" not in json.dumps(entries)
    at = "2023-11-14T22:13:20.000+00:00"
    common = {"at": at, "run": "r1", "n": 1}
    what = {"address": "source/s", "kind": "source", "name": "s", "workspace": "w"}
    assert entries[0] == {**common, "event": "sent", "verb": "create", **what}
    assert entries[1] == {**common, "event": "done", "id": "id-s"}
    fields = {"id": "id-s", "fields": ["configuration", "name"]}
    assert entries[3] == {**common, "event": "sent", "verb": "update", **what, **fields}
    counts = {"done": 1, "failed": 0, "unknown": 0, "skipped": 0, "interrupted": False}
    assert entries[5] == {"at": at, "run": "r1", "event": "ended", **counts}


def test_what_came_of_a_write_is_told_apart() -> None:
    entries: list[Entry] = []
    backend = FakeBackend(failures={"no": refused(), "lost": LOST, "bug": KeyError("x")})
    applied(backend, entries.append, source("no"), source("lost"), source("bug"), source("yes"))
    assert sorted(line for line in noted(entries) if not line.startswith("sent")) == [
        "done create yes",
        "failed create no",
        "unknown create bug",
        "unknown create lost",
    ]


def test_a_write_that_was_given_up_has_no_result() -> None:
    entries: list[Entry] = []

    async def work() -> None:
        with anyio.CancelScope() as scope, Journal(entries.append).writing(_create("s")):
            scope.cancel()
            await anyio.lowlevel.checkpoint()

    anyio.run(work)
    assert noted(entries) == ["sent create s"]


def test_tags_are_noted_too() -> None:
    entries: list[Entry] = []
    flow = connection("c", "s", "d", tags=("gold",))
    applied(FakeBackend(), entries.append, source("s"), destination("d"), flow)
    assert noted(entries)[:2] == ["sent create gold", "done create gold"]


def test_each_half_of_a_replacement_is_a_write_of_its_own() -> None:
    entries: list[Entry] = []
    backend = FakeBackend()
    applied(backend, _nowhere, source("s"))
    applied(backend, entries.append, source("s", "mysql"))
    assert [line for line in noted(entries) if line.startswith("sent")] == [
        "sent create s (reconciler: replaces id-s)",
        "sent delete s",
        "sent update s",
    ]


def _nowhere(_entry: Entry) -> None:
    pass


def _create(name: str) -> Write:
    return Write("create", f"source/{name}", "source", name)


# --- A journal that can't be written ---------------------------------------------------------


def _full_after(entries: list[Entry], count: int) -> Append:
    def append(entry: Entry) -> None:
        if len(entries) >= count:
            raise ReconcilerError("the disk is full")
        entries.append(entry)

    return append


def test_what_can_not_be_noted_is_not_sent() -> None:
    backend = FakeBackend()
    outcome = applied(backend, _full_after([], 0), source("s"), source("t"))
    assert backend.calls == []
    assert [failed.message for failed in outcome.failed] == ["the disk is full"] * 2
    assert outcome.exit_code == 1


def test_a_result_that_can_not_be_noted_is_no_failure_and_nothing_follows_it() -> None:
    backend = FakeBackend()
    outcome = applied(backend, _full_after([], 1), source("s"), destination("d"), _flow())
    (made,) = outcome.done
    assert backend.calls == [f"create {made.change.name}"]
    assert "the disk is full" in {failed.message for failed in outcome.failed}
    assert outcome.exit_code == 4


def _flow() -> Resource:
    return connection("c", "s", "d")


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are another thing there")
def test_a_link_or_a_pipe_in_its_place_is_refused(path: Path) -> None:
    """A repository may hold a link: what it points at is not ours to write to."""
    theirs = path.with_name("theirs")
    theirs.write_text("theirs")
    path.symlink_to(theirs)
    with pytest.raises(ReconcilerError, match="can't be used"), opened(path):
        pass
    with pytest.raises(ReconcilerError, match="can't be used"):
        unresolved(path, "w")
    assert theirs.read_text() == "theirs"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ReconcilerError, match="no plain file"), opened(path):
        pass
    with pytest.raises(ReconcilerError, match="no plain file"):
        unresolved(path, "w")


def test_a_folder_in_its_place_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ReconcilerError, match="can't be used"), opened(path):
        pass


# --- The file --------------------------------------------------------------------------------


def keep(path: Path, *entries: Mapping[str, Json]) -> None:
    with opened(path) as append:
        for entry in entries:
            append(entry)


def sent(number: int, name: str = "s", **more: Any) -> dict[str, Any]:
    return {
        "at": "2026-01-02T03:04:05.000+00:00",
        "run": "r1",
        "event": "sent",
        "n": number,
        "workspace": "w",
        "verb": "create",
        "address": f"source/{name}",
        "kind": "source",
        "name": name,
        **more,
    }


def ended(number: int, event: str, **more: Any) -> dict[str, Any]:
    return {"at": "2026-01-02T03:04:06.000+00:00", "run": "r1", "event": event, "n": number, **more}


def names(path: Path, workspace: str = "w") -> list[str]:
    return [one.name for one in unresolved(path, workspace)]


@pytest.mark.parametrize(
    "name",
    ["two\nlines", "\x1b[2J\x9b2J\x7f", "\u202eevil", '"}{', "\ud800 half", "x" * 5_000, "\x00"],
)
def test_a_hostile_name_is_one_harmless_line_and_comes_back_as_it_was(
    path: Path, name: str
) -> None:
    keep(path, sent(1, name), ended(1, "unknown"))
    data = path.read_bytes()
    assert data.count(b"\n") == 2
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in data)
    assert names(path) == [name]


def test_a_torn_last_line_costs_no_other(path: Path) -> None:
    keep(path, sent(1, "s"))
    whole = path.read_bytes()
    for cut in range(1, len(whole)):
        path.write_bytes(whole + whole[:cut])
        keep(path, sent(2, "t"))
        assert names(path) == ["s", "t"], cut


def test_it_is_appended_to_and_no_one_else_may_read_it(path: Path) -> None:
    keep(path, sent(1, "s"))
    keep(path, sent(2, "t"))
    assert len(path.read_text().splitlines()) == 2
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_long_one_is_cut_and_loses_nothing_that_is_not_known(path: Path) -> None:
    early = [sent(0, "early"), sent(-1, "made"), ended(-1, "done", id="x")]
    many = [
        entry for n in range(1, 6_000) for entry in (sent(n, f"s{n}"), ended(n, "done", id="x"))
    ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in [*early, *many]))
    assert path.stat().st_size > LARGEST
    keep(path, sent(9_999, "late"))
    assert path.stat().st_size < LARGEST * 0.6
    assert names(path) == ["early", "late"]
    assert all(json.loads(line) for line in path.read_text().splitlines())
    assert list(path.parent.iterdir()) == [path]


def test_a_cut_that_was_cut_off_is_made_again(path: Path) -> None:
    path.with_name(f"{path.name}.new").write_text("half of i")
    path.write_text(json.dumps(sent(1, "s")) + "\n" + "x" * LARGEST)
    keep(path, sent(2, "t"))
    assert names(path) == ["s", "t"]
    assert list(path.parent.iterdir()) == [path]


# --- What a later run makes of it ------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "open_still"),
    [(None, True), ("unknown", True), ("done", False), ("failed", False)],
)
def test_a_create_is_unresolved_until_its_result_is_known(
    path: Path, result: str | None, *, open_still: bool
) -> None:
    keep(path, sent(1), *([ended(1, result)] if result else []))
    assert bool(unresolved(path, "w")) is open_still


def test_it_is_told_with_the_time_it_was_sent(path: Path) -> None:
    keep(path, sent(1))
    (one,) = unresolved(path, "w")
    assert (one.address, one.kind) == ("source/s", "source")
    assert one.sent == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


def test_a_number_is_only_of_its_own_run(path: Path) -> None:
    keep(path, sent(1, run="r1"), ended(1, "done", run="r2"))
    assert names(path) == ["s"]


def test_updates_deletes_tags_and_other_workspaces_are_nobodys_business(path: Path) -> None:
    keep(
        path,
        sent(1, verb="update"),
        sent(2, verb="delete"),
        sent(3, kind="tag"),
        sent(4, workspace="another"),
    )
    assert unresolved(path, "w") == ()


def test_no_journal_is_nothing_unresolved(path: Path) -> None:
    assert unresolved(path, "w") == ()


_BAD: list[Callable[[], bytes]] = [
    lambda: b"\xff\xfe\x00",
    lambda: b"[" * 100_000,
    lambda: b'{"a":' * 5_000,
    lambda: b"null",
    lambda: b"[]",
    lambda: json.dumps(sent(2, run=["r"])).encode(),
    lambda: json.dumps(sent(2, n=True)).encode(),
    lambda: json.dumps(sent(2, n="2")).encode(),
    lambda: json.dumps(sent(2, at="yesterday")).encode(),
    lambda: json.dumps(sent(2, at=5)).encode(),
    lambda: json.dumps(sent(2, name={})).encode(),
    lambda: json.dumps(sent(2, name="")).encode(),
    lambda: json.dumps(sent(2, "x" * 100_000)).encode(),
    lambda: json.dumps(sent(2)).encode().replace(b"2,", b"1" * 5_000 + b",", 1),
]


@pytest.mark.parametrize("line", _BAD)
def test_a_line_that_is_none_of_ours_is_passed_over(path: Path, line: Callable[[], bytes]) -> None:
    keep(path, sent(1, "ours"))
    with path.open("ab") as file:
        file.write(line() + b"\n")
    keep(path, sent(3, "ours too"))
    assert names(path) == ["ours", "ours too"]


def test_a_500_that_can_not_be_looked_into_is_unknown_and_not_failed() -> None:
    """The server answered that it broke, and then nothing more: the object may stand."""
    backend = FakeBackend(fault_at=0, fault=ApiError("broke", status=500), dies=True)
    entries: list[Entry] = []
    outcome = applied(backend, entries.append, source("s"))
    assert [failed.unknown for failed in outcome.failed] == [True]
    assert outcome.exit_code == 4
    assert noted(entries) == ["sent create s", "unknown create s"]
