"""The last look after an apply: what was asked and what is live, as two forms with no secret in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.interim import Interim, interim_name
from reconciler.core.lastlook import StillDiffers, still_differing
from reconciler.core.model import KEEP, MASK, UNSET, Document, LiveObject
from tests.core.build import (
    ACTORS,
    DESTINATION_ID,
    LAKE,
    MYSQL,
    POSTGRES,
    SOURCE_ID,
    WORLD,
    absent,
    connection,
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
    planned,
    source,
)

HALF = "eeeeeeee-0000-4000-8000-000000000001"
SECRET = "canary-9f3b7c61d2e8"


def _look(documents: Iterable[Document], objects: Iterable[LiveObject]) -> tuple[StillDiffers, ...]:
    objects = list(objects)
    return still_differing(planned(documents, objects), live_of(*objects))


def _one(documents: Iterable[Document], objects: Iterable[LiveObject]) -> StillDiffers:
    (found,) = _look(documents, objects)
    return found


def _configurations(asked: Any, live: Any) -> tuple[Any, Any]:
    found = _one([source(configuration=asked)], [live_source(live)])
    return found.asked["configuration"], found.live["configuration"]


# --- Which changes -------------------------------------------------------------------------------


def test_nothing_differs_where_nothing_is_left_to_change() -> None:
    assert _look(ACTORS(), WORLD) == ()


def test_each_change_is_shown_in_the_order_of_the_plan() -> None:
    documents = [
        source(configuration={"host": "new"}),
        destination(configuration={"bucket": "new"}),
        connection(prefix="x_"),
        absent("connection", "by-hand"),
    ]
    objects = [*WORLD, live_connection(), live_connection(name="by-hand", object_id="c-2")]
    plan = planned(documents, objects).plan
    found = _look(documents, objects)
    assert [item.change for item in found] == list(plan.changes)
    assert [str(item.change.address) for item in found] == [
        "destination/lake",
        "source/shop",
        "connection/shop-to-lake",
        "connection/by-hand",
    ]


def test_only_the_changes_that_are_left_in_the_plan_are_shown() -> None:
    made = planned([source(configuration={"host": "x"}), absent("destination", "lake")], WORLD)
    fewer = replace(made, plan=replace(made.plan, changes=made.plan.changes[:1]))
    assert [str(d.change.address) for d in still_differing(fewer, live_of(*WORLD))] == [
        "source/shop"
    ]


# --- Sources and destinations --------------------------------------------------------------------


def test_an_actor_is_its_name_its_connector_and_its_configuration() -> None:
    found = _one(
        [source(configuration={"host": "asked"}, name="shop")], [live_source({"host": "there"})]
    )
    form = {"name": "shop", "connector": POSTGRES.id}
    assert found.asked == {**form, "configuration": {"host": "asked"}}
    assert found.live == {**form, "configuration": {"host": "there"}}


def test_a_name_that_was_not_taken_is_seen() -> None:
    asked = source(name="Shop", metadata={"ids": {"production": SOURCE_ID}})
    found = _one([asked], [live_source(name="old")])
    assert (found.asked["name"], found.live["name"]) == ("Shop", "old")
    assert found.asked["configuration"] == found.live["configuration"]


def test_a_default_that_git_leaves_out_is_in_neither() -> None:
    asked, there = _configurations({"host": "asked"}, {"host": "there", "port": 5432})
    assert (asked, there) == ({"host": "asked"}, {"host": "there"})


def test_a_default_of_another_connector_is_none() -> None:
    """Only the one of Postgres has a default port."""
    asked = source(connector="mysql", configuration={"host": "asked"})
    found = _one([asked], [live_source({"host": "there", "port": 5432}, connector=MYSQL.id)])
    assert found.live["configuration"] == {"host": "there", "port": 5432}


def test_what_git_ignores_is_in_both_as_it_is_live() -> None:
    ignoring = {**source(configuration={"host": "asked", "port": 1}).data}
    ignoring["lifecycle"] = {"ignoreChanges": ["/configuration/port"]}
    spec = {**ignoring["spec"], "lifecycle": ignoring.pop("lifecycle")}
    document = replace(source(), data={**ignoring, "spec": spec})
    found = _one([document], [live_source({"host": "there", "port": 2})])
    assert found.asked["configuration"] == {"host": "asked", "port": 2}
    assert found.live["configuration"] == {"host": "there", "port": 2}


def test_one_that_is_not_there_has_no_live_form() -> None:
    found = _one([destination()], [])
    assert found.live is None
    assert found.asked == {"name": "lake", "connector": LAKE.id, "configuration": {"bucket": "b"}}


def test_one_that_was_to_be_gone_has_no_asked_form() -> None:
    found = _one([absent("source", "shop")], [live_source({"host": "db", "port": 5432})])
    assert found.asked is None
    assert found.live == {
        "name": "shop",
        "connector": POSTGRES.id,
        "configuration": {"host": "db", "port": 5432},
    }


def test_one_that_was_to_be_gone_is_shown_even_where_its_connector_is_not_known_any_more() -> None:
    gone = "99999999-0000-4000-8000-000000000009"
    stray = live_source({"host": "db", "password": MASK}, connector=gone)
    found = _one([absent("source", "shop")], [stray])
    assert (found.asked, found.live["connector"]) == (None, gone)
    assert found.live["configuration"] == {"host": "db", "password": "(secret)"}


def test_of_another_connector_the_live_configuration_is_not_shown() -> None:
    there = live_source({"host": "db", "key": SECRET}, connector=MYSQL.id)
    found = _one([source(configuration={"host": "asked"})], [there])
    assert found.live == {"name": "shop", "connector": MYSQL.id}
    assert found.asked == {
        "name": "shop",
        "connector": POSTGRES.id,
        "configuration": {"host": "asked"},
    }


# --- Connections ---------------------------------------------------------------------------------


def test_a_connection_shows_its_ends_by_address_where_they_are_ours() -> None:
    found = _one([*ACTORS(), connection(prefix="asked_")], [*WORLD, live_connection()])
    for form, prefix in ((found.asked, "asked_"), (found.live, "")):
        assert (form["source"], form["destination"]) == ("source/shop", "destination/lake")
        assert form["prefix"] == prefix


def test_what_is_still_to_be_replaced_is_no_longer_what_its_address_means() -> None:
    """Both forms with one name for both would show no difference where there is one."""
    name = interim_name(Interim("shop", SOURCE_ID))
    half = live_source(name=name, object_id=HALF, connector=MYSQL.id)
    git = [source(connector="mysql"), destination(), connection()]
    _, flow = _look(git, [*WORLD, half, live_connection()])
    assert (flow.asked["source"], flow.live["source"]) == ("source/shop", SOURCE_ID)
    assert flow.live["destination"] == "destination/lake"


def test_a_connection_shows_its_ends_by_id_where_nobody_manages_them() -> None:
    ends = {"source": {"id": SOURCE_ID}, "destination": {"id": DESTINATION_ID}}
    found = _one([connection(prefix="asked_", **ends)], [*WORLD, live_connection()])
    assert (found.asked["source"], found.live["destination"]) == (SOURCE_ID, DESTINATION_ID)


def test_what_git_is_silent_about_is_in_both_forms_as_it_is_live() -> None:
    there = live_connection(live_stream(), status="inactive", tags=("theirs",))
    found = _one([*ACTORS(), connection(prefix="asked_")], [*WORLD, there])
    assert {k: v for k, v in found.asked.items() if k != "prefix"} == {
        k: v for k, v in found.live.items() if k != "prefix"
    }
    assert (found.asked["status"], found.asked["tags"]) == ("inactive", ["theirs"])


STREAMS = [
    {"name": "orders", "namespace": "b.c", "syncMode": "full_refresh_append"},
    {"name": "c.orders", "namespace": "b", "syncMode": "full_refresh_append"},
    {"name": "logs", "syncMode": "full_refresh_append"},
]


def test_streams_are_a_list_by_namespace_and_name_whatever_dots_are_in_them() -> None:
    found = _one([*ACTORS(), connection(streams=STREAMS)], WORLD)
    names = [(stream.get("namespace"), stream["name"]) for stream in found.asked["streams"]]
    assert names == [(None, "logs"), ("b", "c.orders"), ("b.c", "orders")]
    assert {stream["syncMode"] for stream in found.asked["streams"]} == {"full_refresh_append"}


def test_streams_of_both_forms_are_each_its_own() -> None:
    append = {"name": "orders", "syncMode": "full_refresh_append"}
    there = live_connection(live_stream(), live_stream("items"))
    found = _one([*ACTORS(), connection(streams=[append])], [*WORLD, there])
    assert [(s["name"], s["syncMode"]) for s in found.asked["streams"]] == [
        ("orders", "full_refresh_append")
    ]
    assert [(s["name"], s["syncMode"]) for s in found.live["streams"]] == [
        ("items", "incremental_append"),
        ("orders", "incremental_append"),
    ]


def test_a_server_that_tells_no_streams_is_shown_without_any() -> None:
    there = live_connection()
    blind = replace(there, spec=replace(there.spec, streams=UNSET))
    found = _one([*ACTORS(), connection(prefix="asked_")], [*WORLD, blind])
    assert "streams" not in found.live
    assert "streams" not in found.asked


def test_a_connection_that_is_not_there_has_no_live_form() -> None:
    found = _one([*ACTORS(), connection(streams=STREAMS[2:])], WORLD)
    assert found.live is None
    assert (found.asked["name"], found.asked["status"]) == ("shop-to-lake", "active")


def test_a_connection_that_was_to_be_gone_has_no_asked_form() -> None:
    there = live_connection(live_stream("items", namespace="public"), prefix="there_")
    found = _one([*ACTORS(), absent("connection", "shop-to-lake")], [*WORLD, there])
    assert found.asked is None
    assert found.live["prefix"] == "there_"
    assert [(s["namespace"], s["name"]) for s in found.live["streams"]] == [("public", "items")]


# --- Nothing secret ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "there", "shown"),
    [
        (env(value=SECRET), MASK, "${env:SHOP_PG_PASSWORD}"),
        (env(), MASK, "${env:SHOP_PG_PASSWORD}"),
        (KEEP, MASK, "${keep}"),
    ],
)
def test_what_the_server_hides_is_the_same_in_both_and_shown_as_git_writes_it(
    asked: Any, there: str, shown: str
) -> None:
    forms = _configurations({"host": "x", "password": asked}, {"host": "y", "password": there})
    assert [form["password"] for form in forms] == [shown, shown]


def test_a_hidden_value_that_differs_is_hidden_in_both() -> None:
    asked, there = _configurations({"host": env("HOST", SECRET)}, {"host": "another-host"})
    assert asked == {"host": "${env:HOST}"}
    assert there == {"host": "(secret)"}


CREATED: Mapping[str, Any] = {"host": "x", "password": SECRET, "vault": {"token": SECRET}}


ENCRYPTED: Mapping[str, Any] = {
    "name": "orders",
    "syncMode": "full_refresh_append",
    "mappers": [git_mapper(encryption(), key=env("KEY", SECRET))],
}
SHOWN: Mapping[str, Any] = {"host": "y", "password": SECRET}
SHOWN_KEY = live_connection(live_stream(mappers=[encryption(key=SECRET)]))


@pytest.mark.parametrize(
    ("documents", "objects"),
    [
        pytest.param([source(configuration=CREATED)], [], id="to be made"),
        pytest.param([source(configuration=CREATED)], [live_source({"host": "y"})], id="changed"),
        pytest.param(
            [source(configuration={"host": "x"})], [live_source(SHOWN)], id="live shows it"
        ),
        pytest.param([absent("source", "shop")], [live_source(SHOWN)], id="to be gone"),
        pytest.param(
            [source(configuration=CREATED)],
            [live_source(SHOWN, connector=MYSQL.id)],
            id="replaced",
        ),
        pytest.param(
            [*ACTORS(), connection(streams=[ENCRYPTED])], [*WORLD, SHOWN_KEY], id="a mapper's key"
        ),
        pytest.param(
            [*ACTORS(), absent("connection", "shop-to-lake")],
            [*WORLD, SHOWN_KEY],
            id="a mapper's key, to be gone",
        ),
    ],
)
def test_no_secret_is_in_either_form(documents: list[Document], objects: list[LiveObject]) -> None:
    found = _look(documents, objects)
    assert found != ()
    assert SECRET not in repr([(item.asked, item.live) for item in found])


def test_a_mapper_is_shown_with_its_key_hidden() -> None:
    given = [git_mapper(hashing()), git_mapper(encryption(), key=env("KEY", SECRET))]
    stream = {"name": "orders", "syncMode": "incremental_append", "mappers": given}
    there = live_connection(live_stream(mappers=[encryption()]))
    found = _one([*ACTORS(), connection(streams=[stream])], [*WORLD, there])
    keys = [
        [m.get("key") for m in form["streams"][0]["mappers"]] for form in (found.asked, found.live)
    ]
    assert keys == [[None, "${env:KEY}"], ["${env:KEY}"]]
    assert found.asked["streams"][0]["mappers"][0]["targetField"] == "email"


def test_both_forms_are_plain_data() -> None:
    found = _look(
        [source(configuration={"host": "x", "options": {"a": [1, env("A", SECRET)]}})],
        [live_source({"host": "y", "options": {"a": [1, "z"]}}), live_destination()],
    )
    assert found[0].asked["configuration"]["options"] == {"a": [1, "${env:A}"]}
    assert found[0].live["configuration"]["options"] == {"a": [1, "(secret)"]}
