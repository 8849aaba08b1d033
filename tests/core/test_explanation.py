"""One resource field by field: what git says and where, what is live, and how the two stand."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.claim import claim
from reconciler.core.diagnostics import Span
from reconciler.core.explanation import Row, explain_resource
from reconciler.core.model import (
    KEEP,
    MASK,
    UNSET,
    Address,
    Document,
    LiveObject,
    Schedule,
)
from tests.core.build import (
    ACTORS,
    DEFINITIONS,
    LAKE,
    MYSQL,
    POSTGRES,
    SOURCE_ID,
    TARGET,
    WORLD,
    absent,
    connection,
    desired_of,
    destination,
    encryption,
    env,
    git_mapper,
    hashing,
    live_connection,
    live_destination,
    live_of,
    live_source,
    live_stream,
    source,
)

OTHER_ID = "aaaaaaaa-0000-4000-8000-000000000002"
ORDERS: dict[str, Any] = {"name": "orders", "syncMode": "incremental_append"}


def explained(
    documents: Iterable[Document],
    objects: Iterable[LiveObject],
    address: str,
    *,
    api: str = "public",
    definitions: Any = DEFINITIONS,
) -> dict[str, Row]:
    """The rows by field; fails where a field has two."""
    desired = desired_of(*documents)
    live = replace(live_of(*objects), definitions=tuple(definitions))
    claims, _ = claim(desired, live, TARGET)
    found = explain_resource(desired.resources[Address.parse(address)], live, claims, api)
    assert len({row.field for row in found}) == len(found)
    return {row.field: row for row in found}


def of_source(git: Any, *live: LiveObject, **more: Any) -> dict[str, Row]:
    return explained([source(configuration=git)], live, "source/shop", **more)


def of_configuration(git: Any, stored: Any) -> dict[str, tuple[Any, Any, str]]:
    rows = of_source(git, live_source(stored))
    return {
        field.removeprefix("/configuration/"): (row.git, row.live, row.standing)
        for field, row in rows.items()
        if field.startswith("/configuration")
    }


def of_connection(document: Document, *live: LiveObject, api: str = "public") -> dict[str, Row]:
    objects = [*WORLD, *live]
    return explained([*ACTORS(), document], objects, "connection/shop-to-lake", api=api)


def of_stream(git: Any, *live: Any, **spec: Any) -> dict[str, tuple[Any, Any, str]]:
    """The rows of the streams, by what follows `/streams`."""
    rows = of_connection(connection(streams=git, **spec), live_connection(*live))
    return {
        field.removeprefix("/streams"): (row.git, row.live, row.standing)
        for field, row in rows.items()
        if field.startswith("/streams")
    }


def changed(live: LiveObject, **fields: Any) -> LiveObject:
    return replace(live, spec=replace(live.spec, **fields))


# --- Sources and destinations ----------------------------------------------------------------


def test_an_actor_is_told_by_name_connector_and_each_leaf_of_its_configuration_in_order() -> None:
    git = {"port": 1, "host": "db", "keys": [{"name": "b"}, {"name": "a"}]}
    assert list(of_source(git, live_source({"database": "x"}))) == [
        "/name",
        "/connector",
        "/configuration/database",
        "/configuration/host",
        "/configuration/keys/0/name",
        "/configuration/keys/1/name",
        "/configuration/port",
    ]


def test_a_destination_is_told_as_a_source_is() -> None:
    rows = explained([destination()], [live_destination({"bucket": "c"})], "destination/lake")
    assert {field: row.standing for field, row in rows.items()} == {
        "/name": "same",
        "/connector": "same",
        "/configuration/bucket": "differs",
    }
    assert rows["/connector"].git == LAKE.id


def test_what_is_to_be_absent_has_no_fields() -> None:
    assert explained([absent("source", "shop")], [live_source()], "source/shop") == {}


@pytest.mark.parametrize(
    ("git", "live", "standing"),
    [
        ("db", "db", "same"),
        ("db", "other", "differs"),
        (5432, 5432.0, "same"),
        (1, True, "differs"),
        (0, False, "differs"),
        ("1", 1, "differs"),
        (None, None, "same"),
        (None, "", "differs"),
        ([], [], "same"),
    ],
)
def test_values_are_compared_with_their_types(git: Any, live: Any, standing: str) -> None:
    found = of_configuration({"host": "db", "options": {"x": git}}, {"options": {"x": live}})
    assert found["options/x"] == (git, live, standing)


def test_what_git_alone_has_is_missing_and_what_live_alone_has_is_not_stated() -> None:
    found = of_configuration({"host": "db"}, {"database": "shop"})
    assert found == {
        "database": (UNSET, "shop", "not stated"),
        "host": ("db", UNSET, "missing"),
    }


def test_where_nothing_is_live_all_is_missing_and_no_live_value_is_shown() -> None:
    git = {"host": "db", "password": env(), "vault": {"token": KEEP}, "keys": [{"secret": "abc"}]}
    rows = of_source(git)
    assert {row.standing for row in rows.values()} == {"missing"}
    assert {row.live for row in rows.values()} == {UNSET}
    assert {field: row.git for field, row in rows.items()} == {
        "/name": "shop",
        "/connector": POSTGRES.id,
        "/configuration/host": "db",
        "/configuration/keys/0/secret": "(secret)",
        "/configuration/password": "${env:SHOP_PG_PASSWORD}",
        "/configuration/vault/token": "${keep}",
    }


def test_an_empty_configuration_has_no_row_of_its_own() -> None:
    document = source()
    document.data["spec"]["configuration"].clear()
    rows = explained([document], [], "source/shop")
    assert list(rows) == ["/name", "/connector"]


def test_keys_stand_in_pointers_as_json_pointers_have_them() -> None:
    found = of_configuration({"options": {"a/b": 1, "c~d": 2}}, {"options": {"a/b": 1}})
    assert found["options/a~1b"] == (1, 1, "same")
    assert found["options/c~0d"] == (2, UNSET, "missing")


def test_each_field_that_git_states_has_its_place_and_no_other_has_one() -> None:
    rows = of_source(
        {"tunnel": {"user": "u"}}, live_source({"host": "db", "tunnel": {"user": "u"}})
    )
    assert {field: row.span for field, row in rows.items()} == {
        "/name": Span("sources/shop.yaml", 3, 1),
        "/connector": Span("sources/shop.yaml", 3, 1),
        "/configuration/host": None,
        "/configuration/tunnel/user": Span("sources/shop.yaml", 5, 1),
    }


def test_the_name_that_airbyte_shows_is_what_is_compared() -> None:
    document = source(name="PostgreSQL - Shop", metadata={"ids": {TARGET: SOURCE_ID}})
    row = explained([document], [live_source()], "source/shop")["/name"]
    assert (row.git, row.live, row.standing) == ("PostgreSQL - Shop", "shop", "differs")


@pytest.mark.parametrize("written", ["postgres", "airbyte/source-postgres", "Shop Postgres"])
def test_a_connector_is_compared_by_its_id_however_git_calls_it(written: str) -> None:
    rows = explained([source(connector=written)], [live_source()], "source/shop")
    assert rows["/connector"].git == POSTGRES.id
    assert rows["/connector"].standing == "same"
    rows = explained([source(connector=written)], [live_source(connector=MYSQL.id)], "source/shop")
    assert (rows["/connector"].live, rows["/connector"].standing) == (MYSQL.id, "differs")


@pytest.mark.parametrize(
    "definitions",
    [(), (LAKE,), (POSTGRES, replace(POSTGRES, id=OTHER_ID))],
    ids=["none known", "of the other kind", "ambiguous"],
)
def test_a_connector_that_means_no_single_one_is_shown_as_git_writes_it(definitions: Any) -> None:
    rows = of_source({"host": "db"}, live_source(), definitions=definitions)
    assert rows["/connector"].git == "postgres"
    assert rows["/connector"].standing == "differs"


# --- Secrets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("git", "stored", "row"),
    [
        (env(value="hunter2hunter2"), MASK, ("${env:SHOP_PG_PASSWORD}", "not comparable")),
        (env(), "visible-secret", ("${env:SHOP_PG_PASSWORD}", "not comparable")),
        (env(value="visible-secret"), "visible-secret", ("${env:SHOP_PG_PASSWORD}", "same")),
        (env(value="hunter2hunter2"), "visible-secret", ("${env:SHOP_PG_PASSWORD}", "differs")),
        ("visible-secret", "visible-secret", ("(secret)", "same")),
        ("hunter2hunter2", "visible-secret", ("(secret)", "differs")),
        ("hunter2hunter2", MASK, ("(secret)", "not comparable")),
        (KEEP, MASK, ("${keep}", "not comparable")),
        (KEEP, "visible-secret", ("${keep}", "differs")),
        (env(), UNSET, ("${env:SHOP_PG_PASSWORD}", "missing")),
        (KEEP, UNSET, ("${keep}", "missing")),
        (UNSET, MASK, (UNSET, "not stated")),
        (UNSET, "visible-secret", (UNSET, "not stated")),
    ],
)
def test_how_a_secret_stands(git: Any, stored: Any, row: tuple[Any, str]) -> None:
    ours = {"host": "db"} | ({} if git is UNSET else {"password": git})
    theirs = {"host": "db"} | ({} if stored is UNSET else {"password": stored})
    found = of_configuration(ours, theirs)["password"]
    assert (found[0], found[2]) == row
    assert (found[1] is UNSET) == (stored is UNSET)
    assert not {"hunter2hunter2", "visible-secret", MASK} & {found[0], found[1]}


def test_a_secret_of_git_is_hidden_wherever_live_shows_it() -> None:
    for password in (env(value="hunter2hunter2"), "hunter2hunter2"):
        found = of_configuration(
            {"host": "db", "password": password},
            {"host": "hunter2hunter2", "password": MASK, "options": {"url": "hunter2hunter2"}},
        )
        assert found["host"] == ("db", "(secret)", "differs")
        assert found["options/url"] == (UNSET, "(secret)", "not stated")


def test_a_secret_inside_a_list_is_hidden_on_both_sides() -> None:
    found = of_configuration(
        {"keys": [{"name": "a", "secret": "hunter2hunter2"}]},
        {"keys": [{"name": "a", "secret": "visible-secret"}]},
    )
    assert found["keys/0/name"] == ("a", "a", "same")
    assert found["keys/0/secret"] == ("(secret)", "(another secret)", "differs")


def test_a_secret_that_is_a_whole_tree_stays_hidden_part_by_part() -> None:
    key = env(value={"id": "user-of-the-key", "pem": "hunter2hunter2"})
    found = of_configuration({"options": key}, {"options": {"id": "user-of-the-key", "pem": MASK}})
    label = "${env:SHOP_PG_PASSWORD}"
    assert found == {
        "options/id": (label, label, "same"),
        "options/pem": (label, label, "not comparable"),
    }


def test_a_kept_secret_whose_place_holds_something_else_differs() -> None:
    found = of_configuration({"options": {"token": KEEP}}, {"options": {"token": {"a": "bcdefgh"}}})
    assert found["options/token"] == ("${keep}", "(secret)", "differs")
    found = of_configuration({"options": {"token": KEEP}}, {"options": {"token_url": "x"}})
    assert found["options/token"] == ("${keep}", UNSET, "missing")


def test_without_a_specification_what_looks_like_a_secret_is_hidden() -> None:
    git, stored = {"password": "hunter2hunter2"}, {"password": "visible-secret"}
    rows = of_source(git, live_source(stored), definitions=())
    assert rows["/configuration/password"].git == "(secret)"
    assert rows["/configuration/password"].live == "(another secret)"


def test_the_specification_of_one_of_several_connectors_tells_nothing() -> None:
    plain = replace(POSTGRES, spec={"properties": {"password": {"type": "string"}}})
    git = {"password": "hunter2hunter2"}
    shown = of_source(git, live_source(git), definitions=[plain])["/configuration/password"]
    assert shown.git == "hunter2hunter2"
    several = [plain, replace(plain, id=OTHER_ID)]
    hidden = of_source(git, live_source(git), definitions=several)["/configuration/password"]
    assert (hidden.git, hidden.live, hidden.standing) == ("(secret)", "(secret)", "same")


def test_what_the_server_holds_for_itself_is_not_told() -> None:
    assert list(of_configuration({"host": "db"}, {"host": "db", "database": "******"})) == ["host"]


# --- Connections -----------------------------------------------------------------------------

FIELDS = [
    "/name",
    "/source",
    "/destination",
    "/status",
    "/schedule",
    "/destinationNamespace",
    "/prefix",
    "/schemaChanges",
    "/backfillPreference",
    "/notifySchemaChanges",
    "/resourceRequirements",
    "/tags",
]
ONLY_CONFIG = ["/backfillPreference", "/notifySchemaChanges", "/resourceRequirements"]


def test_a_connection_is_told_field_by_field_and_then_stream_by_stream() -> None:
    rows = of_connection(connection(), live_connection(live_stream("b"), live_stream("a")))
    assert list(rows) == FIELDS + [
        f"/streams[{name}]/{field}"
        for name in "ab"
        for field in ("syncMode", "cursorField", "primaryKey", "columns", "mappers")
    ]


STATED: list[tuple[str, Any, dict[str, Any], Any, Any]] = [
    ("status", "inactive", {"status": "active"}, "inactive", "active"),
    ("prefix", "raw_", {"prefix": ""}, "raw_", ""),
    ("schemaChanges", "disable", {"schema_changes": "ignore"}, "disable", "ignore"),
    (
        "schedule",
        {"every": "6 hours"},
        {"schedule": Schedule(cron="0 0 1 * * ?")},
        {"every": "6 hours"},
        {"cron": "0 0 1 * * ?", "timezone": "UTC"},
    ),
    ("tags", ["gold", "a"], {"tags": ("silver",)}, ["a", "gold"], ["silver"]),
]


@pytest.mark.parametrize(("name", "value", "live", "git", "there"), STATED)
def test_a_field_that_git_states_is_compared_and_one_it_does_not_is_not(
    name: str, value: Any, live: dict[str, Any], git: Any, there: Any
) -> None:
    stored = live_connection(**live)
    row = of_connection(connection(**{name: value}), stored)[f"/{name}"]
    assert (row.git, row.live, row.standing) == (git, there, "differs")
    row = of_connection(connection(), stored)[f"/{name}"]
    assert (row.git, row.live, row.standing, row.span) == (UNSET, there, "not stated", None)


def test_the_same_in_another_spelling_is_the_same() -> None:
    document = connection(schedule={"cron": "0 0 6 ? * mon"}, tags=["b", "a"], status="active")
    stored = live_connection(
        schedule=Schedule(cron="0  0 6 ? *  MON", timezone="Etc/UTC"), tags=("a", "b")
    )
    rows = of_connection(document, stored)
    assert {rows[at].standing for at in ("/schedule", "/tags", "/status", "/name")} == {"same"}


def test_a_connection_that_is_not_live_misses_what_git_states_and_the_rest_is_open() -> None:
    rows = of_connection(connection(prefix="p", streams=[ORDERS]))
    missing = {field for field, row in rows.items() if row.standing == "missing"}
    assert missing == {
        "/name",
        "/source",
        "/destination",
        "/destinationNamespace",
        "/prefix",
        "/streams[orders]/syncMode",
    }
    assert {row.live for row in rows.values()} == {UNSET}
    assert rows["/status"].standing == "not stated"  # what a new one gets is not what git says
    assert {row.git for field, row in rows.items() if field not in missing} == {UNSET}


def test_ends_that_are_managed_here_are_told_by_address() -> None:
    rows = of_connection(connection(), live_connection())
    assert (rows["/source"].git, rows["/source"].live) == ("source/shop", "source/shop")
    assert rows["/destination"].live == "destination/lake"
    assert rows["/destination"].standing == "same"


def test_an_end_that_nobody_manages_is_told_by_its_id() -> None:
    other = live_source(name="other", object_id=OTHER_ID)
    rows = of_connection(connection(), other, live_connection(source=OTHER_ID))
    row = rows["/source"]
    assert (row.git, row.live, row.standing) == ("source/shop", OTHER_ID, "differs")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"name": "other"}, OTHER_ID),
        ({"id": OTHER_ID.upper()}, OTHER_ID),
        ({"name": "shop"}, "source/shop"),
        ({"id": SOURCE_ID}, "source/shop"),
        ({"name": "nothing"}, "source named 'nothing'"),
    ],
)
def test_a_reference_by_name_or_id_is_told_as_what_it_means(written: Any, told: str) -> None:
    other = live_source(name="other", object_id=OTHER_ID)
    rows = of_connection(connection(source=written), other, live_connection())
    assert rows["/source"].git == told
    assert rows["/source"].standing == ("same" if told == "source/shop" else "differs")


def test_what_only_the_other_api_has_is_not_readable_whatever_git_says() -> None:
    document = connection(notifySchemaChanges=True, resourceRequirements={})
    rows = of_connection(document, live_connection())
    assert [field for field, row in rows.items() if row.standing == "not readable"] == ONLY_CONFIG
    assert {rows[field].live for field in ONLY_CONFIG} == {UNSET}
    assert rows["/notifySchemaChanges"].git is True
    assert rows["/notifySchemaChanges"].span == Span("connections/shop-to-lake.yaml", 3, 1)
    assert rows["/backfillPreference"].git is UNSET


def test_the_api_that_has_them_reads_them() -> None:
    document = connection(notifySchemaChanges=True, resourceRequirements={"cpu_limit": "2"})
    stored = changed(
        live_connection(),
        notify_schema_changes=False,
        backfill="disabled",
        resource_requirements={"cpu_limit": "2"},
    )
    rows = of_connection(document, stored, api="config")
    found = {field: (rows[field].git, rows[field].live) for field in ONLY_CONFIG}
    assert found == {
        "/backfillPreference": (UNSET, "disabled"),
        "/notifySchemaChanges": (True, False),
        "/resourceRequirements": ({"cpu_limit": "2"}, {"cpu_limit": "2"}),
    }
    assert [rows[field].standing for field in ONLY_CONFIG] == ["not stated", "differs", "same"]


@pytest.mark.parametrize(
    ("git", "live", "row"),
    [
        ({}, {"cpu_limit": "1"}, ({}, {"cpu_limit": "1"}, "differs")),
        ({}, {}, ({}, {}, "same")),
        ({}, UNSET, ({}, {}, "same")),
        ({"cpu_limit": "1"}, {}, ({"cpu_limit": "1"}, {}, "differs")),
        (UNSET, {"cpu_limit": "1"}, (UNSET, {"cpu_limit": "1"}, "not stated")),
    ],
)
def test_an_empty_object_that_clears_is_stated(git: Any, live: Any, row: Any) -> None:
    document = connection(**({} if git is UNSET else {"resourceRequirements": git}))
    stored = changed(live_connection(), resource_requirements=live)
    found = of_connection(document, stored, api="config")["/resourceRequirements"]
    assert (found.git, found.live, found.standing) == row


# --- Streams ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "git", "stored", "row"),
    [
        ("syncMode", "full_refresh_append", {}, ("full_refresh_append", "incremental_append")),
        ("cursorField", "id", {"cursor": ["updated_at"]}, (["id"], ["updated_at"])),
        ("primaryKey", ["a", "b"], {"key": ["b", "a"]}, ([["a"], ["b"]], [["b"], ["a"]])),
        ("columns", ["b", "id", "updated_at"], {}, (["b", "id", "updated_at"], "all")),
        ("columns", "all", {"columns": ["b"]}, ("all", ["b"])),
        ("destinationObjectName", "t", {"object_name": "u"}, ("t", "u")),
    ],
)
def test_a_field_of_a_stream_is_compared_where_git_states_it(
    field: str, git: Any, stored: dict[str, Any], row: tuple[Any, Any]
) -> None:
    found = of_stream([{**ORDERS, field: git}], live_stream(**stored))
    assert found[f"[orders]/{field}"] == (*row, "differs")
    if field != "syncMode":
        found = of_stream([ORDERS], live_stream(**stored))
        assert found[f"[orders]/{field}"] == (UNSET, row[1], "not stated")


def test_the_fields_of_a_stream_have_an_order_of_their_own() -> None:
    git = {"destinationObjectName": "t", "mappers": [], "columns": "all", **ORDERS}
    assert list(of_stream([git], live_stream())) == [
        "[orders]/syncMode",
        "[orders]/cursorField",
        "[orders]/primaryKey",
        "[orders]/columns",
        "[orders]/mappers",
        "[orders]/destinationObjectName",
    ]


@pytest.mark.parametrize(
    ("git", "live", "row"),
    [
        (True, True, (True, True, "same")),
        (True, False, (True, False, "differs")),
        (False, True, (False, True, "differs")),
        (False, False, (False, False, "same")),
        (UNSET, True, (UNSET, True, "not stated")),
        (UNSET, False, None),
    ],
)
def test_whether_files_go_along(git: Any, live: bool, row: Any) -> None:
    stream = {**ORDERS} if git is UNSET else {**ORDERS, "includeFiles": git}
    found = of_stream([stream], replace(live_stream(), include_files=live))
    assert found.get("[orders]/includeFiles") == row


def test_whether_files_go_along_is_missing_with_its_stream() -> None:
    for git in (True, False):
        found = of_stream([{**ORDERS, "includeFiles": git}])
        assert found["[orders]/includeFiles"] == (git, UNSET, "missing")


def test_streams_are_told_by_namespace_and_name_and_found_at_their_place() -> None:
    document = connection(
        streams=[
            {**ORDERS, "name": "z", "namespace": "public"},
            {**ORDERS, "name": "a", "namespace": "public"},
        ]
    )
    document = replace(document, locate=lambda pointer: Span(pointer, 1, 1))
    rows = of_connection(document, live_connection())
    found = [(field, row.span) for field, row in rows.items() if field.endswith("syncMode")]
    assert found == [
        ("/streams[public.a]/syncMode", Span("/spec/streams/1/syncMode", 1, 1)),
        ("/streams[public.z]/syncMode", Span("/spec/streams/0/syncMode", 1, 1)),
    ]


def test_a_stream_without_a_namespace_means_the_only_one_of_its_name() -> None:
    found = of_stream([ORDERS], live_stream(namespace="public"))
    assert {at.partition("]")[0] for at in found} == {"[public.orders"}
    assert found["[public.orders]/syncMode"][2] == "same"


def test_a_stream_without_a_namespace_means_none_of_two_of_its_name() -> None:
    found = of_stream([ORDERS], live_stream(namespace="a"), live_stream(namespace="b"))
    assert found["[orders]/syncMode"] == ("incremental_append", UNSET, "missing")
    assert found["[a.orders]/syncMode"] == (UNSET, "incremental_append", "not stated")
    assert found["[b.orders]/syncMode"] == (UNSET, "incremental_append", "not stated")


def test_a_namespace_that_git_states_means_that_stream_alone() -> None:
    git = {**ORDERS, "namespace": "b"}
    found = of_stream([git], live_stream(namespace="a"), live_stream(namespace="b"))
    assert found["[a.orders]/syncMode"][2] == "not stated"
    assert found["[b.orders]/syncMode"][2] == "same"


def test_streams_of_one_namespace_are_told_apart_by_their_names() -> None:
    git = [{**ORDERS, "namespace": "public"}, {**ORDERS, "name": "users", "namespace": "public"}]
    live = [live_stream("users", namespace="public"), live_stream(namespace="public")]
    found = of_stream(git, *live)
    assert found["[public.orders]/syncMode"][2] == "same"
    assert found["[public.users]/syncMode"][2] == "same"


@pytest.mark.parametrize("behaviour", ["ignore", "propagate_columns", "propagate_fully"])
def test_a_stream_that_git_does_not_list_is_not_stated(behaviour: str) -> None:
    found = of_stream([ORDERS], live_stream(), live_stream("extra"), schemaChanges=behaviour)
    assert {row[2] for at, row in found.items() if at.startswith("[extra]")} == {"not stated"}
    assert found["[extra]/columns"] == (UNSET, "all", "not stated")


def test_without_a_list_no_stream_is_stated() -> None:
    found = of_stream(UNSET, live_stream())
    assert {row[2] for row in found.values()} == {"not stated"}
    assert found["[orders]/syncMode"][1] == "incremental_append"


@pytest.mark.parametrize(
    ("behaviour", "standing"), [("propagate_columns", "same"), ("ignore", "differs")]
)
def test_columns_that_airbyte_adds_by_itself_are_no_difference(
    behaviour: str, standing: str
) -> None:
    git = {**ORDERS, "columns": ["id", "updated_at"]}
    found = of_stream(
        [git], live_stream(columns=["id", "new", "updated_at"]), schemaChanges=behaviour
    )
    assert found["[orders]/columns"][2] == standing


def test_cursor_and_key_that_a_new_mode_does_not_use_go_with_the_old_one() -> None:
    found = of_stream([{"name": "orders", "syncMode": "full_refresh_append"}], live_stream())
    assert found["[orders]/syncMode"][2] == "differs"
    assert not {"[orders]/cursorField", "[orders]/primaryKey"} & found.keys()


# --- Mappers ---------------------------------------------------------------------------------

AES_KEY = env("PII_KEY", "0123456789abcdef")


@pytest.mark.parametrize(
    ("git", "live", "standing"),
    [
        ([hashing()], [hashing()], "same"),
        ([], [hashing()], "differs"),
        ([hashing()], [], "differs"),
        ([hashing("a"), hashing("b")], [hashing("b"), hashing("a")], "differs"),
        ([encryption(key=AES_KEY)], [encryption()], "not comparable"),
        ([encryption(key=env("PII_KEY"))], [encryption()], "not comparable"),
        ([encryption(key=KEEP)], [encryption()], "not comparable"),
        ([encryption(key=AES_KEY)], [encryption(key="0123456789abcdef")], "same"),
        ([encryption(key=AES_KEY)], [encryption(key="fedcba9876543210")], "differs"),
        ([hashing(), encryption(key=AES_KEY)], [hashing("x"), encryption()], "differs"),
        ([encryption(key=KEEP)], [], "differs"),
        ([encryption(key=KEEP)], [encryption(key="0123456789abcdef")], "differs"),
    ],
)
def test_how_mappers_stand(git: Any, live: Any, standing: str) -> None:
    mappers = [git_mapper(mapper) for mapper in git]
    found = of_stream([{**ORDERS, "mappers": mappers}], live_stream(mappers=live))
    ours, theirs, stands = found["[orders]/mappers"]
    assert stands == standing
    assert [mapper["type"] for mapper in ours] == [mapper.type for mapper in git]
    assert [mapper["type"] for mapper in theirs] == [mapper.type for mapper in live]
    for hidden in ("0123456789abcdef", "fedcba9876543210", MASK):
        assert hidden not in str(found)


def test_only_the_stream_whose_key_is_hidden_is_not_comparable() -> None:
    key = [git_mapper(encryption(key=AES_KEY))]
    broken = [git_mapper(encryption(key=KEEP))]
    found = of_stream(
        [
            {**ORDERS, "mappers": []},
            {**ORDERS, "name": "users", "mappers": key},
            {**ORDERS, "name": "visits", "mappers": broken},
        ],
        live_stream("visits", mappers=[encryption(key="0123456789abcdef")]),
        live_stream("users", mappers=[encryption()]),
        live_stream("orders"),
    )
    standing = {at: row[2] for at, row in found.items() if at.endswith("mappers")}
    assert standing == {
        "[orders]/mappers": "same",
        "[users]/mappers": "not comparable",
        "[visits]/mappers": "differs",
    }


def test_mappers_that_git_does_not_state_are_carried_over_and_not_stated() -> None:
    found = of_stream([ORDERS], live_stream(mappers=[encryption()]))
    git, live, standing = found["[orders]/mappers"]
    assert (git, standing) == (UNSET, "not stated")
    assert live[0]["key"] == "(secret)"
