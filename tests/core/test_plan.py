"""A plan as a whole: order, what it counts, what it does not cover, a narrowed one, and its saved form."""

import json
from typing import Any

import pytest

from reconciler.core.encode import decode_plan, encode_plan
from reconciler.core.model import KEEP, MASK, Address, LiveObject, Schedule
from reconciler.core.plan import Plan
from reconciler.core.planning import desired_digest, fingerprint
from reconciler.core.policy import parse_consent
from reconciler.core.select import Selection
from reconciler.core.target import Limits
from tests.core.build import (
    ACTORS,
    WORLD,
    absent,
    codes,
    connection,
    desired_of,
    destination,
    encryption,
    env,
    git_mapper,
    hashing,
    live_connection,
    live_destination,
    live_source,
    live_stream,
    only_change,
    plan_of,
    planned,
    source,
)

ORDERS = {"name": "orders", "syncMode": "incremental_append"}


def addresses(plan: Plan) -> list[str]:
    return [f"{change.action} {change.address}" for change in plan.changes]


# --- order -----------------------------------------------------------------------------------------


def test_what_is_referred_to_is_made_first_and_goes_last() -> None:
    plan = plan_of(
        [
            connection("b", [ORDERS], prefix="b_"),
            connection("a", [ORDERS]),
            *ACTORS(),
            absent("source", "old"),
            absent("connection", "old"),
            absent("destination", "old"),
        ],
        [
            live_source(name="old", object_id="old-source"),
            live_destination(name="old", object_id="old-destination"),
            live_connection(name="old", source="old-source", destination="old-destination"),
        ],
    )
    assert addresses(plan) == [
        "create destination/lake",
        "create source/shop",
        "create connection/a",
        "create connection/b",
        "delete connection/old",
        "delete destination/old",
        "delete source/old",
    ]
    assert {str(c.address): [str(a) for a in c.depends_on] for c in plan.changes} == {
        "destination/lake": [],
        "source/shop": [],
        "connection/a": ["destination/lake", "source/shop"],
        "connection/b": ["destination/lake", "source/shop"],
        "connection/old": [],
        "destination/old": ["connection/old"],
        "source/old": ["connection/old"],
    }


def test_nothing_to_do_is_an_empty_plan() -> None:
    documents = [*ACTORS(), connection(streams=[ORDERS])]
    plan = plan_of(documents, [*WORLD, live_connection(live_stream())])
    assert (plan.changes, plan.diagnostics, plan.unchanged) == ((), (), 3)
    assert plan.applyable


# --- counts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("documents", "unchanged"),
    [
        ([], 0),
        ([source()], 1),
        ([source(), absent("destination", "lake")], 1),
        ([absent("source", "shop"), absent("destination", "lake")], 0),
        ([absent("source", "not-live")], 0),
        ([source(), source("new"), destination(configuration={"bucket": "x"})], 1),
        ([source(connector="none")], 0),
    ],
)
def test_unchanged_is_what_is_live_and_as_git_says(documents: list[Any], unchanged: int) -> None:
    assert plan_of(documents, WORLD).unchanged == unchanged


def test_tags_that_are_missing_are_shown() -> None:
    plan = plan_of(
        [*ACTORS(), connection(streams=[ORDERS], tags=["gold", "new"])], WORLD, tags=["gold"]
    )
    assert plan.new_tags == ("new",)


def test_tags_that_git_does_not_state_are_left_alone() -> None:
    live = live_connection(live_stream(), tags=("theirs",))
    plan = plan_of([*ACTORS(), connection(prefix="x_")], [*WORLD, live], tags=["theirs"])
    assert [f.pointer for f in only_change(plan).fields] == ["/prefix"]
    assert plan.new_tags == ()


# --- what is not covered -----------------------------------------------------------------------------


def unstated(live: LiveObject, **git: Any) -> dict[str, int]:
    plan = plan_of([*ACTORS(), connection(**git)], [*WORLD, live])
    assert plan.changes == ()
    return {entry.field: entry.count for entry in plan.not_covered.unstated}


def test_what_equals_our_own_default_is_not_counted() -> None:
    live = live_connection(live_stream(mode="full_refresh_overwrite"))
    stream = {"name": "orders", "syncMode": "full_refresh_overwrite"}
    assert unstated(live, streams=[stream]) == {}


def test_live_values_that_git_is_silent_about_are_counted() -> None:
    live = live_connection(
        live_stream(mappers=[hashing()], columns=["id"], object_name="T"),
        live_stream("customers"),
        status="inactive",
        schedule=Schedule(cron="0 0 6 * * ?"),
        prefix="x_",
        schema_changes="disable",
        tags=("theirs",),
    )
    assert unstated(live) == {
        "status": 1,
        "schedule": 1,
        "prefix": 1,
        "schemaChanges": 1,
        "tags": 1,
        "streams": 2,
    }
    streams = [ORDERS, {**ORDERS, "name": "customers", "cursorField": "updated_at"}]
    assert {k: n for k, n in unstated(live, streams=streams).items() if "." in k} == {
        "streams.columns": 1,
        "streams.cursorField": 1,
        "streams.destinationObjectName": 1,
        "streams.mappers": 1,
        "streams.primaryKey": 2,
    }


def test_what_git_states_is_not_counted() -> None:
    live = live_connection(live_stream(mappers=[hashing()], columns=["id", "email", "updated_at"]))
    stream = {
        **ORDERS,
        "cursorField": "updated_at",
        "primaryKey": "id",
        "columns": ["id", "email", "updated_at"],
        "mappers": [git_mapper(hashing())],
    }
    git = {"status": "active", "schedule": "manual", "prefix": "", "schemaChanges": "ignore"}
    assert unstated(live, streams=[stream], tags=[], **git) == {}


def test_cursor_and_key_that_a_new_mode_does_not_use_are_not_counted() -> None:
    stream = {"name": "orders", "syncMode": "full_refresh_overwrite"}
    plan = plan_of(
        [*ACTORS(), connection(streams=[stream])], [*WORLD, live_connection(live_stream())]
    )
    assert [c.action for c in plan.changes] == ["update"]
    assert plan.not_covered.unstated == ()


def test_an_allocation_that_manifests_can_not_state_is_counted() -> None:
    plan = plan_of([source()], [live_source(allocation={"default": {"cpu_limit": "1"}})])
    assert [entry.field for entry in plan.not_covered.unstated] == ["resourceAllocation"]
    assert plan_of([source()], [live_source(allocation={})]).not_covered.unstated == ()


def test_what_nobody_manages_is_listed() -> None:
    plan = plan_of([source()], [*WORLD, live_connection(name="By hand")])
    assert [(u.kind, u.name) for u in plan.not_covered.unmanaged] == [
        ("connection", "By hand"),
        ("destination", "lake"),
    ]


def test_secrets_that_the_server_hides_are_listed() -> None:
    ours = {"host": "db", "password": env(value="p-1234567"), "vault": {"token": KEEP}}
    theirs = {"host": "db", "password": MASK, "vault": {"token": MASK}}
    plan = plan_of([source(configuration=ours)], [live_source(theirs)])
    assert plan.changes == ()
    assert [(s.pointer, s.label) for s in plan.not_covered.secrets] == [
        ("/configuration/password", "${env:SHOP_PG_PASSWORD}"),
        ("/configuration/vault/token", "${keep}"),
    ]


# --- digests ---------------------------------------------------------------------------------------


def test_the_digest_is_of_what_is_asked_for() -> None:
    def digest(*documents: Any) -> str:
        return desired_digest(desired_of(*documents))

    base = digest(source(configuration={"host": "db", "port": 1, "password": env(value="a" * 20)}))
    again = {"password": env(value="b" * 20), "port": 1.0, "host": "db"}
    assert digest(source(configuration=again)) == base
    assert digest(source(configuration=again, lifecycle={"allow": ["replace"]})) == base
    assert digest(source(configuration={**again, "port": True})) != base
    assert digest(source(configuration={**again, "password": env("OTHER")})) != base
    assert digest(source(configuration=again), absent("source", "old")) != base


def test_a_fingerprint_moves_with_the_object_and_for_a_delete_with_what_is_on_it() -> None:
    found, user = live_source(), live_connection()
    assert fingerprint(found) == fingerprint(live_source())
    assert fingerprint(found) != fingerprint(live_source({"host": "other"}))
    assert fingerprint(found) != fingerprint(found, [user])
    plan = plan_of([absent("source", "shop"), absent("connection", "shop-to-lake")], [found, user])
    assert plan.changes[-1].fingerprint == fingerprint(found, [user])
    update = plan_of([source(configuration={"host": "new"})], [found])
    assert only_change(update).fingerprint == fingerprint(found)
    assert only_change(plan_of([source("new")])).fingerprint == ""


# --- a narrowed plan ---------------------------------------------------------------------------------

CHANGED = [
    source(configuration={"host": "new"}, metadata={"labels": {"team": "data"}}),
    destination(configuration={"bucket": "new"}),
    connection("shop-to-lake", prefix="x_", tags=["gold"]),
    source("second", configuration={"host": "db"}),
]
SECOND = live_source(name="second", object_id="aaaaaaaa-0000-4000-8000-000000000002")


def narrowed(*include: str, exclude: tuple[str, ...] = (), **more: Any) -> Plan:
    objects = [*WORLD, SECOND, live_connection(live_stream())]
    return plan_of(CHANGED, objects, selection=Selection(include, exclude), **more)


def test_without_a_selection_everything_is_planned() -> None:
    plan = narrowed()
    assert (len(plan.changes), plan.unchanged, plan.new_tags) == (3, 1, ("gold",))


@pytest.mark.parametrize(
    ("include", "exclude", "chosen", "unchanged"),
    [
        (("source/shop",), (), ["source/shop"], 0),
        (("source/*",), (), ["source/shop"], 1),
        (("label:team=data",), (), ["source/shop"], 0),
        ((), ("connection/*",), ["destination/lake", "source/shop"], 1),
        (("source/*",), ("source/shop",), [], 1),
    ],
)
def test_a_selection_narrows_changes_and_counts(
    include: tuple[str, ...], exclude: tuple[str, ...], chosen: list[str], unchanged: int
) -> None:
    plan = narrowed(*include, exclude=exclude)
    assert [str(change.address) for change in plan.changes] == chosen
    assert (plan.unchanged, plan.new_tags, plan.diagnostics) == (unchanged, (), ())


def test_what_a_selected_change_needs_is_pulled_in_and_said() -> None:
    plan = narrowed("connection/*")
    assert [str(change.address) for change in plan.changes] == [
        "destination/lake",
        "source/shop",
        "connection/shop-to-lake",
    ]
    assert codes(plan.diagnostics) == ["selection-widened", "selection-widened"]
    assert not plan.errored
    assert plan.new_tags == ("gold",)


def test_what_is_needed_can_not_be_excluded() -> None:
    plan = narrowed("connection/*", exclude=("source/shop",))
    assert codes(plan.diagnostics) == ["excluded-but-needed", "selection-widened"]
    assert plan.errored


def test_a_selection_that_means_nothing_is_an_error() -> None:
    plan = narrowed("connection/shop-to-lak")
    (diagnostic,) = plan.diagnostics
    assert (diagnostic.code, diagnostic.hint) == (
        "nothing-selected",
        "did you mean connection/shop-to-lake?",
    )
    assert plan.errored
    assert codes(narrowed(exclude=("none/*",)).diagnostics) == ["nothing-selected"]


def test_limits_are_of_what_is_selected() -> None:
    limits = Limits(updates=30)
    assert codes(narrowed(limits=limits).diagnostics) == ["limit-updates"]
    assert codes(narrowed("source/shop", limits=limits).diagnostics) == []


# --- the saved form ----------------------------------------------------------------------------------


def rich_plan() -> Plan:
    stream = {**ORDERS, "mappers": [git_mapper(encryption(), key=KEEP)], "cursorField": "id"}
    documents = [
        source(
            configuration={"host": "new", "password": env(value="p-1234567"), "x": None},
            metadata={"annotations": {"owner": "#data"}, "labels": {"a": "b"}},
        ),
        destination("new"),
        connection(streams=[stream, {**ORDERS, "name": "more"}], tags=["new"], status="active"),
        connection("other", [ORDERS], source={"name": "none"}),
        absent("connection", "old", reason="no longer"),
    ]
    objects = [
        live_source({"host": "db", "password": MASK, "lost": MASK}),
        live_destination(),
        live_connection(live_stream(mappers=[encryption(), hashing()]), status="inactive"),
        live_connection(name="old", object_id="old"),
    ]
    more = {"allow": [parse_consent("pii-exposure,replace")], "limits": Limits(deletes=0)}
    return plan_of([*documents, destination()], objects, **more)


def test_a_plan_reads_back_as_it_was_written() -> None:
    plan = rich_plan()
    assert {change.action for change in plan.changes} == {"create", "update", "delete"}
    assert plan.blocked
    assert plan.diagnostics
    encoded = encode_plan(plan)
    decoded = decode_plan(json.loads(json.dumps(encoded)))
    assert encode_plan(decoded) == encoded
    assert decoded == plan


@pytest.mark.parametrize(
    "broken",
    [
        {"formatVersion": "2.0"},
        {"formatVersion": None},
        {"changes": [{}]},
        {"changes": [{"action": "drop"}]},
        {"changes": 3},
        {"target": None},
        {"diagnostics": [{"severity": "fatal"}]},
    ],
)
def test_what_is_no_plan_is_refused(broken: dict[str, Any]) -> None:
    data = {**encode_plan(rich_plan()), **broken}
    with pytest.raises((KeyError, TypeError, ValueError)):
        decode_plan(data)


def test_an_unknown_effect_or_action_is_refused() -> None:
    data = encode_plan(rich_plan())
    data["changes"][0]["action"] = "drop"
    with pytest.raises(ValueError, match="no action is called 'drop'"):
        decode_plan(data)
    data = encode_plan(rich_plan())
    next(c for c in data["changes"] if c["effects"])["effects"][0]["effect"] = "nothing"
    with pytest.raises(ValueError, match="no effect is called 'nothing'"):
        decode_plan(data)


def test_a_later_minor_version_is_read() -> None:
    data = {**encode_plan(rich_plan()), "formatVersion": "1.7", "added": True}
    assert decode_plan(data) == rich_plan()


def test_steps_and_changes_are_the_same_set() -> None:
    made = planned([*ACTORS(), connection(streams=[ORDERS])])
    assert set(made.steps) == {change.address for change in made.plan.changes}
    assert made.steps[Address("source", "shop")].change in made.plan.changes
