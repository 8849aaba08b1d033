"""Saved plans: an approval to look at, never a source of values, targets or consent (design §6.1)."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.encode import FORMAT_VERSION, decode_plan, encode_plan
from reconciler.core.jsontext import BadJson, json_text, read_json
from reconciler.core.model import Json
from reconciler.core.plan import Plan
from reconciler.manifests.schema import problems

_PRINTED_TO: Final = (1, 2)
LARGEST: Final = 64 * 1024 * 1024
"""Bytes. A plan for thousands of objects has a few megabytes; more is no plan."""
_MAJOR: Final = FORMAT_VERSION.partition(".")[0]
_NEEDED: Final = frozenset({"formatVersion", "target", "changes", "digest"})
"""Without one of these it is something else, of which nothing more is said."""
_OF_EVERY_VERSION: Final = frozenset({"formatVersion", "changes"})
"""What has these is a saved plan of some version, though perhaps none that is read here."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plan is to be saved: `path` as it was given, and the mode bits of an older plan there."""

    path: Path
    mode: int | None = None


def save(plan: Plan, place: Place) -> None:
    """All of it or nothing: half a plan lies nowhere. Raises ReconcilerError where it can't be written."""
    text = plan_text(plan)
    _refuse_other(place.path)
    try:
        if place.path.exists() and not place.path.is_file():  # a pipe, or the terminal
            place.path.write_text(text, encoding="utf-8")
        else:
            _replace(_behind_links(place.path), text, place.mode)
    except OSError as error:
        raise ReconcilerError(
            f"the plan can't be saved as {place.path}: {error.strerror}",
            hint="does its folder exist, and may it be written to?",
        ) from error


def discard(path: Path) -> Place:
    """An older plan at the place of a new one would be taken for it where the new one fails. Raises
    ReconcilerError where it stays, and for a file that is something else."""
    _refuse_other(path)
    try:
        if not path.is_file():
            return Place(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        _behind_links(path).unlink()
    except OSError as error:
        raise ReconcilerError(
            f"the older plan {path} can't be removed: {error.strerror}"
        ) from error
    return Place(path, mode)


def _refuse_other(path: Path) -> None:
    """Raises ReconcilerError for a file that is neither empty nor a saved plan, of whatever version, and for
    one to which what is printed goes."""
    if not path.is_file():
        return
    if any(os.path.samestat(path.stat(), os.fstat(standard)) for standard in _PRINTED_TO):
        raise ReconcilerError(
            f"what is printed goes to {path} as well", hint="give --out a file of its own"
        )
    content = _read(path)
    if content and not _is_some_plan(content):
        raise ReconcilerError(
            f"{path} is no saved plan, and is left as it is",
            hint="only an older plan is replaced, or an empty file: give --out another name",
        )


def _is_some_plan(content: bytes) -> bool:
    try:
        data = read_json(content) if len(content) <= LARGEST else None
    except BadJson:
        return False
    return isinstance(data, dict) and data.keys() >= _OF_EVERY_VERSION


def _replace(path: Path, text: str, mode: int | None) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.touch(0o666 if mode is None else 0o600)
        beside.write_text(text, encoding="utf-8")
        if mode is not None:
            beside.chmod(mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _behind_links(path: Path) -> Path:
    """The file that is meant, so that the links to it stay."""
    meant = Path(os.path.realpath(path))
    if meant.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return meant


def plan_text(plan: Plan) -> str:
    """The same plan gives the same bytes."""
    return json_text(encode_plan(plan))


def load(path: Path) -> Plan:
    """Raises ReconcilerError for anything that is not a saved plan, whole and unedited."""
    content = _read(path)
    if len(content) > LARGEST:
        raise ReconcilerError(f"{path} is too large to be a saved plan")
    return read_plan(content, str(path))


def _read(path: Path) -> bytes:
    """One byte more than a plan can have where it is larger."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise ReconcilerError(f"{path} can't be read: {error.strerror}") from error


def read_plan(content: bytes, name: str) -> Plan:
    """Raises ReconcilerError, which quotes nothing of the content."""
    try:
        data = read_json(content, unique_keys=True)
    except BadJson as bad:
        raise _no_plan(name, f"it {bad}") from None
    if not (isinstance(data, dict) and data.keys() >= _NEEDED):
        raise _no_plan(name, "it is other JSON")
    _refuse_other_format(str(data["formatVersion"]), name)
    wrong = problems("plan", data)
    if wrong:
        raise _no_plan(name, wrong[0].message)
    try:
        plan = decode_plan(data)
    except ValueError as error:
        raise _no_plan(name, str(error)) from error
    if not _says(data, {**encode_plan(plan), "formatVersion": data["formatVersion"]}):
        raise _no_plan(name, "what it says of itself does not follow from its changes")
    return plan


def _refuse_other_format(version: str, name: str) -> None:
    """A minor step only adds keys, and is read."""
    known = re.fullmatch(r"([0-9]{1,4})\.[0-9]{1,4}", version)
    if known is None:
        raise _no_plan(name, f"its format is not {_MAJOR}.x")
    major = int(known[1])
    if major != int(_MAJOR):
        newer = major > int(_MAJOR)
        made_by = "a newer version of reconciler" if newer else "an older version of reconciler"
        raise ReconcilerError(
            f"{name} was made by {made_by}: it is of format {version}, and this version reads {_MAJOR}.x",
            hint="plan and apply with the same version"
            if newer
            else "make one with: reconciler plan --out FILE",
        )


def _says(data: Json, meant: Json) -> bool:
    """Whether `data` states all of what is meant, and perhaps more: a minor version only adds keys."""
    if isinstance(meant, dict):
        return isinstance(data, dict) and all(
            key in data and _says(data[key], value) for key, value in meant.items()
        )
    if isinstance(meant, list):
        return (
            isinstance(data, list)
            and len(data) == len(meant)
            and all(_says(ours, theirs) for ours, theirs in zip(data, meant, strict=True))
        )
    return bool(data == meant)


def _no_plan(name: str, why: str) -> ReconcilerError:
    return ReconcilerError(
        f"{name} is not a plan that this version reads: {why}",
        hint="make one with: reconciler plan --out FILE",
    )
