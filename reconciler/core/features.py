"""What manifests state and the server in use hasn't: told by the plan, not found out while applying.

Knows no server: which features one lacks, its backend says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core.capabilities import Feature
from reconciler.core.claim import problem
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.model import Connection, Desired


@dataclass(frozen=True, slots=True)
class _Row:
    """`stated`: where a connection states it. `otherwise`: what the server would do."""

    name: str
    stated: Callable[[Connection], Iterator[str]]
    otherwise: str
    hint: str


def not_on_this_server(desired: Desired, lacks: frozenset[Feature]) -> tuple[Diagnostic, ...]:
    """One a connection and feature, at the first place that states it."""
    found = []
    for resource in desired.resources.values():
        if not isinstance(resource.spec, Connection):
            continue
        for feature in sorted(lacks):
            row = _ROWS[feature]
            places = list(row.stated(resource.spec))
            if places:
                found.append(
                    problem(
                        resource,
                        "not-on-this-server",
                        places[0],
                        f"this server has no {row.name}: {row.otherwise}",
                        row.hint,
                    )
                )
    return tuple(found)


def _tags(spec: Connection) -> Iterator[str]:
    if spec.tags:
        yield "/spec/tags"


def _mappers(spec: Connection) -> Iterator[str]:
    for index, stream in enumerate(spec.streams if isinstance(spec.streams, tuple) else ()):
        if stream.mappers:
            yield f"/spec/streams/{index}/mappers"


def _propagation(spec: Connection) -> Iterator[str]:
    if isinstance(spec.schema_changes, str) and spec.schema_changes.startswith("propagate_"):
        yield "/spec/schemaChanges"


_ROWS: Final[Mapping[Feature, _Row]] = {
    "mappers": _Row(
        "mappers",
        _mappers,
        "it would ignore them, and the columns would arrive in clear",
        "mappers came with Airbyte 1.6: upgrade it, or leave the columns out with columns",
    ),
    "propagation": _Row(
        "propagation of schema changes",
        _propagation,
        "it refuses the word",
        "servers as old as 0.40 know only ignore and disable",
    ),
    "tags": _Row(
        "tags",
        _tags,
        "none can be made or set",
        "tags came with Airbyte 1.6: leave them out for this target",
    ),
}
