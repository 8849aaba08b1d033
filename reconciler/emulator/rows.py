"""The emulator's state as frozen rows, in neither API's wire form: one class, one table.

Knows nothing of SQL or of what is allowed to change; field names are column names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from reconciler.core.model import Json

ActorKind = Literal["source", "destination"]


@dataclass(frozen=True, slots=True)
class Workspace:
    table: ClassVar[str] = "workspace"
    json_columns: ClassVar[frozenset[str]] = frozenset({"notifications"})

    id: str
    name: str
    notifications: Json
    created_at: int
    tombstone: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """In `configuration` each secret is `{"_secret": coordinate}`; it is None once the actor is deleted."""

    table: ClassVar[str] = "actor"
    json_columns: ClassVar[frozenset[str]] = frozenset({"configuration", "resources"})

    id: str
    kind: ActorKind
    workspace_id: str
    definition_id: str
    name: str
    configuration: Json
    resources: Json
    created_at: int
    tombstone: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a source offered when it was last asked, in Airbyte's protocol form; one per source.

    `fingerprint` is of everything that makes a cached catalog stale (PUB §5).
    """

    table: ClassVar[str] = "catalog"
    json_columns: ClassVar[frozenset[str]] = frozenset({"streams"})

    id: str
    """The source's id."""
    catalog_id: str
    fingerprint: str
    streams: Json
    created_at: int


@dataclass(frozen=True, slots=True)
class PastCatalog:
    """A catalog that a later one took the place of; connections may still refer to it by its id."""

    table: ClassVar[str] = "past_catalog"
    json_columns: ClassVar[frozenset[str]] = frozenset({"streams"})

    id: str
    """The catalog's id."""
    source_id: str
    streams: Json


@dataclass(frozen=True, slots=True)
class Offer:
    """What a source holds since somebody changed it there, in Airbyte's protocol form; the server knows it
    only once it discovers. A source without one holds what its catalog file says."""

    table: ClassVar[str] = "offer"
    json_columns: ClassVar[frozenset[str]] = frozenset({"streams"})

    id: str
    """The source's id."""
    streams: Json


@dataclass(frozen=True, slots=True)
class Connection:
    """`schedule` is {type: manual} | {type: cron, expression, time_zone} | {type: basic, units, time_unit}.

    `streams` holds the choices of the selected streams (see catalog.ConfiguredStream), without schemas.
    What the Configuration API knows of a connection beyond the public one is below `tags`.
    """

    table: ClassVar[str] = "connection"
    json_columns: ClassVar[frozenset[str]] = frozenset(
        {"schedule", "streams", "tags", "resources", "operation_ids"}
    )

    id: str
    workspace_id: str
    source_id: str
    destination_id: str
    name: str
    status: str
    schedule: Json
    namespace_definition: str
    namespace_format: str | None
    prefix: str | None
    schema_changes: str
    catalog_id: str | None
    streams: Json
    created_at: int
    tags: Json = field(default_factory=list)
    destination_catalog_id: str | None = None
    backfill: str = "disabled"
    notifies: bool = False
    notifies_by_email: bool = False
    breaking_change: bool = False
    on_demand: bool = False
    resources: Json = None
    operation_ids: Json = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ConnectionCatalog:
    """The streams as they were discovered when a connection was last written, in the order of its choices.

    Apart from the connection because lists never need it and it is by far the largest part.
    """

    table: ClassVar[str] = "connection_catalog"
    json_columns: ClassVar[frozenset[str]] = frozenset({"streams"})

    id: str
    """The connection's id."""
    streams: Json


@dataclass(frozen=True, slots=True)
class Tag:
    table: ClassVar[str] = "tag"
    json_columns: ClassVar[frozenset[str]] = frozenset()

    id: str
    workspace_id: str
    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Job:
    """`type` is sync, reset, clear or refresh. `status` is as of the last look (jobs.settle), and
    `updated_at` moves with it; everything between is worked out from `plan` (progress.py). Times are epoch
    seconds."""

    table: ClassVar[str] = "job"
    json_columns: ClassVar[frozenset[str]] = frozenset({"plan"})

    id: int
    connection_id: str
    type: str
    status: str
    created_at: float
    updated_at: float
    plan: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFault:
    """What the next job of a connection will run into: so many attempts fail with the message, and then one
    succeeds or none."""

    table: ClassVar[str] = "job_fault"
    json_columns: ClassVar[frozenset[str]] = frozenset()

    id: str
    """The connection's id."""
    message: str
    attempts: int
    recovers: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """What a connection has done after a sync: `configuration` is as it was sent."""

    table: ClassVar[str] = "operation"
    json_columns: ClassVar[frozenset[str]] = frozenset({"configuration"})

    id: str
    workspace_id: str
    name: str
    configuration: Json


@dataclass(frozen=True, slots=True)
class StreamState:
    """The saved position of one stream of one connection; `namespace` is "" where there is none."""

    table: ClassVar[str] = "stream_state"
    json_columns: ClassVar[frozenset[str]] = frozenset({"state"})

    id: str
    connection_id: str
    namespace: str
    name: str
    state: Json


@dataclass(frozen=True, slots=True)
class Secret:
    table: ClassVar[str] = "secret"
    json_columns: ClassVar[frozenset[str]] = frozenset({"value"})

    id: str
    """The coordinate, without prefix."""
    workspace_id: str
    value: Json = field(repr=False)


@dataclass(frozen=True, slots=True)
class Event:
    """An effect that happened, for tests and people; Airbyte has no such log."""

    table: ClassVar[str] = "event"
    json_columns: ClassVar[frozenset[str]] = frozenset({"detail"})

    id: int
    at: float
    kind: str
    detail: Json


ROWS: tuple[type, ...] = (
    Workspace,
    Actor,
    Catalog,
    PastCatalog,
    Offer,
    Connection,
    ConnectionCatalog,
    Tag,
    Job,
    JobFault,
    Operation,
    StreamState,
    Secret,
    Event,
)
