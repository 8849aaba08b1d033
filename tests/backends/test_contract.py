"""What every backend does, against the embedded Airbyte: a further API joins by a line in OPENERS.

Each request is also held against Airbyte's OpenAPI document where that lies beside the project.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.backends import Backend, connect
from reconciler.core.diagnostics import ApiError, AuthFailed, ReconcilerError, Refused
from reconciler.core.model import (
    ALL_COLUMNS,
    MANUAL,
    MASK,
    Columns,
    Connection,
    Destination,
    LiveObject,
    Mapper,
    Namespace,
    Ref,
    Schedule,
    Secret,
    Source,
    Stream,
    Update,
    Workspace,
)
from reconciler.core.target import Auth, Target
from reconciler.emulator.app import create_app
from reconciler.emulator.generations import GENERATIONS
from reconciler.emulator.settings import Chaos, Credentials, Settings
from tests.backends import world
from tests.backends.openapi import PRESENT, Checked

pytestmark = pytest.mark.anyio

Opener = Callable[[Settings, Auth], AbstractAsyncContextManager[Backend]]


def opener_of(api: str, generation: str = "2.0", **more: Any) -> Opener:
    def opened(settings: Settings, auth: Auth) -> AbstractAsyncContextManager[Backend]:
        there = replace(settings, generation=GENERATIONS[generation], **more)
        transport = Checked(httpx.ASGITransport(create_app(there)))
        target = Target(name="t", url="embedded", api=api, auth=auth)
        return connect(target, http_transport=transport, read_only=False)

    return opened


MODERN: dict[str, Opener] = {
    "public": opener_of("public"),
    "config": opener_of("config"),
    "config lenient": opener_of("config", profile="lenient"),
    "config 1.8": opener_of("config", "1.8"),
    "config 1.6": opener_of("config", "1.6"),
}
OLD: dict[str, Opener] = {
    "public 1.0": opener_of("public", "1.0"),
    "config 1.0": opener_of("config", "1.0"),
    "config 0.63": opener_of("config", "0.63"),
    "config 0.40": opener_of("config", "0.40"),
}
"""Servers that have no tags and no mappers yet."""
OPENERS = {**MODERN, **OLD}

PASSWORD = Secret("${env:SHOP_PASSWORD}", "first-password")
SHOP = Source("shop", world.SHOP_ID, {"host": "db", "password": PASSWORD})
LAKE = Destination(
    "lake", world.LAKE_ID, {"host": "s3", "token": Secret("${env:T}", "first-token")}
)

MAPPERS = {
    "hashing": {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"},
    "field-filtering": {"targetField": "country"},
    "field-renaming": {"originalFieldName": "name", "newFieldName": "full_name"},
    "row-filtering": {
        "conditions": {
            "type": "NOT",
            "conditions": [{"type": "EQUAL", "fieldName": "country", "comparisonValue": "DE"}],
        }
    },
    "encryption": {
        "algorithm": "RSA",
        "targetField": "email",
        "publicKey": "30819f300d06092a864886f70d010101050003818d0030818902818100a0",
        "fieldNameSuffix": "_sealed",
    },
}
AES = {
    "algorithm": "AES",
    "targetField": "email",
    "key": Secret("${env:AES_KEY}", "0123456789abcdef0123456789abcdef"),
    "mode": "CBC",
    "padding": "PKCS5Padding",
    "fieldNameSuffix": "_sealed",
}


@dataclass(frozen=True, slots=True)
class Bench:
    backend: Backend
    workspace: Workspace

    async def actors(self) -> tuple[LiveObject, LiveObject]:
        source = await self.backend.create(self.workspace, SHOP)
        return source, await self.backend.create(self.workspace, LAKE)

    async def connection(self, *streams: Stream, **fields: Any) -> LiveObject:
        source, destination = await self.actors()
        spec = Connection(
            "shop to lake", Ref(id=source.id), Ref(id=destination.id), streams=streams or (USERS,)
        )
        return await self.backend.create(self.workspace, replace(spec, **fields))

    async def patched(self, live: LiveObject, **fields: Any) -> Connection:
        update = Update(replace(live.spec, **fields), frozenset(fields))
        answered = await self.backend.update(live, update)
        read = await self.backend.read("connection", live.id)
        assert read == answered
        assert isinstance(answered.spec, Connection)
        return answered.spec


USERS = Stream("users", "public", "full_refresh_overwrite", columns=ALL_COLUMNS, mappers=())


@pytest.fixture(params=sorted(OPENERS))
def opener(request: pytest.FixtureRequest) -> Opener:
    return OPENERS[request.param]


@pytest.fixture(params=sorted(MODERN))
def modern_opener(request: pytest.FixtureRequest) -> Opener:
    return MODERN[request.param]


@pytest.fixture
async def modern(modern_opener: Opener, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Bench]:
    async with modern_opener(world.settings(tmp_path), Auth()) as backend:
        (workspace,) = await backend.workspaces()
        yield Bench(backend, workspace)


@pytest.fixture
async def bench(opener: Opener, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Bench]:
    async with opener(world.settings(tmp_path), Auth()) as backend:
        (workspace,) = await backend.workspaces()
        yield Bench(backend, workspace)


def streams_of(live: LiveObject | Connection) -> tuple[Stream, ...]:
    spec = live.spec if isinstance(live, LiveObject) else live
    assert isinstance(spec, Connection)
    assert isinstance(spec.streams, tuple)
    return spec.streams


async def test_an_empty_workspace_has_definitions_and_no_objects(bench: Bench) -> None:
    live = await bench.backend.snapshot(bench.workspace)
    assert live.objects == ()
    assert {(d.kind, d.short_name) for d in live.definitions} >= {
        ("source", "shop"),
        ("destination", "lake"),
    }
    assert live.tags == {}


@pytest.mark.parametrize(("kind", "spec"), [("source", SHOP), ("destination", LAKE)])
async def test_an_actor_is_created_read_and_deleted(
    bench: Bench, kind: str, spec: Source | Destination
) -> None:
    backend = bench.backend
    created = await backend.create(bench.workspace, spec)
    shown = {name: MASK if isinstance(v, Secret) else v for name, v in spec.configuration.items()}
    assert created == LiveObject(kind, created.id, replace(spec, configuration=shown))
    assert await backend.read(kind, created.id) == created
    assert (await backend.snapshot(bench.workspace)).objects == (created,)
    await backend.delete(kind, created.id)
    assert await backend.read(kind, created.id) is None
    assert (await backend.snapshot(bench.workspace)).objects == ()
    await backend.delete(kind, created.id)


async def test_a_whole_update_removes_what_it_leaves_out(bench: Bench) -> None:
    live = await bench.backend.create(bench.workspace, SHOP)
    smaller = Update(
        replace(SHOP, configuration={"host": "db2"}), frozenset({"configuration"}), whole=True
    )
    updated = await bench.backend.update(live, smaller)
    assert updated.spec == replace(SHOP, configuration={"host": "db2"})
    assert await bench.backend.read("source", live.id) == updated


async def test_a_partial_update_merges_and_keeps_the_secret(bench: Bench) -> None:
    live = await bench.backend.create(bench.workspace, SHOP)
    partial = Update(
        replace(SHOP, name="renamed", configuration={"host": "db2"}),
        frozenset({"name", "configuration"}),
    )
    updated = await bench.backend.update(live, partial)
    assert updated.spec == Source("renamed", world.SHOP_ID, {"host": "db2", "password": MASK})


async def test_any_write_echoes_the_resource_allocation(bench: Bench) -> None:
    allocation = {"default": {"cpu_limit": "2"}, "jobSpecific": []}
    live = await bench.backend.create(
        bench.workspace, replace(SHOP, resource_allocation=allocation)
    )
    rename = Update(replace(SHOP, name="renamed"), frozenset({"name"}))
    whole = Update(SHOP, frozenset({"configuration"}), whole=True)
    for update in (rename, whole):
        updated = await bench.backend.update(live, update)
        assert isinstance(updated.spec, Source)
        assert updated.spec.resource_allocation["default"]["cpu_limit"] == "2"


async def test_a_secret_that_is_not_at_hand_sends_nothing(bench: Bench) -> None:
    live = await bench.backend.create(bench.workspace, SHOP)
    masked = Update(replace(SHOP, configuration={"password": MASK}), frozenset({"configuration"}))
    with pytest.raises(ReconcilerError, match="/configuration/password is a mask"):
        await bench.backend.update(live, masked)
    assert await bench.backend.read("source", live.id) == live


async def test_a_refused_configuration_says_what_the_server_said(bench: Bench) -> None:
    with pytest.raises(ApiError, match="required property 'host' not found") as caught:
        await bench.backend.create(bench.workspace, replace(SHOP, configuration={}))
    assert caught.value.status == 422


async def test_a_connection_is_created_as_stated_and_reads_back_so(modern: Bench) -> None:
    for name in ("gold", "pii"):
        await modern.backend.create_tag(modern.workspace, name)
    stated: dict[str, Any] = {
        "status": "inactive",
        "schedule": Schedule(cron="0 0 12 ? * MON"),
        "namespace": Namespace("format", "raw_${SOURCE_NAMESPACE}"),
        "prefix": "shop_",
        "schema_changes": "disable",
        "tags": ("gold", "pii"),
    }
    live = await modern.connection(**stated)
    assert {name: getattr(live.spec, name) for name in stated} == stated
    assert [(s.namespace, s.name, s.sync_mode) for s in streams_of(live)] == [
        ("public", "users", "full_refresh_overwrite")
    ]
    assert await modern.backend.read("connection", live.id) == live
    snapshot = await modern.backend.snapshot(modern.workspace)
    assert live in snapshot.objects
    assert sorted(snapshot.tags) == ["gold", "pii"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "renamed"},
        {"status": "inactive"},
        {"schedule": Schedule(cron="0 30 6 * * ?")},
        {"namespace": Namespace("source")},
        {"namespace": Namespace("format", "x")},
        {"prefix": "p_"},
        {"schema_changes": "disable"},
    ],
    ids=str,
)
async def test_each_field_of_a_connection_changes_alone(
    bench: Bench, change: dict[str, Any]
) -> None:
    live = await bench.connection()
    assert await bench.patched(live, **change) == replace(live.spec, **change)


@pytest.mark.parametrize(
    "change", [{"schema_changes": "propagate_columns"}, {"tags": ("gold",)}], ids=str
)
async def test_what_newer_servers_have_changes_alone_too(
    modern: Bench, change: dict[str, Any]
) -> None:
    await modern.backend.create_tag(modern.workspace, "gold")
    live = await modern.connection()
    assert await modern.patched(live, **change) == replace(live.spec, **change)


async def test_what_is_explicitly_empty_is_cleared(modern: Bench) -> None:
    await modern.backend.create_tag(modern.workspace, "gold")
    live = await modern.connection(
        prefix="p_",
        tags=("gold",),
        schedule=Schedule(cron="0 0 1 * * ?"),
        namespace=Namespace("format", "x"),
    )
    cleared = {"prefix": "", "tags": (), "schedule": MANUAL, "namespace": Namespace("destination")}
    assert await modern.patched(live, **cleared) == replace(live.spec, **cleared)


async def test_streams_are_replaced_as_a_whole(bench: Bench) -> None:
    orders = Stream(
        "orders",
        "public",
        "incremental_deduped_history",
        cursor_field=("updated_at",),
        primary_key=(("id",),),
        columns=Columns(names=("email", "id", "updated_at")),
        mappers=(),
        include_files=False,
    )
    live = await bench.connection(USERS)
    assert streams_of(await bench.patched(live, streams=(orders,))) == (orders,)


async def test_what_was_read_can_be_sent_back(modern: Bench) -> None:
    live = await modern.connection(
        replace(
            USERS,
            columns=Columns(names=("email", "id")),
            mappers=(Mapper("hashing", MAPPERS["hashing"]),),
        ),
        Stream("events", None, "incremental_append", cursor_field=("updated_at",)),
    )
    again = await modern.patched(live, streams=streams_of(live))
    assert [replace(s, mappers=()) for s in streams_of(again)] == [
        replace(s, mappers=()) for s in streams_of(live)
    ]


@pytest.mark.parametrize("kind", sorted(MAPPERS))
async def test_every_type_of_mapper_is_created_kept_and_removed(modern: Bench, kind: str) -> None:
    mapper = Mapper(kind, MAPPERS[kind])
    live = await modern.connection(replace(USERS, mappers=(mapper,)))
    (created,) = streams_of(live)
    assert isinstance(created.mappers, tuple)
    assert [(m.type, m.config) for m in created.mappers] == [(kind, MAPPERS[kind])]
    assert created.mappers[0].id
    (kept,) = streams_of(await modern.patched(live, streams=(created,)))
    assert isinstance(kept.mappers, tuple)
    assert kept.mappers[0].config == MAPPERS[kind]
    (removed,) = streams_of(await modern.patched(live, streams=(replace(created, mappers=()),)))
    assert removed.mappers == ()


async def test_the_order_of_mappers_is_theirs(modern: Bench) -> None:
    mappers = tuple(
        Mapper(kind, MAPPERS[kind]) for kind in ("row-filtering", "hashing", "field-renaming")
    )
    (stream,) = streams_of(await modern.connection(replace(USERS, mappers=mappers)))
    assert isinstance(stream.mappers, tuple)
    assert [mapper.type for mapper in stream.mappers] == [mapper.type for mapper in mappers]


async def test_an_encryption_key_is_masked_and_kept_by_the_mappers_id(modern: Bench) -> None:
    live = await modern.connection(replace(USERS, mappers=(Mapper("encryption", AES),)))
    (stream,) = streams_of(live)
    assert isinstance(stream.mappers, tuple)
    assert stream.mappers[0].config["key"] == MASK
    (kept,) = streams_of(await modern.patched(live, streams=(stream,)))
    assert isinstance(kept.mappers, tuple)
    assert kept.mappers[0].config["key"] == MASK


async def test_deleting_a_source_takes_its_connections_along(bench: Bench) -> None:
    live = await bench.connection()
    assert isinstance(live.spec, Connection)
    await bench.backend.delete("source", str(live.spec.source.id))
    assert await bench.backend.read("connection", live.id) is None
    left = (await bench.backend.snapshot(bench.workspace)).objects
    assert [o.kind for o in left] == ["destination"]


@pytest.mark.parametrize("opener", OLD.values(), ids=list(OLD))
async def test_a_server_without_mappers_is_never_sent_one_and_says_so_beforehand(
    bench: Bench,
) -> None:
    live = await bench.connection()
    await bench.backend.snapshot(bench.workspace)
    assert {"mappers", "tags"} <= bench.backend.capabilities.lacks
    hashed = replace(streams_of(live)[0], mappers=(Mapper("hashing", MAPPERS["hashing"]),))
    assert isinstance(live.spec, Connection)
    wanted = replace(live.spec, streams=(hashed,))
    with pytest.raises(Refused, match="has mappers, which this server ignores"):
        await bench.backend.update(live, Update(wanted, frozenset({"streams"})))
    with pytest.raises(Refused, match="has mappers, which this server ignores"):
        await bench.backend.create(bench.workspace, wanted)
    with pytest.raises(Refused, match="this server has no tags"):
        await bench.backend.create_tag(bench.workspace, "gold")


@pytest.mark.parametrize("opener", MODERN.values(), ids=list(MODERN))
async def test_a_modern_server_lacks_nothing(bench: Bench) -> None:
    await bench.backend.snapshot(bench.workspace)
    assert not bench.backend.capabilities.lacks


async def test_a_tag_is_created_once(modern: Bench) -> None:
    first = await modern.backend.create_tag(modern.workspace, "gold")
    assert await modern.backend.create_tag(modern.workspace, "gold") == first
    assert (await modern.backend.snapshot(modern.workspace)).tags == {"gold": first}


async def test_discovery_tells_modes_keys_cursors_and_columns(bench: Bench) -> None:
    source, destination = await bench.actors()
    found = {s.name: s for s in await bench.backend.discover(source.id, destination.id)}
    assert sorted(found) == ["events", "orders", "users"]
    assert found["users"].namespace == "public"
    assert found["events"].namespace is None
    assert found["events"].default_cursor_field == ("updated_at",)
    assert found["orders"].source_defined_primary_key == (("id",),)
    assert ("email",) in found["users"].fields
    assert "incremental_deduped_history" in found["users"].sync_modes
    alone = await bench.backend.discover(source.id, None)
    assert {s.sync_modes for s in alone} == {()}


async def test_what_never_existed_reads_as_none(bench: Bench) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    for kind in ("source", "destination", "connection"):
        assert await bench.backend.read(kind, nobody) is None


async def test_more_objects_than_a_page_are_all_found_however_the_server_shuffles(
    opener: Opener, tmp_path: Path
) -> None:
    settings = world.settings(tmp_path, chaos=Chaos(page_seed=7))
    async with opener(settings, Auth()) as backend:
        (workspace,) = await backend.workspaces()
        for number in range(130):
            await backend.create(workspace, replace(SHOP, name=f"shop {number:03}"))
        found = (await backend.snapshot(workspace)).objects
        assert [o.spec.name for o in found] == [f"shop {number:03}" for number in range(130)]


@pytest.mark.parametrize("name", sorted({*MODERN, "config 1.0"}))
async def test_a_server_that_wants_credentials_gets_them_and_refuses_wrong_ones(
    name: str, tmp_path: Path
) -> None:
    opener = OPENERS[name]
    settings = world.settings(tmp_path, auth=Credentials("id-1", "right-secret"), token_ttl=60)
    async with opener(settings, Auth(client_id="id-1", client_secret="right-secret")) as backend:
        assert len(await backend.workspaces()) == 1
    async with opener(settings, Auth(client_id="id-1", client_secret="wrong-secret")) as backend:
        with pytest.raises(ApiError, match="no access token"):
            await backend.workspaces()
    async with opener(settings, Auth()) as backend:
        with pytest.raises(AuthFailed):
            await backend.workspaces()


@pytest.mark.parametrize("name", ["config 0.63", "config 0.40"])
async def test_the_proxy_of_an_old_server_wants_user_and_password(
    name: str, tmp_path: Path
) -> None:
    settings = world.settings(tmp_path, auth=Credentials("airbyte", "right-password"))
    async with OPENERS[name](settings, Auth(username="airbyte", password="right-password")) as api:
        assert len(await api.workspaces()) == 1
    async with OPENERS[name](settings, Auth(username="airbyte", password="wrong-password")) as api:
        with pytest.raises(AuthFailed, match="401") as caught:
            await api.workspaces()
    assert "check the username and password" in caught.value.hint


@pytest.mark.skipif(not PRESENT, reason="no OpenAPI document beside the project")
async def test_requests_are_really_held_against_the_document(tmp_path: Path) -> None:
    checked = Checked(httpx.ASGITransport(create_app(world.settings(tmp_path))))
    async with httpx.AsyncClient(
        transport=checked, base_url="http://embedded/api/public/v1"
    ) as client:
        with pytest.raises(AssertionError, match="'name' is a required property"):
            await client.post("/sources", json={"workspaceId": "x", "configuration": {}})
        with pytest.raises(AssertionError, match="unknown"):
            await client.get("/sources?workspaceId=x")
