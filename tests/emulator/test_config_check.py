"""Testing connections: three outcomes, all of them 200 (CFG §3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.builders import MASK, POSTGRES, Airbyte, postgres

FAILING, CRASHING = "fail.invalid", "crash.invalid"


def check(airbyte: Airbyte, **configuration: Any) -> Any:
    source = airbyte.source(**postgres(**configuration))
    answer = airbyte.config("sources/check_connection", sourceId=source["sourceId"])
    assert answer.status_code == 200
    return answer.json()


def test_a_check_that_succeeds_says_so_and_no_more(airbyte: Airbyte):
    read = check(airbyte)
    assert (read["status"], read["jobInfo"]["succeeded"]) == ("succeeded", True)
    assert read["jobInfo"]["configType"] == "check_connection_source"
    assert read["jobInfo"]["configId"] == POSTGRES
    assert "message" not in read


def test_a_connector_that_cannot_connect_says_why_though_its_job_succeeded(airbyte: Airbyte):
    read = check(airbyte, host=FAILING)
    assert read["status"] == "failed"
    assert read["message"] == "Could not connect: the host fail.invalid is not known."
    assert read["jobInfo"]["succeeded"] is True


def test_a_check_that_crashed_has_no_status(airbyte: Airbyte):
    read = check(airbyte, host=CRASHING)
    assert "status" not in read
    assert "message" not in read
    assert read["jobInfo"]["succeeded"] is False
    reason = read["jobInfo"]["failureReason"]
    assert reason["failureOrigin"] == "source"
    assert "exited" in reason["externalMessage"]


@pytest.mark.parametrize(
    ("where", "status"),
    [
        ({"jdbc_url_params": "proxy=https://fail.invalid:8443/x"}, "failed"),
        ({"more": {"deep": ["x", {"host": FAILING}]}}, "failed"),
        ({"host": "notfail.invalid"}, "succeeded"),
        ({"host": "fail.invalid.example.com"}, "succeeded"),
    ],
)
def test_the_host_counts_wherever_it_is_named(airbyte: Airbyte, where: dict[str, Any], status: str):
    body = {"sourceDefinitionId": POSTGRES, "workspaceId": airbyte.workspace}
    read = airbyte.configured(
        "scheduler/sources/check_connection", **body, connectionConfiguration=postgres(**where)
    )
    assert read["status"] == status


def test_a_destination_is_checked_alike(airbyte: Airbyte):
    made = airbyte.destination()
    read = airbyte.configured("destinations/check_connection", destinationId=made["destinationId"])
    assert read["status"] == "succeeded"
    assert read["jobInfo"]["configType"] == "check_connection_destination"


def test_what_an_update_would_do_can_be_checked_and_saves_nothing(airbyte: Airbyte):
    source = airbyte.source()
    key = {"sourceId": source["sourceId"], "name": "another"}
    whole = postgres(host=FAILING, password=MASK)
    verb = "sources/check_connection_for_update"
    read = airbyte.configured(verb, **key, connectionConfiguration=whole)
    assert read["status"] == "failed"
    assert airbyte.read(source) == source
    assert airbyte.stored_secrets() == ["s3cret-of-shop"]
    answer = airbyte.config(verb, **key, connectionConfiguration={"host": "db"})
    assert answer.status_code == 422


def test_before_a_create_it_is_the_connector_that_finds_a_configuration_wanting(airbyte: Airbyte):
    body = {"sourceDefinitionId": POSTGRES, "workspaceId": airbyte.workspace}
    read = airbyte.configured(
        "scheduler/sources/check_connection", **body, connectionConfiguration={"host": "db"}
    )
    assert read["status"] == "failed"
    assert "required property 'port' not found" in read["message"]


def test_a_deleted_source_cannot_be_checked(airbyte: Airbyte):
    key = {"sourceId": airbyte.source()["sourceId"]}
    airbyte.config("sources/delete", **key)
    assert airbyte.config("sources/check_connection", **key).status_code == 404


def test_every_check_is_recorded(airbyte: Airbyte):
    check(airbyte)
    check(airbyte, host=CRASHING)
    ran = [(event["actor"], event["status"]) for event in airbyte.events("check_ran")]
    assert ran == [("source", "succeeded"), ("source", "crashed")]
