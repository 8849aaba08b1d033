"""What the UI reads of connections and what its save button does (CFG §6)."""

from __future__ import annotations

import json

import pytest

from tests.emulator.builders import Airbyte, Start
from tests.emulator.config_connections import Wired, entries, every, names

DBT = {"operatorType": "webhook", "webhook": {"webhookType": "dbtCloud"}}


@pytest.fixture
def wired(airbyte: Airbyte) -> Wired:
    return Wired(airbyte)


def id_of(connection) -> dict[str, str]:
    return {"connectionId": connection["connectionId"]}


def web(wired: Wired, connection, verb: str = "get", **fields):
    return wired.made(f"web_backend/connections/{verb}", **id_of(connection), **fields)


def grow(wired: Wired, **change) -> None:
    body = {"sourceId": wired.ends["sourceId"], **change}
    wired.airbyte.made("POST", "/_emulator/auto-propagate", json=body)


# --- get -------------------------------------------------------------------------------------


def test_a_read_holds_everything_around_the_connection(wired: Wired):
    made = wired.connection(wired.stream("products"), **every(24), status="inactive")
    read = web(wired, made)
    assert read["source"] == wired.made("sources/get", sourceId=wired.ends["sourceId"])
    assert read["destination"]["destinationId"] == wired.ends["destinationId"]
    assert (read["catalogId"], read["createdAt"]) == (made["sourceCatalogId"], made["created_at"])
    assert not {"sourceCatalogId", "created_at", "breakingChange"} & set(read)
    assert (read["operations"], read["isSyncing"], read["schemaChange"]) == ([], False, "no_change")
    assert read["sourceActorDefinitionVersion"]["dockerRepository"] == "airbyte/source-postgres"


def test_a_read_shows_all_streams_of_the_catalog(wired: Wired):
    made = wired.connection(wired.incremental("products"))
    every_stream = entries(web(wired, made))
    assert len(every_stream) == len(wired.discovered["catalog"]["streams"])
    chosen = [entry for entry in every_stream if entry["config"]["selected"]]
    assert chosen == entries(made)


def test_a_plain_read_changes_nothing(wired: Wired):
    made = wired.connection(wired.stream("products"))
    before = wired.airbyte.made("GET", "/_emulator/events")
    web(wired, made)
    assert wired.airbyte.made("GET", "/_emulator/events") == before
    assert wired.read(made) == made


def test_a_read_with_a_refreshed_catalog_asks_the_source_and_may_switch_it_off(wired: Wired):
    made = wired.connection(wired.incremental("products"), status="inactive")
    grow(wired, remove_columns=[{"stream": "products", "column": "updated_at"}])
    wired.updated(made, status="active")
    read = web(wired, made, withRefreshedCatalog=True)
    assert [t["transformType"] for t in read["catalogDiff"]["transforms"]] == ["update_stream"]
    assert (read["schemaChange"], read["status"]) == ("breaking", "inactive")
    after = wired.read(made)
    assert (after["breakingChange"], after["status"]) == (True, "inactive")
    assert [e["connectionId"] for e in wired.airbyte.events("connection_compared")] == [
        made["connectionId"]
    ]


def test_a_refreshed_read_of_a_source_that_fails_is_500(wired: Wired):
    made = wired.connection(wired.stream("products"))
    wired.airbyte.chaos("* * discover-failure=gone")
    answer = wired("web_backend/connections/get", **id_of(made), withRefreshedCatalog=True)
    assert answer.status_code == 500


def test_how_the_last_sync_went_is_shown(start: Start):
    wired = Wired(start(job_seconds=60))
    made = wired.connection(wired.stream("products"))
    wired.run(made)
    read = web(wired, made)
    assert (read["isSyncing"], read["latestSyncJobStatus"]) == (True, "running")
    assert read["latestSyncJobCreatedAt"] == 1_700_000_000


# --- create ----------------------------------------------------------------------------------


def test_a_create_makes_its_operations_and_ignores_ids(wired: Wired):
    operation = {
        "workspaceId": wired.airbyte.workspace,
        "name": "dbt",
        "operatorConfiguration": DBT,
    }
    other = wired.made("operations/create", **operation)
    made = wired.made(
        "web_backend/connections/create",
        **wired.ends,
        status="inactive",
        operations=[operation],
        operationIds=[other["operationId"]],
    )
    assert [one["name"] for one in made["operations"]] == ["dbt"]
    assert made["operationIds"] == [made["operations"][0]["operationId"]]
    assert other["operationId"] not in made["operationIds"]


# --- update ----------------------------------------------------------------------------------


def save(wired: Wired, connection, *streams, **fields):
    catalog = {"syncCatalog": {"streams": list(streams)}} if streams else {}
    return web(wired, connection, "update", **catalog, **fields)


def started(wired: Wired, connection) -> list[tuple[str, list[str]]]:
    return [
        (job["configType"], [stream["name"] for stream in job["enabledStreams"]])
        for job in wired.jobs(connection)
    ]


@pytest.fixture
def made(wired: Wired):
    connection = wired.connection(wired.incremental("products"), wired.incremental("customers"))
    for stream in ("products", "customers"):
        wired.airbyte.set_state(connection, stream)
    return connection


@pytest.mark.parametrize(
    "changed",
    [
        {"cursorField": ["id"]},
        {"destinationSyncMode": "append_dedup"},
        {"primaryKey": [["sku"]]},
        {"fieldSelectionEnabled": True, "selectedFields": [{"fieldPath": ["updated_at"]}]},
        {"hashedFields": [{"fieldPath": ["title"]}]},
    ],
)
def test_a_changed_stream_is_taken_anew(wired: Wired, made, changed):
    save(wired, made, wired.incremental("products", **changed), wired.incremental("customers"))
    assert started(wired, made) == [("refresh", ["products"])]
    assert wired.airbyte.states(made) == ["customers"]
    assert wired.airbyte.events("data_erased") == []


def test_with_skip_reset_nothing_is_taken_anew(wired: Wired, made):
    changed = wired.incremental("products", cursorField=["id"])
    read = save(wired, made, changed, wired.incremental("customers"), skipReset=True)
    assert started(wired, made) == []
    assert wired.airbyte.states(made) == ["customers", "products"]
    assert [e["config"]["cursorField"] for e in entries(read) if e["config"]["selected"]] == [
        ["updated_at"],
        ["id"],
    ]


def test_an_added_and_a_removed_stream_count_as_changed(wired: Wired, made):
    save(wired, made, wired.incremental("products"), wired.stream("order_items"))
    assert started(wired, made) == [("refresh", ["order_items"])]
    assert wired.airbyte.states(made) == ["products"]


@pytest.mark.parametrize("streams", [True, False])
def test_a_save_that_changes_no_stream_starts_nothing(wired: Wired, made, streams):
    same = [wired.incremental("products"), wired.incremental("customers")] if streams else []
    assert save(wired, made, *same, name="renamed")["name"] == "renamed"
    assert started(wired, made) == []


def test_a_key_in_another_order_is_the_same_key(wired: Wired):
    key = [["id"], ["sku"]]
    dedup = {"destinationSyncMode": "append_dedup", "primaryKey": key}
    connection = wired.connection(wired.incremental("products", **dedup))
    save(wired, connection, wired.incremental("products", **{**dedup, "primaryKey": key[::-1]}))
    assert started(wired, connection) == []


def test_a_save_stops_a_running_sync(start: Start):
    wired = Wired(start(job_seconds=60))
    connection = wired.connection(wired.incremental("products"))
    wired.run(connection)
    save(wired, connection, wired.incremental("products", cursorField=["id"]))
    assert [job["status"] for job in wired.jobs(connection)] == ["running", "cancelled"]


def test_a_destination_that_knows_no_refresh_is_wiped(start: Start, tmp_path):
    (tmp_path / "destination-old.json").write_text(
        json.dumps(
            {
                "definitionId": "55555555-5555-4555-8555-555555555555",
                "name": "Old",
                "type": "destination",
                "dockerRepository": "acme/destination-old",
                "dockerImageTag": "1",
                "supportsRefreshes": False,
                "connectionSpecification": {"type": "object"},
                "specExtras": {"supported_destination_sync_modes": ["append"]},
            }
        )
    )
    airbyte = start(connectors=tmp_path)
    wired = Wired(airbyte, "55555555-5555-4555-8555-555555555555", path="/")
    connection = wired.connection(wired.incremental("products"), wired.incremental("customers"))
    changed = wired.incremental("products", cursorField=["id"])
    save(wired, connection, changed, wired.incremental("customers"))
    assert started(wired, connection) == [("reset_connection", ["products"])]
    assert [event["stream"] for event in airbyte.events("data_erased")] == ["products"]
    assert wired.run(connection, "refresh", refreshMode="Merge").json() == {}


def test_of_a_paused_connection_only_the_positions_go(wired: Wired, made):
    wired.updated(made, status="inactive")
    changed = wired.incremental("products", cursorField=["id"])
    save(wired, made, changed, wired.incremental("customers"))
    assert started(wired, made) == []
    assert wired.airbyte.states(made) == ["customers"]


def test_a_save_judges_anew_whether_the_source_breaks_it(wired: Wired):
    connection = wired.connection(wired.incremental("products"), status="inactive")
    grow(wired, remove_columns=[{"stream": "products", "column": "updated_at"}])
    save(wired, connection, wired.incremental("products"))
    assert wired.read(connection)["breakingChange"] is True
    save(wired, connection, wired.stream("products", primaryKey=[]))
    assert wired.read(connection)["breakingChange"] is False


def test_a_save_keeps_or_replaces_operations(wired: Wired, made):
    operation = {
        "workspaceId": wired.airbyte.workspace,
        "name": "dbt",
        "operatorConfiguration": DBT,
    }
    (first,) = save(wired, made, operations=[operation])["operations"]
    assert save(wired, made, name="x")["operations"] == [first]
    after = save(wired, made, operations=[{**first, "name": "run"}, operation])["operations"]
    assert [one["name"] for one in after] == ["run", "dbt"]
    assert after[0]["operationId"] == first["operationId"]
    assert save(wired, made, operations=[])["operations"] == []
    gone = wired("operations/get", operationId=first["operationId"])
    assert gone.status_code == 404


def test_a_save_of_a_locked_connection_is_refused_before_anything_happens(wired: Wired, made):
    wired.updated(made, status="locked")
    body = {"operations": [], "syncCatalog": {"streams": [wired.stream("products")]}}
    answer = wired("web_backend/connections/update", **id_of(made), **body)
    assert answer.status_code == 409
    assert names(wired.read(made)) == ["products", "customers"]


# --- list ------------------------------------------------------------------------------------


def listed(wired: Wired, **fields):
    body = {"workspaceId": wired.airbyte.workspace, **fields}
    return wired.made("web_backend/connections/list", **body)


def test_listed_connections_are_light(wired: Wired):
    wired.connection(wired.stream("products"))
    (item,) = listed(wired)["connections"]
    assert not {"syncCatalog", "sourceCatalogId", "catalogId", "schedule"} & set(item)
    assert item["source"]["sourceName"] == "Postgres"
    assert item["destination"]["name"] == "lake"


def test_a_list_comes_in_pages_by_name_and_cursor(wired: Wired):
    for number in range(22):
        wired.connection(name=f"c{number:02}")
    first = listed(wired)
    assert [c["name"] for c in first["connections"]] == [f"c{n:02}" for n in range(20)]
    assert (first["page_size"], first["num_connections"]) == (20, 22)
    last = first["connections"][-1]["connectionId"]
    assert [c["name"] for c in listed(wired, cursor=last)["connections"]] == ["c20", "c21"]


def test_a_list_can_be_narrowed_and_turned_around(start: Start):
    wired = Wired(start(job_seconds=0))
    tag = wired.airbyte.tag("gold")
    tagged = wired.connection(name="a", tags=[tag], onDemandEnabled=True)
    wired.connection(name="b", status="inactive")
    failing = wired.connection(name="c")
    fails = {**id_of(failing), "message": "disk full"}
    wired.airbyte.made("POST", "/_emulator/fail-next-job", json=fails)
    wired.run(failing)

    def found(**fields) -> list[str]:
        return [c["name"] for c in listed(wired, **fields)["connections"]]

    assert found(filters={"tagIds": [tag["tagId"]]}) == ["a"]
    assert found(filters={"states": ["inactive"]}) == found(filters={"statuses": ["paused"]})
    assert found(filters={"statuses": ["failed"]}) == ["c"]
    assert found(filters={"statuses": ["healthy"]}) == found(filters={"onDemandEnabled": True})
    assert found(filters={"searchTerm": "LAKE"}) == ["a", "b", "c"]
    assert found(filters={"searchTerm": "B"}) == ["b"]
    assert found(sourceId=[tagged["sourceId"]], sortKey="connectionName_desc") == ["c", "b", "a"]
    assert found(destinationId=["11111111-2222-4333-8444-555555555555"]) == []
    assert found(sortKey="lastSync_desc")[0] == "c"
