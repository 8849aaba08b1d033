"""Drift as text: the plan read the other way round, what live is and what git says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.again import Again, command
from reconciler.core.plan import Change, Plan
from reconciler.render.clean import clean
from reconciler.render.layout import LABEL, hanging, joined, with_place
from reconciler.render.problems import problems_lines
from reconciler.render.text import field_sides, header, not_covered_lines, own_name
from reconciler.render.view import place


def drift_text(plan: Plan) -> str:
    """The plan read the other way round: what live is, and what git says."""
    lines = [*header(plan), "", *problems_lines(plan.diagnostics)]
    for change in plan.changes:
        lines += [*_drift_lines(change, plan.target.again), ""]
    lines += [*not_covered_lines(plan), ""]
    drifted = len(plan.changes)
    lines.append(
        f"{drifted} drifted, {plan.unchanged} as in git." + (" Exit 2." if drifted else "")
    )
    return joined(lines)


_DRIFT: Final = {
    "create": "MISSING",
    "update": "DRIFT",
    "replace": "DRIFT",
    "delete": "STILL THERE",
}


def _drift_lines(change: Change, again: Again) -> Iterator[str]:
    yield with_place(f"{_DRIFT[change.action]}  {change.address}", place(change))
    if change.action in ("update", "replace"):
        for field in change.fields:
            name = f"{field.stream} {own_name(field)}".strip() if field.stream else own_name(field)
            live, git = field_sides(field)
            yield from hanging("    ", clean(name), f"live: {live}   git: {git}")
    for name, value in sorted(change.annotations.items()):
        yield from hanging("    ", clean(name), str(value))
    yield f"    {'undo it':<{LABEL}}{command(again, ('apply', str(change.address)))}"
