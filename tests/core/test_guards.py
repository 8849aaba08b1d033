"""Consent, and the guards that no consent lifts."""

from typing import Any

import pytest

from reconciler.core.effects import EFFECTS
from reconciler.core.model import Address, Consent, Document, LiveObject
from reconciler.core.plan import Change, Plan
from reconciler.core.policy import Expected, Tally, check_limits, parse_consent
from reconciler.core.target import Limits
from tests.core.build import (
    ACTORS,
    CONNECTION_ID,
    WORLD,
    absent,
    codes,
    connection,
    connection_change,
    destination,
    live_connection,
    live_source,
    live_stream,
    only_change,
    plan_of,
    source,
)

FULL = {"name": "orders", "syncMode": "full_refresh_overwrite"}
LOSING = live_connection(live_stream(), live_stream("customers"))
"""Both streams go from append to overwrite: overwrites-table and state-loss."""


def losing(allow: list[Any] = [], flags: tuple[str, ...] = ()) -> Change:  # noqa: B006 - read only
    git = {"lifecycle": {"allow": allow}} if allow else {}
    streams = [FULL, {**FULL, "name": "customers"}]
    return connection_change(git, LOSING, streams=streams, allow=map(parse_consent, flags))


def accepted(change: Change) -> dict[str, str]:
    return {e.name: e.accepted for e in change.effects if EFFECTS[e.name].consent == "needed"}


BOTH = "overwrites-table,state-loss"


def test_without_consent_a_change_is_blocked() -> None:
    change = losing()
    assert change.blocked
    assert accepted(change) == {"overwrites-table": "", "state-loss": ""}


@pytest.mark.parametrize(
    "flags",
    [
        (BOTH,),
        ("state-loss", "overwrites-table"),
        (f"{BOTH}=connection/shop-to-lake",),
        (" state-loss , overwrites-table =connection/shop-to-lake",),
    ],
)
def test_a_flag_accepts_effects_everywhere_or_at_one_address(flags: tuple[str, ...]) -> None:
    change = losing(flags=flags)
    assert not change.blocked
    assert set(accepted(change).values()) == {"--allow"}


@pytest.mark.parametrize(
    "flags", [(f"{BOTH}=connection/other",), ("state-loss",), (f"{BOTH}=source/shop",)]
)
def test_a_flag_for_something_else_accepts_nothing_more(flags: tuple[str, ...]) -> None:
    assert losing(flags=flags).blocked


def test_a_manifest_accepts_for_all_streams() -> None:
    change = losing(["overwrites-table", "state-loss"])
    assert set(accepted(change).values()) == {"lifecycle.allow"}


def test_consents_for_single_streams_add_up() -> None:
    entries = [
        {"effects": ["overwrites-table", "state-loss"], "streams": [name]}
        for name in ("orders", "customers")
    ]
    assert not losing(entries).blocked
    assert losing(entries[:1]).blocked


@pytest.mark.parametrize(
    ("named", "enough"), [("public.orders", True), ("orders", True), ("rders", False)]
)
def test_a_stream_is_named_with_or_without_its_namespace(named: str, enough: bool) -> None:
    live = live_connection(live_stream(namespace="public"))
    allow = [{"effects": ["overwrites-table", "state-loss"], "streams": [named]}]
    change = connection_change({"lifecycle": {"allow": allow}}, live, streams=[FULL])
    assert change.blocked is not enough


def test_consent_for_streams_does_not_accept_what_concerns_the_whole_object() -> None:
    live = live_connection(live_stream(), status="inactive")
    allow = [{"effects": ["reactivate"], "streams": ["orders"]}]
    git = {"status": "active", "lifecycle": {"allow": allow}}
    assert connection_change(git, live).blocked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no effect given"),
        (",", "no effect given"),
        ("state-los", "'state-los' is no effect"),
        ("stops-data", "takes consent"),
        ("schedule-shift", "takes consent"),
        ("state-loss=", "is not an address"),
        ("state-loss=shop", "is not an address"),
        ("state-loss=conection/shop", "'conection' is no kind; known: connection, destination"),
        ("=connection/shop", "no effect given"),
    ],
)
def test_a_flag_that_means_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_consent(text)


def test_a_flag_is_effects_and_an_address() -> None:
    assert parse_consent("replace,delete=source/a") == Consent(
        ("replace", "delete"), (), Address("source", "a")
    )


# --- consent that nothing needs --------------------------------------------------------------------


def stale(allow: list[Any], flags: tuple[str, ...] = ()) -> list[str]:
    plan = plan_of(
        [*ACTORS(), connection(streams=[FULL], lifecycle={"allow": allow})],
        [*WORLD, live_connection(live_stream())],
        allow=map(parse_consent, flags),
    )
    return [d.message for d in plan.diagnostics if d.code == "stale-allow"]


def test_consent_that_nothing_needs_is_said() -> None:
    assert stale(["state-loss", "pii-exposure"]) == [
        "nothing in this plan needs consent for pii-exposure"
    ]


def test_consent_for_streams_that_have_no_such_effect_is_stale() -> None:
    entries = [
        {"effects": ["state-loss"], "streams": ["orders"]},
        {"effects": ["state-loss"], "streams": ["customers"]},
    ]
    assert stale(entries) == ["nothing in this plan needs consent for state-loss"]


def test_a_flag_that_nothing_needs_is_said() -> None:
    flags = (
        BOTH,
        "replace",
        "state-loss=connection/shop-to-lake",
        "delete=connection/shop-to-lake",
    )
    assert stale([], flags) == [
        "nothing in this plan needs --allow delete=connection/shop-to-lake",
        "nothing in this plan needs --allow replace",
    ]


# --- preventDestroy and what stands on it ----------------------------------------------------------


def test_a_protected_object_is_never_deleted() -> None:
    spec = {"lifecycle": {"preventDestroy": True}}
    plan = plan_of(
        [absent("connection", "shop-to-lake", spec=spec)],
        [live_connection()],
        allow=[parse_consent("delete")],
    )
    assert "preventDestroy" in only_change(plan).refusals[0]
    assert not plan.applyable


def test_a_protected_object_is_never_replaced() -> None:
    plan = plan_of(
        [source(connector="mysql", lifecycle={"preventDestroy": True, "allow": ["replace"]})],
        [live_source()],
    )
    assert only_change(plan).refusals != ()


def test_a_protected_object_may_change() -> None:
    lifecycle = {"preventDestroy": True}
    plan = plan_of([source(configuration={"host": "new"}, lifecycle=lifecycle)], [live_source()])
    assert not only_change(plan).blocked


GONE = absent("source", "shop")


def deleting(*documents: Document, live: list[LiveObject], flags: tuple[str, ...] = ()) -> Plan:
    return plan_of([GONE, *documents], [*WORLD, *live], allow=map(parse_consent, flags))


def source_change(plan: Plan) -> Change:
    return next(change for change in plan.changes if change.address.kind == "source")


def test_a_source_with_nothing_on_it_goes() -> None:
    assert not deleting(live=[]).blocked


def test_a_source_with_an_unmanaged_connection_stays() -> None:
    plan = deleting(live=[live_connection(name="By hand")])
    (refusal,) = source_change(plan).refusals
    assert refusal.startswith(
        f"Airbyte would delete 1 connection(s) with it: By hand ({CONNECTION_ID})"
    )


def test_an_unmanaged_connection_may_be_named_in_the_consent() -> None:
    flags = (f"delete=connection/{CONNECTION_ID}",)
    plan = deleting(live=[live_connection()], flags=flags)
    assert (plan.blocked, plan.diagnostics) == ((), ())


def test_a_source_goes_after_its_connection() -> None:
    plan = deleting(absent("connection", "shop-to-lake"), live=[live_connection(live_stream())])
    assert [str(change.address) for change in plan.changes] == [
        "connection/shop-to-lake",
        "source/shop",
    ]
    assert [str(a) for a in plan.changes[1].depends_on] == ["connection/shop-to-lake"]
    assert not plan.blocked


def test_two_connections_and_their_source_go_in_order() -> None:
    second = live_connection(name="second", object_id="cccccccc-0000-4000-8000-000000000002")
    plan = deleting(
        absent("connection", "second"),
        absent("connection", "shop-to-lake"),
        live=[live_connection(), second],
    )
    assert [(change.level, str(change.address)) for change in plan.changes] == [
        (2, "connection/second"),
        (2, "connection/shop-to-lake"),
        (3, "source/shop"),
    ]
    assert plan.unchanged == 0
    assert not plan.blocked


def test_a_managed_connection_that_stays_keeps_its_source() -> None:
    by_id = connection(source={"name": "shop"})
    plan = deleting(destination(), by_id, live=[live_connection()])
    assert "connection/shop-to-lake" in source_change(plan).refusals[0]


def test_a_connection_that_moves_away_lets_its_source_go() -> None:
    other = live_source(name="other", object_id="aaaaaaaa-0000-4000-8000-000000000002")
    moving = connection(source="other", lifecycle={"allow": ["replace"]})
    plan = deleting(destination(), source("other"), moving, live=[other, live_connection()])
    assert not plan.blocked
    assert [str(a) for a in source_change(plan).depends_on] == ["connection/shop-to-lake"]


def test_a_connection_that_is_replaced_on_the_same_source_does_not_let_it_go() -> None:
    other = absent("destination", "other")
    moving = connection(source={"name": "shop"}, destination="lake-2")
    plan = deleting(destination("lake-2"), moving, other, live=[live_connection()])
    assert source_change(plan).blocked


def test_a_protected_connection_is_not_given_away_with_its_source() -> None:
    protected = connection(source={"name": "shop"}, lifecycle={"preventDestroy": True})
    flags = (f"delete=connection/{CONNECTION_ID}",)
    plan = deleting(destination(), protected, live=[live_connection()], flags=flags)
    assert source_change(plan).blocked


def test_being_absent_is_consent_for_that_address_alone() -> None:
    replaced = source("other", connector="mysql")
    other = live_source(name="other", object_id="aaaaaaaa-0000-4000-8000-000000000002")
    plan = plan_of([GONE, replaced], [*WORLD, other])
    assert [str(change.address) for change in plan.blocked] == ["source/other"]


# --- limits ----------------------------------------------------------------------------------------


def limit_codes(tally: Tally, limits: Limits, expected: Expected = Expected()) -> list[str]:  # noqa: B008
    return codes(check_limits(tally, limits, expected))


def tally(objects: int = 10, streams: int = 100, **counts: int) -> Tally:
    return Tally(objects, streams, **{"deletes": 0, "updates": 0, "stopped": 0, **counts})


THIRTY = Limits(deletes=30, updates=50)


@pytest.mark.parametrize(
    ("counts", "passed"),
    [
        ({"deletes": 3}, []),
        ({"deletes": 4}, ["limit-deletes"]),
        ({"updates": 5}, []),
        ({"updates": 6}, ["limit-updates"]),
        ({"stopped": 30}, []),
        ({"stopped": 31}, ["limit-deletes"]),
        ({"deletes": 4, "stopped": 31, "updates": 6}, ["limit-deletes"] * 2 + ["limit-updates"]),
    ],
)
def test_a_share_beyond_the_limit_is_refused(counts: dict[str, int], passed: list[str]) -> None:
    assert limit_codes(tally(**counts), THIRTY) == passed
    assert limit_codes(tally(**counts), Limits()) == []


@pytest.mark.parametrize("share", [1, 30, 49])
@pytest.mark.parametrize("counted", ["deletes", "updates"])
def test_a_share_leaves_room_for_one_object_and_never_for_two(share: float, counted: str) -> None:
    limits = Limits(deletes=share, updates=share)
    for objects in (1, 2, 3):
        assert limit_codes(tally(objects, 0, **{counted: 1}), limits) == []
        assert limit_codes(tally(objects, 0, **{counted: 2}), limits) == (
            [f"limit-{counted}"] if share * objects < 200 else []
        )


def test_no_share_at_all_leaves_no_room() -> None:
    none = Limits(deletes=0, updates=0)
    assert limit_codes(tally(1, 5, deletes=1, connections=1), none) == ["limit-deletes"]
    assert limit_codes(tally(1, 5, updates=1), none) == ["limit-updates"]
    assert limit_codes(tally(1, 5, stopped=1, alone=1, connections=1), none) == ["limit-deletes"]
    assert limit_codes(tally(0, 0), none) == []


def test_in_a_tiny_world_one_connection_may_stop_and_not_two() -> None:
    """30% of three connections is less than one of them."""
    tiny = {"connections": 3, "alone": 5}
    assert limit_codes(tally(5, 15, stopped=5, **tiny), THIRTY) == []
    assert limit_codes(tally(5, 15, stopped=6, **tiny), THIRTY) == ["limit-deletes"]
    assert limit_codes(tally(5, 15, stopped=10, **tiny), THIRTY) == ["limit-deletes"]


def test_in_a_larger_world_one_connection_with_most_of_the_streams_may_not_stop() -> None:
    large = {"connections": 4, "alone": 40}
    assert limit_codes(tally(8, 50, stopped=40, **large), THIRTY) == ["limit-deletes"]
    assert limit_codes(tally(8, 50, stopped=15, **{**large, "alone": 15}), THIRTY) == []


def test_a_single_stream_may_always_go() -> None:
    assert limit_codes(tally(8, 2, stopped=1, connections=4, alone=1), THIRTY) == []


def test_a_single_stream_is_one_and_never_two() -> None:
    """Not where connections are many, and not where two connections stop one each."""
    assert limit_codes(tally(8, 3, stopped=2, connections=4, alone=2), THIRTY) == ["limit-deletes"]
    assert limit_codes(tally(5, 3, stopped=2, connections=3, alone=1), THIRTY) == ["limit-deletes"]


def test_a_world_is_tiny_while_the_share_is_less_than_one_connection() -> None:
    quarter = Limits(deletes=25)
    stopping = {"stopped": 9, "alone": 9}
    assert limit_codes(tally(5, 10, **stopping, connections=3), quarter) == []
    assert limit_codes(tally(6, 10, **stopping, connections=4), quarter) == ["limit-deletes"]


def test_a_plan_counts_the_connections_of_its_world() -> None:
    """One of four may stop, but not the one with most of the streams."""
    many = live_connection(*(live_stream(f"s{i}") for i in range(9)))
    ids = [f"cccccccc-0000-4000-8000-00000000001{i}" for i in range(3)]
    others = [
        live_connection(live_stream(), name=f"c{i}", object_id=at, prefix=f"c{i}_")
        for i, at in enumerate(ids)
    ]
    documents = [*ACTORS(), *(connection(f"c{i}") for i in range(3))]
    stopped = [*documents, connection(status="inactive")]
    (message,) = limited(stopped, [*WORLD, many, *others], THIRTY)
    assert message == "9 of 12 streams (75%): more than the limit of 30% for deletes"
    alone = [*ACTORS(), stopped[-1]]
    assert limited(alone, [*WORLD, many], THIRTY) == []


def test_a_number_that_is_stated_takes_the_place_of_its_share_alone() -> None:
    assert limit_codes(tally(updates=6), THIRTY, Expected(updates=6)) == []
    assert limit_codes(tally(stopped=31), THIRTY, Expected(stops=31)) == []
    assert limit_codes(tally(stopped=31), THIRTY, Expected(deletes=31)) == ["limit-deletes"]


def test_the_number_that_somebody_states_is_the_limit() -> None:
    assert limit_codes(tally(deletes=4), THIRTY, Expected(deletes=4)) == []
    assert limit_codes(tally(deletes=4), THIRTY, Expected(deletes=3)) == ["limit-deletes"]
    assert limit_codes(tally(updates=6), THIRTY, Expected(deletes=6)) == ["limit-updates"]


def test_a_limit_says_the_numbers_and_the_flag() -> None:
    (diagnostic,) = check_limits(tally(deletes=4), THIRTY, Expected())
    assert diagnostic.message == "4 of 10 objects (40%): more than the limit of 30% for deletes"
    assert diagnostic.hint == "if that is meant, state the number: --max-deletes 4"


def limited(documents: list[Document], objects: list[LiveObject], limits: Limits) -> list[str]:
    return [d.message for d in plan_of(documents, objects, limits=limits).diagnostics]


def test_streams_count_that_are_deselected_or_whose_connection_stops_or_goes() -> None:
    streams = [live_stream(), live_stream("a"), live_stream("b")]
    ids = [f"cccccccc-0000-4000-8000-00000000000{i}" for i in range(4)]
    flows = [
        live_connection(*streams, name=f"c{i}", object_id=at, prefix=f"c{i}_")
        for i, at in enumerate(ids)
    ]
    one = {"name": "orders", "syncMode": "incremental_append"}
    for number, stops in (
        (4, {"streams": [one]}),
        (6, {"status": "inactive"}),
    ):
        both = [connection(f"c{i}", prefix=f"c{i}_", **stops) for i in range(2)]
        rest = [connection(f"c{i}") for i in (2, 3)]
        (message,) = limited([*ACTORS(), *both, *rest], [*WORLD, *flows], THIRTY)
        assert f"{number} of 12 streams" in message
    both = [absent("connection", f"c{i}") for i in range(2)]
    found = limited([*ACTORS(), *both, *rest], [*WORLD, *flows], THIRTY)
    assert sorted(found) == [
        "2 of 6 objects (33%): more than the limit of 30% for deletes",
        "6 of 12 streams (50%): more than the limit of 30% for deletes",
    ]


def test_one_ordinary_change_passes_in_a_world_of_one_connection() -> None:
    live = [*WORLD, live_connection(live_stream(), live_stream("a"), live_stream("b"))]
    one = {"name": "orders", "syncMode": "incremental_append"}
    for change in (
        connection(streams=[one]),
        connection(status="inactive"),
        connection(prefix="x_", lifecycle={"allow": ["inconsistent"]}),
        absent("connection", "shop-to-lake"),
    ):
        tight = Limits(deletes=10, updates=10)
        assert limited([*ACTORS(), change], live, tight) == []


def test_only_what_this_project_claims_is_the_whole() -> None:
    others = [
        live_source(name=f"other-{i}", object_id=f"aaaaaaaa-0000-4000-8000-00000000001{i}")
        for i in range(9)
    ]
    both = [GONE, absent("destination", "lake")]
    assert limited(both, [*WORLD, *others], THIRTY) == [
        "2 of 2 objects (100%): more than the limit of 30% for deletes"
    ]


# --- git states nothing ----------------------------------------------------------------------------


def test_a_project_that_states_nothing_is_refused_while_the_workspace_holds_something() -> None:
    plan = plan_of([], [*WORLD, live_connection()])
    assert not plan.applyable
    (found,) = plan.diagnostics
    assert found.code == "nothing-stated"
    assert "1 connection, 1 destination, 1 source" in found.message
    assert "--allow-empty" in found.hint


def test_stating_nothing_is_fine_where_it_is_meant_or_where_nothing_is() -> None:
    assert plan_of([], WORLD, allow_empty=True).diagnostics == ()
    assert plan_of([], []).diagnostics == ()
    # Deleting everything is stated, each with its own consent.
    assert plan_of([GONE, absent("destination", "lake")], WORLD).diagnostics == ()


# --- what Airbyte has locked -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        connection(prefix="x_", lifecycle={"allow": ["inconsistent"]}),
        connection(status="active"),
        connection(destination="lake-2", lifecycle={"allow": ["replace", "duplicates"]}),
        absent("connection", "shop-to-lake"),
    ],
)
def test_a_locked_connection_takes_no_change(change: Document) -> None:
    locked = live_connection(live_stream(), status="locked")
    plan = plan_of([*ACTORS(), destination("lake-2"), change], [*WORLD, locked])
    (found,) = [c for c in plan.changes if c.address.kind == "connection"]
    assert any("locked" in refusal for refusal in found.refusals)
    assert not plan.applyable


def test_a_locked_connection_that_is_as_in_git_stands_in_nobodys_way() -> None:
    locked = live_connection(live_stream(), status="locked")
    plan = plan_of([*ACTORS(), connection()], [*WORLD, locked])
    assert plan.changes == ()
    changed = [source(configuration={"host": "new"}, lifecycle={"allow": ["inconsistent"]})]
    plan = plan_of([*changed, destination(), connection()], [*WORLD, locked])
    assert plan.applyable
