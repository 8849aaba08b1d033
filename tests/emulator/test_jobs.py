"""Jobs: started, finished by the clock, cancelled; what they save and erase (PUB §7)."""

from __future__ import annotations

from tests.emulator.builders import Airbyte, Clock

INCREMENTAL = {"name": "products", "syncMode": "incremental_append", "cursorField": ["updated_at"]}


def start_job(airbyte: Airbyte, connection, kind: str = "sync"):
    body = {"connectionId": connection["connectionId"], "jobType": kind}
    return airbyte("POST", "/jobs", json=body)


def job(airbyte: Airbyte, number: int):
    return airbyte.made("GET", f"/jobs/{number}")


def test_a_sync_runs_and_then_has_succeeded(airbyte: Airbyte, clock: Clock):
    made = airbyte.connection(INCREMENTAL)
    started = start_job(airbyte, made).json()
    assert started == {
        "jobId": 1,
        "status": "running",
        "jobType": "sync",
        "startTime": "2023-11-14T22:13:20Z",
        "connectionId": made["connectionId"],
        "duration": "PT0S",
    }
    clock.now += 1
    ended = job(airbyte, 1)
    assert (ended["status"], ended["duration"]) == ("succeeded", "PT1S")
    assert ended["lastUpdatedAt"] == "2023-11-14T22:13:21Z"


def test_pub_t_37b_times_leave_out_zero_seconds(airbyte: Airbyte, clock: Clock):
    clock.now = 1_700_000_040.0
    started = start_job(airbyte, airbyte.connection(INCREMENTAL)).json()
    assert started["startTime"] == "2023-11-14T22:14Z"


def test_a_sync_saves_positions_of_incremental_streams_only(airbyte: Airbyte, clock: Clock):
    made = airbyte.connection(INCREMENTAL, {"name": "customers"})
    start_job(airbyte, made)
    clock.now += 1
    job(airbyte, 1)
    assert airbyte.states(made) == ["products"]


def test_a_running_sync_refuses_another(airbyte: Airbyte):
    made = airbyte.connection(INCREMENTAL)
    start_job(airbyte, made)
    answer = start_job(airbyte, made)
    assert answer.status_code == 409
    assert answer.json()["title"] == "try-again-later"
    message = f"A sync is already running for: {made['connectionId']}"
    assert answer.json()["data"] == {"message": message}


def test_an_inactive_connection_cannot_sync(airbyte: Airbyte):
    answer = start_job(airbyte, airbyte.connection(status="inactive"))
    assert answer.status_code == 409
    assert answer.json()["title"] == "state-conflict"
    assert answer.json()["data"] == {"message": "Could not fulfill request"}


def test_a_clear_cancels_a_running_sync(airbyte: Airbyte):
    made = airbyte.connection(INCREMENTAL)
    start_job(airbyte, made)
    start_job(airbyte, made, "clear")
    assert job(airbyte, 1)["status"] == "cancelled"


def test_a_refresh_is_refused(airbyte: Airbyte):
    answer = start_job(airbyte, airbyte.connection(), "refresh")
    assert answer.status_code == 422
    message = "Refreshes are not supported in the public API"
    assert answer.json()["data"] == {"message": message}


def test_a_job_is_cancelled_once(airbyte: Airbyte):
    start_job(airbyte, airbyte.connection(INCREMENTAL))
    cancelled = airbyte("DELETE", "/jobs/1")
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "cancelled"
    again = airbyte("DELETE", "/jobs/1")
    assert again.status_code == 409
    assert again.json()["data"] == {"message": "Job is not currently running"}


def test_deleting_a_connection_kills_its_sync(airbyte: Airbyte):
    made = airbyte.connection(INCREMENTAL)
    start_job(airbyte, made)
    airbyte.made("DELETE", f"/connections/{made['connectionId']}")
    assert job(airbyte, 1)["status"] == "cancelled"


def test_jobs_are_filtered(airbyte: Airbyte, clock: Clock):
    made = airbyte.connection(INCREMENTAL)
    for _ in range(3):
        start_job(airbyte, made)
        clock.now += 10

    def listed(query: str) -> list[int]:
        return [job["jobId"] for job in airbyte.listed("jobs", query)]

    assert listed(f"?connectionId={made['connectionId']}&status=succeeded") == [1, 2, 3]
    assert listed("?jobType=reset") == []
    assert listed("?createdAtStart=2023-11-14T22:13:25Z") == [2, 3]
    assert listed(f"?workspaceIds={airbyte.workspace}&offset=2") == [3]


def test_an_order_that_makes_no_sense_is_400(airbyte: Airbyte):
    answer = airbyte("GET", "/jobs?orderBy=name")
    assert answer.status_code == 400
    assert answer.json()["title"] == "bad-request"


def test_an_unknown_job_is_404(airbyte: Airbyte):
    assert airbyte("GET", "/jobs/99").status_code == 404
