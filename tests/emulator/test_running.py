"""How an emulator is run: its file, its port, its connectors, and the endpoints beside Airbyte's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.core.diagnostics import ReconcilerError
from reconciler.emulator import serve
from reconciler.emulator.app import close, connectors, create_app
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID, Settings
from tests.emulator.builders import MASK, POSTGRES, Airbyte, Start, postgres

# --- The file --------------------------------------------------------------------------------


def test_what_was_written_survives_a_restart(start: Start, tmp_path: Path):
    db = tmp_path / "new folder" / "airbyte.db"
    before = start(db=db)
    made = before.connection({"name": "products"})
    before.set_state(made, "products")
    before.close()
    after = start(db=db)
    assert after.made("GET", f"/connections/{made['connectionId']}") == made
    assert after.states(made) == ["products"]
    assert len(after.made("GET", "/workspaces")["data"]) == 1


def test_a_commit_is_seen_by_a_second_process(start: Start, tmp_path: Path):
    db = tmp_path / "airbyte.db"
    one, two = start(db=db), start(db=db)
    source = one.source()
    assert two.made("GET", f"/sources/{source['sourceId']}") == source


# --- The port --------------------------------------------------------------------------------


def test_it_answers_over_http_on_a_free_port():
    with serve.running(Settings()) as url, httpx.Client(base_url=url) as client:
        assert client.get("/api/public/v1/health").status_code == 200
        body = {
            "name": "shop",
            "workspaceId": DEFAULT_WORKSPACE_ID,
            "definitionId": POSTGRES,
            "configuration": postgres(),
        }
        made = client.post("/api/public/v1/sources", json=body).json()
        assert made["configuration"]["password"] == MASK


def test_serve_says_where_it_listens_and_ends_on_a_signal():
    code = (
        "from reconciler.emulator.serve import serve; from reconciler.emulator.settings import Settings;"
        "serve(Settings(), on_ready=lambda urls: print(urls[0], flush=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/api/v1/health").json() == {"available": True}
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_concurrent_requests_lose_nothing():
    with serve.running(Settings()) as url:

        def create(number: int) -> None:
            body = {"name": f"t{number}", "color": "000000", "workspaceId": DEFAULT_WORKSPACE_ID}
            assert httpx.post(f"{url}/api/public/v1/tags", json=body).status_code == 200

        threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        listed = httpx.get(f"{url}/api/public/v1/tags").json()["data"]
    assert sorted(tag["name"] for tag in listed) == [f"t{number}" for number in range(8)]


def test_a_caller_that_goes_before_its_request_is_whole_is_no_error():
    path = "/api/public/v1/sources"
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
    app, statuses = create_app(Settings()), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status"))

    asyncio.run(app(scope, receive, send))
    close(app)
    assert statuses[0] == 400


def test_a_port_that_is_taken_is_an_error():
    with serve.running(Settings()) as url:
        port = int(url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"):
            serve.serve(Settings(), ports=[port], on_ready=print)


# --- Connectors ------------------------------------------------------------------------------

MADE_UP = """{"definitionId": "%s", "name": "Mine", "type": "source", "dockerRepository": "%s",
  "dockerImageTag": "9", "connectionSpecification": {"type": "object"}}"""


def test_connectors_come_with_their_specs():
    found = connectors(Settings())
    assert len(found) == 12
    assert all(definition.spec for definition in found)


@pytest.mark.parametrize(
    ("definition_id", "repository"),
    [
        (POSTGRES, "acme/source-postgres-fork"),
        ("66666666-6666-4666-8666-666666666666", "airbyte/source-postgres"),
    ],
)
def test_a_connector_of_the_folder_replaces_a_built_in_one(
    tmp_path: Path, definition_id: str, repository: str
):
    (tmp_path / "mine.json").write_text(MADE_UP % (definition_id, repository))
    found = connectors(Settings(connectors=tmp_path))
    assert len(found) == 12
    assert [d.docker_repository for d in found if d.name == "Mine"] == [repository]


def test_a_new_connector_is_added(tmp_path: Path):
    (tmp_path / "mine.json").write_text(
        MADE_UP % ("66666666-6666-4666-8666-666666666666", "acme/source-mine")
    )
    assert len(connectors(Settings(connectors=tmp_path))) == 13


@pytest.mark.parametrize("text", ["{nope", "{}", "[]"])
def test_a_file_that_is_no_connector_is_named(tmp_path: Path, text: str):
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ReconcilerError, match=r"broken\.json"):
        create_app(Settings(connectors=tmp_path))


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(ReconcilerError, match="No folder of connectors"):
        create_app(Settings(connectors=tmp_path / "nowhere"))


# --- Beside Airbyte's paths ------------------------------------------------------------------


def edit(airbyte: Airbyte, kind: str, identity: str, **fields):
    body = {"kind": kind, "id": identity, "fields": fields}
    return airbyte("POST", "/_emulator/edit", json=body)


def test_an_edit_changes_what_a_person_could(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    assert edit(airbyte, "connection", made["connectionId"], name="by hand").status_code == 200
    read = airbyte.made("GET", f"/connections/{made['connectionId']}")
    assert read == {**made, "name": "by hand"}


def test_an_edited_configuration_keeps_masked_secrets(airbyte: Airbyte):
    source = airbyte.source()
    edit(airbyte, "source", source["sourceId"], configuration=postgres(host="b", password=MASK))
    read = airbyte.made("GET", f"/sources/{source['sourceId']}")
    assert read["configuration"] == postgres(host="b", password=MASK)
    assert len(airbyte.events("secret_written")) == 1


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("planet", {"name": "x"}), ("source", {"nmae": "x"}), ("source", {"id": "x"})],
)
def test_an_edit_of_what_is_not_there_is_refused(airbyte: Airbyte, kind: str, fields):
    assert edit(airbyte, kind, airbyte.source()["sourceId"], **fields).status_code == 400


def test_an_edit_takes_what_an_object_reads_as(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    where = {"kind": "connection", "id": made["connectionId"]}
    (stream,) = airbyte.made("GET", "/_emulator/object", params=where)["streams"]
    changed = {**stream, "sync_mode": "incremental"}
    assert edit(airbyte, "connection", made["connectionId"], streams=[changed]).status_code == 200
    read = airbyte.made("GET", f"/connections/{made['connectionId']}")
    # incremental with overwrite: a pair without a name (PUB §4.3)
    assert "syncMode" not in read["configurations"]["streams"][0]


@pytest.mark.parametrize(
    "fields", [{"schedule": {}}, {"streams": [{"name": "x"}]}, {"schedule": None}]
)
def test_an_edit_that_would_break_every_list_is_refused(airbyte: Airbyte, fields):
    made = airbyte.connection({"name": "products"})
    assert edit(airbyte, "connection", made["connectionId"], **fields).status_code == 400
    assert airbyte.made("GET", "/connections")["data"] == [made]


def test_secrets_are_not_readable_beside_airbytes_paths(airbyte: Airbyte):
    where = {"kind": "source", "id": airbyte.source()["sourceId"]}
    assert "s3cret-of-shop" not in airbyte("GET", "/_emulator/object", params=where).text
    assert "s3cret-of-shop" not in airbyte("GET", "/_emulator/events").text


def test_events_can_be_read_from_a_number_on(airbyte: Airbyte):
    airbyte.source()
    airbyte.source()
    every = airbyte.made("GET", "/_emulator/events")["events"]
    assert [event["kind"] for event in every] == ["secret_written"] * 2
    later = airbyte.made("GET", f"/_emulator/events?after={every[0]['number']}")["events"]
    assert later == every[1:]


def test_a_state_needs_a_stream_of_the_connection(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    body = {"connectionId": made["connectionId"], "streamName": "products"}
    assert airbyte("POST", "/_emulator/state", json=body).status_code == 400
    body["streamNamespace"] = "public"
    assert airbyte("POST", "/_emulator/state", json=body).status_code == 200
