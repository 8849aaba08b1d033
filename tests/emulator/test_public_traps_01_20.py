"""Traps 1 to 20 of the public API (PUB §10): what a client would fall into, on the wire."""

from __future__ import annotations

import pytest

from tests.emulator.builders import (
    FAKER,
    MASK,
    Airbyte,
    Start,
    columns,
    path_of,
    postgres,
    streams,
)

INCREMENTAL = {"syncMode": "incremental_append", "cursorField": ["updated_at"]}
HASHING = {
    "type": "hashing",
    "mapperConfiguration": {"targetField": "email", "method": "MD5", "fieldNameSuffix": "_h"},
}
RESOURCES = {"default": {"cpu_request": "0.5", "memory_limit": "1Gi"}}


def coordinate(airbyte: Airbyte, source) -> str:
    return airbyte.read(source, "?includeSecretCoordinates=true")["configuration"]["password"]


def cron(expression: str):
    return {"scheduleType": "cron", "cronExpression": expression}


def test_pub_t_01_a_patch_with_the_mask_destroys_the_secret(airbyte: Airbyte):
    source = airbyte.source()
    airbyte.changed(source, configuration={"password": MASK})
    assert airbyte.stored_secrets()[-1] == MASK
    assert coordinate(airbyte, source).endswith("_v2")


def test_pub_t_02_deleting_a_source_takes_its_connections_and_their_state(airbyte: Airbyte):
    source, other = airbyte.source(), airbyte.source("other")
    doomed = airbyte.connection({"name": "customers"}, source=source)
    safe = airbyte.connection({"name": "customers"}, source=other)
    airbyte.set_state(doomed, "customers")
    assert airbyte("DELETE", path_of(source)).status_code == 204
    assert airbyte.listed("connections") == [safe]
    cascaded = [event["connectionId"] for event in airbyte.events("cascade_deleted")]
    assert cascaded == [doomed["connectionId"]]
    assert [event["stream"] for event in airbyte.events("state_deleted")] == ["customers"]


def test_pub_t_03_a_changed_source_mode_deletes_that_streams_state(airbyte: Airbyte):
    customers = {"name": "customers", **INCREMENTAL}
    made = airbyte.connection({"name": "products", **INCREMENTAL}, customers)
    airbyte.set_state(made, "products")
    airbyte.set_state(made, "customers")
    airbyte.changed(made, configurations={"streams": [{"name": "products"}, customers]})
    assert airbyte.states(made) == ["customers"]
    assert [event["stream"] for event in airbyte.events("state_deleted")] == ["products"]


def test_pub_t_04_patch_streams_replaces_the_whole_list(airbyte: Airbyte):
    customers = {
        "name": "customers",
        "mappers": [HASHING],
        "selectedFields": columns("id", "email"),
    }
    made = airbyte.connection(customers, {"name": "products"})
    after = airbyte.changed(made, configurations={"streams": [{"name": "customers"}]})
    (left,) = streams(after)
    assert (left["name"], left["mappers"], left["selectedFields"]) == ("customers", [], [])


@pytest.mark.parametrize("kind", ["clear", "reset"])
def test_pub_t_05_a_clear_erases_data_and_state_and_reads_as_reset(airbyte: Airbyte, kind: str):
    made = airbyte.connection({"name": "products", **INCREMENTAL})
    airbyte.set_state(made, "products")
    body = {"connectionId": made["connectionId"], "jobType": kind}
    assert airbyte.made("POST", "/jobs", json=body)["jobType"] == "reset"
    assert airbyte.states(made) == []
    assert [event["stream"] for event in airbyte.events("data_erased")] == ["products"]


def test_pub_t_06_source_and_destination_of_a_connection_never_change(airbyte: Airbyte):
    made = airbyte.connection()
    other, lake = airbyte.source("other"), airbyte.destination("other lake")
    sent = {"sourceId": other["sourceId"], "destinationId": lake["destinationId"]}
    assert airbyte.changed(made, **sent) == made


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_pub_t_07_resources_are_lost_by_any_write_that_leaves_them_out(
    airbyte: Airbyte, method: str
):
    source = airbyte.source()
    body = {"name": "shop", "configuration": postgres()}
    given = airbyte.changed(source, method, **body, resourceAllocation=RESOURCES)
    assert given["resourceAllocation"] == RESOURCES
    assert "resourceAllocation" not in airbyte.changed(source, method, **body)


def test_pub_t_08_a_patch_cannot_remove_a_key(airbyte: Airbyte):
    source = airbyte.source(**postgres(jdbc_url_params="a=1"))
    assert airbyte.changed(source, configuration={"host": "db"}) == source
    removed = airbyte.changed(source, "PUT", name="shop", configuration=postgres())
    assert "jdbc_url_params" not in removed["configuration"]


def test_pub_t_09_a_branch_switched_by_patch_keeps_the_old_branchs_secret(airbyte: Airbyte):
    tunnel = {
        "tunnel_method": "SSH_KEY_AUTH",
        "tunnel_host": "bastion",
        "tunnel_port": 22,
        "tunnel_user": "u",
        "ssh_key": "-----BEGIN KEY-----",
    }
    source = airbyte.source(**postgres(tunnel_method=tunnel))
    off = {"tunnel_method": {"tunnel_method": "NO_TUNNEL"}}
    airbyte.changed(source, configuration=off)
    assert tunnel["ssh_key"] in airbyte.stored_secrets()
    airbyte.changed(source, "PUT", name="shop", configuration=postgres(**off))
    assert tunnel["ssh_key"] not in airbyte.stored_secrets()


def test_pub_t_10_a_spec_without_properties_or_one_of_masks_nothing(start: Start, tmp_path):
    (tmp_path / "source-open.json").write_text(
        """{"definitionId": "44444444-4444-4444-8444-444444444444", "name": "Open", "type": "source",
        "dockerRepository": "acme/source-open", "dockerImageTag": "1", "connectionSpecification":
        {"type": "object", "allOf": [{"properties": {"key": {"type": "string", "airbyte_secret": true}}}]}}"""
    )
    airbyte = start(connectors=tmp_path)
    source = airbyte.source(definition="44444444-4444-4444-8444-444444444444", key="in-the-clear")
    assert source["configuration"]["key"] == "in-the-clear"


def test_pub_t_11_every_raw_write_is_a_new_version_even_of_an_equal_value(airbyte: Airbyte):
    source = airbyte.source()
    first = coordinate(airbyte, source)
    airbyte.changed(source, configuration={"password": postgres()["password"]})
    assert coordinate(airbyte, source) == first.removesuffix("_v1") + "_v2"
    airbyte.changed(source, "PUT", name="shop", configuration=postgres())
    assert coordinate(airbyte, source).endswith("_v3")


@pytest.mark.parametrize("sent", ["0 0 12 * * ?", "0 0 12 * * ? UTC"])
def test_pub_t_12_a_cron_reads_back_with_its_zone(airbyte: Airbyte, sent: str):
    assert airbyte.connection(schedule=cron(sent))["schedule"] == cron("0 0 12 * * ? UTC")


def test_pub_t_13_any_schedule_write_resets_the_zone_to_utc(airbyte: Airbyte):
    made = airbyte.connection()
    schedule = {"type": "cron", "expression": "0 0 12 * * ?", "time_zone": "America/New_York"}
    airbyte.edit("connection", made["connectionId"], schedule=schedule)
    read = airbyte.read(made)
    assert read["schedule"] == cron("0 0 12 * * ? America/New_York")
    assert airbyte.change(made, schedule=read["schedule"]).status_code == 400
    after = airbyte.changed(made, schedule=cron("0 0 12 * * ?"))
    assert after["schedule"] == cron("0 0 12 * * ? UTC")


def test_pub_t_14_a_read_cannot_be_sent_back_as_it_is(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    answer = airbyte.change(made, configurations=made["configurations"])
    assert answer.status_code == 400
    assert "No fields selected" in answer.json()["data"]["message"]


def test_pub_t_15_selected_fields_read_in_the_schemas_order(airbyte: Airbyte):
    made = airbyte.connection({"name": "products", "selectedFields": columns("title", "id")})
    assert streams(made)[0]["selectedFields"] == columns("id", "title")


def test_pub_t_16_cursor_and_key_come_from_the_source_where_nothing_is_said(airbyte: Airbyte):
    source = airbyte.source("people", FAKER, count=10)
    users = {"name": "users", "syncMode": "incremental_deduped_history"}
    (read,) = streams(airbyte.connection(users, source=source))
    assert (read["cursorField"], read["primaryKey"]) == (["updated_at"], [["id"]])


@pytest.mark.parametrize("namespace", [None, "nowhere"])
def test_pub_t_17_the_namespace_is_ignored_where_the_name_is_unique(airbyte: Airbyte, namespace):
    made = airbyte.connection({"name": "products", "namespace": namespace})
    assert streams(made)[0]["namespace"] == "public"


def test_pub_t_18_a_mapper_without_an_id_gets_a_new_one_at_every_patch(airbyte: Airbyte):
    hashed = {"name": "customers", "mappers": [HASHING]}
    made = airbyte.connection(hashed)
    after = airbyte.changed(made, configurations={"streams": [hashed]})
    assert streams(after)[0]["mappers"][0]["id"] != streams(made)[0]["mappers"][0]["id"]


def test_pub_t_19_a_create_without_streams_selects_usually_nothing(airbyte: Airbyte):
    assert streams(airbyte.connection()) == []


@pytest.mark.parametrize("configurations", [{}, {"streams": []}])
def test_pub_t_20_an_empty_list_of_streams_does_nothing(airbyte: Airbyte, configurations):
    made = airbyte.connection({"name": "products"})
    assert airbyte.changed(made, configurations=configurations) == made
