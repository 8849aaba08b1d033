"""The one table of kinds. A new kind is a row here and a dataclass in model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.core import normalize, parse
from reconciler.core.merge import merge_connection
from reconciler.core.model import Document, Json, Spec, Unset
from reconciler.core.normalize import Naming


@dataclass(frozen=True, slots=True)
class KindRow:
    """`references`: spec field → kind it points at. `fields`: canonical field → spec field, in the
    order in which they are shown. `immutable`: canonical fields that Airbyte never changes (PUB-T 6).
    `only_in`: canonical fields that a single API has, with that API (CFG §10).
    `merge(desired, live or None)` gives the object as it will be; `canonical` its form for comparison.
    """

    name: str
    title: str
    fields: Mapping[str, str]
    immutable: tuple[str, ...]
    parse: Callable[[Document, parse.Findings], Spec] = field(repr=False)
    merge: Callable[[Any, Any], Spec] = field(repr=False)
    canonical: Callable[[Any, Naming], dict[str, Json]] = field(repr=False)
    references: Mapping[str, str] = field(default_factory=dict)
    only_in: Mapping[str, str] = field(default_factory=dict)


_ACTOR_FIELDS: Final = {"name": "name", "connector": "connector", "configuration": "configuration"}


def _actor_as_stated(desired: Spec, _live: Spec | None) -> Spec:
    """An actor's configuration is a whole document: what is not in git is not configured."""
    return desired


def _canonical_actor(spec: Any, _naming: Naming) -> dict[str, Json]:
    return normalize.canonical_actor(spec)


KINDS: Final[Mapping[str, KindRow]] = {
    row.name: row
    for row in (
        KindRow(
            name="source",
            title="Source",
            fields=_ACTOR_FIELDS,
            immutable=("connector",),
            parse=parse.parse_source,
            merge=_actor_as_stated,
            canonical=_canonical_actor,
        ),
        KindRow(
            name="destination",
            title="Destination",
            fields=_ACTOR_FIELDS,
            immutable=("connector",),
            parse=parse.parse_destination,
            merge=_actor_as_stated,
            canonical=_canonical_actor,
        ),
        KindRow(
            name="connection",
            title="Connection",
            fields={
                "name": "name",
                "source": "source",
                "destination": "destination",
                "status": "status",
                "schedule": "schedule",
                "destinationNamespace": "namespace",
                "prefix": "prefix",
                "schemaChanges": "schema_changes",
                "backfillPreference": "backfill",
                "notifySchemaChanges": "notify_schema_changes",
                "resourceRequirements": "resource_requirements",
                "tags": "tags",
                "streams": "streams",
            },
            only_in={
                "backfillPreference": "config",
                "notifySchemaChanges": "config",
                "resourceRequirements": "config",
            },
            immutable=("source", "destination"),
            parse=parse.parse_connection,
            merge=merge_connection,
            canonical=normalize.canonical_connection,
            references={"source": "source", "destination": "destination"},
        ),
    )
}

REFERENCES: Final[Mapping[str, tuple[str, ...]]] = {
    row.name: tuple(sorted(set(row.references.values()))) for row in KINDS.values()
}


def is_stated(spec: Spec, kind: str, canonical_field: str) -> bool:
    return not isinstance(getattr(spec, KINDS[kind].fields[canonical_field]), Unset)
