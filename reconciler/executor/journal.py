"""The journal of a target: each write before it is sent, and what came of it, one JSON object a line.

For people, and for the next run, which must not repeat a create that may still be carried out (design §6.7).
Holds addresses, names and ids, never a value. A memory and never the truth: without it all works but that.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias

from reconciler.core.diagnostics import OutcomeUnknown, ReconcilerError, Refused
from reconciler.core.events import Outcome
from reconciler.core.model import Json

LARGEST: Final = 1024 * 1024
"""Bytes of a journal that a run may find; of a larger one the last half of that is kept."""
_LONGEST_LINE: Final = 16 * 1024

Entry: TypeAlias = Mapping[str, Json]
Append: TypeAlias = Callable[[Entry], None]
"""Puts an entry where it outlives the process, before it returns. Raises ReconcilerError."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write as it is announced. `object_id` is "" for a create; `fields` are those of an update."""

    verb: Literal["create", "update", "delete"]
    address: str
    kind: str
    name: str
    object_id: str = ""
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Result:
    """What came of a write: of a create, the id of what was made."""

    object_id: str = ""


def _nowhere(_entry: Entry) -> None:
    """The journal of a run that keeps none."""


@dataclass(slots=True)
class Journal:
    """One run's part of a journal. `now` is the wall's clock, since the next run is another process."""

    append: Append = _nowhere
    workspace_id: str = ""
    now: Callable[[], float] = time.time
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _count: int = 0
    _broken: ReconcilerError | None = None

    def tell(self, event: str, **told: Json) -> None:
        at = datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds")
        self.append({"at": at, "run": self.run, "event": event, **told})

    @contextmanager
    def writing(self, write: Write) -> Iterator[Result]:
        """Around the sending: the intent before it, what came of it after it. Given up or killed in
        between, nothing comes after it, which says just that. Raises before anything is sent where the
        intent can't be kept."""
        number = self._announce(write)
        result = Result()
        try:
            yield result
        except OutcomeUnknown:
            self._keep("unknown", n=number)
            raise
        except ReconcilerError:
            self._keep("failed", n=number)
            raise
        except Exception:  # a bug, at whatever moment
            self._keep("unknown", n=number)
            raise
        made = {"id": result.object_id} if result.object_id else {}
        self._keep("done", n=number, **made)

    def end(self, outcome: Outcome) -> None:
        """The run is over: so many changes were made, not made, not tried."""
        self._keep(
            "ended",
            done=len(outcome.done),
            failed=sum(not failed.unknown for failed in outcome.failed),
            unknown=sum(failed.unknown for failed in outcome.failed),
            skipped=len(outcome.skipped),
            interrupted=outcome.interrupted,
        )

    def _announce(self, write: Write) -> int:
        if self._broken is not None:
            raise self._broken
        self._count += 1
        told: dict[str, Json] = {
            "verb": write.verb,
            "address": write.address,
            "kind": write.kind,
            "name": write.name,
        }
        if write.object_id:
            told["id"] = write.object_id
        if write.fields:
            told["fields"] = list(write.fields)
        self.tell("sent", n=self._count, workspace=self.workspace_id, **told)
        return self._count

    def _keep(self, event: str, **told: Json) -> None:
        """What was done stays done where this can't be kept; the next write says so."""
        try:
            self.tell(event, **told)
        except ReconcilerError as error:
            self._broken = error


# --- The file --------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[Append]:
    """Appends to the file, each entry on the disk before the next step. Raises ReconcilerError."""
    _shorten(path)
    try:
        descriptor = _open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    except FileNotFoundError as error:
        raise _unusable(path, error) from error
    try:
        _end_torn_line(descriptor, path)
        _keep_its_name(path)
        yield lambda entry: _append(descriptor, path, _line(entry))
    finally:
        os.close(descriptor)


def _append(descriptor: int, path: Path, line: bytes) -> None:
    try:
        while line:
            line = line[os.write(descriptor, line) :]
        os.fsync(descriptor)
    except OSError as error:
        raise _unusable(path, error) from error


def _line(entry: Entry) -> bytes:
    """ASCII, so that no name of a foreign server does anything to the terminal it is read on."""
    return json.dumps(entry, ensure_ascii=True, separators=(", ", ": ")).encode() + b"\n"


def _open(path: Path, flags: int) -> int:
    """A plain file and nothing else: no link that a repository may hold, no pipe. Raises ReconcilerError."""
    safely = (
        getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        descriptor = os.open(path, flags | safely, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused(
            f"the journal {path} is no plain file, and nothing was written", hint="move it away"
        )
    return descriptor


def _end_torn_line(descriptor: int, path: Path) -> None:
    """A run that was killed may have left half a line."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    if os.read(descriptor, 1) != b"\n":
        _append(descriptor, path, b"\n")


def _keep_its_name(path: Path) -> None:
    """A file that is new is on the disk only once its folder is; where folders can't be told, it is."""
    if sys.platform == "win32":
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError as error:
        raise _unusable(path, error) from error
    finally:
        os.close(folder)


def _shorten(path: Path) -> None:
    """Of a long journal the end stays, and every create of which nobody knows. Whole or not at all."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size <= LARGEST:
            return
        data = _read(path)
        tail = data[-LARGEST // 2 :].partition(b"\n")[2]
        before = data[: len(data) - len(tail)]
        kept = [line for line, _ in _open_creates(before.splitlines())]
        shorter = path.with_name(f"{path.name}.new")
        with suppress(FileNotFoundError):
            shorter.unlink()
        descriptor = _open(shorter, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"".join(line + b"\n" for line in kept) + tail)
            file.flush()
            os.fsync(file.fileno())
        shorter.replace(path)
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> ReconcilerError:
    return ReconcilerError(
        f"the journal {path} can't be used: {error.strerror or error}; nothing more was sent",
        hint="apply notes each write there before it is sent: mend that and apply again",
    )


# --- Reading ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A create that was sent, at that time on the wall's clock, and of which nobody knows what came."""

    address: str
    kind: str
    name: str
    sent: float


def unresolved(path: Path, workspace_id: str) -> tuple[Unresolved, ...]:
    """In the order they were sent; none where there is no journal. A line that is none, torn or made up by
    somebody else, is passed over: then this is as if there were no journal. Raises ReconcilerError."""
    try:
        lines = _read(path).splitlines()
    except FileNotFoundError:
        return ()
    found = []
    for _, entry in _open_creates(lines):
        sent = _seconds(entry.get("at"))
        texts = [entry.get(name) for name in ("address", "kind", "name")]
        if sent is None or entry.get("workspace") != workspace_id:
            continue
        address, kind, name = (text if isinstance(text, str) else "" for text in texts)
        if address and kind and name:
            found.append(Unresolved(address, kind, name, sent))
    return tuple(found)


def _read(path: Path) -> bytes:
    descriptor = _open(path, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - 16 * LARGEST))
        return file.read(16 * LARGEST)


def _open_creates(lines: Iterable[bytes]) -> list[tuple[bytes, Entry]]:
    """Creates without a result, or with one that says that it is not known."""
    found: dict[tuple[str, int], tuple[bytes, Entry]] = {}
    for line in lines:
        entry = _entry(line)
        run, number, event = entry.get("run"), entry.get("n"), entry.get("event")
        if not isinstance(run, str) or type(number) is not int:
            continue
        if event == "sent" and entry.get("verb") == "create" and entry.get("kind") != "tag":
            found[(run, number)] = (line, entry)
        elif event in ("done", "failed"):
            found.pop((run, number), None)
    return list(found.values())


def _entry(line: bytes) -> Entry:
    if len(line) > _LONGEST_LINE:
        return {}
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _seconds(text: Json) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None
