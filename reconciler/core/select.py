"""Narrowing a plan to some addresses, with what they depend on (design §8)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.connector import closest
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.model import Address, Resource


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


def select(
    selection: Selection,
    resources: Mapping[Address, Resource],
    depends_on: Mapping[Address, Iterable[Address]],
) -> tuple[frozenset[Address], tuple[Diagnostic, ...]]:
    """The selected addresses with those that they need; `depends_on`: address of a change → what it needs.

    A pattern that means nothing is an error: an empty plan would read as "no changes".
    """
    included = {a for a, r in resources.items() if _named(selection.include, r)}
    excluded = {a for a, r in resources.items() if _named(selection.exclude, r)}
    chosen = (included if selection.include else set(resources)) - excluded
    problems = [
        _meaningless(pattern, resources)
        for pattern in (*selection.include, *selection.exclude)
        if not any(matches(pattern, resource) for resource in resources.values())
    ]
    needed = _needed(chosen, depends_on)
    problems += [_pulled_in(a, by, excluded) for a, by in sorted(needed.items())]
    return frozenset(chosen | needed.keys()), tuple(problems)


def _named(patterns: Iterable[str], resource: Resource) -> bool:
    return any(matches(pattern, resource) for pattern in patterns)


def _needed(
    chosen: set[Address], depends_on: Mapping[Address, Iterable[Address]]
) -> dict[Address, Address]:
    """What was not chosen and has to be done too → what needs it."""
    needed: dict[Address, Address] = {}
    waiting = sorted(chosen, reverse=True)
    while waiting:
        address = waiting.pop()
        for other in sorted(depends_on.get(address, ()), reverse=True):
            if other not in chosen and other not in needed:
                needed[other] = address
                waiting.append(other)
    return needed


def _meaningless(pattern: str, resources: Mapping[Address, Resource]) -> Diagnostic:
    guess = closest(pattern, (str(address) for address in resources))
    return Diagnostic(
        code="nothing-selected",
        message=f"no manifest of this target is meant by {pattern!r}",
        hint=f"did you mean {guess}?"
        if guess
        else "write kind/name, a glob such as 'connection/*', or label:key=value",
    )


def _pulled_in(address: Address, by: Address, excluded: set[Address]) -> Diagnostic:
    if address in excluded:
        return Diagnostic(
            code="excluded-but-needed",
            message=f"{address} is excluded, but {by} can't be done without its change",
            hint=f"exclude {by} too, or leave {address} in",
            address=str(address),
        )
    return Diagnostic(
        code="selection-widened",
        message=f"{address} is included, because {by} needs its change",
        severity=Severity.WARNING,
        address=str(address),
    )
