"""One store, two APIs: a connection made through either reads as the same through the other (CFG §10)."""

from __future__ import annotations

import pytest

from tests.emulator.builders import Airbyte, Clock, columns, streams
from tests.emulator.config_connections import Wired, configs, cron, entries, every, names

MODES = [
    ("full_refresh_overwrite", "full_refresh", "overwrite"),
    ("full_refresh_append", "full_refresh", "append"),
    ("full_refresh_overwrite_deduped", "full_refresh", "overwrite_dedup"),
    ("incremental_append", "incremental", "append"),
    ("incremental_deduped_history", "incremental", "append_dedup"),
]


@pytest.fixture
def wired(airbyte: Airbyte) -> Wired:
    return Wired(airbyte)


def public(wired: Wired, *chosen, **fields):
    body = {**wired.ends, "configurations": {"streams": list(chosen)}, **fields}
    return wired.airbyte.made("POST", "/connections", json=body)


@pytest.mark.parametrize(("name", "source", "destination"), MODES)
def test_modes_are_pairs_here_and_names_there(wired: Wired, name, source, destination):
    sent = {"name": "products", "syncMode": name, "cursorField": ["updated_at"]}
    (config,) = configs(wired.read(public(wired, sent)))
    assert (config["syncMode"], config["destinationSyncMode"]) == (source, destination)
    pair = {"syncMode": source, "destinationSyncMode": destination}
    made = wired.connection(wired.stream("products", **pair))
    assert streams(wired.airbyte.read(made))[0]["syncMode"] == name


def test_a_pair_without_a_name_has_none_there(wired: Wired):
    made = wired.connection(wired.incremental("products", destinationSyncMode="overwrite"))
    assert "syncMode" not in streams(wired.airbyte.read(made))[0]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"namespaceDefinition": "customformat"}, {"namespaceDefinition": "custom_format"}),
        (
            {"nonBreakingChangesPreference": "disable"},
            {"nonBreakingSchemaUpdatesBehavior": "disable_connection"},
        ),
        ({"prefix": "p_"}, {"prefix": "p_"}),
        ({"status": "inactive"}, {"status": "inactive"}),
    ],
)
def test_words_differ_and_mean_the_same(wired: Wired, ours, theirs):
    read = wired.airbyte.read(wired.connection(**ours))
    assert {name: read[name] for name in theirs} == theirs
    back = wired.read(public(wired, **theirs))
    assert {name: back[name] for name in ours} == ours


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            cron("0 0 12 * * ?", "Europe/Berlin"),
            {"scheduleType": "cron", "cronExpression": "0 0 12 * * ? Europe/Berlin"},
        ),
        (every(6), {"scheduleType": "basic", "basicTiming": "Every 6 HOURS"}),
        ({"scheduleType": "manual"}, {"scheduleType": "manual"}),
    ],
)
def test_schedules_made_here_read_there(wired: Wired, ours, theirs):
    assert wired.airbyte.read(wired.connection(**ours))["schedule"] == theirs


def test_a_cron_made_there_has_its_zone_here(wired: Wired):
    made = public(wired, schedule={"scheduleType": "cron", "cronExpression": "0 0 12 * * ?"})
    assert wired.read(made)["scheduleData"] == cron("0 0 12 * * ?")["scheduleData"]


def test_selected_columns_and_mappers_are_the_same(wired: Wired):
    mapper = {
        "type": "hashing",
        "mapperConfiguration": {"targetField": "title", "method": "MD5", "fieldNameSuffix": "_h"},
    }
    chosen = columns("id", "title")
    made = public(wired, {"name": "products", "selectedFields": chosen, "mappers": [mapper]})
    (entry,) = entries(wired.read(made))
    assert entry["config"]["selectedFields"] == chosen
    assert list(entry["stream"]["jsonSchema"]["properties"]) == ["id", "title"]
    assert entry["config"]["mappers"] == streams(made)[0]["mappers"]
    narrow = {"fieldSelectionEnabled": True, "selectedFields": chosen, "mappers": [mapper]}
    back = wired.airbyte.read(wired.connection(wired.stream("products", **narrow)))
    assert streams(back)[0]["selectedFields"] == chosen
    assert streams(back)[0]["mappers"][0]["mapperConfiguration"] == mapper["mapperConfiguration"]


def test_a_connection_made_there_knows_its_catalog_here(wired: Wired):
    made = wired.read(public(wired, {"name": "products"}))
    assert made["sourceCatalogId"] == wired.discovered["catalogId"]
    one = {"connectionId": made["connectionId"]}
    whole = wired.made("web_backend/connections/get", **one)
    assert len(entries(whole)) == len(wired.discovered["catalog"]["streams"])


def test_a_change_there_keeps_what_only_this_api_knows(wired: Wired):
    own = {
        "resourceRequirements": {"cpu_limit": "1"},
        "notifySchemaChanges": True,
        "nonBreakingChangesPreference": "ignore",
        "backfillPreference": "enabled",
        "onDemandEnabled": True,
    }
    made = wired.connection(wired.incremental("products"), **own)
    wired.airbyte.changed(made, name="renamed", configurations={"streams": [{"name": "customers"}]})
    after = wired.read(made)
    assert {name: after[name] for name in own} == own
    assert (after["name"], names(after)) == ("renamed", ["customers"])


def test_both_delete_the_same_connection(wired: Wired):
    here, there = wired.connection(), public(wired)
    wired.made("connections/delete", connectionId=there["connectionId"])
    wired.airbyte.made("DELETE", f"/connections/{here['connectionId']}")
    assert wired.read(here)["status"] == wired.airbyte.read(there)["status"] == "deprecated"
    assert wired.airbyte.listed("connections") == []


def test_a_paused_interval_switched_on_there_starts_to_sync(wired: Wired):
    made = wired.connection(wired.stream("products"), **every(6), status="inactive")
    wired.airbyte.changed(made, status="active")
    assert [job["configType"] for job in wired.jobs(made)] == ["sync"]


def test_jobs_started_here_are_listed_there_under_that_apis_names(wired: Wired, clock: Clock):
    made = wired.connection(wired.incremental("products"))
    for verb, fields in (("sync", {}), ("refresh", {"refreshMode": "Merge"}), ("clear", {})):
        wired.run(made, verb, **fields)
        clock.now += 60
    listed = wired.airbyte.listed("jobs", f"?connectionId={made['connectionId']}")
    assert [job["jobType"] for job in listed] == ["sync", "refresh", "reset"]
    assert [job["configType"] for job in wired.jobs(made)][::-1] == [
        "sync",
        "refresh",
        "reset_connection",
    ]
