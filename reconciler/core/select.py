"""Narrowing a plan to some addresses, with what they depend on (design §8)."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, replace

from reconciler.core.model import Address, Resource
from reconciler.core.planning import Planned


@dataclass(frozen=True, slots=True)
class Selection:
    """Patterns: addresses, globs of them, or `label:key=value`. Empty `include` means everything."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def matches(pattern: str, resource: Resource) -> bool:
    if pattern.startswith("label:"):
        key, _, value = pattern.removeprefix("label:").partition("=")
        return resource.labels.get(key) == value
    return fnmatch.fnmatchcase(str(resource.address), pattern)


def select(planned: Planned, selection: Selection) -> Planned:
    """The plan with the changes that are selected, and those that they need."""
    if not selection.include and not selection.exclude:
        return planned
    steps = planned.steps
    chosen = {
        address
        for address, step in steps.items()
        if (not selection.include or any(matches(p, step.resource) for p in selection.include))
        and not any(matches(p, step.resource) for p in selection.exclude)
    }
    chosen |= _needed(chosen, planned)
    changes = tuple(change for change in planned.plan.changes if change.address in chosen)
    return replace(
        planned,
        plan=replace(planned.plan, changes=changes),
        steps={address: step for address, step in steps.items() if address in chosen},
    )


def _needed(chosen: set[Address], planned: Planned) -> set[Address]:
    needed: set[Address] = set()
    waiting = list(chosen)
    while waiting:
        for other in planned.steps[waiting.pop()].change.depends_on:
            if other not in needed:
                needed.add(other)
                waiting.append(other)
    return needed
