"""What each change of a sync mode does to data: every old mode against every new one.

The table is written by hand from design §5: O the next sync replaces a table that held more, S the saved
position is deleted at once, D rows are read and appended again, I old and new rows follow different rules.
"""

import pytest

from reconciler.core.effect_rules import StreamCase, stream_effects
from reconciler.core.model import SYNC_MODES
from tests.core.build import PUBLIC, connection_change, live_connection, live_stream

MODES = (
    "full_refresh_overwrite",
    "full_refresh_append",
    "full_refresh_overwrite_deduped",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
)

# new:          fr-over fr-app fr-dedup fr-upd fr-soft inc-app inc-dedup inc-upd inc-soft
MATRIX = {
    "full_refresh_overwrite": "-       D      -        -      -       D       -         -       -",
    "full_refresh_append": "O          -      O        -      -       D       -         -       -",
    "full_refresh_overwrite_deduped": "- D    -        -      -       D       -         -       -",
    "full_refresh_update": "O          D      O        -      -       D       -         -       -",
    "full_refresh_soft_delete": "O     D      O        -      -       D       -         -       -",
    "incremental_append": "OS          DS     OS       S      S       -       I         I       I",
    "incremental_deduped_history": "OS DS     OS       S      S       I       -         I       I",
    "incremental_update": "OS          DS     OS       S      S       I       I         -       I",
    "incremental_soft_delete": "OS     DS     OS       S      S       I       I         I       -",
}
LETTERS = {
    "overwrites-table": "O",
    "state-loss": "S",
    "duplicates": "D",
    "inconsistent": "I",
}
PAIRS = [
    (old, new, expected)
    for old, row in MATRIX.items()
    for new, expected in zip(MODES, row.split(), strict=True)
]


def letters(old: str | None, new: str | None) -> str:
    case = StreamCase({"syncMode": old, "columns": "all"}, {"syncMode": new, "columns": "all"})
    effects = {effect.name for effect in stream_effects({("", "orders"): case}, PUBLIC)}
    return "".join(sorted(LETTERS[name] for name in effects & set(LETTERS))) or "-"


def test_the_matrix_holds_every_mode() -> None:
    assert set(MATRIX) == set(MODES) == set(SYNC_MODES)
    assert len(PAIRS) == 81


@pytest.mark.parametrize(("old", "new", "expected"), PAIRS)
def test_a_changed_mode_announces_what_it_does(old: str, new: str, expected: str) -> None:
    assert letters(old, new) == "".join(sorted(expected))


@pytest.mark.parametrize("new", MODES)
def test_an_unknown_live_mode_announces_what_any_old_mode_would(new: str) -> None:
    column = {expected for _, to, expected in PAIRS if to == new}
    assert letters(None, new) == ("".join(sorted(set("".join(column)) - {"-"})) or "-")


@pytest.mark.parametrize("old", [*MODES, None])
def test_a_mode_that_stays_announces_nothing(old: str | None) -> None:
    assert letters(old, old) == "-"


@pytest.mark.parametrize(("old", "new", "expected"), [pair for pair in PAIRS if pair[0] != pair[1]])
def test_a_plan_announces_the_same_for_a_whole_connection(
    old: str, new: str, expected: str
) -> None:
    live = live_connection(live_stream("orders", old, namespace="public"))
    change = connection_change({}, live, streams=[{"name": "orders", "syncMode": new}])
    found = {e.name for e in change.effects if e.name in LETTERS}
    assert found == {name for name, letter in LETTERS.items() if letter in expected}
    assert all(e.streams == ("public.orders",) for e in change.effects if e.name in LETTERS)
    assert change.blocked == (expected != "-")


@pytest.mark.parametrize("mode", MODES)
def test_a_stream_that_is_newly_selected_destroys_nothing(mode: str) -> None:
    kept = live_stream("customers")
    change = connection_change(
        {},
        live_connection(kept),
        streams=[
            {"name": "customers", "syncMode": "incremental_append"},
            {"name": "orders", "syncMode": mode},
        ],
    )
    assert {e.name for e in change.effects} == {"accepts-schema"}
    assert not change.blocked


@pytest.mark.parametrize("mode", MODES)
def test_a_deselected_stream_stops_and_loses_nothing_more(mode: str) -> None:
    live = live_connection(live_stream("customers"), live_stream("orders", mode))
    change = connection_change(
        {}, live, streams=[{"name": "customers", "syncMode": "incremental_append"}]
    )
    assert {(e.name, e.streams) for e in change.effects} == {
        ("stops-data", ("orders",)),
        ("accepts-schema", ()),
    }


def is_incremental(mode: str) -> bool:
    return mode.startswith("incremental")


def merges_by_key(mode: str) -> bool:
    return mode in (
        "incremental_deduped_history",
        "incremental_update",
        "incremental_soft_delete",
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_new_cursor_is_inconsistent_under_saved_positions_only(mode: str) -> None:
    own = {"cursorField": "created_at"} if is_incremental(mode) else {}
    live = live_connection(live_stream("orders", mode))
    defaults = {"streamDefaults": {"cursorField": "created_at"}, "prefix": "x_"}
    change = connection_change(
        defaults, live, streams=[{"name": "orders", "syncMode": mode, **own}]
    )
    rules = {e.rule for e in change.effects}
    assert ("cursor-changes" in rules) == is_incremental(mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_new_key_is_inconsistent_where_rows_are_merged_by_it_under_a_saved_position(
    mode: str,
) -> None:
    live = live_connection(live_stream("orders", mode))
    defaults = {"streamDefaults": {"primaryKey": ["id", "shop"]}, "prefix": "x_"}
    change = connection_change(defaults, live, streams=[{"name": "orders", "syncMode": mode}])
    assert ("key-changes" in {e.rule for e in change.effects}) == merges_by_key(mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "moved", [{"prefix": "raw_"}, {"destinationNamespace": {"format": "raw_${SOURCE_NAMESPACE}"}}]
)
def test_moved_tables_leave_history_behind_under_saved_positions_only(
    mode: str, moved: dict[str, object]
) -> None:
    live = live_connection(live_stream("orders", mode))
    change = connection_change(moved, live)
    found = [e for e in change.effects if e.rule == "tables-move"]
    assert [e.streams for e in found] == ([("orders",)] if is_incremental(mode) else [])


def test_tables_that_move_with_a_full_read_stay_whole() -> None:
    live = live_connection(live_stream("orders", "incremental_append"))
    change = connection_change(
        {"prefix": "raw_"}, live, streams=[{"name": "orders", "syncMode": "full_refresh_overwrite"}]
    )
    assert "inconsistent" not in {e.name for e in change.effects}


@pytest.mark.parametrize("mode", MODES)
def test_a_new_object_name_is_a_new_table_under_saved_positions(mode: str) -> None:
    live = live_connection(live_stream("orders", mode))
    stream = {"name": "orders", "syncMode": mode, "destinationObjectName": "Account"}
    change = connection_change({}, live, streams=[stream])
    assert ("table-renamed" in {e.rule for e in change.effects}) == is_incremental(mode)
