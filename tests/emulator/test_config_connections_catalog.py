"""The syncCatalog of a connection: what a write makes of it, and what it costs (CFG §5.4-5.6)."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.emulator.builders import MASK, POKEAPI, Airbyte, columns
from tests.emulator.config_connections import Wired, configs, entries, names

HASHING = {"targetField": "title", "method": "MD5", "fieldNameSuffix": "_h"}


@pytest.fixture
def wired(airbyte: Airbyte) -> Wired:
    return Wired(airbyte)


def update(wired: Wired, connection, *streams):
    return wired.update(connection, syncCatalog={"streams": list(streams)})


def test_a_stream_reads_as_it_was_discovered_with_its_choices(wired: Wired):
    sent = wired.stream("products")
    (read,) = entries(wired.connection(sent))
    assert read["stream"] == sent["stream"]
    expected = {
        **sent["config"],
        "suggested": False,
        "includeFiles": False,
        "fieldSelectionEnabled": False,
    }
    assert read["config"] == expected


@pytest.mark.parametrize("missing", ["syncMode", "destinationSyncMode", "selected"])
def test_what_a_choice_must_say_trips_the_server_where_it_does_not(wired: Wired, missing: str):
    assert wired.create(wired.stream("products", **{missing: None})).status_code == 500


@pytest.mark.parametrize("field", ["syncMode", "destinationSyncMode"])
def test_a_mode_that_does_not_exist_is_400(wired: Wired, field: str):
    assert wired.create(wired.stream("products", **{field: "upsert"})).status_code == 400


@pytest.mark.parametrize("part", ["stream", "config"])
def test_half_a_stream_trips_the_server(wired: Wired, part: str):
    entry = wired.stream("products")
    del entry[part]
    assert wired.create(entry).status_code == 500


def test_the_same_stream_twice_trips_the_server(wired: Wired):
    assert wired.create(wired.stream("products"), wired.stream("products")).status_code == 500


def test_an_unselected_stream_needs_no_schema(wired: Wired):
    bare = {"stream": {"name": "gone"}, "config": {"selected": False}}
    assert names(wired.connection(bare)) == []


def test_too_many_fields_are_400_and_said_so(wired: Wired):
    wide = wired.stream("products")
    properties = {f"c{n}": {"type": "string"} for n in range(20_001)}
    wide["stream"]["jsonSchema"] = {"type": "object", "properties": properties}
    answer = wired.create(wide)
    assert answer.status_code == 400
    assert "20000" in answer.json()["message"]


# --- Selected columns ------------------------------------------------------------------------


def narrow(wired: Wired, *chosen: str, **config):
    selection = {"fieldSelectionEnabled": True, "selectedFields": columns(*chosen)}
    return wired.stream("products", **{**selection, **config})


def test_a_selection_trims_the_schema_and_reads_in_its_order(wired: Wired):
    (read,) = entries(wired.connection(narrow(wired, "title", "id", "no_such_column")))
    assert list(read["stream"]["jsonSchema"]["properties"]) == ["id", "title"]
    assert read["config"]["fieldSelectionEnabled"] is True
    assert read["config"]["selectedFields"] == columns("id", "title")


def test_a_selection_without_fields_is_422(wired: Wired):
    assert wired.create(narrow(wired, selectedFields=None)).status_code == 422


def test_a_nested_selection_trips_the_server(wired: Wired):
    nested = [{"fieldPath": ["title", "en"]}]
    assert wired.create(narrow(wired, selectedFields=nested)).status_code == 500


@pytest.mark.parametrize(
    "config",
    [
        {"syncMode": "incremental", "cursorField": ["updated_at"]},
        {"destinationSyncMode": "append_dedup", "primaryKey": [["sku"]]},
    ],
)
def test_a_selection_without_cursor_or_key_is_422(wired: Wired, config):
    answer = wired.create(narrow(wired, "id", **config))
    assert answer.status_code == 422
    start = "The provided configuration does not fulfill the specification. Errors: "
    assert answer.json()["message"].startswith(start)


def test_a_selection_may_leave_out_a_cursor_that_is_not_read(wired: Wired):
    entry = narrow(wired, "id", syncMode="full_refresh", cursorField=["updated_at"])
    assert wired.create(entry).status_code == 200


# --- Mappers ---------------------------------------------------------------------------------


def test_hashed_fields_are_mappers_where_none_are_given(wired: Wired):
    (read,) = configs(wired.connection(wired.stream("products", hashedFields=columns("title"))))
    (mapper,) = read["mappers"]
    assert mapper["type"] == "hashing"
    hashed = {"targetField": "title", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
    assert mapper["mapperConfiguration"] == hashed
    assert read["hashedFields"] == columns("title")


def test_hashed_fields_are_ignored_beside_mappers(wired: Wired):
    mapper = {"type": "field-filtering", "mapperConfiguration": {"targetField": "sku"}}
    sent = wired.stream("products", mappers=[mapper], hashedFields=columns("title"))
    (read,) = configs(wired.connection(sent))
    assert [m["type"] for m in read["mappers"]] == ["field-filtering"]
    assert read["hashedFields"] == []


def test_a_mapper_keeps_the_id_it_is_sent_with(wired: Wired):
    own = "11111111-2222-4333-8444-555555555555"
    mapper = {"id": own, "type": "hashing", "mapperConfiguration": HASHING}
    (read,) = configs(wired.connection(wired.stream("products", mappers=[mapper])))
    assert read["mappers"] == [mapper]


def test_a_mapper_of_a_column_that_is_not_there_is_a_problem(wired: Wired):
    lost = {"type": "hashing", "mapperConfiguration": {**HASHING, "targetField": "nope"}}
    answer = wired.create(wired.stream("products", mappers=[lost]))
    assert answer.status_code == 400
    assert answer.json()["type"] == "error:mapper-validation"
    assert answer.json()["data"]["errors"][0]["error"] == "FIELD_NOT_FOUND"


def test_a_mapper_of_no_known_type_is_400(wired: Wired):
    odd = {"type": "shuffling", "mapperConfiguration": {}}
    assert wired.create(wired.stream("products", mappers=[odd])).status_code == 400


def test_a_masked_key_on_create_has_nothing_to_stand_for(wired: Wired):
    aes = {
        "algorithm": "AES",
        "targetField": "title",
        "fieldNameSuffix": "_e",
        "key": MASK,
        "mode": "CBC",
        "padding": "PKCS5Padding",
    }
    entry = wired.stream("products", mappers=[{"type": "encryption", "mapperConfiguration": aes}])
    assert wired.create(entry).json()["type"] == "error:mapper-validation/secret-not-found"


# --- Files -----------------------------------------------------------------------------------


def test_files_are_refused_where_they_cannot_be_moved(wired: Wired):
    answer = wired.create(wired.stream("products", includeFiles=True))
    assert answer.status_code == 400
    assert answer.json()["type"].startswith("error:connection-validation/file-transfer/")


# --- What it costs ---------------------------------------------------------------------------


def test_another_source_mode_deletes_the_streams_state_and_nothing_else(wired: Wired):
    made = wired.connection(wired.incremental("products"), wired.incremental("customers"))
    for stream in ("products", "customers"):
        wired.airbyte.set_state(made, stream)
    full = wired.incremental("products", syncMode="full_refresh")
    update(wired, made, full, wired.incremental("customers"))
    assert wired.airbyte.states(made) == ["customers"]
    assert [e["because"] for e in wired.airbyte.events("state_deleted")] == [
        "source sync mode changed"
    ]
    assert wired.airbyte.events("data_erased") == wired.jobs(made) == []


def test_a_deselected_stream_keeps_its_state(wired: Wired):
    made = wired.connection(wired.incremental("products"), wired.incremental("customers"))
    wired.airbyte.set_state(made, "products")
    update(wired, made, wired.incremental("customers"))
    assert wired.airbyte.states(made) == ["products"]


def test_a_refused_catalog_changes_nothing(wired: Wired):
    made = wired.connection(wired.incremental("products"))
    wired.airbyte.set_state(made, "products")
    before = deepcopy(wired.read(made))
    full = wired.stream("products", syncMode="full_refresh")
    assert update(wired, made, full, {"stream": {"name": "x"}, "config": {}}).status_code == 500
    assert wired.read(made) == before
    assert wired.airbyte.states(made) == ["products"]


def test_a_stream_needs_no_namespace(wired: Wired):
    source = wired.airbyte.source("pokedex", POKEAPI, pokemon_name="ditto")
    known = {"sourceId": source["sourceId"]}
    (entry,) = wired.made("sources/discover_schema", **known)["catalog"]["streams"]
    (read,) = entries(wired.connection(entry, **known, sourceCatalogId=None))
    assert "namespace" not in read["stream"]
