"""Jobs over the Configuration API: started, read in three depths, listed, cancelled (CFG §7)."""

from __future__ import annotations

import pytest

from tests.emulator.builders import Airbyte, Clock, Start
from tests.emulator.config_connections import Wired

ALL = ["sync", "reset_connection", "refresh", "clear"]
PRODUCTS = {"streamName": "products", "streamNamespace": "public"}


@pytest.fixture
def wired(start: Start) -> Wired:
    return Wired(start(job_seconds=10))


@pytest.fixture
def made(wired: Wired):
    connection = wired.connection(wired.incremental("products"), wired.incremental("customers"))
    for stream in ("products", "customers"):
        wired.airbyte.set_state(connection, stream)
    return connection


def listed(wired: Wired, **fields):
    return wired.made("jobs/list", **{"configTypes": ALL, **fields})


def ids(answer) -> list[int]:
    return [item["job"]["id"] for item in answer["jobs"]]


def run_times(wired: Wired, connection, clock: Clock, times: int) -> None:
    for _ in range(times):
        wired.run(connection)
        clock.now += 60


# --- Started ---------------------------------------------------------------------------------


def test_a_sync_answers_with_the_job_and_its_attempts(wired: Wired, made):
    started = wired.run(made).json()
    streams = [{"name": name, "namespace": "public"} for name in ("products", "customers")]
    assert started["job"] == {
        "id": 1,
        "configType": "sync",
        "configId": made["connectionId"],
        "enabledStreams": streams,
        "createdAt": 1_700_000_000,
        "updatedAt": 1_700_000_000,
        "startedAt": 1_700_000_000,
        "status": "running",
    }
    (attempt,) = started["attempts"]
    assert (attempt["attempt"]["id"], attempt["attempt"]["status"]) == (0, "running")


def test_a_second_sync_is_409_and_names_the_connection(wired: Wired, made):
    wired.run(made)
    answer = wired.run(made)
    assert answer.status_code == 409
    assert answer.json()["message"] == f"A sync is already running for: {made['connectionId']}"


def test_a_paused_connection_cannot_sync(wired: Wired, made):
    wired.updated(made, status="inactive")
    assert wired.run(made).status_code == 500
    assert wired.airbyte.events("job_started") == []


@pytest.mark.parametrize("verb", ["reset", "clear"])
def test_a_clear_erases_all_streams_and_stops_what_runs(wired: Wired, made, verb: str):
    wired.run(made)
    started = wired.run(made, verb).json()["job"]
    assert started["configType"] == "reset_connection"
    assert [s["name"] for s in started["resetConfig"]["streamsToReset"]] == [
        "products",
        "customers",
    ]
    assert wired.airbyte.states(made) == []
    assert [e["stream"] for e in wired.airbyte.events("data_erased")] == ["products", "customers"]
    assert [job["status"] for job in wired.jobs(made)] == ["running", "cancelled"]


@pytest.mark.parametrize("verb", ["reset/stream", "clear/stream"])
def test_a_clear_of_one_stream_leaves_the_others(wired: Wired, made, verb: str):
    assert wired.run(made, verb, streams=[PRODUCTS]).status_code == 200
    assert wired.airbyte.states(made) == ["customers"]
    assert [e["stream"] for e in wired.airbyte.events("data_erased")] == ["products"]


def test_a_clear_of_no_stream_in_particular_is_of_all(wired: Wired, made):
    wired.run(made, "clear/stream", streams=[])
    assert wired.airbyte.states(made) == []


@pytest.mark.parametrize(("mode", "erased"), [("Merge", []), ("Truncate", ["products"])])
def test_a_refresh_reads_streams_anew_and_keeps_or_drops_their_data(
    wired: Wired, made, clock: Clock, mode: str, erased: list[str]
):
    started = wired.run(made, "refresh", refreshMode=mode, streams=[PRODUCTS]).json()["job"]
    assert started["configType"] == "refresh"
    only = [{"name": "products", "namespace": "public"}]
    assert started["refreshConfig"] == {"streamsToRefresh": only}
    assert wired.airbyte.states(made) == ["customers"]
    assert [e["stream"] for e in wired.airbyte.events("data_erased")] == erased
    clock.now += 60
    assert wired.airbyte.states(made) == ["customers", "products"]
    stats = listed(wired)["jobs"][0]["job"]["aggregatedStats"]
    assert stats["recordsCommitted"] == 1_000


def test_a_refresh_of_no_stream_in_particular_is_of_all(wired: Wired, made):
    wired.run(made, "refresh", refreshMode="Merge")
    assert wired.airbyte.states(made) == []


@pytest.mark.parametrize(("mode", "status"), [(None, 500), ("Replace", 400)])
def test_a_refresh_needs_a_mode(wired: Wired, made, mode, status: int):
    assert wired.run(made, "refresh", refreshMode=mode).status_code == status
    assert wired.airbyte.events("state_deleted") == []


def test_a_refresh_does_not_push_a_sync_aside(wired: Wired, made):
    wired.run(made)
    assert wired.run(made, "refresh", refreshMode="Truncate").status_code == 409
    assert wired.airbyte.events("data_erased") == wired.airbyte.events("state_deleted") == []


# --- Read ------------------------------------------------------------------------------------


def test_a_job_is_read_in_three_depths(wired: Wired, made):
    wired.run(made)
    whole = wired.made("jobs/get", id=1)
    assert whole["attempts"][0]["logType"] == "formatted"
    assert whole["attempts"][0]["logs"]["logLines"]
    short = wired.made("jobs/get_without_logs", id=1)
    assert "logs" not in short["attempts"][0]
    assert wired.made("jobs/get_light", id=1) == {"job": whole["job"]}


def test_numbers_are_in_attempts_and_only_in_lists_on_the_job(wired: Wired, clock: Clock):
    connection = wired.connection(wired.incremental("products"), wired.stream("customers"))
    wired.run(connection)
    clock.now += 5
    (entry,) = wired.made("jobs/get", id=1)["attempts"]
    assert (entry["attempt"]["recordsSynced"], entry["attempt"]["bytesSynced"]) == (1_000, 250_000)
    clock.now += 5
    read = wired.made("jobs/get", id=1)
    attempt = read["attempts"][0]["attempt"]
    assert (attempt["status"], attempt["totalStats"]["recordsCommitted"]) == ("succeeded", 2_000)
    assert [s["stats"]["recordsEmitted"] for s in attempt["streamStats"]] == [1_000, 1_000]
    assert "aggregatedStats" not in read["job"]
    (item,) = listed(wired)["jobs"]
    assert item["job"]["aggregatedStats"]["recordsCommitted"] == 2_000
    assert [s["streamName"] for s in item["job"]["streamAggregatedStats"]] == [
        "products",
        "customers",
    ]
    assert item["attempts"] == [attempt]


def test_a_failure_says_why_and_a_retry_is_another_attempt(wired: Wired, made, clock: Clock):
    fails = {"connectionId": made["connectionId"], "message": "disk full", "recovers": True}
    wired.airbyte.made("POST", "/_emulator/fail-next-job", json=fails)
    wired.run(made)
    clock.now += 7
    read = wired.made("jobs/get", id=1)
    assert read["job"]["status"] == "incomplete"
    (first,) = read["attempts"]
    (failure,) = first["attempt"]["failureSummary"]["failures"]
    assert failure["externalMessage"] == "disk full"
    assert "disk full" in first["logs"]["logLines"][-1]
    clock.now += 60
    attempts = [entry["attempt"] for entry in wired.made("jobs/get", id=1)["attempts"]]
    assert [(one["id"], one["status"]) for one in attempts] == [(0, "failed"), (1, "succeeded")]
    assert "failureSummary" not in attempts[1]


@pytest.mark.parametrize("verb", ["get", "get_without_logs", "get_light", "cancel"])
@pytest.mark.parametrize("identity", [{"id": 99}, {}])
def test_a_job_that_is_not_there_is_500(wired: Wired, verb: str, identity):
    assert wired(f"jobs/{verb}", **identity).status_code == 500


def test_the_last_job_that_moved_data_can_be_asked_for(wired: Wired, made):
    one = {"connectionId": made["connectionId"]}
    assert wired.made("jobs/get_last_replication_job", **one) == {}
    wired.run(made)
    wired.run(made, "clear")
    assert wired.made("jobs/get_last_replication_job", **one)["job"]["id"] == 1


# --- Cancelled -------------------------------------------------------------------------------


def test_a_running_job_is_cancelled_and_its_attempt_says_so(wired: Wired, made, clock: Clock):
    wired.run(made)
    clock.now += 2
    cancelled = wired.made("jobs/cancel", id=1)
    assert cancelled["job"]["status"] == "cancelled"
    (failure,) = cancelled["attempts"][0]["attempt"]["failureSummary"]["failures"]
    assert failure["failureType"] == "manual_cancellation"
    clock.now += 60
    assert wired.made("jobs/get", id=1) == cancelled


def test_cancelling_what_has_ended_changes_nothing(wired: Wired, made, clock: Clock):
    wired.run(made)
    clock.now += 60
    ended = wired.made("jobs/get", id=1)
    assert wired.made("jobs/cancel", id=1) == ended
    assert ended["job"]["status"] == "succeeded"


# --- Lists -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("types", "status"), [(None, 500), ([], 500), (["nope"], 400)])
def test_a_list_needs_types(wired: Wired, types, status: int):
    assert wired("jobs/list", configTypes=types).status_code == status


def test_a_list_is_newest_first_and_says_how_many_there_are(wired: Wired, made, clock: Clock):
    run_times(wired, made, clock, 3)
    assert ids(listed(wired)) == [3, 2, 1]
    page = listed(wired, pagination={"pageSize": 1, "rowOffset": 1})
    assert (ids(page), page["totalJobCount"]) == ([2], 3)
    assert ids(listed(wired, orderByField="createdAt", orderByMethod="ASC")) == [1, 2, 3]


def test_a_list_is_narrowed(wired: Wired, made, clock: Clock):
    other = wired.connection(wired.stream("products"))
    run_times(wired, made, clock, 2)
    wired.run(other)
    wired.run(other, "clear")
    assert ids(listed(wired, configId=made["connectionId"])) == [2, 1]
    assert ids(listed(wired, configTypes=["reset_connection"])) == [4]
    assert ids(listed(wired, configTypes=["clear"])) == []
    assert ids(listed(wired, statuses=["cancelled", "running"])) == [4, 3]
    assert ids(listed(wired, createdAtStart="2023-11-14T22:14:00Z")) == [4, 3, 2]
    assert ids(listed(wired, createdAtEnd="2023-11-14T22:14:00Z")) == [1]
    assert ids(listed(wired, configId="nobody")) == []
    assert wired("jobs/list", configTypes=ALL, updatedAtStart="soon").status_code == 400


def test_a_list_grows_by_pages_until_it_holds_a_job(wired: Wired, made, clock: Clock):
    run_times(wired, made, clock, 5)

    def with_job(number: int) -> list[int]:
        return ids(listed(wired, includingJobId=number, pagination={"pageSize": 2}))

    assert with_job(5) == [5, 4]
    assert with_job(3) == [5, 4, 3, 2]
    assert with_job(99) == []


def test_a_list_can_be_of_workspaces(wired: Wired, made):
    wired.run(made)
    body = {"configTypes": ALL, "workspaceIds": [wired.airbyte.workspace]}
    assert ids(wired.made("jobs/list_for_workspaces", **body)) == [1]
    other = wired.made("workspaces/create", name="other")["workspaceId"]
    assert ids(wired.made("jobs/list_for_workspaces", **{**body, "workspaceIds": [other]})) == []


# --- Saved positions -------------------------------------------------------------------------


def test_positions_are_read_and_carried_over(wired: Wired, made):
    read = wired.made("state/get", connectionId=made["connectionId"])
    assert read["stateType"] == "stream"
    names = [one["streamDescriptor"]["name"] for one in read["streamState"]]
    assert names == ["customers", "products"]
    other = wired.connection(wired.incremental("products"), wired.incremental("customers"))
    assert wired.made("state/get", connectionId=other["connectionId"]) == {
        "connectionId": other["connectionId"],
        "stateType": "not_set",
    }
    carried = {"connectionId": other["connectionId"], "connectionState": read}
    after = wired.made("state/create_or_update", **carried)
    assert after["streamState"] == read["streamState"]
    one = {"connectionId": other["connectionId"]}
    assert wired.made("web_backend/state/get_type", **one) == "stream"


def test_a_position_is_taken_away_by_writing_none(wired: Wired, made):
    gone = {"streamDescriptor": {"name": "products", "namespace": "public"}}
    state = {"stateType": "stream", "connectionId": made["connectionId"], "streamState": [gone]}
    body = {"connectionId": made["connectionId"], "connectionState": state}
    wired.made("state/create_or_update", **body)
    assert wired.airbyte.states(made) == ["customers"]


def test_positions_are_not_written_safely_while_a_sync_runs(wired: Wired, made):
    read = wired.made("state/get", connectionId=made["connectionId"])
    body = {"connectionId": made["connectionId"], "connectionState": read}
    assert wired("state/create_or_update_safe", **body).status_code == 200
    wired.run(made)
    assert wired("state/create_or_update_safe", **body).status_code == 423


def test_positions_of_a_whole_source_are_not_kept(wired: Wired, made):
    state = {"stateType": "global", "connectionId": made["connectionId"]}
    body = {"connectionId": made["connectionId"], "connectionState": state}
    assert wired("state/create_or_update", **body).status_code == 500
    assert wired("state/create_or_update", connectionId=made["connectionId"]).status_code == 500


def test_both_apis_show_one_job(airbyte: Airbyte, clock: Clock):
    wired = Wired(airbyte)
    connection = wired.connection(wired.stream("products"))
    started = airbyte.made(
        "POST", "/jobs", json={"connectionId": connection["connectionId"], "jobType": "sync"}
    )
    clock.now += 60
    public = airbyte.made("GET", f"/jobs/{started['jobId']}")
    (item,) = listed(wired)["jobs"]
    assert item["job"]["status"] == public["status"] == "succeeded"
    assert item["job"]["aggregatedStats"]["recordsCommitted"] == public["rowsSynced"] == 1_000
