"""The public API backend against servers that answer oddly: old, broken, slow, or with things gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from reconciler.backends.bodies import color_of
from reconciler.core.diagnostics import (
    ApiError,
    OutcomeUnknown,
    ReconcilerError,
    Refused,
    Unreachable,
)
from reconciler.core.model import (
    Connection,
    LiveObject,
    Mapper,
    Ref,
    Source,
    Stream,
    Tag,
    Update,
)
from tests.backends.scripted_api import EMPTY, NOT_ROUTED, UNKNOWN, WORKSPACE, ScriptedApi, ok, rows

pytestmark = pytest.mark.anyio

SOURCE_ROW = {
    "sourceId": "s-1",
    "name": "shop",
    "sourceType": "postgres",
    "definitionId": "def-1",
    "workspaceId": "w-1",
    "configuration": {"host": "db"},
}
POSTGRES = {
    "id": "def-1",
    "name": "Postgres",
    "dockerRepository": "airbyte/source-postgres",
    "dockerImageTag": "3.7.1",
}
CONNECTION_ROW = {
    "connectionId": "c-1",
    "name": "c",
    "sourceId": "s-1",
    "destinationId": "d-1",
    "workspaceId": "w-1",
    "status": "active",
    "schedule": {"scheduleType": "manual"},
    "configurations": {"streams": [{"name": "users", "syncMode": "full_refresh_append"}]},
    "tags": [],
}
CONNECTION = Connection(
    "c", Ref(id="s-1"), Ref(id="d-1"), streams=(Stream("users", None, "full_refresh_append"),)
)
LIVE_CONNECTION = LiveObject("connection", "c-1", CONNECTION)
SOURCE = Source("shop", "def-1", {"host": "db"})
LIVE_SOURCE = LiveObject("source", "s-1", SOURCE)


async def test_workspaces_come_sorted_by_name() -> None:
    api = ScriptedApi(
        {
            "GET /workspaces": rows(
                {"workspaceId": "2", "name": "b"},
                {"workspaceId": "3", "name": "a"},
                {"workspaceId": "1", "name": "b"},
            )
        }
    )
    assert [w.id for w in await api.backend.workspaces()] == ["3", "1", "2"]


async def test_a_snapshot_reads_one_workspace_with_each_id_once_and_what_is_gone_left_out() -> None:
    api = ScriptedApi(
        {
            **EMPTY,
            "GET /sources": rows(
                SOURCE_ROW, SOURCE_ROW, {**SOURCE_ROW, "sourceId": "s-2", "configuration": None}
            ),
            "GET /connections": rows(
                CONNECTION_ROW, {**CONNECTION_ROW, "connectionId": "c-2", "status": "deprecated"}
            ),
            "GET /workspaces/w-1/definitions/sources": rows(POSTGRES),
            "GET /tags": rows(
                {"tagId": "t-1", "name": "gold", "color": "1F77B4", "workspaceId": "w-1"}
            ),
        }
    )
    live = await api.backend.snapshot(WORKSPACE)
    assert [(o.kind, o.id) for o in live.objects] == [("connection", "c-1"), ("source", "s-1")]
    assert [(d.id, d.short_name, d.docker_tag) for d in live.definitions] == [
        ("def-1", "postgres", "3.7.1")
    ]
    assert live.tags == {"gold": Tag("t-1", "gold", "1F77B4")}
    lists = [
        r.url.params
        for r in api.requests
        if r.url.path.endswith(("/sources", "/connections")) and "definitions" not in r.url.path
    ]
    assert {(p["workspaceIds"], p["limit"]) for p in lists} == {("w-1", "100")}


async def test_a_snapshot_of_a_server_before_1_6_has_no_tags_and_names_connectors_by_type() -> None:
    old_row = {k: v for k, v in SOURCE_ROW.items() if k != "definitionId"}
    api = ScriptedApi(
        {
            **EMPTY,
            "GET /sources": rows(old_row),
            "GET /workspaces/w-1/definitions/sources": NOT_ROUTED,
            "GET /workspaces/w-1/definitions/destinations": NOT_ROUTED,
            "GET /connector_definitions": NOT_ROUTED,
            "GET /tags": NOT_ROUTED,
        }
    )
    live = await api.backend.snapshot(WORKSPACE)
    assert (live.definitions, live.tags) == ((), {})
    assert isinstance(live.objects[0].spec, Source)
    assert live.objects[0].spec.connector == "postgres"


async def test_definitions_come_from_the_other_list_where_the_first_is_not_served() -> None:
    def listed(request: httpx.Request) -> httpx.Response:
        assert request.url.params["workspaceId"] == "w-1"
        kind = request.url.params["type"]
        return rows(
            {
                "id": f"{kind}-1",
                "name": "Postgres",
                "connectorDefinitionType": "x",
                "version": "3.7.1",
            }
        )

    api = ScriptedApi(
        {
            **EMPTY,
            "GET /workspaces/w-1/definitions/sources": NOT_ROUTED,
            "GET /workspaces/w-1/definitions/destinations": NOT_ROUTED,
            "GET /connector_definitions": listed,
        }
    )
    live = await api.backend.snapshot(WORKSPACE)
    assert [(d.kind, d.id, d.docker_tag) for d in live.definitions] == [
        ("destination", "destination-1", "3.7.1"),
        ("source", "source-1", "3.7.1"),
    ]


async def test_builder_connectors_are_looked_up_when_a_live_source_uses_one() -> None:
    listed = rows(
        {"id": "def-1", "name": "Postgres"}, {"id": "def-9", "name": "Ours", "version": "1"}
    )
    api = ScriptedApi(
        {
            **EMPTY,
            "GET /sources": rows({**SOURCE_ROW, "definitionId": "def-9"}),
            "GET /workspaces/w-1/definitions/sources": rows(POSTGRES),
            "GET /connector_definitions": listed,
        }
    )
    live = await api.backend.snapshot(WORKSPACE)
    assert [(d.name, d.docker_repository) for d in live.definitions] == [
        ("Ours", ""),
        ("Postgres", "airbyte/source-postgres"),
    ]


async def test_one_failing_list_fails_the_snapshot_with_its_own_error() -> None:
    api = ScriptedApi(
        {**EMPTY, "GET /connections": httpx.Response(403, json={"message": "Forbidden"})}
    )
    with pytest.raises(ApiError, match="GET /connections: 403"):
        await api.backend.snapshot(WORKSPACE)


@pytest.mark.parametrize(
    "answer",
    [
        UNKNOWN,
        ok({**SOURCE_ROW, "configuration": None}),
        ok({**SOURCE_ROW, "configuration": None, "x": 1}),
    ],
)
async def test_what_is_unknown_or_deleted_reads_as_none(answer: httpx.Response) -> None:
    assert await ScriptedApi({"GET /sources/s-1": answer}).backend.read("source", "s-1") is None


async def test_a_path_that_is_not_served_is_no_proof_that_the_object_is_gone() -> None:
    api = ScriptedApi({"GET /sources/s-1": httpx.Response(404, text="default backend - 404")})
    with pytest.raises(Unreachable, match="default backend"):
        await api.backend.read("source", "s-1")


async def test_a_403_for_an_id_says_that_it_may_be_unknown() -> None:
    forbidden = httpx.Response(
        403, json={"type": "x", "title": "forbidden", "data": {"message": "no"}}
    )
    with pytest.raises(ApiError) as caught:
        await ScriptedApi({"GET /sources/s-1": forbidden}).backend.read("source", "s-1")
    assert caught.value.status == 403


@pytest.mark.parametrize("body", [{}, None, [], {"sourceId": 5}])
async def test_a_create_whose_answer_names_no_object_is_unknown(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await ScriptedApi({"POST /sources": ok(body)}).backend.create(WORKSPACE, SOURCE)


async def test_creating_and_patching_streams_is_slow_and_the_rest_is_not() -> None:
    api = ScriptedApi(
        {"POST /connections": ok(CONNECTION_ROW), "PATCH /connections/c-1": ok(CONNECTION_ROW)}
    )
    backend = api.backend
    await backend.create(WORKSPACE, CONNECTION)
    await backend.update(LIVE_CONNECTION, Update(CONNECTION, frozenset({"streams"})))
    await backend.update(LIVE_CONNECTION, Update(CONNECTION, frozenset({"name"})))
    reads = [request.extensions["timeout"]["read"] for request in api.requests]
    assert reads == [600, 600, 60]


async def test_a_whole_update_is_a_put_and_a_partial_one_a_patch() -> None:
    api = ScriptedApi({"PUT /sources/s-1": ok(SOURCE_ROW), "PATCH /sources/s-1": ok(SOURCE_ROW)})
    backend = api.backend
    await backend.update(LIVE_SOURCE, Update(SOURCE, frozenset({"configuration"}), whole=True))
    assert api.sent() == {"name": "shop", "configuration": {"host": "db"}}
    await backend.update(LIVE_SOURCE, Update(replace(SOURCE, name="new"), frozenset({"name"})))
    assert api.sent() == {"name": "new"}


async def test_a_patch_of_a_deleted_connection_is_not_taken_for_done() -> None:
    gone = ok({**CONNECTION_ROW, "status": "deprecated"})
    api = ScriptedApi({"PATCH /connections/c-1": gone})
    with pytest.raises(ApiError, match="deleted on the server"):
        await api.backend.update(LIVE_CONNECTION, Update(CONNECTION, frozenset({"name"})))


async def test_tags_of_a_connection_are_looked_up_in_its_own_workspace() -> None:
    def tags(request: httpx.Request) -> httpx.Response:
        assert request.url.params["workspaceIds"] == "w-1"
        return rows({"tagId": "t-1", "name": "gold", "color": "AABBCC", "workspaceId": "w-1"})

    api = ScriptedApi(
        {
            "GET /connections/c-1": ok(CONNECTION_ROW),
            "GET /tags": tags,
            "PATCH /connections/c-1": ok(CONNECTION_ROW),
        }
    )
    backend = api.backend
    update = Update(replace(CONNECTION, tags=("gold",)), frozenset({"tags"}))
    await backend.update(LIVE_CONNECTION, update)
    assert api.sent() == {
        "tags": [{"tagId": "t-1", "workspaceId": "w-1", "name": "gold", "color": "AABBCC"}]
    }
    await backend.update(LIVE_CONNECTION, update)
    assert api.asked.count("GET /api/public/v1/tags") == 1


async def test_deleting_what_is_not_there_is_done_but_a_wrong_path_is_not() -> None:
    await ScriptedApi({"DELETE /sources/s-1": httpx.Response(204)}).backend.delete("source", "s-1")
    await ScriptedApi({"DELETE /sources/s-1": UNKNOWN}).backend.delete("source", "s-1")
    with pytest.raises(Unreachable):
        await ScriptedApi({"DELETE /sources/s-1": NOT_ROUTED}).backend.delete("source", "s-1")


async def test_an_id_cannot_lead_to_another_path() -> None:
    api = ScriptedApi({"DELETE /sources/..%2Fworkspaces%2Fw-1": UNKNOWN})
    await api.backend.delete("source", "../workspaces/w-1")
    with pytest.raises(ReconcilerError, match="no id"):
        await api.backend.delete("source", "..")


CONFLICT = httpx.Response(
    409, json={"type": "error:tag-already-exists", "title": "Tag already exists"}
)


@pytest.mark.parametrize(
    "answer",
    [CONFLICT, httpx.ReadTimeout("x"), httpx.Response(502), httpx.Response(500)],
    ids=repr,
)
async def test_a_tag_that_exists_by_now_is_the_one(answer: Any) -> None:
    gold = {"tagId": "t-1", "name": "gold", "color": "AABBCC", "workspaceId": "w-1"}
    api = ScriptedApi({"POST /tags": answer, "GET /tags": rows(gold)})
    assert await api.backend.create_tag(WORKSPACE, "gold") == Tag("t-1", "gold", "AABBCC")


async def test_a_lost_tag_that_is_not_there_stays_unknown() -> None:
    api = ScriptedApi({"POST /tags": httpx.ReadTimeout("x"), "GET /tags": rows()})
    with pytest.raises(OutcomeUnknown):
        await api.backend.create_tag(WORKSPACE, "gold")


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("x"), httpx.Response(500)], ids=repr)
async def test_a_tag_that_can_not_be_looked_for_stays_unknown(answer: Any) -> None:
    api = ScriptedApi({"POST /tags": answer, "GET /tags": httpx.Response(401)})
    with pytest.raises(OutcomeUnknown):
        await api.backend.create_tag(WORKSPACE, "gold")


async def test_a_tag_that_a_server_failed_on_and_does_not_have_was_not_made() -> None:
    api = ScriptedApi({"POST /tags": httpx.Response(500), "GET /tags": rows()})
    with pytest.raises(ApiError) as raised:
        await api.backend.create_tag(WORKSPACE, "gold")
    assert not isinstance(raised.value, OutcomeUnknown)


async def test_a_server_without_tags_is_asked_for_them_before_a_mapper_is_sent() -> None:
    api = ScriptedApi({"GET /tags": NOT_ROUTED})
    hashed = Stream(
        "users", None, "full_refresh_append", mappers=(Mapper("hashing", {"targetField": "email"}),)
    )
    with pytest.raises(Refused, match="has mappers, which this server ignores"):
        await api.backend.create(WORKSPACE, replace(CONNECTION, streams=(hashed,)))
    assert api.asked == ["GET /api/public/v1/tags"]


async def test_a_tag_that_the_server_refuses_is_an_error() -> None:
    refused = httpx.Response(400, json={"type": "x", "title": "Tag name is too long"})
    with pytest.raises(ApiError, match="Tag name is too long"):
        await ScriptedApi({"POST /tags": refused}).backend.create_tag(WORKSPACE, "gold" * 10)


async def test_tags_of_a_connection_that_is_gone_are_not_written() -> None:
    api = ScriptedApi({"GET /connections/c-1": UNKNOWN})
    update = Update(replace(CONNECTION, tags=("gold",)), frozenset({"tags"}))
    with pytest.raises(ApiError, match="does not exist"):
        await api.backend.update(LIVE_CONNECTION, update)


@pytest.mark.parametrize("path", ["/tags", "/workspaces/w-1/definitions/sources"])
async def test_what_is_refused_is_not_taken_for_not_served(path: str) -> None:
    api = ScriptedApi({**EMPTY, f"GET {path}": httpx.Response(403, json={"message": "Forbidden"})})
    with pytest.raises(ApiError, match=f"GET {path}: 403"):
        await api.backend.snapshot(WORKSPACE)


def test_a_tags_color_is_six_hex_digits_and_the_same_in_every_run() -> None:
    assert color_of("gold") == color_of("gold")
    assert len({color_of(f"tag-{n}") for n in range(50)}) > 4
    assert all(len(bytes.fromhex(color_of(f"tag-{n}"))) == 3 for n in range(50))


async def test_discovery_is_slow_sorted_and_asked_for_a_destination_only_where_there_is_one() -> (
    None
):
    api = ScriptedApi(
        {"GET /streams": ok([{"streamName": "b"}, {"streamName": "a", "streamnamespace": "z"}])}
    )
    found = await api.backend.discover("s-1", None)
    assert [(s.namespace, s.name) for s in found] == [(None, "b"), ("z", "a")]
    assert dict(api.requests[0].url.params) == {"sourceId": "s-1"}
    assert api.requests[0].extensions["timeout"]["read"] == 600
    await api.backend.discover("s-1", "d-1")
    assert dict(api.requests[1].url.params) == {"sourceId": "s-1", "destinationId": "d-1"}


async def test_a_failed_discovery_says_what_the_connector_said_and_is_not_repeated() -> None:
    body = {
        "type": "x",
        "title": "unexpected-problem",
        "data": {"message": "logs:connection refused"},
    }
    api = ScriptedApi({"GET /streams": httpx.Response(500, json=body)})
    with pytest.raises(ApiError, match="500 unexpected-problem: logs:connection refused"):
        await api.backend.discover("s-1", None)
    assert len(api.requests) == 1


async def test_a_stream_without_a_name_does_not_hide_the_others() -> None:
    listed = [{"streamName": "users"}, {"streamName": ""}, {"defaultCursorField": []}]
    api = ScriptedApi({"GET /streams": ok(listed)})
    assert [s.name for s in await api.backend.discover("s-1", None)] == ["users"]
    other = ScriptedApi({"GET /streams": ok([{"id": 1}])})
    with pytest.raises(Unreachable, match="streamName is missing"):
        await other.backend.discover("s-1", None)
