"""What a refused start or update is said to be for, over either API, from what the connection shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.backends.protocol import Backend
from reconciler.core.diagnostics import ApiError
from reconciler.core.model import Connection, LiveObject, Ref, Update
from tests.backends.scripted_api import ScriptedApi, ok, rows
from tests.backends.scripted_config import FAILED, ScriptedConfig, connection_row

pytestmark = pytest.mark.anyio

LIVE = LiveObject("connection", "c-1", Connection("c", Ref(id="s-1"), Ref(id="d-1")))
RENAMED = Update(Connection("other", Ref(id="s-1"), Ref(id="d-1")), frozenset({"name"}))
CONFLICT = httpx.Response(409, json={"title": "state-conflict", "status": 409})
LOCKED = httpx.Response(
    409,
    json={
        "status": 409,
        "type": "error:connection/locked",
        "title": "Connection is locked",
        "detail": "The connection is locked and cannot be modified.",
    },
)
LOCKED_HINT = "Airbyte locked this connection; its page says why"


def over_public(status: str, job: dict[str, Any] | None) -> Backend:
    read = {**connection_row(status=status), "schedule": {"scheduleType": "manual"}}
    job = job and {"jobId": 17, "jobType": "sync", "connectionId": "c-1", **job}
    return ScriptedApi(
        {
            "POST /jobs": CONFLICT,
            "GET /connections/c-1": ok(read),
            "PATCH /connections/c-1": LOCKED,
            "GET /jobs": rows(*([job] if job else [])),
        }
    ).backend


def over_config(status: str, job: dict[str, Any] | None) -> Backend:
    job = job and {"job": {"id": 17, "configType": "sync", "configId": "c-1", **job}}
    return ScriptedConfig(
        {
            "/connections/sync": FAILED,
            "/connections/clear": FAILED,
            "/connections/get": ok(connection_row(status=status)),
            "/connections/update": LOCKED,
            "/jobs/list": ok({"jobs": [job] if job else []}),
        }
    ).backend()


both = pytest.mark.parametrize("over", [over_public, over_config], ids=["public", "config"])
Over = Callable[[str, dict[str, Any] | None], Backend]


@both
@pytest.mark.parametrize(
    ("status", "job", "said", "hint"),
    [
        ("inactive", None, "the connection is inactive: ", "set status: active"),
        ("locked", None, "the connection is locked: ", LOCKED_HINT),
        ("deprecated", None, "there is no such connection (any more): ", "list of connections"),
        ("active", {"status": "running"}, "job 17 (sync) is running: ", "wait for that job"),
        ("active", {"status": "succeeded"}, "POST ", "the connection is active, and no job runs"),
    ],
)
async def test_a_start_is_refused_with_the_reason_that_the_connection_shows(
    over: Over, status: str, job: dict[str, Any] | None, said: str, hint: str
) -> None:
    with pytest.raises(ApiError) as caught:
        await over(status, job).start("c-1", "sync")
    assert caught.value.message.startswith(said)
    assert hint in caught.value.hint
    assert caught.value.status in (409, 500)
    assert status == "inactive" or "inactive" not in f"{caught.value.message} {caught.value.hint}"


async def test_an_inactive_connection_is_no_reason_not_to_clear() -> None:
    with pytest.raises(ApiError) as caught:
        await over_config("inactive", None).start("c-1", "clear")
    assert caught.value.message.startswith("POST /connections/clear: 500")


async def test_where_the_connection_can_not_be_read_the_first_refusal_is_told() -> None:
    api = ScriptedConfig({"/connections/sync": FAILED, "/connections/get": FAILED})
    with pytest.raises(ApiError, match="POST /connections/sync: 500"):
        await api.backend().start("c-1", "sync")


@both
async def test_an_update_of_a_locked_connection_says_where_the_reason_is(over: Over) -> None:
    with pytest.raises(ApiError) as caught:
        await over("locked", None).update(LIVE, RENAMED)
    assert caught.value.hint == LOCKED_HINT


@both
async def test_a_job_that_may_not_be_there_is_said_so(over: Over) -> None:
    api = {"GET /jobs/99": FAILED} if over is over_public else {"/jobs/get_without_logs": FAILED}
    backend = ScriptedApi(api).backend if over is over_public else ScriptedConfig(api).backend()
    with pytest.raises(ApiError, match="there is no job 99, or it can't be read: "):
        await backend.job("99")


@both
async def test_what_is_no_number_is_no_job(over: Over) -> None:
    assert await over("active", None).job("latest") is None
