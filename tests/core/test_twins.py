"""A would-be create whose twin is live and unclaimed is more likely a rename (design §3, identity)."""

from typing import Any

import pytest

from reconciler.core.diagnostics import Diagnostic
from reconciler.core.model import KEEP, MASK, Document, LiveObject
from tests.core.build import (
    ACTORS,
    MYSQL,
    WORLD,
    connection,
    destination,
    document,
    env,
    live_connection,
    live_destination,
    live_source,
    live_stream,
    plan_of,
    source,
)

ORDERS = {"name": "orders", "syncMode": "incremental_append"}


def twins(documents: list[Document], objects: list[LiveObject]) -> list[Diagnostic]:
    found = plan_of(documents, objects).diagnostics
    return [diagnostic for diagnostic in found if diagnostic.code == "looks-like-rename"]


def test_a_source_like_one_that_nobody_means_looks_like_a_rename() -> None:
    (found,) = twins([source("renamed")], [live_source()])
    assert found.message.startswith(f"'shop' ({live_source().id}) is live and the same but for")
    assert "metadata.previousNames: [shop]" in found.hint
    assert (found.address, found.pointer) == ("source/renamed", "/spec/name")


def test_a_destination_too() -> None:
    assert len(twins([destination("renamed")], [live_destination()])) == 1


@pytest.mark.parametrize(
    ("git", "live"),
    [
        ({"host": "db", "port": 1}, {"host": "db"}),
        ({"host": "db"}, {"host": "other"}),
        ({"host": "db"}, {"host": "db", "database": "app"}),
    ],
)
def test_another_configuration_is_another_source(git: Any, live: Any) -> None:
    assert twins([source("new", configuration=git)], [live_source(live)]) == []


@pytest.mark.parametrize("ours", [env(value="canary-of-a-secret-0"), env(), KEEP])
def test_secrets_make_no_difference(ours: object) -> None:
    git = {"host": "db", "password": ours}
    assert (
        len(
            twins(
                [source("new", configuration=git)], [live_source({"host": "db", "password": MASK})]
            )
        )
        == 1
    )


def test_another_connector_is_another_source() -> None:
    assert twins([source("new")], [live_source(connector=MYSQL.id)]) == []


def test_a_twin_that_a_manifest_means_is_nobodys_old_name() -> None:
    assert twins([source(), source("second")], [live_source()]) == []


def test_nothing_configured_is_like_nothing() -> None:
    empty = document("source", "new", {"connector": "postgres", "configuration": {}})
    assert twins([empty], [live_source({})]) == []


def test_an_object_of_another_kind_is_no_twin() -> None:
    there = live_source({"bucket": "b"}, connector="22222222-0000-4000-8000-000000000001")
    assert twins([destination("new")], [there]) == []


def test_each_of_several_twins_is_named() -> None:
    other = live_source(name="old", object_id="aaaaaaaa-0000-4000-8000-000000000002")
    found = twins([source("new")], [live_source(), other])
    assert [diagnostic.message.partition(" ")[0] for diagnostic in found] == ["'old'", "'shop'"]


def test_a_live_object_that_is_found_needs_no_twin() -> None:
    other = live_source(name="old", object_id="aaaaaaaa-0000-4000-8000-000000000002")
    changed = source(configuration={"host": "new"})
    assert twins([changed], [live_source({"host": "db"}), other]) == []


def test_a_connection_without_a_stream_in_common_is_no_twin() -> None:
    there = live_connection(live_stream("customers"), name="another")
    assert twins([*ACTORS(), connection(streams=[ORDERS])], [*WORLD, there]) == []


def test_a_connection_from_another_source_is_no_twin() -> None:
    other = live_source(
        {"host": "other"}, name="other", object_id="aaaaaaaa-0000-4000-8000-000000000002"
    )
    there = live_connection(live_stream(), name="another", source=other.id)
    assert twins([*ACTORS(), connection(streams=[ORDERS])], [*WORLD, other, there]) == []


def test_a_connection_into_the_same_tables_says_so() -> None:
    there = live_connection(live_stream(), name="another")
    (found,) = twins([*ACTORS(), connection(streams=[ORDERS])], [*WORLD, there])
    assert "writes streams of the same source into the same tables" in found.message
