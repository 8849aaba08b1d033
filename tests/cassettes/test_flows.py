"""The main flows of the ecommerce example over HTTP with client credentials, replayed from recordings."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import httpx
import pytest
import yaml
from vcr.errors import CannotOverwriteExistingCassetteException

from tests.cassettes.recording import RECORDED, Server, World
from tests.conftest import Cli

BRONZE = "connections/shop-to-bronze.yaml"
_TOKEN = "/api/public/v1/applications/token"


def _writes(tape: Any) -> Counter[str]:
    """Method and collection of every request but reads and tokens."""
    return Counter(
        f"{request.method} {request.path.split('/')[4]}"
        for request in tape.requests
        if request.method != "GET" and request.path != _TOKEN
    )


def _apply(cli: Cli, world: World) -> None:
    ran = cli("apply", *world.at, "--yes")
    assert ran.code == 0, ran.out + ran.err


def test_a_plan_reads_and_writes_nothing(cli: Cli, world: World) -> None:
    with world.cassette("plan") as tape:
        ran = cli("plan", *world.at)
    assert ran.code == 0, ran.out + ran.err
    assert "5 to create, 0 to change, 0 to replace, 0 to delete." in ran.out
    assert _writes(tape) == Counter()


def test_apply_creates_everything_once(cli: Cli, world: World) -> None:
    with world.cassette("apply") as tape:
        ran = cli("apply", *world.at, "--yes", "-o", "json")
    assert ran.code == 0, ran.out + ran.err
    assert [result["status"] for result in ran.json["results"]] == ["done"] * 5
    assert ran.json["remaining"] == []
    assert _writes(tape) == {
        "POST sources": 1,
        "POST destinations": 2,
        "POST connections": 2,
        "POST tags": 1,
    }


def test_a_plan_after_apply_is_empty(cli: Cli, world: World) -> None:
    world.given(lambda _: _apply(cli, world))
    with world.cassette("plan-after-apply") as tape:
        ran = cli("plan", *world.at, "--detailed-exitcode")
    assert ran.code == 0, ran.out + ran.err
    assert "No changes. 5 as in git." in ran.out
    assert _writes(tape) == Counter()


def test_drift_names_what_was_clicked(cli: Cli, world: World) -> None:
    def click(airbyte: Server) -> None:
        _apply(cli, world)
        listed = airbyte.call("GET", "/connections")["data"]
        (bronze,) = [entry for entry in listed if entry["name"] == "PostgreSQL → MinIO"]
        manual = {"schedule": {"scheduleType": "manual"}}
        airbyte.call("PATCH", f"/connections/{bronze['connectionId']}", manual)

    world.given(click)
    with world.cassette("drift") as tape:
        ran = cli("drift", *world.at)
    assert ran.code == 2, ran.out + ran.err
    assert "schedule" in ran.out
    assert "live: manual" in ran.out
    assert "1 drifted, 4 as in git. Exit 2." in ran.out
    assert _writes(tape) == Counter()


def test_a_change_is_one_small_patch(cli: Cli, world: World) -> None:
    world.given(lambda _: _apply(cli, world))
    path = world.folder / BRONZE
    manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
    manifest["spec"]["schedule"] = {"cron": "0 0 3 * * ?"}
    path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    with world.cassette("change") as tape:
        ran = cli("apply", *world.at, "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert _writes(tape) == {"PATCH connections": 1}
    (patch,) = [request for request in tape.requests if request.method == "PATCH"]
    assert list(json.loads(patch.body)) == ["schedule"]


def test_a_request_that_was_not_recorded_gets_no_answer(world: World) -> None:
    if world.recording is not None:
        pytest.skip("only replays are strict")
    recorded = yaml.safe_load((RECORDED / "apply.yaml").read_text(encoding="utf-8"))["interactions"]
    (made,) = [
        entry["request"]
        for entry in recorded
        if entry["request"]["method"] == "POST" and entry["request"]["uri"].endswith("/sources")
    ]
    body = json.loads(made["body"])
    with world.cassette("apply", whole=False):
        assert httpx.post(made["uri"], json=body).status_code == 200
        body["configuration"]["host"] = "elsewhere"
        with pytest.raises(CannotOverwriteExistingCassetteException):
            httpx.post(made["uri"], json=body)


def test_a_recording_that_is_not_used_up_is_told(world: World) -> None:
    if world.recording is not None:
        pytest.skip("only replays are strict")
    with pytest.raises(AssertionError, match="not everything was asked for"):  # noqa: SIM117
        with world.cassette("plan"):
            pass
