"""apply ends by reading and planning again what it touched; what still differs is shown from both sides."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import anyio
import pytest

from reconciler import app
from reconciler.core.events import Done, Event
from reconciler.core.select import Selection
from reconciler.render.applied import encode_outcome, outcome_text
from tests.cli.conftest import Project, Served

BRONZE = "connections/shop-to-bronze.yaml"
SOURCE = "sources/shop-postgres.yaml"
MINIO = "PostgreSQL → MinIO"
SHOP = "PostgreSQL - Ecommerce"


class World:
    """The project at a served Airbyte, and somebody who undoes what was written as soon as it is."""

    def __init__(self, project: Project, served: Served, api: str) -> None:
        self.project, self.served, self.api = project, served, api

    def apply(
        self,
        undo: Callable[[], None] = lambda: None,
        after: str = "",
        env: Mapping[str, str] = {},
        **more: Any,
    ) -> app.Applied:
        def emit(event: Event) -> None:
            if isinstance(event, Done) and str(event.change.address) == after:
                undo()

        request = app.Request(self.project.folder, env, "remote", api=self.api, **more)
        result = anyio.run(partial(app.apply, request, confirm=lambda _: True, emit=emit))
        assert isinstance(result, app.Applied)
        return result

    def live(self, kind: str, name: str) -> dict[str, Any]:
        listed = self.served("GET", f"/{kind}s")["data"]
        return next(entry for entry in listed if entry["name"] == name)

    def click(self, kind: str, named: str, /, **fields: Any) -> None:
        object_id = self.live(kind, named)[f"{kind}Id"]
        self.served("PATCH", f"/{kind}s/{object_id}", json=fields)


def text_of(result: app.Applied) -> str:
    said = outcome_text(result.outcome, result.remaining, result.note, differing=result.differing)
    return " ".join(said.split())


def json_of(result: app.Applied) -> Any:
    body = encode_outcome(
        result.plan, result.outcome, result.remaining, result.note, result.differing
    )
    return json.loads(json.dumps(body))


@pytest.fixture(params=["public", "config"])
def world(request: pytest.FixtureRequest, project: Project, served: Served) -> World:
    made = World(project, served, request.param)
    assert made.apply().exit_code == 0
    return made


def rescheduled(data: dict[str, Any]) -> None:
    data["spec"]["schedule"] = {"cron": "0 0 1 * * ?"}


def test_what_stays_as_it_was_written_is_no_difference(world: World) -> None:
    world.project.edit(BRONZE, rescheduled)
    result = world.apply()
    assert (result.exit_code, result.differing) == (0, ())
    assert "Read back and planned again: no difference." in text_of(result)


def test_what_was_undone_is_shown_as_asked_and_as_it_is(world: World) -> None:
    world.project.edit(BRONZE, rescheduled)
    manual = {"scheduleType": "manual"}
    result = world.apply(
        lambda: world.click("connection", MINIO, schedule=manual), "connection/shop-to-bronze"
    )
    assert result.exit_code == 4
    text = text_of(result)
    assert "connection/shop-to-bronze still differs:" in text
    assert "schedule asked: 0 0 1 * * ? UTC live: manual" in text
    assert 'asked name: "PostgreSQL → MinIO"' in text
    assert 'schedule: {"cron": "0 0 1 * * ?"' in text
    assert 'schedule: "manual"' in text
    assert "2 streams as on the other side" in text
    (left,) = json_of(result)["remaining"]
    assert left["address"] == "connection/shop-to-bronze"
    assert (left["asked"]["schedule"]["cron"], left["live"]["schedule"]) == (
        "0 0 1 * * ?",
        "manual",
    )
    same = {key: left["asked"][key] for key in left["asked"] if key != "schedule"}
    assert same == {key: left["live"][key] for key in left["live"] if key != "schedule"}
    assert {stream["name"] for stream in left["live"]["streams"]} == {"customers", "orders"}


def test_streams_that_differ_stand_in_both_forms(world: World) -> None:
    world.project.edit(BRONZE, rescheduled)

    def deselect() -> None:
        streams = world.live("connection", MINIO)["configurations"]["streams"]
        kept = [s for s in streams if s["name"] == "orders"]
        for stream in kept:
            if not stream.get("selectedFields"):
                stream.pop("selectedFields", None)
        world.click("connection", MINIO, configurations={"streams": kept})

    result = world.apply(deselect, "connection/shop-to-bronze")
    assert result.exit_code == 4
    (left,) = json_of(result)["remaining"]
    assert [s["name"] for s in left["live"]["streams"]] == ["orders"]
    assert [s["name"] for s in left["asked"]["streams"]] == ["customers", "orders"]
    assert 'stream {"namespace": "public", "name": "customers"' in text_of(result)


def test_secrets_stand_in_neither_form(world: World) -> None:
    env = {
        "HOST_OF_TEST": "canary-host-0123456789.internal",
        "PASSWORD_OF_TEST": "canary-password-0123456789",
    }

    def secret(data: dict[str, Any]) -> None:
        data["spec"]["configuration"].update(
            host="${env:HOST_OF_TEST}", password="${env:PASSWORD_OF_TEST}", database="shop"
        )
        data["spec"]["lifecycle"] = {"allow": ["inconsistent"]}

    world.project.edit(SOURCE, secret)

    def undo() -> None:
        stored = world.live("source", SHOP)["configuration"]
        world.served(
            "PUT",
            f"/sources/{world.live('source', SHOP)['sourceId']}",
            json={
                "name": SHOP,
                "configuration": {
                    **stored,
                    "password": env["PASSWORD_OF_TEST"],
                    "database": "clicked",
                    "schemas": [env["HOST_OF_TEST"]],
                },
            },
        )

    result = world.apply(undo, "source/shop-postgres", env)
    assert result.exit_code == 4
    (left,) = json_of(result)["remaining"]
    assert left["asked"]["configuration"]["database"] == "shop"
    assert left["live"]["configuration"]["database"] == "clicked"
    assert left["asked"]["configuration"]["host"] == "${env:HOST_OF_TEST}"
    assert "canary" not in json.dumps(json_of(result)) + text_of(result)


def test_what_was_made_and_is_gone_has_no_live_form(world: World) -> None:
    world.project.write(
        "sources/more.yaml",
        "apiVersion: airbyte.reconciler/v1\nkind: Source\nmetadata: {name: more}\n"
        "spec: {connector: faker, configuration: {count: 1000}}\n",
    )

    def undo() -> None:
        world.served("DELETE", f"/sources/{world.live('source', 'more')['sourceId']}")

    result = world.apply(undo, "source/more")
    assert result.exit_code == 4
    (left,) = json_of(result)["remaining"]
    assert (left["asked"]["name"], left["live"]) == ("more", None)
    assert "live nothing" in text_of(result)


def test_what_was_deleted_and_is_there_again_was_not_asked_for(world: World) -> None:
    kept = world.live("connection", MINIO)
    world.project.edit(BRONZE, lambda data: data.update(state="absent", reason="test"))

    def undo() -> None:
        ends = {key: kept[key] for key in ("sourceId", "destinationId")}
        world.served("POST", "/connections", json={"name": MINIO, **ends})

    result = world.apply(undo, "connection/shop-to-bronze")
    assert result.exit_code == 4
    (left,) = json_of(result)["remaining"]
    assert (left["asked"], left["live"]["name"]) == (None, MINIO)
    assert "asked nothing" in text_of(result)


MORE = """\
apiVersion: airbyte.reconciler/v1
kind: Source
metadata: {name: more}
spec: {connector: faker, configuration: {count: 1000}}
---
apiVersion: airbyte.reconciler/v1
kind: Connection
metadata: {name: more-to-bronze}
spec:
  source: more
  destination: bronze
  status: inactive
  destinationNamespace: {format: more}
  streams: [{name: users, syncMode: full_refresh_append}]
"""


def test_what_was_pulled_in_is_looked_at_too(world: World) -> None:
    """The connection alone was asked for; its source was made for it, and is touched again."""
    world.project.write("more.yaml", MORE)

    def undo() -> None:
        world.click("source", "more", configuration={"count": 5})

    only = Selection(("connection/more-to-bronze",))
    result = world.apply(undo, "connection/more-to-bronze", selection=only)
    assert result.exit_code == 4
    (left,) = json_of(result)["remaining"]
    assert left["address"] == "source/more"
    counts = [left[side]["configuration"]["count"] for side in ("asked", "live")]
    assert counts == [1000, 5]


def test_what_others_change_meanwhile_is_not_ours_to_report(world: World) -> None:
    world.project.edit(BRONZE, rescheduled)
    result = world.apply(
        lambda: world.click("connection", "PostgreSQL → Staging", status="inactive"),
        "connection/shop-to-bronze",
    )
    assert (result.exit_code, result.differing) == (0, ())
