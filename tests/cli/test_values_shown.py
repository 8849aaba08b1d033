"""How the values of a change are cut to fit a line, and which are not."""

from __future__ import annotations

from reconciler.core.expect import compare
from reconciler.core.interim import Interim, interim_name
from reconciler.core.model import KEEP, MASK, UNSET
from reconciler.render.clean import WIDEST, value_texts
from reconciler.render.expected import refused_text
from reconciler.render.text import plan_text
from tests.core.build import (
    ACTORS,
    CONNECTION_ID,
    WORLD,
    absent,
    connection,
    destination,
    env,
    live_connection,
    live_destination,
    live_source,
    live_stream,
    plan_of,
    source,
)


def test_long_values_are_cut_where_they_begin_to_differ() -> None:
    shared = [{"password": "${keep}", "user": f"user-{n}"} for n in range(20)]
    before, after = value_texts([*shared, "u2"], [*shared, "u3"])
    assert before.endswith("u2")
    assert after.endswith("u3")
    assert max(len(before), len(after)) <= WIDEST
    assert before.startswith("…")


def test_short_values_stand_whole() -> None:
    assert value_texts("a", ["a", "b"]) == ("a", "a, b")
    assert value_texts(UNSET, 5) == ("(none)", "5")


def test_long_values_that_differ_at_once_are_cut_at_their_end() -> None:
    before, after = value_texts("a" * 200, "b" * 200)
    assert before == "a" * (WIDEST - 1) + "…"
    assert after == "b" * (WIDEST - 1) + "…"


def test_an_update_that_ends_a_replacement_says_so() -> None:
    name = interim_name(Interim("shop-to-lake", "dddddddd-0000-4000-8000-000000000001", "active"))
    half = live_connection(live_stream(), name=name, status="inactive")
    text = plan_text(plan_of([*ACTORS(), connection()], [*WORLD, half]))
    assert "    reason                finishes a replacement that was cut off\n" in text


def test_the_ids_in_what_refuses_a_change_are_whole() -> None:
    """They are copied from there into --allow."""
    gone = plan_of([absent("source", "shop"), *ACTORS()[1:]], WORLD)
    theirs = live_connection(live_stream(), name="By hand and for long, by other people than us")
    now = plan_of([absent("source", "shop"), *ACTORS()[1:]], [*WORLD, theirs])
    text = refused_text(compare(gone, now, {}), now, "plan.json")
    assert CONNECTION_ID in text


def test_beside_a_secret_that_only_airbyte_knows_less_is_sent_and_that_is_said() -> None:
    live = [live_source({"host": "old", "password": MASK, "token": MASK}), live_destination()]

    def text(password: object) -> str:
        configuration = {"host": "db", "password": password, "token": env("TOKEN")}
        return plan_text(plan_of([source(configuration=configuration), destination()], live))

    along = "password ${env:SHOP_PG_PASSWORD}, token ${env:TOKEN}\n"
    assert f"    sent along            {along}" in text(env())
    assert "    may go along          token ${env:TOKEN}\n" in text(KEEP)
