"""What a change does to data, row by row of design §5: when each effect is announced, and when not."""

import pytest

from reconciler.core.effects import EFFECTS
from reconciler.core.model import KEEP, MASK, Mapper, Namespace, Schedule
from reconciler.core.plan import Change
from tests.core.build import (
    ACTORS,
    ANY_SCHEDULE,
    MYSQL,
    WORLD,
    absent,
    connection,
    connection_change,
    destination,
    effects_of,
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
    source,
)

SYNCED = {"name": "orders", "syncMode": "incremental_append"}


def test_every_effect_of_the_design_is_in_the_table() -> None:
    assert {name: kind.consent for name, kind in EFFECTS.items()} == {
        "replace": "needed",
        "delete": "needed",
        "overwrites-table": "needed",
        "state-loss": "needed",
        "duplicates": "needed",
        "inconsistent": "needed",
        "pii-exposure": "needed",
        "secret-loss": "needed",
        "reactivate": "needed",
        "adopt": "needed",
        "data-erase": "needed",
        "schedule-shift": "refused",
        "stops-data": "none",
        "starts-sync": "none",
        "rediscover": "none",
        "accepts-schema": "none",
    }


# --- pii-exposure ----------------------------------------------------------------------------


def exposure(before: object, after: object) -> list[str]:
    """What is said of a stream with these mappers live and in git; empty where nothing is exposed."""
    live = live_connection(live_stream(mappers=before))  # type: ignore[arg-type]
    change = connection_change(
        {"prefix": "x_"}, live, streams=[{**SYNCED, "mappers": after}], tags=["t"]
    )
    return [
        said for effect in change.effects if effect.name == "pii-exposure" for said in effect.says
    ]


FILTER = Mapper("field-filtering", {"targetField": "email"}, "m-3")
ROWS = Mapper(
    "row-filtering",
    {"conditions": {"type": "EQUAL", "fieldName": "country", "comparisonValue": "DE"}},
    "m-4",
)
RENAME = Mapper("field-renaming", {"originalFieldName": "email", "newFieldName": "mail"}, "m-5")


@pytest.mark.parametrize(
    ("mapper", "said"),
    [
        (hashing(), 'column "email" is no longer hashed'),
        (encryption("email"), 'column "email" is no longer encrypted'),
        (FILTER, 'column "email" is no longer left out'),
        (ROWS, "rows that were filtered out are written"),
    ],
)
def test_a_protecting_mapper_that_goes_exposes_its_column(mapper: Mapper, said: str) -> None:
    assert exposure([mapper], []) == [said]


@pytest.mark.parametrize("mapper", [hashing(), FILTER, ROWS])
def test_a_mapper_that_stays_exposes_nothing(mapper: Mapper) -> None:
    assert exposure([mapper], [git_mapper(mapper)]) == []


def test_renaming_is_no_protection() -> None:
    assert exposure([RENAME], []) == []


def test_a_new_target_leaves_the_old_column_in_clear() -> None:
    moved = git_mapper(hashing(), targetField="phone")
    assert exposure([hashing()], [moved]) == ['column "email" is no longer hashed']


def test_a_renaming_in_place_of_a_hash_is_a_weaker_mapper() -> None:
    assert exposure([hashing()], [git_mapper(RENAME)]) == ['column "email" is no longer hashed']


def test_a_row_filter_with_other_conditions_lets_other_rows_through() -> None:
    other = git_mapper(
        ROWS, conditions={"type": "EQUAL", "fieldName": "country", "comparisonValue": "FR"}
    )
    assert exposure([ROWS], [other]) == ["rows that were filtered out are written"]


def test_a_row_filter_that_is_given_by_reference_is_the_same_filter() -> None:
    same = {"type": "EQUAL", "fieldName": "country", "comparisonValue": env("LAND", "DE")}
    assert exposure([ROWS], [git_mapper(ROWS, conditions=same)]) == []


def test_another_order_of_mappers_exposes_nothing() -> None:
    live = [hashing(), hashing("phone", mapper_id="m-9")]
    assert exposure(live, [git_mapper(mapper) for mapper in reversed(live)]) == []


def test_an_added_mapper_exposes_nothing() -> None:
    assert exposure([], [git_mapper(hashing())]) == []


def columns_exposed(before: list[str] | None, after: object) -> list[str]:
    live = live_connection(live_stream(columns=before))
    change = connection_change({"prefix": "x_"}, live, streams=[{**SYNCED, "columns": after}])
    return [
        said for effect in change.effects if effect.name == "pii-exposure" for said in effect.says
    ]


def test_switching_a_selection_off_writes_every_column() -> None:
    assert columns_exposed(["id"], "all") == [
        "every column is written, also those that were left out"
    ]


def test_a_longer_selection_names_what_is_newly_written() -> None:
    assert columns_exposed(["id"], ["ssn", "id", "email"]) == ["newly written: email, ssn"]


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "all"), (None, ["id"]), (["id", "email"], ["id"]), (["id"], ["id"])],
)
def test_a_selection_that_does_not_grow_exposes_nothing(
    before: list[str] | None, after: object
) -> None:
    assert columns_exposed(before, after) == []


def reselected(stream: dict[str, object], **protected: object) -> Change:
    live = live_connection(live_stream("customers", **protected))  # type: ignore[arg-type]
    kept = {"name": "customers", "syncMode": "incremental_append"}
    return connection_change({}, live, streams=[kept, {**SYNCED, **stream}])


@pytest.mark.parametrize("protected", [{"mappers": [hashing()]}, {"columns": ["id"]}])
def test_selecting_a_stream_again_without_words_on_protection_is_exposure(
    protected: dict[str, object],
) -> None:
    change = reselected({}, **protected)
    assert ("pii-exposure", "selected-unprotected") in effects_of(change)
    assert [e.streams for e in change.effects if e.name == "pii-exposure"] == [("orders",)]


@pytest.mark.parametrize("stream", [{"mappers": []}, {"columns": "all"}])
def test_one_of_mappers_and_columns_is_not_enough(stream: dict[str, object]) -> None:
    change = reselected(stream, mappers=[hashing()])
    assert ("pii-exposure", "selected-unprotected") in effects_of(change)


def test_a_selected_stream_that_states_both_is_no_exposure() -> None:
    change = reselected({"mappers": [], "columns": "all"}, mappers=[hashing()])
    assert "pii-exposure" not in {e.name for e in change.effects}


def test_a_selected_stream_is_no_exposure_where_nothing_was_protected() -> None:
    assert "pii-exposure" not in {e.name for e in reselected({}).effects}


def test_protection_is_stated_per_stream_and_not_per_name() -> None:
    live = live_connection(live_stream("customers", mappers=[hashing()]))
    explicit = {"mappers": [], "columns": "all"}
    change = connection_change(
        {},
        live,
        streams=[
            {"name": "customers", "syncMode": "incremental_append"},
            {**SYNCED, "namespace": "public", **explicit},
            {**SYNCED, "namespace": "private"},
        ],
    )
    assert [e.streams for e in change.effects if e.name == "pii-exposure"] == [("private.orders",)]


def test_what_git_is_silent_about_is_carried_over_and_exposes_nothing() -> None:
    live = live_connection(live_stream(mappers=[hashing()], columns=["id", "email"]))
    change = connection_change({}, live, streams=[{**SYNCED, "cursorField": "id"}])
    assert effects_of(change) == {
        ("inconsistent", "cursor-changes"),
        ("accepts-schema", "schema-accepted"),
    }


# --- connections as a whole --------------------------------------------------------------------


def test_switching_on_again_needs_consent() -> None:
    live = live_connection(live_stream(), status="inactive")
    change = connection_change({"status": "active"}, live)
    assert effects_of(change) == {("reactivate", "reactivated")}
    assert change.blocked


def test_switching_off_stops_data_and_needs_none() -> None:
    change = connection_change({"status": "inactive"}, live_connection(live_stream()))
    assert effects_of(change) == {("stops-data", "deactivated")}
    assert not change.blocked


@pytest.mark.parametrize("status", ["active", "inactive"])
def test_a_status_that_git_does_not_state_stays(status: str) -> None:
    change = connection_change({"prefix": "x_"}, live_connection(status=status))
    assert effects_of(change) == set()


EVERY_6_HOURS = {"every": "6 hours"}


def test_an_interval_is_refused_with_the_equal_cron_in_utc() -> None:
    change = connection_change({"schedule": EVERY_6_HOURS}, live_connection(live_stream()))
    effect = next(e for e in change.effects if e.name == "schedule-shift")
    assert effect.says == (
        (
            'the public API writes no intervals; the same in UTC: {cron: "0 0 */6 * * ?"}'
            "; or use the Configuration API, which writes it as it is"
        ),
    )
    assert change.blocked


def test_an_interval_that_no_cron_expresses_is_refused_without_one() -> None:
    change = connection_change({"schedule": {"every": "90 minutes"}}, live_connection())
    assert [e.says for e in change.effects] == [
        (
            (
                "the public API writes no intervals; write it as a cron in UTC"
                "; or use the Configuration API, which writes it as it is"
            ),
        )
    ]


def test_a_time_zone_is_refused() -> None:
    cron = {"cron": "0 0 6 * * ?", "timezone": "Europe/Berlin"}
    change = connection_change({"schedule": cron}, live_connection())
    assert effects_of(change) == {("schedule-shift", "unwritable-schedule")}


def test_a_new_connection_is_refused_an_unwritable_schedule_too() -> None:
    plan = plan_of([*ACTORS(), connection(streams=[SYNCED], schedule=EVERY_6_HOURS)], WORLD)
    assert effects_of(only_change(plan)) == {("schedule-shift", "unwritable-schedule")}


@pytest.mark.parametrize(
    "schedule", ["manual", {"cron": "0 0 6 * * ?"}, {"cron": "0 0 6 * * ?", "timezone": "Etc/UTC"}]
)
def test_what_the_api_can_write_is_not_refused(schedule: object) -> None:
    live = live_connection(schedule=Schedule(every=1, unit="hours"))
    assert effects_of(connection_change({"schedule": schedule}, live)) == set()


def test_an_api_that_writes_intervals_is_not_refused() -> None:
    change = connection_change(
        {"schedule": EVERY_6_HOURS}, live_connection(), capabilities=ANY_SCHEDULE
    )
    assert effects_of(change) == {("starts-sync", "interval-is-due")}


def test_an_unwritable_schedule_that_stays_is_left_alone() -> None:
    live = live_connection(schedule=Schedule(every=6, unit="hours"))
    change = connection_change({"schedule": EVERY_6_HOURS, "prefix": "x_"}, live)
    assert effects_of(change) == set()


# --- sources and destinations ------------------------------------------------------------------


def test_a_moved_source_leaves_history_elsewhere() -> None:
    plan = plan_of(
        [source(configuration={"host": "new"}), destination(), connection()],
        [*WORLD, live_connection(live_stream(), live_stream("full", "full_refresh_append"))],
    )
    effects = {e.name: e for e in only_change(plan).effects}
    assert effects["inconsistent"].streams == ("orders",)
    assert effects["inconsistent"].says == (
        "/configuration/host changes under saved positions: history may stay elsewhere",
    )
    assert set(effects) == {"inconsistent", "rediscover"}


def test_a_moved_source_without_saved_positions_is_consistent() -> None:
    stream = live_stream(mode="full_refresh_overwrite")
    plan = plan_of(
        [source(configuration={"host": "new"}), destination(), connection()],
        [*WORLD, live_connection(stream)],
    )
    assert effects_of(only_change(plan)) == {("rediscover", "cache-expires")}


def test_connections_that_nobody_manages_count_too() -> None:
    plan = plan_of(
        [source(configuration={"host": "new"}), destination()],
        [*WORLD, live_connection(live_stream())],
    )
    assert ("inconsistent", "configuration-moves") in effects_of(only_change(plan))


def test_connections_that_go_in_the_same_plan_do_not_count() -> None:
    plan = plan_of(
        [
            source(configuration={"host": "new"}),
            destination(),
            absent("connection", "shop-to-lake"),
        ],
        [*WORLD, live_connection(live_stream())],
    )
    update = next(change for change in plan.changes if change.action == "update")
    assert effects_of(update) == {("rediscover", "cache-expires")}


def test_a_new_secret_alone_moves_no_tables() -> None:
    plan = plan_of(
        [source(configuration={"host": "db", "password": env(value="p-123456")}), connection()][:1],
        [live_source({"host": "db"})],
    )
    assert effects_of(only_change(plan)) == {("rediscover", "cache-expires")}


def test_a_rename_does_nothing_to_data() -> None:
    plan = plan_of(
        [source(name="shop-2", metadata={"previousNames": ["shop"]})], [live_source(name="shop")]
    )
    assert effects_of(only_change(plan)) == set()


def test_only_a_source_is_discovered_again() -> None:
    plan = plan_of([destination(configuration={"bucket": "new"})], [live_destination()])
    assert effects_of(only_change(plan)) == set()


def test_a_masked_value_that_leaves_is_a_lost_secret() -> None:
    plan = plan_of([source()], [live_source({"host": "db", "password": MASK})])
    change = only_change(plan)
    assert ("secret-loss", "secret-leaves") in effects_of(change)
    assert change.blocked


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"host": "db", "password": env(value="p-123456")}, {"host": "old", "password": MASK}),
        (
            {"host": "db", "keys": [{"secret": env(value="s")}, {"secret": env(value="s")}]},
            {"host": "db", "keys": [{"secret": MASK}]},
        ),
    ],
)
def test_a_masked_value_that_git_sets_is_not_lost(ours: object, theirs: object) -> None:
    change = only_change(plan_of([source(configuration=ours)], [live_source(theirs)]))
    assert "secret-loss" not in {e.name for e in change.effects}


def test_a_lost_secret_inside_a_value_that_goes_as_a_whole_is_named() -> None:
    theirs = {"host": "db", "tunnel": {"method": "Key", "password": MASK}}
    ours = {"host": "db", "tunnel": "none"}
    change = only_change(plan_of([source(configuration=ours)], [live_source(theirs)]))
    assert [e.says for e in change.effects if e.name == "secret-loss"] == [
        ("only the server knows /configuration/tunnel/password",)
    ]


# --- delete and replace ------------------------------------------------------------------------


def test_a_deleted_connection_loses_the_positions_of_its_streams() -> None:
    plan = plan_of(
        [*ACTORS(), absent("connection", "shop-to-lake", reason="replaced by CDC")],
        [*WORLD, live_connection(live_stream(), live_stream("customers"))],
    )
    change = only_change(plan)
    (effect,) = change.effects
    assert (effect.name, effect.streams, effect.accepted) == (
        "delete",
        ("customers", "orders"),
        "state: absent",
    )
    assert change.reason == "replaced by CDC"
    assert not change.blocked


def test_what_is_gone_already_is_not_deleted() -> None:
    assert plan_of([absent("source", "old")], WORLD).changes == ()


def test_another_connector_is_a_new_object() -> None:
    plan = plan_of([source(connector="mysql")], [live_source()])
    change = only_change(plan)
    assert (change.action, effects_of(change)) == ("replace", {("replace", "immutable")})
    assert change.blocked


def test_the_same_connector_by_another_name_is_no_replacement() -> None:
    plan = plan_of([source(connector="airbyte/source-postgres")], [live_source()])
    assert plan.changes == ()


def test_a_replaced_source_shows_the_configuration_it_is_made_with() -> None:
    plan = plan_of([source(connector="mysql")], [live_source()])
    shown = {field.pointer: field.after for field in only_change(plan).fields}
    assert shown == {"/connector": MYSQL.docker_repository, "/configuration/host": "db"}


def test_nothing_can_be_kept_in_a_replaced_source() -> None:
    plan = plan_of(
        [source(configuration={"host": "db", "password": KEEP}, connector="mysql")],
        [live_source({"host": "db", "password": MASK})],
    )
    assert [d.code for d in plan.diagnostics] == ["keep-without-secret"]


def replaced_connection(git: dict[str, object], **live: object) -> Change:
    """The change of a connection whose source is replaced in the same plan."""
    found = live_connection(**live)  # type: ignore[arg-type]
    plan = plan_of([source(connector="mysql"), destination(), connection(**git)], [*WORLD, found])
    return next(c for c in plan.changes if c.address.kind == "connection")


def test_a_connection_whose_source_is_replaced_is_replaced_too() -> None:
    change = replaced_connection({})
    assert (change.action, change.reason) == ("replace", "source/shop is replaced")
    assert [str(address) for address in change.depends_on] == ["source/shop"]


def test_a_connection_on_a_replaced_source_that_it_names_by_id_is_replaced_too() -> None:
    change = replaced_connection({"source": {"name": "shop"}})
    assert change.action == "replace"
    assert [str(address) for address in change.depends_on] == ["source/shop"]


def test_another_source_makes_a_new_connection() -> None:
    plan = plan_of(
        [source(), source("shop-2"), destination(), connection(source="shop-2")],
        [
            *WORLD,
            live_source(name="shop-2", object_id="aaaaaaaa-0000-4000-8000-000000000002"),
            live_connection(live_stream(mode="full_refresh_overwrite")),
        ],
    )
    change = only_change(plan)
    assert (change.action, change.reason) == ("replace", "source can't be changed in place")
    assert effects_of(change) == {("replace", "immutable")}


def replaced_stream(live: object, git: object, **more: object) -> set[str]:
    plan = plan_of(
        [source(connector="mysql"), destination(), connection(streams=[git], **more)],
        [*WORLD, live_connection(live)],  # type: ignore[arg-type]
    )
    change = next(c for c in plan.changes if c.address.kind == "connection")
    return {e.name for e in change.effects}


def test_a_new_connection_appends_what_the_table_already_holds() -> None:
    assert replaced_stream(live_stream(), SYNCED) == {"replace", "duplicates"}


def test_a_new_connection_that_overwrites_or_merges_duplicates_nothing() -> None:
    merged = live_stream(mode="incremental_deduped_history")
    git = {"name": "orders", "syncMode": "incremental_deduped_history"}
    assert replaced_stream(merged, git) == {"replace"}


def test_a_new_connection_into_another_destination_finds_no_rows_there() -> None:
    other = live_destination(name="lake-2", object_id="bbbbbbbb-0000-4000-8000-000000000002")
    plan = plan_of(
        [*ACTORS(), destination("lake-2"), connection(destination="lake-2")],
        [*WORLD, other, live_connection(live_stream())],
    )
    assert effects_of(only_change(plan)) == {("replace", "immutable")}


def test_a_mapper_that_goes_while_the_connection_is_replaced_is_still_exposure() -> None:
    effects = replaced_stream(live_stream(mappers=[hashing()]), {**SYNCED, "mappers": []})
    assert "pii-exposure" in effects


def test_what_except_leaves_of_a_source_nobody_could_ask_is_open() -> None:
    """The old source's columns say nothing of the new one's."""
    git = connection(streams=[{**SYNCED, "columns": {"except": ["ssn"]}}])
    plan = plan_of(
        [source(connector="mysql"), destination(), git],
        [*WORLD, live_connection(live_stream(columns=["email", "id"]))],
    )
    change = next(c for c in plan.changes if c.address.kind == "connection")
    (field,) = [f for f in change.fields if f.stream]
    assert (field.before, field.after) == (["email", "id"], {"except": ["ssn"]})
    (exposure,) = [e for e in change.effects if e.name == "pii-exposure"]
    assert exposure.says == ("every column of the new source but ssn is written, whatever it has",)


def test_an_inactive_connection_that_is_replaced_active_is_still_switched_on() -> None:
    change = replaced_connection({"status": "active"}, status="inactive")
    assert "reactivate" in {e.name for e in change.effects}


def test_a_new_connection_can_not_take_over_a_schedule_that_this_api_does_not_write() -> None:
    change = replaced_connection({}, schedule=Schedule(every=6, unit="hours"))
    assert "schedule-shift" in {e.name for e in change.effects}


def test_a_new_connection_can_not_take_over_a_key_that_only_airbyte_knows() -> None:
    plan = plan_of(
        [source(connector="mysql"), destination(), connection()],
        [*WORLD, live_connection(live_stream(mappers=[encryption()]))],
    )
    change = next(c for c in plan.changes if c.address.kind == "connection")
    (refusal,) = change.refusals
    assert refusal.startswith("stream 'orders': a new connection needs its encryption key")


# --- what needs no consent -----------------------------------------------------------------------


def test_a_changed_stream_takes_the_newest_schema_of_all() -> None:
    live = live_connection(live_stream(), live_stream("customers"))
    streams = [{**SYNCED, "cursorField": "id"}, {**SYNCED, "name": "customers"}]
    change = connection_change({}, live, streams=streams)
    assert [e.streams for e in change.effects if e.name == "accepts-schema"] == [()]


def test_a_connection_whose_streams_stay_takes_no_schema() -> None:
    live = live_connection(live_stream(mode="full_refresh_append"), namespace=Namespace("source"))
    assert effects_of(connection_change({"prefix": "x_"}, live)) == set()
