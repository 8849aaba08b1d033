"""Documents, live objects and plans from short dicts, for these tests.

Desired is written as git writes it (camelCase), live as the model holds it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from reconciler.core.build import build
from reconciler.core.capabilities import Capabilities
from reconciler.core.diagnostics import Diagnostic, Span
from reconciler.core.model import (
    ALL_COLUMNS,
    MANUAL,
    MASK,
    UNSET,
    Columns,
    Connection,
    ConnectorDefinition,
    Consent,
    Desired,
    Destination,
    Document,
    Live,
    LiveObject,
    Mapper,
    Namespace,
    Ref,
    Schedule,
    Secret,
    Source,
    Stream,
    Tag,
    Workspace,
)
from reconciler.core.plan import Change, Plan, TargetLine
from reconciler.core.planning import Planned, Situation, make_plan
from reconciler.core.policy import Expected
from reconciler.core.target import Limits

TARGET: Final = "production"
PUBLIC: Final = Capabilities(api="public")
ANY_SCHEDULE: Final = Capabilities(
    api="public", writes_interval_schedules=True, writes_time_zones=True
)

_METHODS: Final = [
    {
        "title": "Standard",
        "properties": {
            "method": {"const": "Standard"},
            "batch": {"type": "integer", "default": 10},
        },
        "required": ["method"],
    },
    {
        "title": "Tunnel",
        "properties": {
            "method": {"const": "Tunnel"},
            "user": {"type": "string"},
            "password": {"type": "string", "airbyte_secret": True},
        },
        "required": ["method", "user", "password"],
    },
    {
        "title": "Key",
        "properties": {
            "method": {"const": "Key"},
            "password": {"type": "string", "airbyte_secret": True},
        },
        "required": ["method", "password"],
    },
]

POSTGRES: Final = ConnectorDefinition(
    kind="source",
    id="11111111-0000-4000-8000-000000000001",
    name="Shop Postgres",
    docker_repository="airbyte/source-postgres",
    docker_tag="3.6.0",
    spec={
        "type": "object",
        "required": ["host"],
        "properties": {
            "host": {"type": "string", "title": "Host"},
            "port": {"type": "integer", "default": 5432},
            "database": {"type": "string"},
            "password": {"type": "string", "airbyte_secret": True},
            "tunnel": {"type": "object", "oneOf": _METHODS},
            "keys": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string"},
                        "secret": {"type": "string", "airbyte_secret": True},
                    },
                },
            },
            "vault": {
                "type": "object",
                "properties": {"token": {"type": "string", "airbyte_secret": True}},
            },
            "options": {"type": "object"},
        },
    },
)
MYSQL: Final = ConnectorDefinition(
    kind="source",
    id="11111111-0000-4000-8000-000000000002",
    name="MySQL",
    docker_repository="airbyte/source-mysql",
    spec={"type": "object", "properties": {"host": {"type": "string"}}},
)
LAKE: Final = ConnectorDefinition(
    kind="destination",
    id="22222222-0000-4000-8000-000000000001",
    name="Lake",
    docker_repository="airbyte/destination-s3",
    spec={"type": "object", "properties": {"bucket": {"type": "string"}}},
)
DEFINITIONS: Final = (POSTGRES, MYSQL, LAKE)

SOURCE_ID: Final = "aaaaaaaa-0000-4000-8000-000000000001"
DESTINATION_ID: Final = "bbbbbbbb-0000-4000-8000-000000000001"
CONNECTION_ID: Final = "cccccccc-0000-4000-8000-000000000001"


def document(kind: str, name: str, spec: Any, **parts: Any) -> Document:
    """`parts` are the other keys of the manifest: metadata's under `metadata`, state, reason."""
    metadata = {"name": name, **parts.pop("metadata", {})}
    data = {"metadata": metadata, **({} if spec is None else {"spec": spec}), **parts}

    def locate(pointer: str) -> Span:
        return Span(f"{kind}s/{name}.yaml", 1 + pointer.count("/"), 1)

    return Document(kind, data, locate)


def source(name: str = "shop", /, configuration: Any = None, **spec: Any) -> Document:
    parts = _parts(spec)
    body = {"connector": "postgres", "configuration": configuration or {"host": "db"}, **spec}
    return document("source", name, body, **parts)


def destination(name: str = "lake", /, configuration: Any = None, **spec: Any) -> Document:
    parts = _parts(spec)
    body = {"connector": "s3", "configuration": configuration or {"bucket": "b"}, **spec}
    return document("destination", name, body, **parts)


def connection(name: str = "shop-to-lake", /, streams: Any = UNSET, **spec: Any) -> Document:
    """With `streams` UNSET git says nothing of the selection."""
    parts = _parts(spec)
    body = {
        "source": "shop",
        "destination": "lake",
        "destinationNamespace": "source",
        **({} if streams is UNSET else {"streams": streams}),
        **spec,
    }
    return document("connection", name, body, **parts)


def absent(kind: str, name: str, **parts: Any) -> Document:
    return document(kind, name, parts.pop("spec", None), state="absent", **parts)


def _parts(spec: dict[str, Any]) -> dict[str, Any]:
    return {key: spec.pop(key) for key in ("metadata", "state", "reason") if key in spec}


def live_source(
    configuration: Any = None,
    *,
    name: str = "shop",
    object_id: str = SOURCE_ID,
    connector: str = POSTGRES.id,
    allocation: Any = UNSET,
) -> LiveObject:
    stored = {"host": "db"} if configuration is None else configuration
    return LiveObject("source", object_id, Source(name, connector, stored, allocation))


def live_destination(
    configuration: Any = None,
    *,
    name: str = "lake",
    object_id: str = DESTINATION_ID,
    connector: str = LAKE.id,
) -> LiveObject:
    stored = {"bucket": "b"} if configuration is None else configuration
    return LiveObject("destination", object_id, Destination(name, connector, stored))


def live_connection(
    *streams: Stream,
    name: str = "shop-to-lake",
    object_id: str = CONNECTION_ID,
    source: str = SOURCE_ID,
    destination: str = DESTINATION_ID,
    status: str = "active",
    schedule: Schedule = MANUAL,
    namespace: Namespace = Namespace("source"),  # noqa: B008 - a frozen value
    prefix: str = "",
    schema_changes: str = "ignore",
    tags: tuple[str, ...] = (),
) -> LiveObject:
    spec = Connection(
        name=name,
        source=Ref(id=source),
        destination=Ref(id=destination),
        status=status,
        schedule=schedule,
        namespace=namespace,
        prefix=prefix,
        schema_changes=schema_changes,
        tags=tags,
        streams=streams,
    )
    return LiveObject("connection", object_id, spec)


def live_stream(
    name: str = "orders",
    mode: str | None = "incremental_append",
    *,
    namespace: str | None = None,
    cursor: Iterable[str] = ("updated_at",),
    key: Iterable[str] = ("id",),
    columns: Iterable[str] | None = None,
    mappers: Iterable[Mapper] = (),
    object_name: Any = UNSET,
) -> Stream:
    """A stream as the server answers: everything is said."""
    return Stream(
        name=name,
        namespace=namespace,
        sync_mode=mode,
        cursor_field=tuple(cursor),
        primary_key=tuple((part,) for part in key),
        columns=ALL_COLUMNS if columns is None else Columns(tuple(columns)),
        mappers=tuple(mappers),
        include_files=False,
        destination_object_name=object_name,
    )


def hashing(field: str = "email", *, mapper_id: str | None = "m-1") -> Mapper:
    return Mapper(
        "hashing",
        {"targetField": field, "method": "SHA-256", "fieldNameSuffix": "_hashed"},
        mapper_id,
    )


def encryption(field: str = "ssn", key: Any = MASK, *, mapper_id: str | None = "m-2") -> Mapper:
    return Mapper("encryption", {**AES, "key": key, "targetField": field}, mapper_id)


AES: Final[Mapping[str, str]] = {
    "algorithm": "AES",
    "mode": "CBC",
    "padding": "PKCS5Padding",
    "fieldNameSuffix": "_enc",
}


def git_mapper(mapper: Mapper, **changes: Any) -> dict[str, Any]:
    """A live mapper as git would write it."""
    return {"type": mapper.type, **mapper.config, **changes}


def env(name: str = "SHOP_PG_PASSWORD", value: Any = UNSET) -> Secret:
    return Secret(f"${{env:{name}}}", value)


def desired_of(*documents: Document) -> Desired:
    """Fails where the documents have an error of their own."""
    desired, found = build(documents, TARGET)
    assert [str(d) for d in found if d.severity.value == "error"] == []
    return desired


def live_of(*objects: LiveObject, tags: Iterable[str] = ()) -> Live:
    known = {name: Tag(f"tag-{name}", name, "000000") for name in tags}
    return Live(Workspace("w-1", "Default Workspace"), objects, DEFINITIONS, known)


def planned(
    documents: Iterable[Document],
    objects: Iterable[LiveObject] = (),
    *,
    capabilities: Capabilities = PUBLIC,
    allow: Iterable[Consent] = (),
    limits: Limits = Limits(),  # noqa: B008 - a frozen value
    expected: Expected = Expected(),  # noqa: B008 - a frozen value
    applying: bool = False,
    tags: Iterable[str] = (),
    **more: Any,
) -> Planned:
    return make_plan(
        Situation(
            target=TargetLine(TARGET, "https://airbyte.example.com", "public", "Default", "w-1"),
            desired=desired_of(*documents),
            live=live_of(*objects, tags=tags),
            capabilities=capabilities,
            allow=tuple(allow),
            limits=limits,
            expected=expected,
            applying=applying,
            **more,
        )
    )


def plan_of(documents: Iterable[Document], objects: Iterable[LiveObject] = (), **more: Any) -> Plan:
    return planned(documents, objects, **more).plan


def only_change(plan: Plan) -> Change:
    assert [str(change.address) for change in plan.changes[1:]] == []
    return plan.changes[0]


def effects_of(change: Change) -> set[tuple[str, str]]:
    """(effect, rule) of each."""
    return {(effect.name, effect.rule) for effect in change.effects}


def codes(found: Iterable[Diagnostic]) -> list[str]:
    return sorted(diagnostic.code for diagnostic in found)


WORLD: Final[tuple[LiveObject, ...]] = (live_source(), live_destination())
"""The actors that `source()` and `destination()` mean, as they are in git."""

ACTORS: Final[Callable[[], tuple[Document, ...]]] = lambda: (source(), destination())  # noqa: E731


def connection_change(
    git: Mapping[str, Any], live: LiveObject, *, streams: Any = UNSET, **more: Any
) -> Change:
    """The one change of a connection between two actors that stay as they are."""
    plan = plan_of([*ACTORS(), connection(streams=streams, **git)], [*WORLD, live], **more)
    return only_change(plan)
