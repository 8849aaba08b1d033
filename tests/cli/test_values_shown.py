"""How the values of a change are cut to fit a line."""

from __future__ import annotations

from reconciler.core.model import UNSET
from reconciler.render.clean import WIDEST, value_texts


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
