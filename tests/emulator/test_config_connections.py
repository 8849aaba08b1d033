"""Connections over the Configuration API: fields, defaults, verbs, lists (CFG §5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.emulator.generations import GENERATIONS, NEWEST
from tests.emulator.builders import Airbyte, Start
from tests.emulator.config_connections import Wired, names

UNKNOWN = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def wired(airbyte: Airbyte) -> Wired:
    return Wired(airbyte)


def id_of(connection) -> dict[str, str]:
    return {"connectionId": connection["connectionId"]}


# --- Created ---------------------------------------------------------------------------------


def test_a_connection_of_nothing_but_the_needed_has_the_defaults(wired: Wired):
    answer = wired("connections/create", **wired.ends, status="active")
    assert answer.status_code == 200
    made = answer.json()
    assert made == {
        "connectionId": made["connectionId"],
        "name": "shop <> lake",
        "namespaceDefinition": "source",
        **wired.ends,
        "operationIds": [],
        "syncCatalog": {"streams": []},
        "scheduleType": "manual",
        "status": "active",
        "breakingChange": False,
        "notifySchemaChanges": False,
        "notifySchemaChangesByEmail": False,
        "nonBreakingChangesPreference": "ignore",
        "created_at": 1_700_000_000,
        "backfillPreference": "disabled",
        "tags": [],
        "onDemandEnabled": False,
    }
    assert wired.read(made) == made


def test_everything_that_can_be_said_is_kept(wired: Wired):
    tag = wired.airbyte.tag("gold")
    said = {
        "name": "shop to lake",
        "namespaceDefinition": "customformat",
        "namespaceFormat": "raw_${SOURCE_NAMESPACE}",
        "prefix": "p_",
        "status": "inactive",
        "resourceRequirements": {"cpu_limit": "1", "memory_request": "1Gi"},
        "notifySchemaChanges": True,
        "nonBreakingChangesPreference": "propagate_fully",
        "backfillPreference": "enabled",
        "tags": [tag],
        "onDemandEnabled": True,
    }
    made = wired.connection(wired.stream("products"), **said)
    assert {name: made[name] for name in said} == said
    assert made["sourceCatalogId"] == wired.discovered["catalogId"]


@pytest.mark.parametrize("field", ["sourceId", "destinationId"])
def test_an_unknown_end_is_404(wired: Wired, field: str):
    assert wired.create(**{field: UNKNOWN}).status_code == 404


@pytest.mark.parametrize("field", ["sourceId", "destinationId", "status"])
def test_a_missing_field_trips_the_server(wired: Wired, field: str):
    assert wired.create(**{field: None}).status_code == 500


@pytest.mark.parametrize("field", ["tags", "operationIds"])
def test_a_null_list_trips_a_create_and_changes_nothing_in_an_update(wired: Wired, field: str):
    assert wired.create(**{field: None}).status_code == 500
    made = wired.connection()
    assert wired.updated(made, **{field: None}) == made


def test_ends_in_two_workspaces_trip_the_server(wired: Wired):
    wired.airbyte.workspace = wired.made("workspaces/create", name="other")["workspaceId"]
    other = Wired(wired.airbyte)
    mixed = {"sourceId": other.ends["sourceId"]}
    assert wired.create(**mixed).status_code == 500


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "paused"),
        ("namespaceDefinition", "custom_format"),
        ("nonBreakingChangesPreference", "disable_connection"),
        ("sourceId", "shop"),
        ("syncCatalog", []),
    ],
)
def test_what_cannot_be_read_is_400(wired: Wired, field: str, value):
    assert wired.create(**{field: value}).status_code == 400


def test_a_dataplane_group_is_accepted_and_ignored(wired: Wired):
    assert "dataplaneGroupId" not in wired.connection(dataplaneGroupId=UNKNOWN)


def test_two_connections_may_be_equal(wired: Wired):
    assert wired.connection()["name"] == wired.connection()["name"]


# --- Updated ---------------------------------------------------------------------------------


def test_an_update_changes_what_it_names_and_nothing_else(wired: Wired):
    made = wired.connection(wired.stream("products"), prefix="p_")
    after = wired.updated(made, name="renamed", breakingChange=True)
    assert after == {**made, "name": "renamed", "breakingChange": True}
    assert wired.read(made) == after


def test_tags_are_replaced_as_a_set_and_cleared_by_none(wired: Wired):
    gold, silver = wired.airbyte.tag("gold"), wired.airbyte.tag("silver")
    made = wired.connection(tags=[gold])
    assert wired.updated(made, tags=[silver])["tags"] == [silver]
    assert wired.updated(made, name="x")["tags"] == [silver]
    assert wired.updated(made, tags=[])["tags"] == []


def test_resource_requirements_are_replaced_as_a_whole(wired: Wired):
    made = wired.connection(resourceRequirements={"cpu_limit": "1", "memory_limit": "1Gi"})
    after = wired.updated(made, resourceRequirements={"cpu_limit": "2"})
    assert after["resourceRequirements"] == {"cpu_limit": "2"}


def test_an_update_may_come_with_a_reason(wired: Wired):
    made = wired.connection()
    patch = {**id_of(made), "name": "renamed"}
    answer = wired("connections/update_with_reason", connectionUpdate=patch, updateReason="because")
    assert answer.json()["name"] == "renamed"


def test_a_locked_connection_cannot_be_changed(wired: Wired):
    made = wired.connection()
    wired.updated(made, status="locked")
    answer = wired.update(made, status="active")
    assert answer.status_code == 409
    assert answer.json()["type"] == "error:connection/locked"
    assert wired.read(made)["status"] == "locked"


def test_an_unknown_connection_is_404(wired: Wired):
    for verb in ("get", "update", "delete", "sync", "reset", "clear"):
        assert wired(f"connections/{verb}", connectionId=UNKNOWN).status_code == 404, verb


def test_a_catalog_id_that_nobody_knows_is_a_conflict_of_the_database(wired: Wired):
    answer = wired.create(sourceCatalogId=UNKNOWN)
    assert answer.status_code == 409
    assert "database" in answer.json()["message"]


def test_unknown_fields_are_ignored_unless_the_server_minds(start: Start):
    assert Wired(start()).create(region="eu").status_code == 200
    wired = Wired(start(generation=replace(NEWEST, rejects_unknown_fields=True)))
    assert wired.create(region="eu").status_code == 400
    deep = wired.stream("products", colour="red")
    assert wired.create(deep).status_code == 400
    made = wired.connection(wired.stream("products"))
    assert wired.update(made, sourceId=UNKNOWN).status_code == 400
    assert wired.update(made, name="x").status_code == 200


# --- Deleted and listed ----------------------------------------------------------------------


def test_a_deleted_connection_is_readable_and_not_listed(wired: Wired):
    made, other = wired.connection(), wired.connection()
    for _ in range(2):
        assert wired("connections/delete", **id_of(made)).status_code == 204
    assert wired.read(made)["status"] == "deprecated"
    workspace = {"workspaceId": wired.airbyte.workspace}
    assert wired.made("connections/list", **workspace)["connections"] == [other]
    assert len(wired.made("connections/list_all", **workspace)["connections"]) == 2


def test_a_deletion_cancels_what_runs_and_forgets_positions(wired: Wired):
    made = wired.connection(wired.incremental())
    wired.airbyte.set_state(made, "products")
    wired.run(made)
    wired.made("connections/delete", **id_of(made))
    assert [job["status"] for job in wired.jobs(made)] == ["cancelled"]
    assert wired.airbyte.states(made) == []


def test_lists_are_whole_except_where_they_come_in_pages(wired: Wired):
    made = [wired.connection()["connectionId"] for _ in range(23)]
    workspace = wired.airbyte.workspace
    assert len(wired.made("connections/list", workspaceId=workspace)["connections"]) == 23

    def page(**more) -> list[str]:
        body = {"workspaceIds": [workspace], **more}
        listed = wired.made("connections/list_paginated", **body)["connections"]
        assert {connection["workspaceId"] for connection in listed} <= {workspace}
        return [connection["connectionId"] for connection in listed]

    assert page() == made[:20]
    assert page(pagination={"pageSize": 5, "rowOffset": 20}) == made[20:]


def test_pages_of_connections_can_be_of_one_tag_and_hold_deleted_ones(wired: Wired):
    tag = wired.airbyte.tag("gold")
    gone, tagged = wired.connection(), wired.connection(tags=[tag])
    wired.made("connections/delete", **id_of(gone))

    def page(**more) -> list[str]:
        body = {"workspaceIds": [wired.airbyte.workspace], **more}
        listed = wired.made("connections/list_paginated", **body)["connections"]
        return [connection["connectionId"] for connection in listed]

    assert page(tagIds=[tag["tagId"]]) == [tagged["connectionId"]]
    assert page(includeDeleted=True) == [gone["connectionId"], tagged["connectionId"]]


def test_a_search_is_for_equal_fields_in_all_workspaces(wired: Wired):
    first, second = wired.connection(name="a"), wired.connection(name="b", prefix="p_")

    def found(**wanted) -> list[str]:
        return [c["name"] for c in wired.made("connections/search", **wanted)["connections"]]

    assert found() == ["a", "b"]
    assert found(prefix="p_") == ["b"]
    assert found(connectionId=first["connectionId"], name="b") == []
    assert found(source={"name": "shop"}, destination={"name": "lake"}) == ["a", "b"]
    assert found(source={"name": "other"}) == []
    assert second["name"] == "b"


# --- Operations ------------------------------------------------------------------------------

DBT = {"operatorType": "webhook", "webhook": {"webhookType": "dbtCloud"}}


def operation(wired: Wired, name: str = "dbt"):
    body = {"workspaceId": wired.airbyte.workspace, "name": name, "operatorConfiguration": DBT}
    return wired.made("operations/create", **body)


def test_an_operation_is_made_changed_listed_and_deleted(wired: Wired):
    made = operation(wired)
    one = {"operationId": made["operationId"]}
    changed = wired.made("operations/update", **{**made, "name": "run"})
    assert wired.made("operations/get", **one) == changed == {**made, "name": "run"}
    connection = wired.connection(operationIds=[made["operationId"]])
    listed = wired.made("operations/list", **id_of(connection))["operations"]
    assert listed == [changed]
    wired.made("operations/delete", **one)
    assert wired.read(connection)["operationIds"] == []
    assert wired("operations/get", **one).status_code == 404


def test_an_operation_of_another_workspace_trips_the_server(wired: Wired):
    body = {"name": "other"}
    other = wired.made("workspaces/create", **body)["workspaceId"]
    own = wired.airbyte.workspace
    wired.airbyte.workspace = other
    foreign = operation(wired)
    wired.airbyte.workspace = own
    assert wired.create(operationIds=[foreign["operationId"]]).status_code == 500


def test_a_deletion_takes_the_operations_along(wired: Wired):
    made = operation(wired)
    connection = wired.connection(operationIds=[made["operationId"]])
    wired.made("connections/delete", **id_of(connection))
    assert wired("operations/get", operationId=made["operationId"]).status_code == 404


def test_an_operation_without_its_part_is_refused_and_a_check_says_so(wired: Wired):
    bad = {"operatorType": "webhook"}
    body = {"workspaceId": wired.airbyte.workspace, "name": "x", "operatorConfiguration": bad}
    assert wired("operations/create", **body).status_code == 500
    assert wired.made("operations/check", **bad)["status"] == "failed"
    assert wired.made("operations/check", **DBT)["status"] == "succeeded"


# --- Earlier releases ------------------------------------------------------------------------


def test_the_first_servers_know_neither_tags_nor_mappers_nor_propagation(start: Start):
    wired = Wired(start(generation=GENERATIONS["0.40"]))
    hashing = {"targetField": "title", "method": "MD5", "fieldNameSuffix": "_h"}
    mapper = {"type": "hashing", "mapperConfiguration": hashing}
    made = wired.connection(wired.stream("products", mappers=[mapper]), tags=[])
    assert "tags" not in made
    assert made["geography"] == "auto"
    (entry,) = made["syncCatalog"]["streams"]
    assert not {"mappers", "hashedFields"} & set(entry["config"])
    assert wired.create(nonBreakingChangesPreference="propagate_columns").status_code == 400
    new_mode = wired.stream("products", destinationSyncMode="overwrite_dedup")
    assert wired.create(new_mode).status_code == 400
    assert wired.run(made, "refresh", refreshMode="Merge").status_code == 404


def test_streams_are_kept_in_the_order_they_were_sent_in(wired: Wired):
    sent = [wired.stream(name) for name in ("products", "customers")]
    assert names(wired.connection(*sent)) == ["products", "customers"]
