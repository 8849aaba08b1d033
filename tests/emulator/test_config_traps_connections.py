"""Traps of the Configuration API that lie in connections and jobs (CFG §9): what a client falls into."""

from __future__ import annotations

from tests.emulator.builders import MASK, Airbyte, Clock, Start, columns
from tests.emulator.config_connections import Wired, configs, entries, every, names

PAUSED = {"status": "inactive"}
HASHING = {
    "type": "hashing",
    "mapperConfiguration": {"targetField": "title", "method": "MD5", "fieldNameSuffix": "_h"},
}
AES = {
    "type": "encryption",
    "mapperConfiguration": {
        "algorithm": "AES",
        "targetField": "title",
        "fieldNameSuffix": "_e",
        "key": "0123456789abcdef0123456789abcdef",
        "mode": "CBC",
        "padding": "PKCS5Padding",
    },
}


def test_cfg_t_05_a_read_cannot_be_sent_back_where_it_has_an_interval(airbyte: Airbyte):
    wired = Wired(airbyte)
    made = wired.connection(**PAUSED, **every(24))
    assert made["schedule"] == {"units": 24, "timeUnit": "hours"}
    assert wired("connections/update", **made).status_code == 500
    del made["schedule"]
    assert wired("connections/update", **made).status_code == 200


def test_cfg_t_06_another_source_or_destination_is_ignored(airbyte: Airbyte):
    wired, other = Wired(airbyte), Wired(airbyte)
    made = wired.connection(**PAUSED)
    assert wired.updated(made, **other.ends) == made
    assert wired.read(made) == made


def test_cfg_t_10_unselected_streams_vanish(airbyte: Airbyte):
    wired = Wired(airbyte)
    made = wired.connection(wired.stream("customers", selected=False), wired.stream("products"))
    assert names(made) == names(wired.read(made)) == ["products"]


def test_cfg_t_11_bare_streams_and_unsaid_selections_trip_the_server(airbyte: Airbyte):
    wired = Wired(airbyte)
    whole = wired.stream("products")
    bare = {"name": "products", "namespace": "public"}
    assert wired.create({**whole, "stream": bare}).status_code == 500
    whole["config"].pop("selected")
    assert wired.create(whole).status_code == 500


def test_cfg_t_12_a_column_added_to_a_trimmed_schema_does_nothing(airbyte: Airbyte):
    wired = Wired(airbyte)
    narrow = {"fieldSelectionEnabled": True, "selectedFields": columns("id")}
    made = wired.connection(wired.stream("products", **narrow))
    (entry,) = entries(made)
    assert list(entry["stream"]["jsonSchema"]["properties"]) == ["id"]
    entry["config"]["selectedFields"] = columns("id", "title")
    (after,) = entries(wired.updated(made, syncCatalog={"streams": [entry]}))
    assert after["config"]["selectedFields"] == columns("id")
    assert list(after["stream"]["jsonSchema"]["properties"]) == ["id"]


def test_cfg_t_13_without_the_catalogs_id_no_change_is_ever_seen(airbyte: Airbyte):
    wired = Wired(airbyte)
    chosen = wired.stream("products")
    known, unknown = wired.connection(chosen), wired.connection(chosen, sourceCatalogId=None)
    grown = [{"stream": "products", "column": "weight"}]
    body = {"sourceId": wired.ends["sourceId"], "add_columns": grown}
    airbyte.made("POST", "/_emulator/auto-propagate", json=body)

    def seen(connection):
        read = wired.made("web_backend/connections/get", connectionId=connection["connectionId"])
        return read["schemaChange"], len(entries(read))

    assert seen(known) == ("non_breaking", len(wired.discovered["catalog"]["streams"]))
    assert seen(unknown) == ("no_change", 1)


def test_cfg_t_14_a_catalog_of_one_stream_removes_the_others(airbyte: Airbyte):
    wired = Wired(airbyte)
    made = wired.connection(wired.stream("customers"), wired.stream("products"))
    one = {"streams": [wired.stream("products")]}
    assert names(wired.updated(made, syncCatalog=one)) == ["products"]


def test_cfg_t_15_the_server_adds_what_nobody_sent(airbyte: Airbyte):
    wired = Wired(airbyte)
    config = {
        "syncMode": "full_refresh",
        "destinationSyncMode": "overwrite",
        "selected": True,
        "aliasName": "mine",
        "suggested": True,
        "mappers": [HASHING],
        "generationId": 7,
    }
    entry = {"stream": wired.stream("products")["stream"], "config": config}
    (read,) = configs(wired.connection(entry, **PAUSED, **every(1)))
    assert (read["aliasName"], read["suggested"]) == ("products", False)
    assert (read["cursorField"], read["primaryKey"], read["selectedFields"]) == ([], [], [])
    assert read["hashedFields"] == columns("title")
    assert read["mappers"][0]["id"]
    assert "generationId" not in read


def test_cfg_t_16_mappers_without_their_ids_are_new_ones_and_lose_their_keys(airbyte: Airbyte):
    wired = Wired(airbyte)
    made = wired.connection(wired.stream("products", mappers=[AES]))
    (entry,) = entries(made)
    (mapper,) = entry["config"]["mappers"]
    assert mapper["mapperConfiguration"]["key"] == MASK
    assert wired.updated(made, syncCatalog={"streams": [entry]}) == made
    known = mapper.pop("id")
    answer = wired.update(made, syncCatalog={"streams": [entry]})
    assert answer.status_code == 400
    assert answer.json()["type"] == "error:mapper-validation/secret-not-found"
    mapper["mapperConfiguration"] = AES["mapperConfiguration"]
    after = wired.updated(made, syncCatalog={"streams": [entry]})
    assert configs(after)[0]["mappers"][0]["id"] != known


def test_cfg_t_20_null_unsets_nothing_and_empty_text_reads_as_such(airbyte: Airbyte):
    wired = Wired(airbyte)
    given = {
        "prefix": "p_",
        "namespaceDefinition": "customformat",
        "namespaceFormat": "raw",
        "resourceRequirements": {"cpu_limit": "1"},
    }
    made = wired.connection(**given)
    assert wired.updated(made, **dict.fromkeys(given)) == made
    cleared = wired.updated(made, prefix="", namespaceFormat="")
    assert (cleared["prefix"], cleared["namespaceFormat"]) == ("", "")
    assert "prefix" not in wired.connection()


def test_cfg_t_21_mail_about_schemas_may_never_be_what_was_asked(airbyte: Airbyte):
    wired = Wired(airbyte)
    made = wired.connection(notifySchemaChangesByEmail=True)
    assert made["notifySchemaChangesByEmail"] is False
    for _ in range(2):
        made = wired.updated(made, notifySchemaChangesByEmail=True)
        assert made["notifySchemaChangesByEmail"] is False
    on = wired.updated(made, notifySchemaChanges=True, notifySchemaChangesByEmail=True)
    assert on["notifySchemaChangesByEmail"] is True
    stuck = wired.updated(made, notifySchemaChangesByEmail=False)
    assert stuck["notifySchemaChangesByEmail"] is True


def test_cfg_t_22_a_backfill_without_the_other_preference_is_lost_on_create(airbyte: Airbyte):
    wired = Wired(airbyte)
    backfill = {"backfillPreference": "enabled"}
    assert wired.connection(**backfill)["backfillPreference"] == "disabled"
    both = wired.connection(**backfill, nonBreakingChangesPreference="ignore")
    assert both["backfillPreference"] == "enabled"


def test_cfg_t_23_foreign_and_unknown_tags_are_dropped_without_an_error(airbyte: Airbyte):
    wired = Wired(airbyte)
    elsewhere = airbyte.made("POST", "/workspaces", json={"name": "other"})
    own, foreign = airbyte.tag("gold"), airbyte.tag("gold", elsewhere["workspaceId"])
    unknown = {**own, "tagId": "11111111-2222-4333-8444-555555555555"}
    made = wired.connection(tags=[foreign, own, unknown])
    assert made["tags"] == wired.updated(made, tags=[own, foreign])["tags"] == [own]


def test_cfg_t_24_an_active_interval_starts_a_sync_at_once(airbyte: Airbyte, clock: Clock):
    wired = Wired(airbyte)
    assert len(wired.jobs(wired.connection(wired.stream("products"), **every(24)))) == 1
    made = wired.connection(wired.stream("products"), **PAUSED, **every(24))
    assert wired.jobs(made) == []
    wired.updated(made, status="active")
    assert len(wired.jobs(made)) == 1
    clock.now += 7 * 3600
    wired.updated(made, **every(12))
    assert len(wired.jobs(made)) == 1
    wired.updated(made, **every(6))
    assert len(wired.jobs(made)) == 2


def test_cfg_t_25_only_the_ui_wipes_data_and_only_a_source_mode_costs_state(airbyte: Airbyte):
    wired = Wired(airbyte)
    made = wired.connection(wired.incremental("products"), wired.incremental("customers"))
    for stream in ("products", "customers"):
        airbyte.set_state(made, stream)
    other_cursor = wired.incremental("products", cursorField=["id"])
    full = wired.stream("customers", syncMode="full_refresh", destinationSyncMode="append")
    changed = {"syncCatalog": {"streams": [other_cursor, full]}}
    wired.updated(made, **changed)
    assert airbyte.states(made) == ["products"]
    assert wired.jobs(made) == []
    back = {"streams": [wired.incremental("products"), full]}
    wired.made("web_backend/connections/update", **_id(made), syncCatalog=back)
    assert airbyte.states(made) == []
    assert [job["configType"] for job in wired.jobs(made)] == ["refresh"]


def test_cfg_t_26_no_mode_cursor_or_key_is_checked(airbyte: Airbyte):
    wired = Wired(airbyte)
    nonsense = {
        "syncMode": "incremental",
        "destinationSyncMode": "overwrite_dedup",
        "cursorField": ["no_such_column"],
        "primaryKey": [["nor", "this"]],
    }
    entry = wired.stream("products", **nonsense)
    entry["stream"]["supportedSyncModes"] = ["full_refresh"]
    (read,) = configs(wired.connection(entry))
    assert {name: read[name] for name in nonsense} == nonsense


def test_cfg_t_27_the_server_changes_connections_by_itself(airbyte: Airbyte):
    wired = Wired(airbyte)
    follows = {"nonBreakingChangesPreference": "propagate_columns"}
    made = wired.connection(wired.stream("products"), **follows)
    grown = [{"stream": "products", "column": "weight"}]
    body = {"sourceId": wired.ends["sourceId"], "add_columns": grown}
    airbyte.made("POST", "/_emulator/auto-propagate", json=body)
    (entry,) = entries(wired.read(made))
    assert "weight" in entry["stream"]["jsonSchema"]["properties"]
    airbyte.made("POST", "/_emulator/auto-disable", json=_id(made))
    assert wired.read(made)["status"] == "inactive"


def test_cfg_t_28_the_default_namespace_is_the_sources_here_and_not_there(airbyte: Airbyte):
    wired = Wired(airbyte)
    assert wired.connection()["namespaceDefinition"] == "source"
    public = airbyte.made("POST", "/connections", json=wired.ends)
    assert wired.read(public)["namespaceDefinition"] == "destination"


def test_cfg_t_32_a_409_means_four_things(start: Start):
    wired = Wired(start(job_seconds=60))
    made = wired.connection(wired.stream("products"))
    wired.run(made)
    running = wired.run(made)
    assert running.json()["message"] == f"A sync is already running for: {made['connectionId']}"
    unknown = "11111111-2222-4333-8444-555555555555"
    database = wired.update(made, sourceCatalogId=unknown)
    assert database.json()["message"].startswith("Failed to access database")
    wired.updated(made, status="locked")
    locked = wired.update(made, name="x")
    assert locked.json()["type"] == "error:connection/locked"
    wired.made("connections/delete", **_id(made))
    gone = wired.run(made, "clear")
    assert {answer.status_code for answer in (running, database, locked, gone)} == {409}


def test_cfg_t_33_a_deleted_connections_jobs_stay_and_an_unknown_job_is_500(airbyte: Airbyte):
    wired = Wired(airbyte)
    made = wired.connection(wired.stream("products"))
    wired.run(made)
    wired.made("connections/delete", **_id(made))
    assert [job["status"] for job in wired.jobs(made)] == ["cancelled"]
    assert wired("jobs/get", id=99).status_code == 500


def _id(connection) -> dict[str, str]:
    return {"connectionId": connection["connectionId"]}
