"""Saved plans: an approval to look at, never a source of values, targets or consent (design §6.1)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.encode import FORMAT_VERSION, decode_plan, encode_plan
from reconciler.core.jsontext import BadJson, json_text, read_json
from reconciler.core.model import Json
from reconciler.core.plan import Plan
from reconciler.manifests.schema import problems

LARGEST: Final = 64 * 1024 * 1024
"""Bytes. A plan for thousands of objects has a few megabytes; more is no plan."""
_MAJOR: Final = FORMAT_VERSION.partition(".")[0]
_NEEDED: Final = frozenset({"formatVersion", "target", "changes", "digest"})
"""Without one of these it is something else, of which nothing more is said."""


def save(plan: Plan, path: Path) -> None:
    """All of it or nothing: half a plan lies nowhere. Raises ReconcilerError where it can't be written."""
    text = plan_text(plan)
    try:
        if path.exists() and not path.is_file():  # a pipe, or the terminal
            path.write_text(text, encoding="utf-8")
            return
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise ReconcilerError(
            f"the plan can't be saved as {path}: {error.strerror}",
            hint="does its folder exist, and may it be written to?",
        ) from error


def discard(path: Path) -> None:
    """An older plan at the place of a new one would be taken for it where the new one fails. Raises
    ReconcilerError where it stays."""
    try:
        if path.is_file():
            path.unlink()
    except OSError as error:
        raise ReconcilerError(
            f"the older plan {path} can't be removed: {error.strerror}"
        ) from error


def plan_text(plan: Plan) -> str:
    """The same plan gives the same bytes."""
    return json_text(encode_plan(plan))


def load(path: Path) -> Plan:
    """Raises ReconcilerError for anything that is not a saved plan, whole and unedited."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ReconcilerError(f"{path} can't be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise ReconcilerError(f"{path} is too large to be a saved plan")
    return read_plan(content, str(path))


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
