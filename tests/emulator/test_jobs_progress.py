"""How jobs get on: by the clock, through failures and another try, with rows that grow and then stay."""

from __future__ import annotations

import sqlite3

import pytest

from tests.emulator.builders import Airbyte, Clock, Start, postgres
from tests.emulator.test_jobs import INCREMENTAL, job, start_job

FULL = {"name": "customers"}


def fail_next(airbyte: Airbyte, connection, **how):
    body = {"connectionId": connection["connectionId"], "message": "disk full", **how}
    return airbyte("POST", "/_emulator/fail-next-job", json=body)


def rows_of(read) -> tuple[int | None, int | None]:
    return read.get("rowsSynced"), read.get("bytesSynced")


def test_a_job_waits_runs_and_succeeds(start: Start, clock: Clock):
    airbyte = start(queue_seconds=5, job_seconds=10)
    started = start_job(airbyte, airbyte.connection(FULL)).json()
    assert started["status"] == "pending"
    assert "duration" not in started
    seen = []
    for _ in range(4):
        clock.now += 4
        seen.append(job(airbyte, 1)["status"])
    assert seen == ["pending", "running", "running", "succeeded"]


def test_a_job_that_takes_no_time_is_done_at_once(start: Start):
    airbyte = start(job_seconds=0)
    made = airbyte.connection(INCREMENTAL)
    assert start_job(airbyte, made).json()["status"] == "succeeded"
    assert airbyte.states(made) == ["products"]


def test_rows_and_bytes_grow_while_it_runs_and_then_stay(start: Start, clock: Clock):
    airbyte = start(job_seconds=10)
    started = start_job(airbyte, airbyte.connection(FULL, INCREMENTAL)).json()
    assert rows_of(started) == (None, None)
    clock.now += 5
    assert rows_of(job(airbyte, 1)) == (1_000, 250_000)
    clock.now += 5
    ended = job(airbyte, 1)
    assert rows_of(ended) == (2_000, 500_000)
    clock.now += 500
    assert job(airbyte, 1) == ended


def test_an_incremental_stream_moves_only_what_is_new_since_its_position(start: Start):
    airbyte = start(job_seconds=0)
    made = airbyte.connection(INCREMENTAL)
    assert [rows_of(start_job(airbyte, made).json())[0] for _ in range(3)] == [1_000, 100, 100]


def test_a_job_can_be_made_to_fail_once(start: Start):
    airbyte = start(job_seconds=0)
    made = airbyte.connection(INCREMENTAL)
    assert fail_next(airbyte, made).status_code == 200
    failed = start_job(airbyte, made).json()
    assert (failed["status"], failed["rowsSynced"]) == ("failed", 500)
    assert airbyte.states(made) == []
    assert start_job(airbyte, made).json()["status"] == "succeeded"


def test_a_failed_attempt_is_tried_again_where_the_job_recovers(start: Start, clock: Clock):
    airbyte = start(job_seconds=10)
    made = airbyte.connection(INCREMENTAL)
    fail_next(airbyte, made, attempts=2, recovers=True)
    start_job(airbyte, made)
    seen = []
    for _ in range(8):
        clock.now += 4
        seen.append(job(airbyte, 1)["status"])
    assert seen == [
        *("running", "incomplete", "running", "incomplete"),
        *("running", "running", "running", "succeeded"),
    ]
    assert start_job(airbyte, made).status_code == 200


def test_a_job_between_two_attempts_still_refuses_another(start: Start, clock: Clock):
    airbyte = start(job_seconds=10)
    made = airbyte.connection(INCREMENTAL)
    fail_next(airbyte, made, recovers=True)
    start_job(airbyte, made)
    clock.now += 6
    assert job(airbyte, 1)["status"] == "incomplete"
    assert start_job(airbyte, made).status_code == 409


@pytest.mark.parametrize("attempts", [0, 21, "two"])
def test_an_impossible_number_of_failing_attempts_is_refused(airbyte: Airbyte, attempts):
    assert fail_next(airbyte, airbyte.connection(), attempts=attempts).status_code == 400


def test_a_source_at_the_unreachable_host_fails_every_sync(start: Start):
    airbyte = start(job_seconds=0)
    made = airbyte.connection(FULL, source=airbyte.source(**postgres(host="fail.invalid")))
    assert [start_job(airbyte, made).json()["status"] for _ in range(2)] == ["failed", "failed"]
    assert start_job(airbyte, made, "clear").json()["status"] == "succeeded"


def test_a_cancelled_job_keeps_the_rows_it_had_moved(start: Start, clock: Clock):
    airbyte = start(job_seconds=10)
    start_job(airbyte, airbyte.connection(FULL))
    clock.now += 3
    airbyte.made("DELETE", "/jobs/1")
    clock.now += 60
    ended = job(airbyte, 1)
    assert (ended["status"], ended["rowsSynced"], ended["duration"]) == ("cancelled", 300, "PT3S")


def test_a_job_that_had_ended_is_not_cancelled_by_a_deletion(airbyte: Airbyte, clock: Clock):
    made = airbyte.connection(FULL)
    start_job(airbyte, made)
    clock.now += 60
    airbyte.made("DELETE", f"/connections/{made['connectionId']}")
    assert job(airbyte, 1)["status"] == "succeeded"


def test_what_started_and_how_it_ended_is_in_the_log(airbyte: Airbyte, clock: Clock):
    made = airbyte.connection(INCREMENTAL)
    start_job(airbyte, made)
    start_job(airbyte, made, "clear")
    clock.now += 60
    logged = [
        (event["jobId"], event["jobType"], event.get("status"))
        for event in airbyte.made("GET", "/_emulator/events")["events"]
        if event["kind"].startswith("job_")
    ]
    assert logged == [
        (1, "sync", None),
        (1, "sync", "cancelled"),
        (2, "reset", None),
        (2, "reset", "succeeded"),
    ]


def test_lenient_says_more_of_a_job(start: Start):
    airbyte = start(profile="lenient")
    started = start_job(airbyte, airbyte.connection(FULL)).json()
    assert started["createdAt"] == "1700000000000"
    assert (started["rowsSynced"], started["bytesSynced"]) == (0, 0)
    assert started["lastUpdatedAt"] == started["startTime"]


def test_a_store_of_an_earlier_release_goes_on(start: Start, tmp_path):
    file = tmp_path / "local.db"
    with sqlite3.connect(file) as old:
        old.execute(
            "CREATE TABLE job (id INTEGER PRIMARY KEY, connection_id TEXT, type TEXT, status TEXT,"
            " created_at REAL, updated_at REAL)"
        )
        old.execute("INSERT INTO job VALUES (7, 'c', 'reset', 'running', 1e9, 1e9)")
    old.close()
    assert job(start(db=file), 7)["status"] == "succeeded"
