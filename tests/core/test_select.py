"""Narrowing a plan: what a pattern means, what is pulled in, and what is said of it."""

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

import pytest

from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.model import Address, Resource
from reconciler.core.select import Selection, matches, select
from tests.core.build import absent, connection, desired_of, destination, source

RESOURCES: Mapping[Address, Resource] = desired_of(
    source("shop", metadata={"labels": {"team": "data", "tier": "1"}}),
    source("shop-old", metadata={"labels": {"team": "ops"}}),
    destination("lake", metadata={"labels": {"team": "data", "note": ""}}),
    connection("shop-to-lake", metadata={"labels": {"team": "a=b", "tier": "*"}}),
    absent("connection", "gone"),
).resources

NEEDS = {
    "connection/shop-to-lake": ["source/shop", "destination/lake"],
    "destination/lake": ["source/shop-old"],
}


def chosen(
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    needs: Mapping[str, Iterable[str]] | None = None,
) -> tuple[list[str], tuple[Diagnostic, ...]]:
    """Addresses in order, and what is said."""
    depends_on = {
        Address.parse(address): [Address.parse(other) for other in others]
        for address, others in (needs or {}).items()
    }
    found, said = select(Selection(tuple(include), tuple(exclude)), RESOURCES, depends_on)
    return sorted(map(str, found)), said


def codes(said: Iterable[Diagnostic]) -> list[tuple[str, str | None]]:
    """In the order in which they are said."""
    return [(diagnostic.code, diagnostic.address) for diagnostic in said]


ALL = sorted(map(str, RESOURCES))


# --- What a pattern means --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("source/shop", ["source/shop"]),
        ("source/*", ["source/shop", "source/shop-old"]),
        ("*/shop*", ["connection/shop-to-lake", "source/shop", "source/shop-old"]),
        ("*", ALL),
        ("*lake", ["connection/shop-to-lake", "destination/lake"]),
        ("source/sho?", ["source/shop"]),
        ("source/sh[aeiou]p", ["source/shop"]),
        ("source/sh[!aeiou]p", []),
        ("connection/gone", ["connection/gone"]),
        ("shop", []),
        ("source", []),
        ("source/", []),
        ("source/sho", []),
        ("Source/shop", []),
        ("source/SHOP", []),
        ("", []),
    ],
)
def test_an_address_or_a_glob_means_whole_addresses(pattern: str, meant: list[str]) -> None:
    found = [str(address) for address, each in RESOURCES.items() if matches(pattern, each)]
    assert sorted(found) == meant


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("label:team=data", ["destination/lake", "source/shop"]),
        ("label:team=ops", ["source/shop-old"]),
        ("label:tier=1", ["source/shop"]),
        ("label:team=a=b", ["connection/shop-to-lake"]),
        ("label:note=", ["destination/lake"]),
        ("label:tier=*", ["connection/shop-to-lake"]),
        ("label:team=*", []),
        ("label:team=dat", []),
        ("label:team=Data", []),
        ("label:Team=data", []),
        ("label:data=team", []),
        ("label:team= data", []),
        ("label:team=", []),
        ("label:team", []),
        ("label:", []),
        ("label:none=", []),
        ("team=data", []),
        ("LABEL:team=data", []),
    ],
)
def test_a_label_means_what_has_exactly_that_value(pattern: str, meant: list[str]) -> None:
    found = [str(address) for address, each in RESOURCES.items() if matches(pattern, each)]
    assert sorted(found) == meant


# --- What is chosen --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        ((), (), ALL),
        (("source/shop",), (), ["source/shop"]),
        (("source/shop", "destination/*"), (), ["destination/lake", "source/shop"]),
        (("source/shop", "label:team=ops"), (), ["source/shop", "source/shop-old"]),
        (("source/shop", "source/*"), (), ["source/shop", "source/shop-old"]),
        ((), ("source/*", "connection/*"), ["destination/lake"]),
        (
            (),
            ("label:team=data",),
            ["connection/gone", "connection/shop-to-lake", "source/shop-old"],
        ),
        (("source/*",), ("source/shop",), ["source/shop-old"]),
        (("source/shop",), ("source/shop",), []),
        (("label:team=data",), ("source/*",), ["destination/lake"]),
        ((), ("*",), []),
    ],
)
def test_what_is_included_and_not_excluded_is_chosen(
    include: tuple[str, ...], exclude: tuple[str, ...], left: list[str]
) -> None:
    assert chosen(include, exclude) == (left, ())


def test_a_selection_of_nothing_among_no_resources_is_nothing() -> None:
    assert select(Selection(), {}, {}) == (frozenset(), ())


# --- What a pattern that means nothing says --------------------------------------------------


@pytest.mark.parametrize("pattern", ["nothing/here", "label:team=nobody", "label:team", "", "xyz*"])
def test_a_pattern_that_means_nothing_is_an_error(pattern: str) -> None:
    for include, exclude in (((pattern,), ()), ((), (pattern,)), (("source/*",), (pattern,))):
        _, (said,) = chosen(include, exclude)
        assert (said.code, said.severity) == ("nothing-selected", Severity.ERROR)
        assert said.message == f"no manifest of this target is meant by {pattern!r}"
        assert said.address is None
        assert said.hint == "write kind/name, a glob such as 'connection/*', or label:key=value"


def test_a_misspelling_gets_a_guess() -> None:
    _, (said,) = chosen(["source/shopp"])
    assert said.hint == "did you mean source/shop?"


def test_each_pattern_counts_for_itself_and_the_others_choose_all_the_same() -> None:
    left, said = chosen(["none/b", "source/shop", "none/a"], ["none/d", "none/c"])
    assert left == ["source/shop"]
    named = [each.message.rpartition(" ")[2] for each in said]
    assert named == ["'none/b'", "'none/a'", "'none/d'", "'none/c'"]


def test_what_means_nothing_includes_nothing() -> None:
    left, said = chosen(["none/a"])
    assert (left, len(said)) == ([], 1)


def test_a_pattern_means_something_also_where_another_takes_it_away() -> None:
    assert chosen(["source/shop"], ["source/*"]) == ([], ())


# --- What is needed --------------------------------------------------------------------------


def test_what_is_needed_is_pulled_in_through_all_levels_and_said_once_each() -> None:
    left, said = chosen(["connection/shop-to-lake"], needs=NEEDS)
    assert left == ["connection/shop-to-lake", "destination/lake", "source/shop", "source/shop-old"]
    assert codes(said) == [
        ("selection-widened", "destination/lake"),
        ("selection-widened", "source/shop"),
        ("selection-widened", "source/shop-old"),
    ]
    assert {each.severity for each in said} == {Severity.WARNING}
    assert [each.message for each in said] == [
        "destination/lake is included, because connection/shop-to-lake needs its change",
        "source/shop is included, because connection/shop-to-lake needs its change",
        "source/shop-old is included, because destination/lake needs its change",
    ]


def test_what_is_chosen_anyway_is_not_pulled_in() -> None:
    assert chosen(needs=NEEDS) == (ALL, ())
    _, said = chosen(["connection/shop-to-lake", "source/*"], needs=NEEDS)
    assert codes(said) == [("selection-widened", "destination/lake")]


def test_what_only_others_need_stays_out() -> None:
    assert chosen(["source/shop"], needs=NEEDS) == (["source/shop"], ())


def test_what_is_excluded_and_needed_is_an_error_that_names_both() -> None:
    left, said = chosen(["connection/*"], ["destination/lake"], needs=NEEDS)
    assert left == [
        "connection/gone",
        "connection/shop-to-lake",
        "destination/lake",
        "source/shop",
        "source/shop-old",
    ]
    assert codes(said) == [
        ("excluded-but-needed", "destination/lake"),
        ("selection-widened", "source/shop"),
        ("selection-widened", "source/shop-old"),
    ]
    assert said[0].severity is Severity.ERROR
    assert said[0].message == (
        "destination/lake is excluded, but connection/shop-to-lake can't be done without its change"
    )
    assert said[0].hint == "exclude connection/shop-to-lake too, or leave destination/lake in"


def test_what_is_excluded_with_all_that_need_it_is_left_out() -> None:
    left, said = chosen((), ["connection/*", "destination/lake"], needs=NEEDS)
    assert (left, said) == (["source/shop", "source/shop-old"], ())


def test_what_is_needed_by_what_is_excluded_is_not_pulled_in_for_it() -> None:
    left, said = chosen(["connection/*"], ["connection/shop-to-lake"], needs=NEEDS)
    assert (left, said) == (["connection/gone"], ())


def test_changes_that_need_each_other_are_pulled_in_together() -> None:
    needs = {"source/shop": ["source/shop-old"], "source/shop-old": ["source/shop"]}
    left, said = chosen(["source/shop"], needs=needs)
    assert left == ["source/shop", "source/shop-old"]
    assert codes(said) == [("selection-widened", "source/shop-old")]


def test_patterns_that_mean_nothing_are_said_before_what_is_pulled_in() -> None:
    _, said = chosen(
        ["connection/shop-to-lake", "none/a"], needs={"connection/shop-to-lake": ["source/shop"]}
    )
    assert [each.code for each in said] == ["nothing-selected", "selection-widened"]


def test_the_order_in_which_needs_are_listed_changes_nothing() -> None:
    said: list[Any] = []
    for order in permutations(["source/shop", "destination/lake", "connection/gone"]):
        needs = {
            "connection/shop-to-lake": order,
            "source/shop": ["source/shop-old"],
            "destination/lake": ["source/shop-old"],
        }
        said.append(chosen(["connection/shop-to-lake"], needs=needs))
    assert all(each == said[0] for each in said)
    assert said[0][1][-1].message == (
        "source/shop-old is included, because destination/lake needs its change"
    )


def test_of_several_that_need_it_the_first_by_address_is_named() -> None:
    patterns = ["source/*", "connection/*"]
    needs = {address: ["destination/lake"] for address in ALL if address != "destination/lake"}
    _, (said,) = chosen(patterns, needs=needs)
    assert said.message == (
        "destination/lake is included, because connection/gone needs its change"
    )
