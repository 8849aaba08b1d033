"""Saved plans: an approval to look at, never a source of values, targets or consent (design §6.1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.encode import decode_plan, encode_plan
from reconciler.core.plan import Plan

LARGEST: Final = 64 * 1024 * 1024
"""Bytes. A plan for thousands of objects has a few megabytes; more is no plan."""


def save(plan: Plan, path: Path) -> None:
    """Raises ReconcilerError where the file can't be written."""
    try:
        path.write_text(plan_text(plan), encoding="utf-8")
    except OSError as error:
        raise ReconcilerError(
            f"the plan can't be saved as {path}: {error.strerror}",
            hint="does its folder exist, and may it be written to?",
        ) from error


def plan_text(plan: Plan) -> str:
    """The same plan gives the same bytes."""
    return json.dumps(encode_plan(plan), indent=2, ensure_ascii=True) + "\n"


def load(path: Path) -> Plan:
    """Raises ReconcilerError for anything that is not a saved plan."""
    try:
        if path.stat().st_size > LARGEST:
            raise ReconcilerError(f"{path} is too large to be a saved plan")
        return decode_plan(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ReconcilerError(f"{path} can't be read: {error.strerror}") from error
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ReconcilerError(
            f"{path} is not a plan that this version reads ({type(error).__name__})",
            hint="make one with: reconciler plan --out FILE",
        ) from error
