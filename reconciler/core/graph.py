"""The order in which changes are made.

    level 0   sources, destinations    create, update, replace
    level 1   connections              create, update, replace
    level 2   connections              delete
    level 3   sources, destinations    delete

A level starts when the one before it is done; inside a level the order is by address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def depth_of(kind: str, references: Mapping[str, Iterable[str]]) -> int:
    """How many kinds stand below this one: 0 for a kind that refers to nothing."""
    return max((depth_of(other, references) + 1 for other in references[kind]), default=0)


def level_of(kind: str, *, deletes: bool, references: Mapping[str, Iterable[str]]) -> int:
    """Writes go up the references, deletes come after all writes and go down again."""
    deepest = max(depth_of(other, references) for other in references)
    depth = depth_of(kind, references)
    return 2 * deepest + 1 - depth if deletes else depth
