"""What a plan tells of each change: all of it, each of several, and where it stands in the manifests."""

from typing import Any

import pytest

from reconciler.core.model import KEEP, MASK, LiveObject, Schedule, Stream
from reconciler.core.planning import desired_digest, fingerprint
from reconciler.core.policy import Expected, Tally, check_limits, parse_consent
from reconciler.core.target import Limits
from tests.core.build import (
    ACTORS,
    WORLD,
    absent,
    connection,
    connection_change,
    desired_of,
    destination,
    encryption,
    env,
    git_mapper,
    live_connection,
    live_source,
    live_stream,
    only_change,
    plan_of,
    source,
)

SECOND = "aaaaaaaa-0000-4000-8000-000000000002"
SYNCED = {"name": "orders", "syncMode": "incremental_append"}
INCREMENTAL = live_connection(live_stream())


# --- each of several --------------------------------------------------------------------------------


def test_what_is_ambiguous_hides_nothing_else() -> None:
    twice = [live_source(name="a"), live_source(name="a", object_id=SECOND)]
    plan = plan_of([source("a"), source("b", {"host": "other"})], twice)
    assert [d.code for d in plan.diagnostics] == ["ambiguous-name"]
    assert [str(change.address) for change in plan.changes] == ["source/b"]


def test_every_resource_with_an_error_is_named() -> None:
    plan = plan_of([source("a", connector="nope"), source("b", connector="nope")])
    assert [(d.code, d.address, d.pointer) for d in plan.diagnostics] == [
        ("unknown-connector", "source/a", "/spec/connector"),
        ("unknown-connector", "source/b", "/spec/connector"),
    ]


def test_every_object_that_is_matched_by_name_is_counted() -> None:
    assert plan_of([*ACTORS(), connection()], [*WORLD, INCREMENTAL]).matched_by_name == 3


def test_every_secret_that_goes_is_named() -> None:
    live = {"host": "db", "password": MASK, "vault": {"token": MASK}}
    change = only_change(plan_of([source()], [live_source(live)]))
    (effect,) = [e for e in change.effects if e.name == "secret-loss"]
    assert effect.says == (
        "only the server knows /configuration/password, /configuration/vault/token",
    )


def test_every_secret_inside_a_value_that_goes_is_named() -> None:
    live = {"host": "db", "keys": [{"name": "a", "secret": MASK}, {"name": "b", "secret": MASK}]}
    plan = plan_of([source(configuration={"host": "db", "keys": []})], [live_source(live)])
    (effect,) = [e for e in only_change(plan).effects if e.name == "secret-loss"]
    (said,) = effect.says
    assert "/configuration/keys/0/secret, /configuration/keys/1/secret" in said


def test_every_stream_with_a_key_that_can_not_be_compared_is_listed() -> None:
    names = ("orders", "customers")
    live = live_connection(*(live_stream(name, mappers=[encryption()]) for name in names))
    streams = [
        {**SYNCED, "name": name, "mappers": [git_mapper(encryption(), key=env("KEY"))]}
        for name in names
    ]
    plan = plan_of([*ACTORS(), connection(streams=streams)], [*WORLD, live])
    assert plan.changes == ()
    assert [(h.pointer, h.label) for h in plan.not_covered.secrets] == [
        ("/streams[orders]/mappers/0/key", "${env:KEY}"),
        ("/streams[customers]/mappers/0/key", "${env:KEY}"),
    ]


def test_every_keep_that_keeps_nothing_is_an_error_at_its_place() -> None:
    names = ("orders", "customers")
    live = live_connection(*(live_stream(name) for name in names))
    streams = [
        {**SYNCED, "name": name, "mappers": [git_mapper(encryption(), key=KEEP)]} for name in names
    ]
    plan = plan_of([*ACTORS(), connection(streams=streams)], [*WORLD, live])
    assert [(d.code, d.pointer) for d in plan.diagnostics] == [
        ("keep-without-secret", "/spec/streams/0/mappers/0/key"),
        ("keep-without-secret", "/spec/streams/1/mappers/0/key"),
    ]


def test_a_keep_of_a_source_that_keeps_nothing_is_an_error_at_its_place() -> None:
    git = {"host": "db", "password": KEEP, "vault": {"token": KEEP}}
    for live in ([live_source()], []):
        found = plan_of([source(configuration=git)], live).diagnostics
        assert [(d.code, d.pointer) for d in found] == [
            ("keep-without-secret", "/spec/configuration/password"),
            ("keep-without-secret", "/spec/configuration/vault/token"),
        ]


def test_streams_of_every_connection_that_stays_are_moved_with_their_source() -> None:
    flows = [
        live_connection(live_stream("a"), name="going", object_id="c1"),
        live_connection(
            live_stream("b"), live_stream("full", "full_refresh_append"), name="staying"
        ),
        live_connection(live_stream("c"), name="by hand", object_id="c3"),
    ]
    documents = [
        source(configuration={"host": "new"}),
        destination(),
        absent("connection", "going"),
        connection("staying"),
    ]
    (change,) = [c for c in plan_of(documents, [*WORLD, *flows]).changes if c.action == "update"]
    assert [(e.name, e.streams) for e in change.effects if e.name == "inconsistent"] == [
        ("inconsistent", ("b", "c"))
    ]


# --- where it stands, and what it is ----------------------------------------------------------------


def test_a_change_stands_where_its_first_field_does() -> None:
    changed = source(configuration={"host": "new"}, metadata={"annotations": {"owner": "data"}})
    change = only_change(plan_of([changed], [live_source()]))
    assert change.span == changed.locate("/spec/configuration/host")
    assert change.annotations == {"owner": "data"}


def test_what_is_made_stands_at_its_spec_and_what_goes_at_its_state() -> None:
    new, gone = source("new", {"host": "elsewhere"}), absent("source", "shop")
    made, going = plan_of([new, gone], [live_source()]).changes
    assert (made.span, going.span) == (new.locate("/spec"), gone.locate("/state"))


def test_an_effect_on_a_stream_stands_where_the_stream_does() -> None:
    document = connection(streams=[{**SYNCED, "name": "customers"}, FULL])
    live = live_connection(live_stream("customers"), live_stream())
    change = only_change(plan_of([*ACTORS(), document], [*WORLD, live]))
    spans = {e.name: e.span for e in change.effects}
    assert spans["state-loss"] == document.locate("/spec/streams/1")
    assert spans["accepts-schema"] is None


def test_a_connection_that_changes_is_named_with_its_id_and_both_values() -> None:
    change = connection_change({"prefix": "x_", "status": "inactive"}, INCREMENTAL)
    assert (change.name, change.live_id, change.reason) == ("shop-to-lake", INCREMENTAL.id, "")
    assert [(f.pointer, f.before, f.after) for f in change.fields] == [
        ("/status", "active", "inactive"),
        ("/prefix", "", "x_"),
    ]


def test_a_rename_comes_first() -> None:
    renamed = source(
        configuration={"host": "new"}, name="new", metadata={"previousNames": ["shop"]}
    )
    change = only_change(plan_of([renamed], [live_source()]))
    assert [f.pointer for f in change.fields] == ["/name", "/configuration/host"]
    assert change.name == "new"


def test_a_moved_connection_is_named_with_its_id_and_what_it_reads_again() -> None:
    other = live_source({"host": "other"}, name="other", object_id=SECOND)
    documents = [*ACTORS(), source("other", {"host": "other"}), connection(source="other")]
    change = only_change(plan_of(documents, [*WORLD, other, INCREMENTAL]))
    assert (change.name, change.live_id) == ("shop-to-lake", INCREMENTAL.id)
    assert [f.pointer for f in change.fields] == ["/source"]
    why = "source can't be changed in place"
    assert [(e.rule, e.streams, e.says[0]) for e in change.effects] == [
        (
            "immutable",
            ("orders",),
            f"{why}: a new connection takes its place and reads everything from the start",
        ),
        (
            "read-again-into-append",
            ("orders",),
            "the new connection reads everything and appends it to what is there",
        ),
    ]


def test_a_plan_holds_the_digest_of_what_is_asked_for() -> None:
    documents = [*ACTORS(), connection(streams=[SYNCED])]
    assert plan_of(documents).digest == desired_digest(desired_of(*documents))


def test_the_digest_does_not_tell_the_order_of_streams_and_tells_all_else() -> None:
    def digest(*streams: Any) -> str:
        return desired_digest(desired_of(*ACTORS(), connection(streams=list(streams))))

    other = {**SYNCED, "name": "customers"}
    assert digest(SYNCED, other) == digest(other, SYNCED)
    assert len({digest(SYNCED), digest(other), digest(SYNCED, other), digest(FULL)}) == 4


@pytest.mark.parametrize(
    "moved",
    [
        live_stream(mode="full_refresh_append"),
        live_stream(cursor=("id",)),
        live_stream(columns=("id",)),
        live_stream(namespace="public"),
        live_stream("customers"),
    ],
)
def test_a_fingerprint_moves_with_each_stream(moved: Stream) -> None:
    assert fingerprint(live_connection(moved)) != fingerprint(INCREMENTAL)
    both = fingerprint(live_connection(live_stream(), live_stream("b")))
    assert both == fingerprint(live_connection(live_stream("b"), live_stream()))


# --- effects that are too many or too few -----------------------------------------------------------

FULL = {"name": "orders", "syncMode": "full_refresh_overwrite"}


def test_an_interval_that_stays_starts_a_sync_where_a_connection_is_switched_on() -> None:
    """Also over the API that can't write one: it stays as it is."""
    live = live_connection(
        live_stream(), status="inactive", schedule=Schedule(every=6, unit="hours")
    )
    change = connection_change({"status": "active"}, live)
    assert "starts-sync" in {e.name for e in change.effects}


def test_a_key_of_a_stream_that_merges_nothing_is_free_to_change() -> None:
    live = live_connection(live_stream(mode="incremental_append"))
    git = [{"name": "orders", "syncMode": "incremental_deduped_history", "primaryKey": "code"}]
    change = connection_change({}, live, streams=git)
    rules = [e.rule for e in change.effects if e.name == "inconsistent"]
    assert "key-changes" not in rules


def test_a_secret_that_git_adds_moves_no_history() -> None:
    git = {"host": "db", "password": env(value="c" * 20)}
    plan = plan_of([source(configuration=git), destination(), connection()], [*WORLD, INCREMENTAL])
    assert "inconsistent" not in {e.name for e in only_change(plan).effects}


def test_an_object_in_place_of_a_masked_value_is_a_change_that_shows_no_secret() -> None:
    git = {"host": "db", "options": {"a": 1, "token": env(value="canary-" + "c" * 20)}}
    change = only_change(
        plan_of([source(configuration=git)], [live_source({"host": "db", "options": MASK})])
    )
    (field,) = change.fields
    assert (field.pointer, field.secret) == ("/configuration/options", True)
    assert field.after == {"a": 1, "token": "${env:SHOP_PG_PASSWORD}"}
    assert "canary" not in repr(change)


def test_a_deletion_that_git_states_is_accepted_by_git_whatever_flags_say() -> None:
    plan = plan_of([absent("source", "shop")], WORLD, allow=[parse_consent("delete")])
    assert [e.accepted for e in only_change(plan).effects] == ["state: absent"]


def test_a_source_that_is_renamed_and_moved_leaves_its_history_elsewhere() -> None:
    was = {"previousNames": ["shop"]}
    moved = source(configuration={"host": "new"}, name="new", metadata=was)
    plan = plan_of([moved, destination(), connection()], [*WORLD, INCREMENTAL])
    (change,) = [c for c in plan.changes if c.address.kind == "source"]
    assert [e.streams for e in change.effects if e.name == "inconsistent"] == [("orders",)]
    assert change.blocked


def test_a_connection_that_will_be_inactive_says_so() -> None:
    assert connection_change({"status": "inactive"}, INCREMENTAL).inactive
    assert not connection_change({"prefix": "x_"}, INCREMENTAL).inactive


# --- guards that say what to do ---------------------------------------------------------------------


def test_consent_that_nothing_needs_stands_at_its_entry() -> None:
    document = connection(lifecycle={"allow": ["state-loss", "reactivate"]})
    found = plan_of([*ACTORS(), document], [*WORLD, INCREMENTAL]).diagnostics
    assert sorted((d.severity.value, d.address, d.pointer, d.span) for d in found) == [
        ("warning", "connection/shop-to-lake", at, document.locate(at))
        for at in ("/spec/lifecycle/allow/0", "/spec/lifecycle/allow/1")
    ]


def test_a_flag_that_nothing_needs_is_a_warning() -> None:
    (found,) = plan_of(ACTORS(), WORLD, allow=[parse_consent("replace")]).diagnostics
    assert (found.severity.value, found.code) == ("warning", "stale-allow")


@pytest.mark.parametrize(
    ("counted", "expected", "said"),
    [
        (
            {"deletes": 2},
            Expected(deletes=1),
            ("2 deletes, and at most 1 were meant", "--max-deletes 2"),
        ),
        (
            {"updates": 3},
            Expected(updates=0),
            ("3 updates, and at most 0 were meant", "--max-updates 3"),
        ),
        ({"stopped": 5}, Expected(stops=4), ("5 stops, and at most 4 were meant", "--max-stops 5")),
    ],
)
def test_a_number_that_somebody_stated_and_that_is_exceeded(
    counted: dict[str, int], expected: Expected, said: tuple[str, str]
) -> None:
    tally = Tally(100, 100, **{"deletes": 0, "updates": 0, "stopped": 0, **counted})
    (found,) = check_limits(tally, Limits(None, None), expected)
    assert found.message == said[0]
    assert found.hint == f"if that is meant, state the number: {said[1]}"


def test_a_change_is_left_for_apply_only_while_its_streams_are_unchecked() -> None:
    streams = [{**SYNCED, "cursorField": "id"}]
    live: list[LiveObject] = [*WORLD, INCREMENTAL]
    assert not plan_of([*ACTORS(), connection(streams=streams)], live).complete
    assert plan_of([*ACTORS(), connection(prefix="x_")], live).complete
    assert plan_of([*ACTORS(), absent("connection", "shop-to-lake")], live).complete
