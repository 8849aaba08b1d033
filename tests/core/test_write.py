"""What exactly is sent for an update, or why nothing can be (design §6.4)."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core import redact
from reconciler.core.connector import mask_is_restored
from reconciler.core.model import KEEP, MASK, UNSET, Connection, Source, Update
from reconciler.core.planning import Planned, Step
from tests.core.build import (
    ACTORS,
    WORLD,
    connection,
    encryption,
    env,
    git_mapper,
    hashing,
    live_connection,
    live_source,
    live_stream,
    only_change,
    planned,
    source,
)

SIX = "******"


def step(ours: Any, theirs: Any, *, applying: bool = False, **git: Any) -> Step:
    """The one step of a source with `ours` in git and `theirs` live."""
    return only_step(
        planned([source(configuration=ours, **git)], [live_source(theirs)], applying=applying)
    )


def only_step(plan: Planned) -> Step:
    only_change(plan.plan)
    (found,) = plan.steps.values()
    return found


def update(ours: Any, theirs: Any, **git: Any) -> Update:
    found = step(ours, theirs, **git)
    assert found.change.refusals == ()
    assert found.update is not None
    return found.update


def sent(ours: Any, theirs: Any, **git: Any) -> Any:
    """The configuration as it goes out; nothing may be missing in it."""
    spec = update(ours, theirs, **git).spec
    assert isinstance(spec, Source)
    return redact.reveal(spec.configuration)


def refusal(ours: Any, theirs: Any) -> str:
    found = step(ours, theirs)
    assert found.update is None
    (said,) = found.change.refusals
    return said


def leaves_of(value: Any) -> list[Any]:
    return [leaf for _, leaf in redact.leaves(redact.reveal(value))]


# --- sources and destinations --------------------------------------------------------------------


def test_with_every_secret_at_hand_the_whole_object_is_written() -> None:
    ours = {"host": "new", "password": env(value="p-1234567")}
    made = update(ours, {"host": "db", "password": MASK, "database": "old"})
    assert made.whole
    assert made.fields == {"name", "configuration"}
    assert redact.reveal(made.spec.configuration) == {"host": "new", "password": "p-1234567"}  # type: ignore[union-attr]


def test_without_secrets_too() -> None:
    assert update({"host": "new"}, {"host": "db"}).whole


def test_with_a_kept_secret_only_what_changed_is_merged() -> None:
    ours = {
        "host": "new",
        "port": 1,
        "password": KEEP,
        "tunnel": {"method": "Standard", "batch": 2},
    }
    theirs = {
        "host": "db",
        "port": 1,
        "password": MASK,
        "tunnel": {"method": "Standard", "batch": 3},
    }
    made = update(ours, theirs)
    assert not made.whole
    assert made.fields == {"configuration"}
    assert sent(ours, theirs) == {"host": "new", "tunnel": {"batch": 2}}


def test_a_known_secret_that_was_not_compared_is_not_sent_in_a_merge() -> None:
    ours = {"host": "new", "password": KEEP, "vault": {"token": env(value="t-1234567")}}
    theirs = {"host": "db", "password": MASK, "vault": {"token": MASK}}
    assert sent(ours, theirs) == {"host": "new"}


def test_a_new_known_secret_is_sent_in_a_merge() -> None:
    ours = {"host": "db", "password": KEEP, "vault": {"token": env(value="t-1234567")}}
    assert sent(ours, {"host": "db", "password": MASK}) == {"vault": {"token": "t-1234567"}}


def test_a_rename_sends_the_name_alone() -> None:
    made = update({"host": "db"}, {"host": "db"}, name="Shop", metadata={"previousNames": ["shop"]})
    assert (made.fields, made.whole) == ({"name"}, False)


def test_a_rename_with_a_kept_secret_and_a_change_sends_both() -> None:
    ours = {"host": "new", "password": KEEP}
    git = {"name": "Shop", "metadata": {"previousNames": ["shop"]}}
    made = update(ours, {"host": "db", "password": MASK}, **git)
    assert (made.fields, made.whole) == ({"name", "configuration"}, False)


def test_a_removed_key_beside_a_kept_secret_is_a_whole_write_with_masks() -> None:
    ours = {"host": "db", "password": KEEP}
    made = update(ours, {"host": "db", "database": "x", "password": MASK})
    assert made.whole
    assert made.spec.configuration == {"host": "db", "password": KEEP}  # type: ignore[union-attr]


def test_a_removed_key_is_refused_where_nothing_proves_that_the_secret_is_restored() -> None:
    ours = {"host": "db", "keys": [{"name": "a", "secret": KEEP}]}
    theirs = {"host": "db", "database": "x", "keys": [{"name": "a", "secret": MASK}]}
    assert refusal(ours, theirs) == (
        "only a full write could do this, and nothing proves that Airbyte would restore "
        "/configuration/keys/0/secret (${keep}): set it from ${env:…}"
    )


def test_a_changed_list_around_a_kept_secret_is_refused() -> None:
    ours = {"host": "db", "keys": [{"name": "b", "secret": KEEP}]}
    theirs = {"host": "db", "keys": [{"name": "a", "secret": MASK}]}
    assert "/configuration/keys/0/secret" in refusal(ours, theirs)


def test_another_form_around_a_kept_secret_is_an_error() -> None:
    plan = planned(
        [source(configuration={"host": "db", "tunnel": {"method": "Key", "password": KEEP}})],
        [
            live_source(
                {"host": "db", "tunnel": {"method": "Tunnel", "user": "u", "password": MASK}}
            )
        ],
    ).plan
    assert [d.code for d in plan.diagnostics] == ["keep-without-secret"]
    assert plan.errored


def test_a_form_switched_elsewhere_keeps_the_secret_by_a_whole_write() -> None:
    ours = {"host": "db", "password": KEEP, "tunnel": {"method": "Standard"}}
    theirs = {
        "host": "db",
        "password": MASK,
        "tunnel": {"method": "Key", "password": MASK},
    }
    assert update(ours, theirs).whole


def test_an_object_that_becomes_a_scalar_is_a_whole_write() -> None:
    ours = {"host": "db", "password": KEEP, "options": "none"}
    assert update(ours, {"host": "db", "password": MASK, "options": {"a": 1}}).whole


def test_a_scalar_that_becomes_an_object_is_merged() -> None:
    ours = {"host": "db", "password": KEEP, "options": {"a": 1}}
    theirs = {"host": "db", "password": MASK, "options": "none"}
    assert not update(ours, theirs).whole
    assert sent(ours, theirs) == {"options": {"a": 1}}


def test_a_changed_list_without_kept_secrets_is_merged_whole() -> None:
    ours = {"host": "db", "password": KEEP, "options": {"l": [2, 1]}}
    theirs = {"host": "db", "password": MASK, "options": {"l": [1, 2]}}
    assert sent(ours, theirs) == {"options": {"l": [2, 1]}}


def test_the_servers_own_value_is_never_sent() -> None:
    ours = {"host": "new"}
    theirs = {"host": "db", "token": SIX}
    assert sent(ours, theirs) == {"host": "new"}
    assert not update(ours, theirs).whole


def test_a_whole_write_that_would_drop_the_servers_own_value_is_refused() -> None:
    assert "the server's own" in refusal({"host": "db"}, {"host": "db", "x": 1, "token": SIX})


def test_an_ignored_path_is_written_with_its_live_value() -> None:
    git = {"lifecycle": {"ignoreChanges": ["/configuration/database", "/configuration/options"]}}
    ours = {"host": "new", "database": "ours"}
    theirs = {"host": "db", "database": "theirs", "options": {"a": 1}}
    assert sent(ours, theirs, **git) == {
        "host": "new",
        "database": "theirs",
        "options": {"a": 1},
    }


def test_an_ignored_path_in_a_list_is_written_with_its_live_value() -> None:
    git = {"lifecycle": {"ignoreChanges": ["/configuration/keys/0/name"]}}
    ours = {"host": "new", "keys": [{"name": "ours"}]}
    theirs = {"host": "db", "keys": [{"name": "theirs"}]}
    assert sent(ours, theirs, **git)["keys"] == [{"name": "theirs"}]


def test_an_ignored_path_that_is_not_live_is_not_written() -> None:
    git = {"lifecycle": {"ignoreChanges": ["/configuration/database"]}}
    assert sent({"host": "new", "database": "ours"}, {"host": "db"}, **git) == {"host": "new"}


def test_an_ignored_secret_is_kept() -> None:
    git = {"lifecycle": {"ignoreChanges": ["/configuration/password"]}}
    ours = {"host": "new", "password": env(value="p-1234567")}
    assert sent(ours, {"host": "db", "password": MASK}, **git) == {"host": "new"}


def test_an_ignored_name_stays_in_a_whole_write() -> None:
    git = {"name": "ours", "metadata": {"previousNames": ["shop"]}}
    lifecycle = {"ignoreChanges": ["/name"]}
    made = update({"host": "new"}, {"host": "db"}, **git, lifecycle=lifecycle)
    assert (made.whole, made.spec.name) == (True, "shop")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"host": "new", "password": KEEP}, {"host": "db", "password": MASK}),
        ({"host": "db", "password": KEEP}, {"host": "db", "a": 1, "password": MASK}),
        ({"host": "new"}, {"host": "db", "token": SIX}),
        ({"host": "new", "password": env(value="p-1234567")}, {"host": "db", "password": MASK}),
    ],
)
def test_no_update_holds_a_mask_as_a_value(ours: Any, theirs: Any) -> None:
    made = update(ours, theirs)
    leaves = leaves_of(made.spec.configuration)  # type: ignore[union-attr]
    assert MASK not in leaves
    assert SIX not in leaves
    assert made.whole or KEEP not in leaves


# --- secrets that this run does not have ---------------------------------------------------------


def test_an_unset_secret_refuses_at_apply_the_change_that_sends_it() -> None:
    ours, theirs = {"host": "new", "password": env()}, {"host": "db", "password": MASK}
    assert step(ours, theirs).change.refusals == ()
    assert step(ours, theirs, applying=True).change.refusals == (
        "not set in this environment: ${env:SHOP_PG_PASSWORD}",
    )


def test_an_unset_secret_does_not_refuse_a_rename() -> None:
    found = step(
        {"host": "db", "password": env()},
        {"host": "db", "password": MASK},
        applying=True,
        name="Shop",
        metadata={"previousNames": ["shop"]},
    )
    assert found.change.refusals == ()


def test_an_unset_secret_does_not_refuse_a_merge_without_it() -> None:
    ours = {"host": "new", "password": KEEP, "vault": {"token": env()}}
    theirs = {"host": "db", "password": MASK, "vault": {"token": MASK}}
    assert step(ours, theirs, applying=True).change.refusals == ()


def test_an_unset_secret_refuses_a_create() -> None:
    plan = planned([source(configuration={"host": "db", "password": env()})], applying=True).plan
    assert only_change(plan).blocked


def test_an_unset_key_refuses_streams_and_nothing_else() -> None:
    stream = {
        "name": "orders",
        "syncMode": "incremental_append",
        "mappers": [git_mapper(encryption(), key=env("KEY"))],
    }
    live = live_connection(live_stream(mappers=[encryption()]))
    other = {**stream, "cursorField": "id"}

    def refusals(streams: list[Any], **git: Any) -> tuple[str, ...]:
        documents = [*ACTORS(), connection(streams=streams, **git)]
        return only_change(planned(documents, [*WORLD, live], applying=True).plan).refusals

    assert refusals([other]) == ("not set in this environment: ${env:KEY}",)
    assert refusals([stream], prefix="x_") == ()


# --- what the server restores (PUB §3.4) ---------------------------------------------------------

SECRET = {"type": "string", "airbyte_secret": True}
FORM_A = {
    "properties": {"kind": {"const": "a"}, "key": SECRET},
    "required": ["kind", "key"],
}
FORM_B = {
    "properties": {"kind": {"const": "b"}, "other": {"type": "string"}},
    "required": ["kind"],
}


@pytest.mark.parametrize(
    ("name", "spec", "value", "path", "restored"),
    [
        ("top level", {"properties": {"key": SECRET}}, {"key": MASK}, "key", True),
        (
            "nested object",
            {"properties": {"o": {"properties": {"key": SECRET}}}},
            {"o": {"key": MASK}},
            "o.key",
            True,
        ),
        ("form that fits", {"oneOf": [FORM_A, FORM_B]}, {"kind": "a", "key": MASK}, "key", True),
        ("form that does not fit", {"oneOf": [FORM_A]}, {"kind": "b", "key": MASK}, "key", False),
        (
            "form below properties",
            {"properties": {"o": {"anyOf": [FORM_A, FORM_B]}}},
            {"o": {"kind": "a", "key": MASK}},
            "o.key",
            True,
        ),
        (
            "property beside a combination",
            {"properties": {"key": SECRET}, "oneOf": [FORM_B]},
            {"kind": "b", "key": MASK},
            "key",
            False,
        ),
        (
            "two combinations",
            {"oneOf": [FORM_A], "anyOf": [FORM_A]},
            {"kind": "a", "key": MASK},
            "key",
            False,
        ),
        (
            "list",
            {"properties": {"l": {"items": {"properties": {"key": SECRET}}}}},
            {"l": [{"key": MASK}]},
            "l.0.key",
            False,
        ),
        ("not marked", {"properties": {"key": {"type": "string"}}}, {"key": MASK}, "key", False),
        (
            "marked, but not true",
            {"properties": {"key": {"airbyte_secret": False}}},
            {"key": MASK},
            "key",
            False,
        ),
        ("unknown key", {"properties": {}}, {"key": MASK}, "key", False),
        ("no spec", None, {"key": MASK}, "key", False),
    ],
)
def test_a_mask_is_put_back_only_where_that_is_proven(
    name: str, spec: Any, value: Any, path: str, restored: bool
) -> None:
    assert mask_is_restored(spec, value, path.split(".")) is restored


# --- connections ---------------------------------------------------------------------------------


def connection_update(live: Any, streams: Any = UNSET, **git: Any) -> Update:
    found = only_step(planned([*ACTORS(), connection(streams=streams, **git)], [*WORLD, live]))
    assert found.update is not None
    return found.update


def merged_streams(made: Update) -> Any:
    assert isinstance(made.spec, Connection)
    return made.spec.streams


ORDERS = {"name": "orders", "syncMode": "incremental_append"}


def test_only_changed_fields_of_a_connection_are_sent() -> None:
    live = live_connection(live_stream())
    assert connection_update(live, [ORDERS], prefix="x_").fields == {"prefix"}
    assert connection_update(live, destinationNamespace="destination").fields == {"namespace"}


def test_streams_are_sent_complete_with_what_git_is_silent_about() -> None:
    kept = live_stream("customers", mappers=[hashing()], columns=["id", "email", "updated_at"])
    live = live_connection(live_stream(), kept)
    streams = [{**ORDERS, "cursorField": "id"}, {**ORDERS, "name": "customers"}]
    made = connection_update(live, streams)
    assert made.fields == {"streams"}
    assert merged_streams(made) == (live_stream(cursor=["id"]), kept)


def test_mappers_go_back_under_their_ids() -> None:
    live = live_connection(
        live_stream(mappers=[hashing(), encryption(), hashing("phone", mapper_id="m-7")])
    )
    mappers = [
        git_mapper(hashing("phone")),
        git_mapper(encryption(), key=KEEP),
        git_mapper(hashing("name")),
    ]
    (stream,) = merged_streams(connection_update(live, [{**ORDERS, "mappers": mappers}]))
    assert [mapper.id for mapper in stream.mappers] == ["m-7", "m-2", None]
    assert stream.mappers[1].config["key"] is KEEP


def test_a_kept_key_without_a_live_mapper_is_an_error() -> None:
    mappers = [git_mapper(encryption(), key=KEEP)]
    for live in ([], [hashing()], [encryption("other")], [replace(encryption(), config={})]):
        plan = planned(
            [*ACTORS(), connection(streams=[{**ORDERS, "mappers": mappers}])],
            [*WORLD, live_connection(live_stream(mappers=live))],
        ).plan
        assert [d.code for d in plan.diagnostics] == ["keep-without-secret"]
        assert plan.diagnostics[0].pointer == "/spec/streams/0/mappers/0/key"


def test_a_masked_key_equals_any_that_git_gives() -> None:
    live = live_connection(live_stream(mappers=[encryption()]))
    for key in (KEEP, env("KEY", "k-1234567"), env("KEY")):
        streams = [{**ORDERS, "mappers": [git_mapper(encryption(), key=key)]}]
        plan = planned([*ACTORS(), connection(streams=streams)], [*WORLD, live]).plan
        assert plan.changes == ()
        (hidden,) = plan.not_covered.secrets
        assert hidden.pointer == "/streams[orders]/mappers/0/key"


def test_a_key_that_a_server_shows_is_compared_unseen() -> None:
    live = live_connection(live_stream(mappers=[encryption(key="k-shown-by-the-server")]))
    same = env("KEY", "k-shown-by-the-server")
    streams = [{**ORDERS, "mappers": [git_mapper(encryption(), key=same)]}]
    assert planned([*ACTORS(), connection(streams=streams)], [*WORLD, live]).plan.changes == ()
    streams = [{**ORDERS, "mappers": [git_mapper(encryption(), key=env("KEY", "other-1234"))]}]
    plan = planned([*ACTORS(), connection(streams=streams)], [*WORLD, live]).plan
    assert only_change(plan).fields[0].secret
    assert "k-shown-by-the-server" not in repr(plan)


def test_under_propagate_columns_live_columns_beyond_the_list_are_carried_over() -> None:
    live = live_connection(live_stream(columns=["id", "new"]), schema_changes="propagate_columns")
    streams = [{**ORDERS, "columns": ["id"]}]
    plan = planned([*ACTORS(), connection(streams=streams)], [*WORLD, live]).plan
    assert plan.changes == ()
    assert [(u.field, u.count) for u in plan.not_covered.unstated if "streams" in u.field] == [
        ("streams.columns", 1),
        ("streams.cursorField", 1),
        ("streams.primaryKey", 1),
    ]
    (stream,) = merged_streams(connection_update(live, [{**streams[0], "cursorField": "id"}]))
    assert stream.columns.names == ("id", "new")


def test_under_propagate_fully_live_streams_beyond_the_list_are_carried_over() -> None:
    beyond = live_stream("new_one")
    live = live_connection(live_stream(), beyond, schema_changes="propagate_fully")
    plan = planned([*ACTORS(), connection(streams=[ORDERS])], [*WORLD, live]).plan
    assert plan.changes == ()
    assert ("streams", 1) in [(u.field, u.count) for u in plan.not_covered.unstated]
    made = connection_update(live, [{**ORDERS, "cursorField": "id"}])
    assert merged_streams(made) == (live_stream(cursor=["id"]), beyond)


def test_under_propagate_columns_streams_beyond_the_list_are_deselected() -> None:
    live = live_connection(live_stream(), live_stream("more"), schema_changes="propagate_columns")
    made = connection_update(live, [ORDERS])
    assert [stream.name for stream in merged_streams(made)] == ["orders"]


def test_a_live_mode_without_a_name_refuses_to_write_the_list() -> None:
    live = live_connection(
        live_stream("odd", None), live_stream(), schema_changes="propagate_fully"
    )
    streams = [{**ORDERS, "cursorField": "id"}]
    found = only_step(planned([*ACTORS(), connection(streams=streams)], [*WORLD, live]))
    assert found.update is None
    assert found.change.refusals[0].startswith("stream 'odd' has a sync mode")
    assert connection_update(live, prefix="x_").fields == {"prefix"}


def test_columns_that_except_leaves_are_resolved_while_they_are_written() -> None:
    streams = [{**ORDERS, "columns": {"except": ["ssn"]}}]
    for live in ([live_connection(live_stream())], []):
        found = only_step(planned([*ACTORS(), connection(streams=streams)], [*WORLD, *live]))
        assert found.change.refusals == ()


def test_a_live_list_without_the_excluded_columns_is_what_except_leaves() -> None:
    """Nobody has to ask the source to see that git is satisfied."""
    streams = [{**ORDERS, "columns": {"except": ["ssn"]}}]
    live = live_connection(live_stream(columns=("email", "id")))
    assert planned([*ACTORS(), connection(streams=streams)], [*WORLD, live]).plan.changes == ()


def test_what_git_excludes_never_stays_under_propagation() -> None:
    """PUB-T 21 lets Airbyte add columns, and not these."""
    streams = [{**ORDERS, "columns": {"except": ["ssn"]}}]
    shown = live_stream(columns=("email", "id", "ssn"))
    live = live_connection(shown, schema_changes="propagate_columns")
    made = connection(streams=streams, schemaChanges="propagate_columns")
    (change,) = planned([*ACTORS(), made], [*WORLD, live]).plan.changes
    (field,) = change.fields
    assert (field.before, field.after) == (["email", "id", "ssn"], ["email", "id"])


def test_an_ignored_field_of_a_connection_stays_live_in_what_is_written() -> None:
    live = live_connection(live_stream(), prefix="live_")
    git = {"lifecycle": {"ignoreChanges": ["/prefix"]}, "prefix": "git_", "tags": ["gold"]}
    made = connection_update(live, **git)
    assert made.fields == {"tags"}
    assert isinstance(made.spec, Connection)
    assert made.spec.prefix == "live_"
