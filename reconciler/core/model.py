"""The words of the design as frozen values, shared by desired and live state.

Knows nothing of YAML, HTTP or the shape of either Airbyte API.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from reconciler.core.diagnostics import Span

Json: TypeAlias = Any
"""JSON-shaped data; desired trees may also hold Secret and KEEP leaves."""


class Unset(Enum):
    """The type of UNSET: git does not state this field (which is not the same as empty)."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> Literal[False]:
        return False


UNSET: Final = Unset.UNSET


class Keep(Enum):
    """The type of KEEP: `${keep}`, a secret whose value only the server knows."""

    KEEP = "${keep}"

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = Keep.KEEP

MASK: Final = "**********"
"""What Airbyte shows instead of a stored secret (PUB §3.5)."""

_MASK_LIKE = re.compile(r"\*{6,}")


def is_mask(value: object) -> bool:
    """True for the ten-asterisk mask and everything that looks like one (PUB-T 1)."""
    return (
        isinstance(value, str) and value.startswith("*") and _MASK_LIKE.fullmatch(value) is not None
    )


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that may be compared and sent, and is never shown.

    `label` is how git writes it (`${env:SHOP_PG_PASSWORD}`) and is always safe to show.
    `value` is UNSET when this run does not have it. `parts` are values that a longer one is made of:
    each is kept out of foreign text too. `stated`: where the label leaves out some of it, all that git
    states, defaults and the variables of a target included; may hold a secret that stands in git.
    """

    label: str
    value: str | int | float | bool | dict[str, Any] | list[Any] | Unset | None = field(repr=False)
    parts: tuple[str, ...] = field(default=(), repr=False, compare=False)
    stated: str = field(default="", repr=False, compare=False)

    @property
    def known(self) -> bool:
        return self.value is not UNSET


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """`kind/name`: stable in git, independent of Airbyte's ids and display names."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises ValueError unless `text` is `kind/name`."""
        kind, slash, name = text.partition("/")
        if not (kind and slash and name):
            raise ValueError(
                f"{text!r} is not an address; write kind/name, e.g. connection/shop-to-lake"
            )
        return cls(kind, name)


# --- Sync modes: the wire names and what each means (PUB §4.3) -------------------------------


@dataclass(frozen=True, slots=True)
class SyncMode:
    name: str
    source: Literal["full_refresh", "incremental"]
    destination: Literal[
        "overwrite", "append", "overwrite_dedup", "append_dedup", "update", "soft_delete"
    ]

    @property
    def incremental(self) -> bool:
        return self.source == "incremental"

    @property
    def uses_cursor(self) -> bool:
        """Whether the server honours a cursor for this mode; otherwise it ignores it (PUB-T 16)."""
        return self.incremental

    @property
    def uses_key(self) -> bool:
        """Whether the server honours a primary key for this mode (PUB §4.3)."""
        return self.incremental or self.destination in ("overwrite_dedup", "update", "soft_delete")

    @property
    def needs_key(self) -> bool:
        """Whether rows are merged by key in the destination."""
        return self.destination in ("append_dedup", "update", "soft_delete")


SYNC_MODES: Final[Mapping[str, SyncMode]] = {
    mode.name: mode
    for mode in (
        SyncMode("full_refresh_overwrite", "full_refresh", "overwrite"),
        SyncMode("full_refresh_append", "full_refresh", "append"),
        SyncMode("full_refresh_overwrite_deduped", "full_refresh", "overwrite_dedup"),
        SyncMode("full_refresh_update", "full_refresh", "update"),
        SyncMode("full_refresh_soft_delete", "full_refresh", "soft_delete"),
        SyncMode("incremental_append", "incremental", "append"),
        SyncMode("incremental_deduped_history", "incremental", "append_dedup"),
        SyncMode("incremental_update", "incremental", "update"),
        SyncMode("incremental_soft_delete", "incremental", "soft_delete"),
    )
}


# --- What a source, a destination and a connection are ---------------------------------------


@dataclass(frozen=True, slots=True)
class Ref:
    """What a connection points at: exactly one of the three is set."""

    address: Address | None = None
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """`manual` (nothing set), `cron` with its time zone, or `every` N units.

    `cron` is Quartz, 6-7 fields, without a zone suffix. `unit` is one of minutes, hours, days, weeks, months.
    """

    cron: str | None = None
    timezone: str = "UTC"
    every: int | None = None
    unit: str | None = None


MANUAL: Final = Schedule()


@dataclass(frozen=True, slots=True)
class Namespace:
    """Where tables land: the source's namespace, the destination's default, or a format."""

    mode: Literal["source", "destination", "format"]
    format: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The selected top-level columns: all (`names` is None), exactly `names`, or all `excluding` some.
    Both at once: `names` is what a discovery found to be left by `excluding`."""

    names: tuple[str, ...] | None = None
    excluding: tuple[str, ...] = ()


ALL_COLUMNS: Final = Columns()


@dataclass(frozen=True, slots=True)
class Mapper:
    """One mapper; `config` is its mapperConfiguration; `id` is the server's, never compared (PUB-T 18)."""

    type: str
    config: Mapping[str, Json]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """One selected stream. `sync_mode` is None only in live data whose stored pair has no name (PUB §4.3).

    `namespace` is None when the stream has none. `cursor_field` is a path; `primary_key` a list of paths.
    """

    name: str
    namespace: str | Unset | None = UNSET
    sync_mode: str | None = None
    cursor_field: tuple[str, ...] | Unset = UNSET
    primary_key: tuple[tuple[str, ...], ...] | Unset = UNSET
    columns: Columns | Unset = UNSET
    mappers: tuple[Mapper, ...] | Unset = UNSET
    include_files: bool | Unset = UNSET
    destination_object_name: str | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Source:
    """`connector` is what git wrote on the desired side, a definition id on the live side."""

    name: str
    connector: str
    configuration: Mapping[str, Json]
    resource_allocation: Json | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Destination:
    """The same shape as Source; a kind of its own because the two are never interchangeable."""

    name: str
    connector: str
    configuration: Mapping[str, Json]
    resource_allocation: Json | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Connection:
    """The last three are known to the Configuration API alone: UNSET in what the public one answers."""

    name: str
    source: Ref
    destination: Ref
    status: str | Unset = UNSET
    schedule: Schedule | Unset = UNSET
    namespace: Namespace | Unset = UNSET
    prefix: str | Unset = UNSET
    schema_changes: str | Unset = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    streams: tuple[Stream, ...] | Unset = UNSET
    backfill: str | Unset = UNSET
    notify_schema_changes: bool | Unset = UNSET
    resource_requirements: Mapping[str, str] | Unset = UNSET


Spec: TypeAlias = Source | Destination | Connection


# --- Desired: manifests resolved for a target ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest: schema-valid data with its references resolved, and where each part of it stands.

    `locate("/spec/streams/3/columns")` gives the position of that node or of its nearest existing parent.
    """

    kind: str
    data: Mapping[str, Json]
    locate: Callable[[str], Span] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """An entry of `lifecycle.allow` or `--allow`: effects, if given only for these streams or one address."""

    effects: tuple[str, ...]
    streams: tuple[str, ...] = ()
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Lifecycle:
    prevent_destroy: bool = False
    ignore_changes: tuple[str, ...] = ()
    allow: tuple[Consent, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """What one manifest describes. `spec` is None exactly when `absent`."""

    address: Address
    name: str
    spec: Spec | None
    locate: Callable[[str], Span] = field(compare=False, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    lifecycle: Lifecycle = Lifecycle()
    pin: str | None = None
    previous_names: tuple[str, ...] = ()
    absent: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Desired:
    """All resources of a target, by address, sorted."""

    resources: Mapping[Address, Resource]


# --- Live: what the API returned -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Workspace:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Tag:
    id: str
    name: str
    color: str


@dataclass(frozen=True, slots=True)
class ConnectorDefinition:
    """A connector as the server or a file names it; `spec` is its connectionSpecification where known."""

    kind: Literal["source", "destination"]
    id: str
    name: str
    docker_repository: str
    docker_tag: str = ""
    spec: Mapping[str, Json] | None = field(default=None, repr=False)

    @property
    def short_name(self) -> str:
        """`postgres` of `airbyte/source-postgres`."""
        return self.docker_repository.rsplit("/", 1)[-1].removeprefix(f"{self.kind}-")


@dataclass(frozen=True, slots=True)
class LiveObject:
    """One object of the server. `spec.connector` is a definition id; a connection's Refs hold ids.

    Masked secrets stand as the server shows them. `beyond`: what it also has and no spec can hold, by the
    API's names.
    """

    kind: str
    id: str
    spec: Spec
    beyond: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Live:
    """One workspace as it was read. `objects` holds only what exists (PUB-T 23), each id once."""

    workspace: Workspace
    objects: tuple[LiveObject, ...]
    definitions: tuple[ConnectorDefinition, ...] = ()
    tags: Mapping[str, Tag] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiscoveredStream:
    """What a source offers (PUB §5). `sync_modes` is empty where the server did not say."""

    name: str
    namespace: str | None = None
    sync_modes: tuple[str, ...] = ()
    default_cursor_field: tuple[str, ...] = ()
    source_defined_cursor: bool = False
    source_defined_primary_key: tuple[tuple[str, ...], ...] = ()
    fields: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """One write to an existing object, already decided by the core.

    `spec` holds the values to send (Secret leaves still wrapped; a connection's Refs are not sent).
    `fields` names the fields of the spec's dataclass that are sent, e.g. {"schedule", "streams"}.
    `whole` (actors): configuration replaces the stored one (PUT); otherwise it is merged into it (PATCH).
    """

    spec: Spec
    fields: frozenset[str]
    whole: bool = False
