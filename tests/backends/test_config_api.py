"""The Configuration API of servers that lack an endpoint, lose an answer, or say no in their own way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from reconciler.core.diagnostics import (
    ApiError,
    AuthFailed,
    OutcomeUnknown,
    Refused,
    Unreachable,
)
from reconciler.core.model import (
    MASK,
    UNSET,
    Connection,
    ConnectorDefinition,
    LiveObject,
    Mapper,
    Ref,
    Source,
    Stream,
    Update,
    Workspace,
)
from tests.backends.scripted_config import (
    EMPTY,
    FAILED,
    NO_ROUTE,
    UNKNOWN,
    UNKNOWN_THEN,
    WORKSPACE,
    ScriptedConfig,
    connection_row,
    discovered,
    ok,
    source_row,
    stream_object,
)

pytestmark = pytest.mark.anyio

NOBODY = "00000000-0000-0000-0000-000000000000"
OURS = "0d6f2a51-7c3e-4b8a-9e14-5a2c8f7b6d30"
ROWS = [{"workspaceId": "w-2", "name": "b"}, {"workspaceId": "w-1", "name": "a"}]
BY_ORGANIZATION, BY_USER = "/workspaces/list_by_organization_id", "/workspaces/list_by_user_id"
LISTED = ok({"workspaces": ROWS})
A_B = (Workspace("w-1", "a"), Workspace("w-2", "b"))

SHOP = Source("shop", "d-1", {"host": "db"})
LIVE_SHOP = LiveObject("source", "s-1", SHOP)
USERS = Stream("users", None, "full_refresh_overwrite")
PAIR = Connection("shop to lake", Ref(id="s-1"), Ref(id="d-1"), streams=(USERS,))
LIVE_PAIR = LiveObject("connection", "c-1", PAIR)

FORBIDDEN = httpx.Response(403, json={"message": "Forbidden", "_links": {}, "_embedded": {}})
NOT_ALLOWED = httpx.Response(405, json={"message": "Method Not Allowed", "_links": {}})


# --- Workspaces ------------------------------------------------------------------------------


async def test_an_old_server_lists_its_workspaces_and_nothing_else_is_asked() -> None:
    api = ScriptedConfig({"/workspaces/list": LISTED}, workspace=OURS)
    assert await api.backend().workspaces() == A_B
    assert api.asked == ["/workspaces/list"]


@pytest.mark.parametrize("no", [NO_ROUTE, FORBIDDEN, NOT_ALLOWED, UNKNOWN], ids=str)
async def test_without_a_plain_list_the_default_organization_is_asked(no: httpx.Response) -> None:
    api = ScriptedConfig({"/workspaces/list": no, BY_ORGANIZATION: LISTED})
    assert await api.backend().workspaces() == A_B
    assert api.sent(BY_ORGANIZATION) == {"organizationId": NOBODY}


@pytest.mark.parametrize("no", [NO_ROUTE, FORBIDDEN, ok({"workspaces": []})], ids=str)
async def test_then_the_default_user(no: httpx.Response) -> None:
    api = ScriptedConfig({BY_ORGANIZATION: no, BY_USER: LISTED})
    assert await api.backend().workspaces() == A_B
    assert api.asked == ["/workspaces/list", BY_ORGANIZATION, BY_USER]
    assert api.sent(BY_USER) == {"userId": NOBODY}


async def test_a_workspace_that_the_target_names_by_id_is_asked_for_first() -> None:
    row = {"workspaceId": OURS, "name": "Ours"}
    api = ScriptedConfig({"/workspaces/get": ok(row)}, workspace=OURS)
    assert await api.backend().workspaces() == (Workspace(OURS, "Ours"),)
    assert api.asked == ["/workspaces/list", "/workspaces/get"]


@pytest.mark.parametrize("no", [UNKNOWN, FORBIDDEN], ids=str)
async def test_an_id_that_is_not_seen_leaves_it_to_the_lists(no: httpx.Response) -> None:
    api = ScriptedConfig({"/workspaces/get": no, BY_ORGANIZATION: LISTED}, workspace=OURS)
    assert await api.backend().workspaces() == A_B


async def test_a_name_is_no_id_and_only_lists_know_it() -> None:
    api = ScriptedConfig({BY_ORGANIZATION: LISTED}, workspace="Default Workspace")
    await api.backend().workspaces()
    assert "/workspaces/get" not in api.asked


async def test_a_server_that_lists_no_workspaces_at_all_is_said_to() -> None:
    with pytest.raises(Unreachable, match="lists no workspaces") as caught:
        await ScriptedConfig({}).backend().workspaces()
    assert "state the workspace's id" in caught.value.hint


async def test_lists_that_are_empty_are_no_workspaces_and_no_trouble() -> None:
    nothing = ok({"workspaces": []})
    assert await ScriptedConfig({BY_ORGANIZATION: nothing}).backend().workspaces() == ()


async def test_a_deleted_workspace_is_not_there() -> None:
    rows = [{"workspaceId": "w-9", "name": "gone", "tombstone": True}]
    api = ScriptedConfig({"/workspaces/list": ok({"workspaces": rows})})
    assert await api.backend().workspaces() == ()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, html="<html><title>401</title></html>"), AuthFailed),
        (FAILED, ApiError),
        (httpx.Response(503), Unreachable),
    ],
)
async def test_trouble_is_no_reason_to_ask_elsewhere(
    answer: httpx.Response, error: type[Exception]
) -> None:
    api = ScriptedConfig({"/workspaces/list": answer, BY_ORGANIZATION: LISTED})
    with pytest.raises(error):
        await api.backend().workspaces()
    assert BY_ORGANIZATION not in api.asked


# --- Snapshots -------------------------------------------------------------------------------


async def test_a_snapshot_lists_each_object_once_and_none_that_is_deleted() -> None:
    gone = source_row(sourceId="s-9", connectionConfiguration=None)
    connections = [connection_row(), connection_row(), connection_row(status="deprecated")]
    api = ScriptedConfig(
        {
            **EMPTY,
            "/sources/list": ok({"sources": [source_row(), gone, source_row()]}),
            "/connections/list": ok({"connections": connections[:2]}),
            "/source_definitions/list_for_workspace": ok(
                {"sourceDefinitions": [definition("source", "d-1")]}
            ),
        }
    )
    live = await api.backend().snapshot(WORKSPACE)
    assert [(o.kind, o.id) for o in live.objects] == [("connection", "c-1"), ("source", "s-1")]
    assert live.definitions == (
        ConnectorDefinition("source", "d-1", "Postgres", "airbyte/source-postgres", "3.6.0"),
    )


def definition(kind: str, definition_id: str) -> dict[str, Any]:
    return {
        f"{kind}DefinitionId": definition_id,
        "name": "Postgres",
        "dockerRepository": f"airbyte/{kind}-postgres",
        "dockerImageTag": "3.6.0",
    }


async def test_definitions_come_from_the_deployment_where_no_workspace_lists_them() -> None:
    answers = {
        **EMPTY,
        "/source_definitions/list_for_workspace": NO_ROUTE,
        "/source_definitions/list": ok({"sourceDefinitions": [definition("source", "d-7")]}),
    }
    api = ScriptedConfig(answers)
    live = await api.backend().snapshot(WORKSPACE)
    assert [d.id for d in live.definitions] == ["d-7"]
    assert api.requests[api.asked.index("/source_definitions/list")].content == b""


async def test_a_definition_in_use_that_the_workspace_is_not_offered_is_looked_up() -> None:
    every = [definition("source", "d-1"), definition("source", "d-2")]
    api = ScriptedConfig(
        {
            **EMPTY,
            "/sources/list": ok({"sources": [source_row()]}),
            "/source_definitions/list": ok({"sourceDefinitions": every}),
        }
    )
    live = await api.backend().snapshot(WORKSPACE)
    assert [d.id for d in live.definitions] == ["d-1"]


@pytest.mark.parametrize("answer", [NO_ROUTE, FORBIDDEN, NOT_ALLOWED], ids=str)
async def test_a_server_without_tags_has_none(answer: httpx.Response) -> None:
    live = await ScriptedConfig({**EMPTY, "/tags/list": answer}).backend().snapshot(WORKSPACE)
    assert live.tags == {}


async def test_an_endpoint_that_is_not_there_is_asked_for_once_a_run() -> None:
    api = ScriptedConfig({**EMPTY, "/tags/list": NO_ROUTE})
    backend = api.backend()
    await backend.snapshot(WORKSPACE)
    await backend.snapshot(WORKSPACE)
    assert api.asked.count("/tags/list") == 1


@pytest.mark.parametrize(
    ("answers", "generation"),
    [
        ({"/workspaces/list": LISTED, "/tags/list": NO_ROUTE}, "before 1.6"),
        ({"/workspaces/list": LISTED}, "1.6"),
        ({BY_ORGANIZATION: LISTED}, "1.7 or newer"),
        ({"/workspaces/list": FORBIDDEN, BY_ORGANIZATION: LISTED}, ""),
    ],
)
async def test_which_releases_answer_like_that_is_told(
    answers: dict[str, Any], generation: str
) -> None:
    backend = ScriptedConfig({**EMPTY, **answers}).backend()
    assert backend.generation == ""
    await backend.workspaces()
    await backend.snapshot(WORKSPACE)
    assert backend.generation == generation


@pytest.mark.parametrize("body", [{}, {"connections": None}, [5]], ids=str)
async def test_an_answer_that_is_no_list_is_not_an_empty_workspace(body: Any) -> None:
    with pytest.raises(Unreachable, match="POST /connections/list: the answer is no list"):
        await ScriptedConfig({**EMPTY, "/connections/list": ok(body)}).backend().snapshot(WORKSPACE)


# --- Reading and deleting one object ---------------------------------------------------------


@pytest.mark.parametrize("answer", [UNKNOWN, UNKNOWN_THEN], ids=str)
async def test_an_unknown_id_is_nothing_in_every_era(answer: httpx.Response) -> None:
    backend = ScriptedConfig({"/sources/get": answer, "/sources/delete": answer}).backend()
    assert await backend.read("source", "s-1") is None
    await backend.delete("source", "s-1")


async def test_a_404_about_the_path_is_not_about_the_object() -> None:
    backend = ScriptedConfig({}).backend()
    for call in (backend.read("source", "s-1"), backend.delete("source", "s-1")):
        with pytest.raises(Unreachable, match=r"404 Not Found: Object not found\.") as caught:
            await call
        assert "is http://localhost:8001/api/v1 the API's base path?" in caught.value.hint


async def test_a_delete_without_an_answer_is_repeated_and_done_when_it_is_gone() -> None:
    api = ScriptedConfig({"/sources/delete": [httpx.ReadError("reset"), UNKNOWN]})
    await api.backend().delete("source", "s-1")
    assert api.asked == ["/sources/delete"] * 2


async def test_an_answer_with_nothing_but_a_log_id_is_one_line_with_that_id() -> None:
    with pytest.raises(ApiError) as caught:
        await ScriptedConfig({"/sources/create": FAILED}).backend().create(WORKSPACE, SHOP)
    assert caught.value.message == (
        "POST /sources/create: 500 Internal Server Error (server log id e-500)"
    )
    assert caught.value.status == 500


async def test_a_validation_says_what_is_wrong_without_the_schema_and_without_secrets() -> None:
    message = (
        "The provided configuration does not fulfill the specification. Errors: json schema validation "
        "failed when comparing the data to the json schema. \nErrors: $.password: hunter2hunter2 is no "
        'integer \nSchema: \n{"title": "everything"}'
    )
    refused = httpx.Response(422, json={"message": message, "errorId": "e-1"})
    api = ScriptedConfig({"/sources/create": refused}, secret="hunter2hunter2")
    with pytest.raises(ApiError) as caught:
        await api.backend().create(WORKSPACE, SHOP)
    assert caught.value.status == 422
    assert "$.password: (secret) is no integer" in caught.value.message
    assert "everything" not in caught.value.message
    assert "\n" not in caught.value.message


# --- Writes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [httpx.ReadError("reset"), httpx.Response(502)], ids=str)
@pytest.mark.parametrize("path", ["/sources/create", "/connections/create"])
async def test_a_create_whose_answer_is_lost_is_not_repeated(
    path: str, lost: httpx.Response | Exception
) -> None:
    answers = {
        path: lost,
        "/sources/discover_schema": discovered(stream_object("users")),
        "/tags/list": ok([]),
    }
    api = ScriptedConfig(answers)
    with pytest.raises(OutcomeUnknown):
        await api.backend().create(WORKSPACE, SHOP if path.startswith("/sources") else PAIR)
    assert api.asked.count(path) == 1


@pytest.mark.parametrize("body", [{}, {"sourceId": ""}, []], ids=str)
async def test_an_answer_that_names_no_object_leaves_the_outcome_open(body: Any) -> None:
    with pytest.raises(OutcomeUnknown, match="sourceId is missing"):
        await ScriptedConfig({"/sources/create": ok(body)}).backend().create(WORKSPACE, SHOP)


async def test_a_whole_update_without_an_answer_is_repeated() -> None:
    api = ScriptedConfig({"/sources/update": [httpx.ReadError("x"), ok(source_row())]})
    whole = Update(SHOP, frozenset({"configuration"}), whole=True)
    assert await api.backend().update(LIVE_SHOP, whole) == LIVE_SHOP
    assert api.asked == ["/sources/update"] * 2


@pytest.mark.parametrize("live", [LIVE_SHOP, LIVE_PAIR], ids=["source", "connection"])
async def test_a_merge_without_an_answer_is_not_repeated(live: LiveObject) -> None:
    lost = httpx.ReadError("x")
    api = ScriptedConfig({"/sources/partial_update": lost, "/connections/update": lost})
    with pytest.raises(OutcomeUnknown):
        await api.backend().update(live, Update(live.spec, frozenset({"name"})))
    assert len(api.requests) == 1


async def test_a_write_to_what_was_deleted_meanwhile_says_so() -> None:
    answers = {"/connections/update": ok(connection_row(status="deprecated"))}
    with pytest.raises(ApiError, match="the connection is deleted on the server"):
        await ScriptedConfig(answers).backend().update(LIVE_PAIR, Update(PAIR, frozenset({"name"})))


SPEC = {
    "connectionSpecification": {
        "properties": {
            "host": {"type": "string"},
            "password": {"type": "string", "airbyte_secret": True},
        }
    }
}
PARTIAL = Update(replace(SHOP, configuration={"host": "new"}), frozenset({"configuration"}))


async def test_a_server_without_partial_update_gets_the_whole_of_what_it_has_now() -> None:
    now = source_row(name="renamed", connectionConfiguration={"host": "old", "password": MASK})
    api = ScriptedConfig(
        {
            "/sources/get": ok(now),
            "/source_definition_specifications/get": ok(SPEC),
            "/sources/update": ok(now),
        }
    )
    backend = api.backend()
    await backend.update(LIVE_SHOP, PARTIAL)
    await backend.update(LIVE_SHOP, PARTIAL)
    assert api.sent("/sources/update") == {
        "sourceId": "s-1",
        "name": "renamed",
        "connectionConfiguration": {"host": "new", "password": MASK},
    }
    assert api.asked.count("/sources/partial_update") == 1


async def test_and_nothing_where_a_secret_would_be_destroyed() -> None:
    hidden = {"host": "old", "keys": [{"key": MASK}]}
    api = ScriptedConfig(
        {
            "/sources/get": ok(source_row(connectionConfiguration=hidden)),
            "/source_definition_specifications/get": ok(SPEC),
        }
    )
    with pytest.raises(Refused, match=r"restore /configuration/keys/0/key; nothing was sent"):
        await api.backend().update(LIVE_SHOP, PARTIAL)
    assert "/sources/update" not in api.asked


@pytest.mark.parametrize("no_tags", [NO_ROUTE, FORBIDDEN], ids=str)
async def test_a_server_without_mappers_is_not_sent_any(no_tags: httpx.Response) -> None:
    """Tags tell, as both came together; where they are forbidden, nothing shows that it has them."""
    hashed = replace(USERS, mappers=(Mapper("hashing", {"targetField": "email"}),))
    offered = discovered(stream_object("users"))
    api = ScriptedConfig({"/sources/discover_schema": offered, "/tags/list": no_tags})
    with pytest.raises(Refused, match="has mappers, which this server ignores") as caught:
        await api.backend().create(WORKSPACE, replace(PAIR, streams=(hashed,)))
    assert "in clear" in caught.value.hint
    assert "/connections/create" not in api.asked


@pytest.mark.parametrize(
    ("answer", "lacks"),
    [(NO_ROUTE, True), (ok({"sources": []}), False), (httpx.Response(400, json={}), False)],
    ids=["no such path", "served", "fails"],
)
async def test_an_old_server_that_only_fails_at_a_list_has_it(
    answer: httpx.Response, lacks: bool
) -> None:
    api = ScriptedConfig(EMPTY | {"/tags/list": NO_ROUTE, "/sources/list_paginated": answer})
    backend = api.backend()
    await backend.snapshot(WORKSPACE)
    assert ("propagation" in backend.capabilities.lacks) == lacks


async def test_a_server_without_tags_is_asked_for_none() -> None:
    api = ScriptedConfig(EMPTY | {"/tags/list": NO_ROUTE})
    backend = api.backend()
    await backend.snapshot(WORKSPACE)
    with pytest.raises(Refused, match="this server has no tags"):
        await backend.create_tag(WORKSPACE, "gold")
    assert "/tags/create" not in api.asked


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadError("reset"),
        httpx.Response(409, json={"errorId": "e"}),
        httpx.Response(500, json={"message": "Internal Server Error"}),
    ],
    ids=str,
)
async def test_a_tag_that_is_there_by_now_is_the_one(trouble: httpx.Response | Exception) -> None:
    gold = {"tagId": "t-1", "name": "gold", "color": "FFD700", "workspaceId": "w-1"}
    api = ScriptedConfig({"/tags/create": trouble, "/tags/list": ok([gold])})
    assert (await api.backend().create_tag(WORKSPACE, "gold")).id == "t-1"


async def test_the_workspace_of_a_connection_is_its_sources() -> None:
    gold = {"tagId": "t-1", "name": "gold", "color": "FFD700", "workspaceId": "w-1"}
    api = ScriptedConfig(
        {
            "/sources/get": ok(source_row()),
            "/tags/list": ok([gold]),
            "/connections/update": ok(connection_row(tags=[gold])),
        }
    )
    tagged = Update(replace(PAIR, tags=("gold",)), frozenset({"tags"}))
    await api.backend().update(LIVE_PAIR, tagged)
    assert api.sent("/connections/update") == {"connectionId": "c-1", "tags": [gold]}


async def test_no_body_of_a_create_holds_what_is_not_stated() -> None:
    api = ScriptedConfig(
        {
            "/tags/list": ok([]),
            "/sources/discover_schema": discovered(stream_object("users")),
            "/connections/create": ok(connection_row()),
        }
    )
    await api.backend().create(WORKSPACE, replace(PAIR, prefix=UNSET, tags=UNSET))
    sent = api.sent("/connections/create")
    assert not {"prefix", "tags", "schedule", "notifySchemaChangesByEmail"} & set(sent)


async def test_a_stream_without_a_name_does_not_hide_the_others() -> None:
    there = discovered(stream_object("users"), stream_object(""), {"jsonSchema": {}})
    api = ScriptedConfig({"/sources/discover_schema": there})
    assert [s.name for s in await api.backend().discover("s-1", None)] == ["users"]
    other = ScriptedConfig({"/sources/discover_schema": discovered({"jsonSchema": {}})})
    with pytest.raises(Unreachable, match="name is missing"):
        await other.backend().discover("s-1", None)
