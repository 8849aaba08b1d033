"""Schedules over the Configuration API: two forms, and what contradicts itself (CFG §5.3)."""

from __future__ import annotations

import pytest

from tests.emulator.builders import Airbyte, Clock, Start
from tests.emulator.config_connections import Wired, cron, every

HOURLY = "0 0 * * * ?"
OLD = {"schedule": {"units": 24, "timeUnit": "hours"}}
DATA = every(6)["scheduleData"]


@pytest.fixture
def wired(airbyte: Airbyte) -> Wired:
    return Wired(airbyte)


def schedule_of(connection) -> dict:
    parts = ("schedule", "scheduleType", "scheduleData")
    return {name: connection[name] for name in parts if name in connection}


def test_an_interval_reads_in_both_forms(wired: Wired):
    both = {**every(24), **OLD}
    assert schedule_of(wired.connection(**OLD)) == both
    assert schedule_of(wired.connection(**every(24))) == both


def test_a_cron_reads_in_the_new_form_with_its_zone(wired: Wired):
    sent = cron(HOURLY, "Europe/Berlin")
    assert schedule_of(wired.connection(**sent)) == sent


def test_nothing_said_is_manual(wired: Wired):
    assert schedule_of(wired.connection()) == {"scheduleType": "manual"}
    assert schedule_of(wired.connection(scheduleData=DATA)) == {"scheduleType": "manual"}


@pytest.mark.parametrize(
    "sent",
    [
        {**OLD, **every(6)},
        {"scheduleType": "basic"},
        {"scheduleType": "cron"},
        {"scheduleType": "cron", "scheduleData": DATA},
        {"scheduleType": "basic", "scheduleData": cron(HOURLY)["scheduleData"]},
    ],
)
def test_half_a_schedule_is_422_on_create(wired: Wired, sent):
    assert wired.create(**sent).status_code == 422


@pytest.mark.parametrize(
    "sent",
    [
        OLD,
        {**OLD, **every(6)},
        {"scheduleData": DATA},
        {"scheduleType": "manual", "scheduleData": DATA},
        {"scheduleType": "basic"},
        {"scheduleType": "cron"},
    ],
)
def test_a_schedule_that_contradicts_itself_trips_an_update(wired: Wired, sent):
    made = wired.connection(**cron(HOURLY))
    assert wired.update(made, **sent).status_code == 500
    assert wired.read(made) == made


def test_an_update_changes_the_whole_schedule(wired: Wired):
    made = wired.connection(status="inactive")
    assert schedule_of(wired.updated(made, **cron(HOURLY))) == cron(HOURLY)
    assert schedule_of(wired.updated(made, **every(2)))["scheduleType"] == "basic"
    assert schedule_of(wired.updated(made, scheduleType="manual")) == {"scheduleType": "manual"}


@pytest.mark.parametrize(
    ("expression", "zone", "problem"),
    [
        ("0 * * * *", "UTC", "invalid-expression"),
        ("0 99 * * * ?", "UTC", "invalid-expression"),
        (HOURLY, "Etc/GMT+5", "invalid-timezone"),
        (HOURLY, "Mars/Olympus", "invalid-timezone"),
        (HOURLY, None, "missing-cron"),
        (None, "UTC", "missing-cron"),
    ],
)
def test_a_bad_cron_is_a_problem(wired: Wired, expression, zone, problem: str):
    for answer in (
        wired.create(**cron(expression, zone)),
        wired.update(wired.connection(), **cron(expression, zone)),
    ):
        assert answer.status_code == 400
        assert answer.json()["type"] == f"error:cron-validation/{problem}"


@pytest.mark.parametrize("unit", ["fortnights", None])
def test_an_interval_of_no_known_unit_is_refused(wired: Wired, unit):
    answer = wired.create(schedule={"units": 1, "timeUnit": unit})
    assert answer.status_code == (500 if unit is None else 400)


def test_less_than_an_hour_is_refused_where_the_server_is_set_so(start: Start):
    wired = Wired(start(sub_hourly=False))
    minutes = {"basicSchedule": {"units": 30, "timeUnit": "minutes"}}
    often = {"scheduleType": "basic", "scheduleData": minutes}
    for sent in (often, cron("0 */30 * * * ?")):
        answer = wired.create(**sent)
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("/under-one-hour-not-allowed")
    old = {"units": 30, "timeUnit": "minutes"}
    assert wired.create(schedule=old).status_code == 200


# --- What starts by itself -------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [cron(HOURLY), {"scheduleType": "manual"}])
def test_only_an_interval_starts_a_sync_at_once(wired: Wired, schedule):
    assert wired.jobs(wired.connection(**schedule)) == []
    assert wired.airbyte.events("job_started") == []


def test_an_update_of_something_else_starts_nothing(wired: Wired, clock: Clock):
    made = wired.connection(**every(1))
    clock.now += 5 * 3600
    wired.updated(made, name="renamed")
    assert len(wired.jobs(made)) == 1


def test_what_runs_is_not_started_twice(start: Start):
    wired = Wired(start(job_seconds=3600))
    made = wired.connection(**every(6))
    wired.updated(made, **every(1))
    assert len(wired.jobs(made)) == 1
