"""Discoveries, connection tests and jobs over the Configuration API, of servers of every generation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from reconciler.core.diagnostics import (
    ApiError,
    OutcomeUnknown,
    ReconcilerError,
    Refused,
)
from reconciler.core.jobs import Check
from reconciler.core.model import (
    Connection,
    ConnectorDefinition,
    LiveObject,
    Ref,
    Source,
    Stream,
    Update,
)
from tests.backends.scripted_config import (
    FAILED,
    UNKNOWN,
    WORKSPACE,
    ScriptedConfig,
    connection_row,
    discovered,
    ok,
    source_row,
    stream_object,
)

pytestmark = pytest.mark.anyio

SHOP = Source("shop", "d-1", {"host": "db"})
LIVE_SHOP = LiveObject("source", "s-1", SHOP)
PARTIAL = Update(replace(SHOP, configuration={"host": "new"}), frozenset({"configuration"}))
USERS = Stream("users", None, "full_refresh_overwrite")
PAIR = Connection("shop to lake", Ref(id="s-1"), Ref(id="d-1"), streams=(USERS,))
LIVE_PAIR = LiveObject("connection", "c-1", PAIR)


# --- Discovery -------------------------------------------------------------------------------


async def test_a_discovery_asks_for_the_source_alone() -> None:
    modes = ok({"supportedDestinationSyncModes": ["append"]})
    path = "/destination_definition_specifications/get_for_destination"
    api = ScriptedConfig(
        {"/sources/discover_schema": discovered(stream_object("users")), path: modes}
    )
    (users,) = await api.backend().discover("s-1", "d-1")
    assert users.sync_modes == ("full_refresh_append", "incremental_append")
    assert api.sent("/sources/discover_schema") == {"sourceId": "s-1"}


async def test_where_no_destination_says_its_modes_the_definition_does() -> None:
    api = ScriptedConfig(
        {
            "/sources/discover_schema": discovered(stream_object("users")),
            "/destinations/get": ok({"destinationDefinitionId": "dd", "workspaceId": "w-1"}),
            "/destination_definition_specifications/get": ok(
                {"supportedDestinationSyncModes": ["overwrite"]}
            ),
        }
    )
    (users,) = await api.backend().discover("s-1", "d-1")
    assert users.sync_modes == ("full_refresh_overwrite",)


async def test_a_destination_that_says_no_modes_leaves_them_unknown() -> None:
    path = "/destination_definition_specifications/get_for_destination"
    api = ScriptedConfig(
        {"/sources/discover_schema": discovered(stream_object("users")), path: UNKNOWN}
    )
    (users,) = await api.backend().discover("s-1", "d-1")
    assert users.sync_modes == ()


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"failureReason": {"externalMessage": "no route to hunter2"}}, "no route to (secret)"),
        ({"failureReason": {"internalMessage": "exit 1"}}, "exit 1"),
        ({"succeeded": False}, "it gives no reason"),
    ],
)
async def test_a_discovery_without_a_catalog_is_a_failure_in_the_connectors_words(
    job: dict[str, Any], said: str
) -> None:
    api = ScriptedConfig({"/sources/discover_schema": ok({"jobInfo": job})}, secret="hunter2")
    with pytest.raises(ApiError) as caught:
        await api.backend().discover("s-1", None)
    assert caught.value.message == f"POST /sources/discover_schema: the connector failed: {said}"
    assert type(caught.value) is ApiError


async def test_a_write_uses_the_last_discovery_and_discovers_anew_after_the_source_changed() -> (
    None
):
    api = ScriptedConfig(
        {
            "/tags/list": ok([]),
            "/sources/get": ok(source_row()),
            "/sources/discover_schema": discovered(stream_object("users")),
            "/sources/partial_update": ok(source_row()),
            "/connections/update": ok(connection_row()),
        }
    )
    backend = api.backend()
    streams = Update(PAIR, frozenset({"streams"}))
    await backend.discover("s-1", None)
    await backend.update(LIVE_PAIR, streams)
    assert api.asked.count("/sources/discover_schema") == 1
    await backend.update(LIVE_SHOP, PARTIAL)
    await backend.update(LIVE_PAIR, streams)
    assert api.asked.count("/sources/discover_schema") == 2
    assert api.sent("/connections/update")["sourceCatalogId"] == "catalog-1"


async def test_a_specification_that_the_server_has_not_is_none() -> None:
    shop = ConnectorDefinition("source", "d-1", "Shop", "acme/source-shop")
    path = "/source_definition_specifications/get"
    api = ScriptedConfig({path: UNKNOWN})
    assert await api.backend().specification(WORKSPACE, shop) is None
    assert api.sent(path) == {"sourceDefinitionId": "d-1", "workspaceId": "w-1"}


async def test_a_check_is_slow_and_is_told_without_secrets() -> None:
    answer = ok({"status": "failed", "message": "password\nhunter2 refused", "jobInfo": {}})
    api = ScriptedConfig({"/destinations/check_connection": answer}, secret="hunter2")
    found = await api.backend().check("destination", "d-1")
    assert found == Check(False, "password (secret) refused")
    assert api.sent("/destinations/check_connection") == {"destinationId": "d-1"}


# --- Jobs ------------------------------------------------------------------------------------


def job_row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "configType": "sync",
        "configId": "c-1",
        "status": "running",
        "createdAt": 1700000000 + number,
        "updatedAt": 1700000000 + number,
        **more,
    }


def jobs_page(request: httpx.Request) -> httpx.Response:
    window = ScriptedConfig({}, requests=[request]).sent(request.url.path[len("/api/v1") :])
    offset = window["pagination"]["rowOffset"]
    numbers = range(250, 0, -1)[offset : offset + window["pagination"]["pageSize"]]
    return ok({"jobs": [{"job": job_row(n), "attempts": []} for n in numbers]})


async def test_the_newest_jobs_of_a_connection_are_read_page_by_page() -> None:
    api = ScriptedConfig({"/jobs/list": jobs_page})
    found = await api.backend().jobs(WORKSPACE, "c-1", 150)
    assert [job.id for job in found] == [str(n) for n in range(250, 100, -1)]
    assert api.sent("/jobs/list")["configId"] == "c-1"
    assert api.sent("/jobs/list")["configTypes"] == ["sync", "reset_connection", "refresh", "clear"]


async def test_the_jobs_of_a_workspace_come_from_one_list_or_from_each_connection() -> None:
    together = ScriptedConfig({"/jobs/list_for_workspaces": jobs_page})
    assert len(await together.backend().jobs(WORKSPACE, None, 5)) == 5
    assert together.sent("/jobs/list_for_workspaces")["workspaceIds"] == ["w-1"]

    def of_one(request: httpx.Request) -> httpx.Response:
        connection = ScriptedConfig({}, requests=[request]).sent("/jobs/list")["configId"]
        number = int(connection.removeprefix("c-"))
        return ok({"jobs": [job_row(number, configId=connection)]})

    connections = [connection_row(connectionId=f"c-{n}") for n in (1, 3, 2)]
    each = ScriptedConfig(
        {"/connections/list": ok({"connections": connections}), "/jobs/list": of_one}
    )
    found = await each.backend().jobs(WORKSPACE, None, 2)
    assert [(job.id, job.connection_id) for job in found] == [("3", "c-3"), ("2", "c-2")]


@pytest.mark.parametrize("refusal", [400, 422])
async def test_a_server_that_knows_no_refreshes_is_asked_for_none(refusal: int) -> None:
    refused = httpx.Response(refusal, json={"message": "Invalid json input. refresh?"})
    api = ScriptedConfig({"/jobs/list": [refused, ok({"jobs": [job_row(1)]})]})
    backend = api.backend()
    for _ in range(2):
        assert [job.id for job in await backend.jobs(WORKSPACE, "c-1", 5)] == ["1"]
    assert api.sent("/jobs/list")["configTypes"] == ["sync", "reset_connection"]
    assert api.asked == ["/jobs/list"] * 3


async def test_a_job_is_read_without_its_logs_where_that_can_be_asked() -> None:
    newer = ScriptedConfig({"/jobs/get_without_logs": ok({"job": job_row(7)})})
    older = ScriptedConfig({"/jobs/get": ok({"job": job_row(7)})})
    for api in (newer, older):
        job = await api.backend().job("7")
        assert job is not None
        assert job.id == "7"
    assert newer.asked == ["/jobs/get_without_logs"]


@pytest.mark.parametrize(
    "answer",
    [
        UNKNOWN,
        httpx.Response(
            500,
            json={"message": "Internal Server Error: Could not find job with id: 7"},
        ),
    ],
    ids=str,
)
async def test_a_job_that_the_server_says_it_does_not_know_is_none(answer: httpx.Response) -> None:
    assert await ScriptedConfig({"/jobs/get_without_logs": answer}).backend().job("7") is None


async def test_a_500_without_a_word_is_not_taken_for_an_unknown_job() -> None:
    with pytest.raises(ApiError, match=r"there is no job 7, or it can't be read: .*500"):
        await ScriptedConfig({"/jobs/get_without_logs": FAILED}).backend().job("7")


async def test_what_is_no_number_is_no_job() -> None:
    api = ScriptedConfig({})
    assert await api.backend().job("latest") is None
    with pytest.raises(ReconcilerError, match="'latest' is no job id"):
        await api.backend().cancel("latest")
    assert api.asked == []


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (("sync", (), "merge"), "/connections/sync", {}),
        (("refresh", (), "merge"), "/connections/refresh", {"refreshMode": "Merge"}),
        (
            ("refresh", (("public", "users"),), "truncate"),
            "/connections/refresh",
            {
                "refreshMode": "Truncate",
                "streams": [{"streamName": "users", "streamNamespace": "public"}],
            },
        ),
        (("clear", (), "merge"), "/connections/clear", {}),
        (
            ("clear", (("", "users"),), "merge"),
            "/connections/clear/stream",
            {"streams": [{"streamName": "users"}]},
        ),
    ],
)
async def test_each_kind_of_job_is_started(
    call: tuple[Any, Any, Any], path: str, body: dict[str, Any]
) -> None:
    kind, streams, mode = call
    api = ScriptedConfig({path: ok({"job": job_row(7, configType=kind)})})
    assert (await api.backend().start("c-1", kind, streams, mode)).kind == kind
    assert api.sent(path) == {"connectionId": "c-1", **body}


async def test_what_older_servers_call_a_clear_is_a_reset() -> None:
    reset = ok({"job": job_row(7, configType="reset_connection"), "attempts": []})
    api = ScriptedConfig({"/connections/reset": reset})
    assert (await api.backend().start("c-1", "clear")).kind == "clear"
    assert api.asked == ["/connections/clear", "/connections/reset"]


async def test_a_refresh_that_the_server_has_not_is_never_a_reset() -> None:
    api = ScriptedConfig({"/connections/reset": ok({"job": job_row(7)})})
    with pytest.raises(Refused, match="this server has no way to refresh"):
        await api.backend().start("c-1", "refresh")
    assert api.asked == ["/connections/refresh"]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"message": "A sync is already running for: c-1"}, "wait for that job"),
        (
            {
                "status": 409,
                "type": "error:connection/locked",
                "title": "connection-locked",
                "detail": "The connection is locked.",
            },
            "its page says why",
        ),
        ({"message": "Failed to access database. Please try again."}, "try again"),
        ({"errorId": "e-1"}, "may be deleted"),
    ],
    ids=str,
)
async def test_a_409_keeps_its_status_and_words_and_gets_what_it_is_about(
    body: dict[str, Any], hint: str
) -> None:
    refused = httpx.Response(409, json=body)
    with pytest.raises(ApiError, match="409") as caught:
        await ScriptedConfig({"/connections/sync": refused}).backend().start("c-1", "sync")
    assert caught.value.status == 409
    assert hint in caught.value.hint
    assert str(body.get("message", "")) in caught.value.message


async def test_an_inactive_connection_is_named_where_the_server_says_so() -> None:
    said = {"message": "Internal Server Error: Can only sync an active connection"}
    for body, hint in ((said, "set status: active"), ({"errorId": "e"}, "the connection inactive")):
        api = ScriptedConfig({"/connections/sync": httpx.Response(500, json=body)})
        with pytest.raises(ApiError) as caught:
            await api.backend().start("c-1", "sync")
        assert hint in caught.value.hint


@pytest.mark.parametrize("lost", [httpx.ReadError("x"), httpx.Response(504), ok({"job": {}})])
async def test_a_start_whose_answer_is_lost_is_not_repeated(
    lost: httpx.Response | Exception,
) -> None:
    api = ScriptedConfig({"/connections/sync": lost})
    with pytest.raises(OutcomeUnknown):
        await api.backend().start("c-1", "sync")
    assert api.asked == ["/connections/sync"]


async def test_an_answer_without_a_job_started_none() -> None:
    with pytest.raises(ApiError, match="the server started no job"):
        await ScriptedConfig({"/connections/refresh": ok({})}).backend().start("c-1", "refresh")


async def test_a_cancelled_job_may_still_run_and_one_that_ended_is_returned_as_it_is() -> None:
    running = ScriptedConfig({"/jobs/cancel": ok({"job": job_row(7), "attempts": []})})
    assert (await running.backend().cancel("7")).status == "running"
    ended = ScriptedConfig(
        {
            "/jobs/cancel": httpx.Response(409, json={"errorId": "e"}),
            "/jobs/get_without_logs": ok({"job": job_row(7, status="succeeded")}),
        }
    )
    assert (await ended.backend().cancel("7")).status == "succeeded"


async def test_a_failed_job_is_told_without_secrets() -> None:
    attempts = [{"failureSummary": {"failures": [{"externalMessage": "bad hunter2"}]}}]
    answer = ok({"job": job_row(7, status="failed"), "attempts": attempts})
    job = await ScriptedConfig({"/jobs/get": answer}, secret="hunter2").backend().job("7")
    assert job is not None
    assert (job.failure, job.ended) == ("bad (secret)", True)


async def test_what_waits_for_a_container_may_take_ten_minutes() -> None:
    api = ScriptedConfig(
        {
            "/sources/check_connection": ok({"status": "succeeded"}),
            "/sources/discover_schema": discovered(stream_object("users")),
            "/connections/sync": ok({"job": job_row(7)}),
            "/jobs/get": ok({"job": job_row(7)}),
        }
    )
    backend = api.backend()
    await backend.check("source", "s-1")
    await backend.discover("s-1", None)
    await backend.start("c-1", "sync")
    await backend.job("7")
    waits = {r.url.path.rpartition("/")[2]: r.extensions["timeout"]["read"] for r in api.requests}
    slow = {"check_connection", "discover_schema", "sync"}
    assert {name for name, seconds in waits.items() if seconds == 600} == slow
