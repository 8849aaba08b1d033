"""What lenient takes of connections and says of jobs, so that hand-written clients run (CFG §12)."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.emulator.builders import Airbyte, Clock, Start, streams
from tests.emulator.config_connections import Wired, cron, entries, every, names

OLD = {"units": 24, "timeUnit": "hours"}


@pytest.fixture
def lenient(start: Start) -> Wired:
    return Wired(start(profile="lenient"))


def bare(name: str, **stream):
    """A stream as documents write it: nothing but its name and the choices."""
    config = {
        "syncMode": "incremental",
        "cursorField": ["updated_at"],
        "destinationSyncMode": "append",
        "selected": True,
    }
    return {"stream": {"name": name, **stream}, "config": config}


def document(wired: Wired, *chosen):
    return wired.made(
        "connections/create",
        **wired.ends,
        syncCatalog={"streams": list(chosen)},
        schedule=OLD,
        name="PostgreSQL → MinIO",
        namespaceDefinition="source",
        status="active",
    )


# --- Connections -----------------------------------------------------------------------------


def test_bare_streams_are_completed_from_what_the_source_offers(lenient: Wired):
    made = document(lenient, bare("customers", namespace="public"), bare("products"))
    expected = [lenient.incremental(name)["stream"] for name in ("customers", "products")]
    assert [entry["stream"] for entry in entries(made)] == expected
    assert lenient.airbyte.read(made)["configurations"]["streams"][0]["namespace"] == "public"
    assert [job["status"] for job in lenient.jobs(made)] == ["running"]


def test_a_bare_stream_can_be_synced_and_changed_over_either_api(lenient: Wired, clock: Clock):
    made = document(lenient, bare("customers", namespace="public"))
    clock.now += 60
    assert lenient.run(made).status_code == 200
    clock.now += 60
    public = lenient.airbyte.read(made)
    (stream,) = streams(public)
    assert stream["syncMode"] == "incremental_append"
    stream["syncMode"] = "incremental_deduped_history"
    changed = lenient.airbyte.changed(made, configurations={"streams": [stream]})
    assert streams(changed)[0]["primaryKey"] == [["id"]]


def test_a_stream_that_the_source_does_not_offer_is_refused_all_the_same(lenient: Wired):
    assert lenient.create(bare("nope")).status_code == 500


def test_a_name_that_two_streams_have_needs_its_namespace(lenient: Wired):
    assert lenient.create(bare("orders")).status_code == 500
    assert names(lenient.connection(bare("orders", namespace="public"))) == ["orders"]


def test_a_choice_is_selected_unless_it_says_otherwise(lenient: Wired):
    entry = lenient.stream("products", selected=None)
    assert names(lenient.connection(entry)) == ["products"]


def test_a_read_can_be_sent_back_with_another_interval(lenient: Wired):
    read = document(lenient, bare("customers", namespace="public"))
    read["schedule"]["units"] = 12
    after = lenient.made("connections/update", **read)
    assert after["schedule"] == {"units": 12, "timeUnit": "hours"}
    assert after["scheduleData"]["basicSchedule"] == after["schedule"]
    assert entries(after) == entries(read)


@pytest.mark.parametrize("schedule", [every(24), cron("0 0 * * * ?"), {"scheduleType": "manual"}])
def test_a_read_sent_back_as_it_is_changes_nothing(lenient: Wired, schedule):
    read = lenient.connection(lenient.incremental("products"), status="inactive", **schedule)
    assert lenient.made("connections/update", **deepcopy(read)) == read


def test_the_new_form_of_a_schedule_wins_where_both_are_changed(lenient: Wired):
    read = document(lenient)
    read["schedule"]["units"] = 12
    read["scheduleData"]["basicSchedule"]["units"] = 6
    assert lenient.made("connections/update", **read)["schedule"]["units"] == 6


def test_a_schedule_alone_makes_an_interval(lenient: Wired):
    made = lenient.connection(**cron("0 0 * * * ?"))
    after = lenient.updated(made, schedule=OLD)
    assert (after["scheduleType"], after["schedule"]) == ("basic", OLD)


def test_what_strict_accepts_has_the_same_effect(start: Start):
    made = []
    for profile in ("strict", "lenient"):
        wired = Wired(start(profile=profile))
        narrow = {"fieldSelectionEnabled": True, "selectedFields": [{"fieldPath": ["id"]}]}
        one = wired.connection(
            wired.stream("products", **narrow),
            wired.stream("customers", selected=False),
            **every(6),
            prefix="p_",
        )
        wired.updated(one, **cron("0 0 * * * ?"), name="x")
        wired.run(one, "clear")
        read = wired.read(one)
        kinds = [
            event["kind"] for event in wired.airbyte.made("GET", "/_emulator/events")["events"]
        ]
        ids = ("connectionId", "sourceId", "destinationId", "sourceCatalogId")
        made.append(({k: v for k, v in read.items() if k not in ids}, kinds))
    assert made[0] == made[1]


# --- Jobs ------------------------------------------------------------------------------------


def test_a_job_has_a_summary(lenient: Wired, clock: Clock):
    made = document(lenient, bare("customers", namespace="public"))
    clock.now += 60
    read = lenient.made("jobs/get", id=1)
    assert read["job"]["summary"] == {"recordsSynced": 1_000, "bytesSynced": 250_000}
    assert lenient.run(made).json()["job"]["summary"] == {"recordsSynced": 0, "bytesSynced": 0}


def test_a_listed_job_is_flat_and_nested(lenient: Wired):
    made = document(lenient, bare("customers", namespace="public"))
    body = {"configTypes": ["sync"], "configId": made["connectionId"]}
    (item,) = lenient.made("jobs/list", **body)["jobs"]
    assert {name: item[name] for name in item["job"]} == item["job"]
    assert {"id", "status", "summary", "attempts"} <= set(item)


# --- The public API --------------------------------------------------------------------------


@pytest.mark.parametrize("timing", ["every_12_hours", "Every 12 HOURS"])
def test_an_interval_can_be_written_over_the_public_api(lenient: Wired, timing: str):
    made = lenient.connection(status="inactive")
    basic = {"scheduleType": "basic", "basicTiming": timing}
    after = lenient.airbyte.changed(made, schedule=basic)
    assert after["schedule"] == {"scheduleType": "basic", "basicTiming": "Every 12 HOURS"}
    assert lenient.read(made)["schedule"] == {"units": 12, "timeUnit": "hours"}


def test_no_interval_is_refused(lenient: Wired):
    basic = {"scheduleType": "basic", "basicTiming": "now and then"}
    assert lenient.airbyte.change(lenient.connection(), schedule=basic).status_code == 400


def test_strict_refuses_an_interval_over_the_public_api(airbyte: Airbyte):
    basic = {"scheduleType": "basic", "basicTiming": "every_12_hours"}
    assert airbyte.change(airbyte.connection(), schedule=basic).status_code == 422


def test_a_public_read_can_be_sent_back(lenient: Wired):
    made = lenient.connection(lenient.incremental("customers"), **every(6))
    read = lenient.airbyte.read(made)
    assert lenient.airbyte.changed(made, **read) == read


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/connections/11111111-2222-4333-8444-555555555555", 404),
        ("GET", "/jobs?orderBy=name", 400),
        ("POST", "/connections", 400),
        ("GET", "/jobs/x", 400),
    ],
)
def test_errors_have_the_two_fields_of_the_documents_too(
    start: Start, lenient: Wired, method: str, path: str, status: int
):
    answer = lenient.airbyte(method, path, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert answer.json()["message"]
    strict = start()(method, path, json={} if method == "POST" else None)
    assert strict.status_code == status
    assert not {"error", "message"} & set(strict.json())
    assert set(strict.json()) <= set(answer.json())
