"""What only one of Airbyte's two APIs has, and what the same change does over each."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.capabilities import Capabilities
from reconciler.core.model import Connection, LiveObject, Namespace, Schedule
from reconciler.core.plan import Plan
from tests.core.build import (
    ACTORS,
    PUBLIC,
    WORLD,
    codes,
    connection,
    connection_change,
    effects_of,
    live_connection,
    live_source,
    live_stream,
    only_change,
    plan_of,
    source,
)

CONFIG = Capabilities(api="config", writes_interval_schedules=True, writes_time_zones=True)
HOURLY = {"every": "1 hour"}
NEW_YORK = {"cron": "0 0 6 * * ?", "timezone": "America/New_York"}


def with_fields(live: LiveObject, **fields: Any) -> LiveObject:
    assert isinstance(live.spec, Connection)
    return replace(live, spec=replace(live.spec, **fields))


def created(capabilities: Capabilities, **spec: Any) -> Plan:
    streams = [{"name": "orders", "syncMode": "incremental_append"}]
    return plan_of(
        [*ACTORS(), connection(streams=streams, **spec)], WORLD, capabilities=capabilities
    )


FIELDS = [
    ("backfillPreference", "enabled"),
    ("notifySchemaChanges", True),
    ("resourceRequirements", {"cpu_limit": "1"}),
]


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_a_field_of_the_configuration_api_alone_is_refused_over_the_public_one(
    field: str, value: Any
) -> None:
    plan = created(PUBLIC, **{field: value})
    (found,) = (d for d in plan.diagnostics if d.code == "field-not-in-api")
    assert found.pointer == f"/spec/{field}"
    assert field in found.message
    assert "api: config" in found.hint
    assert not plan.applyable


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_over_the_configuration_api_it_is_planned(field: str, value: Any) -> None:
    plan = created(CONFIG, **{field: value})
    assert codes(plan.diagnostics) == []
    shown = {changed.pointer: changed.after for changed in only_change(plan).fields}
    assert shown[f"/{field}"] == value


@pytest.mark.parametrize(
    ("live", "git", "pointers"),
    [
        ({"backfill": "disabled"}, {"backfillPreference": "enabled"}, ["/backfillPreference"]),
        ({"backfill": "enabled"}, {}, []),
        ({"notify_schema_changes": True}, {"notifySchemaChanges": False}, ["/notifySchemaChanges"]),
        (
            {"resource_requirements": {"cpu_limit": "2"}},
            {"resourceRequirements": {}},
            ["/resourceRequirements"],
        ),
        ({"resource_requirements": {"cpu_limit": ""}}, {"resourceRequirements": {}}, []),
        ({}, {"resourceRequirements": {}}, []),
    ],
)
def test_they_are_compared_like_any_field_and_stay_where_git_is_silent(
    live: dict[str, Any], git: dict[str, Any], pointers: list[str]
) -> None:
    there = with_fields(live_connection(), **live)
    plan = plan_of([*ACTORS(), connection(**git)], [*WORLD, there], capabilities=CONFIG)
    assert [f.pointer for change in plan.changes for f in change.fields] == pointers


def test_a_schedule_that_one_api_refuses_the_other_writes() -> None:
    for schedule in (HOURLY, NEW_YORK):
        refused = only_change(created(PUBLIC, schedule=schedule))
        assert ("schedule-shift", "unwritable-schedule") in effects_of(refused)
        assert refused.blocked
        written = only_change(created(CONFIG, schedule=schedule))
        assert not written.blocked


@pytest.mark.parametrize(
    ("spec", "starts"),
    [
        ({"schedule": HOURLY}, True),
        ({"schedule": HOURLY, "status": "inactive"}, False),
        ({"schedule": NEW_YORK}, False),
        ({}, False),
    ],
)
def test_a_new_active_connection_with_an_interval_syncs_at_once(
    spec: dict[str, Any], *, starts: bool
) -> None:
    change = only_change(created(CONFIG, **spec))
    assert (("starts-sync", "interval-is-due") in effects_of(change)) is starts
    assert not change.blocked


@pytest.mark.parametrize(
    ("live", "git", "starts"),
    [
        ({"status": "inactive"}, {"status": "active"}, True),
        ({}, {"schedule": HOURLY}, True),
        ({}, {"prefix": "x_"}, False),
        ({}, {"status": "inactive"}, False),
    ],
)
def test_so_does_one_that_is_switched_on_or_gets_another_interval(
    live: dict[str, Any], git: dict[str, Any], *, starts: bool
) -> None:
    there = live_connection(schedule=Schedule(every=6, unit="hours"), **live)
    change = connection_change(git, there, capabilities=CONFIG)
    assert (("starts-sync", "interval-is-due") in effects_of(change)) is starts


def test_a_connection_that_is_replaced_starts_as_a_new_one_does() -> None:
    there = live_connection(live_stream(), schedule=Schedule(every=6, unit="hours"))
    other = live_source(name="shop-2", object_id="aaaaaaaa-0000-4000-8000-000000000002")
    plan = plan_of(
        [*ACTORS(), source("shop-2"), connection(source="shop-2")],
        [*WORLD, other, there],
        capabilities=CONFIG,
    )
    assert ("starts-sync", "interval-is-due") in effects_of(only_change(plan))


def replaced(capabilities: Capabilities, there: LiveObject) -> str:
    """What a replacement says of itself."""
    other = live_source(name="shop-2", object_id="aaaaaaaa-0000-4000-8000-000000000002")
    plan = plan_of(
        [*ACTORS(), source("shop-2"), connection(source="shop-2")],
        [*WORLD, other, there],
        capabilities=capabilities,
    )
    (effect,) = (e for e in only_change(plan).effects if e.name == "replace")
    return " | ".join(effect.says)


def test_a_replacement_names_what_this_api_can_not_read_of_the_old_connection() -> None:
    said = replaced(PUBLIC, live_connection(live_stream()))
    for field, _ in FIELDS:
        assert field in said
    assert "the new one has the defaults" in said
    assert "can't read" not in replaced(CONFIG, live_connection(live_stream()))


def test_a_replacement_names_what_no_manifest_can_hold() -> None:
    there = replace(live_connection(live_stream()), beyond=("operationIds",))
    assert "not carried over, for no manifest can hold it: operationIds" in replaced(CONFIG, there)


@pytest.mark.parametrize(
    ("git", "live", "same"),
    [
        ("360 minutes", (6, "hours"), True),
        ("24 hours", (1, "days"), True),
        ("1 week", (7, "days"), True),
        ("90 minutes", (1, "hours"), False),
        ("1 month", (30, "days"), False),
    ],
)
def test_intervals_of_one_length_are_one_interval(
    git: str, live: tuple[int, str], *, same: bool
) -> None:
    there = live_connection(schedule=Schedule(every=live[0], unit=live[1]))
    spec = connection(schedule={"every": git})
    plan = plan_of([*ACTORS(), spec], [*WORLD, there], capabilities=CONFIG)
    assert (plan.changes == ()) is same


def test_a_blank_format_is_the_destinations_namespace() -> None:
    there = live_connection(namespace=Namespace("format", " "))
    spec = connection(destinationNamespace="destination")
    assert plan_of([*ACTORS(), spec], [*WORLD, there], capabilities=CONFIG).changes == ()


@pytest.mark.parametrize(
    ("live", "twin"),
    [({}, True), ({"prefix": "x_"}, False), ({"namespace": Namespace("destination")}, False)],
)
def test_only_a_connection_into_the_same_tables_looks_like_a_rename(
    live: dict[str, Any], *, twin: bool
) -> None:
    there = live_connection(live_stream(), name="another", **live)
    streams = [{"name": "orders", "syncMode": "incremental_append"}]
    plan = plan_of([*ACTORS(), connection(streams=streams)], [*WORLD, there])
    assert ("looks-like-rename" in codes(plan.diagnostics)) is twin
