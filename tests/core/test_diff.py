"""Equality with types, settling what can't be compared, and explaining exactly what differs."""

import copy
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core import redact
from reconciler.core.connector import unescape
from reconciler.core.diff import FieldChange, Settling, explain, explain_streams, json_equal, settle
from reconciler.core.model import KEEP, MASK, UNSET
from reconciler.core.normalize import canonical_json
from tests.core.build import env

KEYS = st.one_of(
    st.sampled_from(["a", "b", "__private", "__class__", "a/b", "~", "root['x']", "", "0"]),
    st.text(max_size=4),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([0.0, 1.0, -0.0, 1.5, 1e300, 10**300, 2**60]),
    st.sampled_from(["", "1", "true", "x", '["x"]']),
    st.text(max_size=3),
)
VALUES = st.recursive(
    SCALARS,
    lambda children: st.one_of(
        st.lists(children, max_size=3), st.dictionaries(KEYS, children, max_size=3)
    ),
    max_leaves=8,
)
TREES = st.dictionaries(KEYS, VALUES, max_size=4)


@st.composite
def two_trees(draw: st.DrawFn) -> tuple[Any, Any]:
    """Mostly alike, as desired and live are."""
    tree = draw(TREES)
    other = copy.deepcopy(tree)
    for _ in range(draw(st.integers(0, 3))):
        node: Any = other
        while node and draw(st.booleans()):
            key = draw(st.sampled_from(sorted(node)))
            if not isinstance(node[key], dict):
                break
            node = node[key]
        key = draw(st.one_of(KEYS, st.sampled_from(sorted(node)) if node else KEYS))
        if draw(st.booleans()):
            node.pop(key, None)
        else:
            node[key] = draw(VALUES)
    return tree, other


def tokens_of(pointer: str) -> list[str]:
    return [unescape(token) for token in pointer.split("/")[1:]]


def value_at(tree: Any, path: list[str]) -> Any:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return UNSET
        tree = tree[key]
    return tree


def applied(tree: Any, changes: list[FieldChange]) -> Any:
    """What the reported changes make of `tree`."""
    result = copy.deepcopy(tree)
    for change in sorted(changes, key=lambda c: c.after is not UNSET):
        *parents, last = tokens_of(change.pointer)
        node = result
        for key in parents:
            node = node.setdefault(key, {})
        if change.after is UNSET:
            del node[last]
        else:
            node[last] = change.after
    return result


def pruned(tree: Any) -> Any:
    """Without objects that are empty: an object goes leaf by leaf, and leaves its shell."""
    if not isinstance(tree, dict):
        return tree
    inner = {key: pruned(child) for key, child in tree.items()}
    return {
        key: child for key, child in inner.items() if child != {} or not isinstance(child, dict)
    }


@given(two_trees())
@example(({"a": [True]}, {"a": [1]}))
@example(({"a": [True], "b": 1}, {"a": [1], "b": 2}))
@example(({"__class__": 1}, {"__class__": 2}))
@example(({"a": ["x"]}, {"a": '["x"]'}))
@example(({"a": {}}, {}))
@example(({"a": {"b": 1}}, {"a": 1}))
def test_a_difference_is_reported_exactly_where_there_is_one(trees: tuple[Any, Any]) -> None:
    before, after = trees
    changes = list(explain(before, after))
    assert (changes == []) == json_equal(before, after)
    for change in changes:
        was, becomes = (value_at(tree, tokens_of(change.pointer)) for tree in trees)
        assert not json_equal(was, becomes)
        assert json_equal(change.before, was)
        assert json_equal(change.after, becomes)
    assert json_equal(pruned(applied(before, changes)), pruned(after))
    assert [c.pointer for c in changes] == list(dict.fromkeys(c.pointer for c in changes))


@given(two_trees())
def test_what_differs_does_not_depend_on_the_order_of_keys(trees: tuple[Any, Any]) -> None:
    def reversed_keys(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: reversed_keys(tree[key]) for key in reversed(tree)}
        return [reversed_keys(child) for child in tree] if isinstance(tree, list) else tree

    before, after = trees
    assert list(explain(before, after)) == list(explain(*map(reversed_keys, trees)))


@given(two_trees())
def test_trees_without_secrets_are_settled_as_they_are(trees: tuple[Any, Any]) -> None:
    desired, live = trees
    before, after = settle(desired, live, Settling())
    assert json_equal(before, live)
    assert json_equal(after, desired)


@given(two_trees())
def test_neither_side_is_changed_by_being_compared(trees: tuple[Any, Any]) -> None:
    copies = copy.deepcopy(trees)
    before, after = settle(*trees, Settling())
    list(explain(before, after))
    assert trees == copies


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (0, -0.0, True),
        (True, 1, False),
        (False, 0, False),
        (True, 1.0, False),
        ("1", 1, False),
        ("true", True, False),
        (None, "", False),
        (None, False, False),
        ([], {}, False),
        ([1], [1.0], True),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1.0}, True),
        ({"a": None}, {}, False),
        (UNSET, UNSET, True),
        (UNSET, None, False),
    ],
)
def test_json_has_types_and_one_kind_of_number(left: Any, right: Any, equal: bool) -> None:
    assert json_equal(left, right) is equal
    assert json_equal(right, left) is equal


@given(VALUES)
def test_a_canonical_value_is_its_own_canonical_form(value: Any) -> None:
    once = canonical_json(value)
    assert canonical_json(once) == once
    assert json_equal(once, value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": redact.token("${env:A}")}, {}),
        ({}, {"a": redact.token("${env:A}")}),
        ({"a": redact.token("(secret)")}, {"a": "plain"}),
        ({"a": ["plain"]}, {"a": [redact.token("${keep}")]}),
    ],
)
def test_a_secret_on_either_side_makes_a_change_one_of_a_secret(before: Any, after: Any) -> None:
    (found,) = explain(before, after)
    assert found.secret


def test_a_list_is_one_change_and_shown_whole() -> None:
    assert list(explain({"a": {"b": [1, 2]}}, {"a": {"b": [2, 1]}})) == [
        FieldChange("/a/b", [1, 2], [2, 1])
    ]


def test_an_object_that_comes_is_shown_leaf_by_leaf() -> None:
    assert list(explain({}, {"a": {"b": 1, "c": {}}})) == [
        FieldChange("/a/b", UNSET, 1),
        FieldChange("/a/c", UNSET, {}),
    ]


def test_streams_are_keyed_before_they_are_compared() -> None:
    before = {("public", "orders"): {"syncMode": "a"}, ("", "old"): {"syncMode": "a"}}
    after = {("", "new"): {"syncMode": "a"}, ("public", "orders"): {"syncMode": "b"}}
    assert [(c.pointer, c.stream) for c in explain_streams(before, after)] == [
        ("/streams[new]", "new"),
        ("/streams[old]", "old"),
        ("/streams[public.orders]/syncMode", "public.orders"),
    ]


# --- secrets -------------------------------------------------------------------------------------

CANARIES = st.text(string.digits, min_size=16, max_size=20).map("canary-{}".format)
PLACES = st.sampled_from(["known", "unknown", "keep", "literal", "json"])


@given(
    st.lists(
        st.tuples(CANARIES, PLACES, st.sampled_from("abcd")),
        min_size=1,
        max_size=4,
        unique_by=lambda secret: secret[2],
    ),
    st.data(),
)
def test_no_secret_comes_out_of_a_comparison_wherever_live_shows_it(
    secrets: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    """Live shows the values in clear, in any arrangement: as values, in lists of any length, as keys."""
    desired: dict[str, Any] = {}
    sealed = set()
    for canary, place, key in secrets:
        desired[key] = {
            "known": env(value=canary),
            "unknown": env(),
            "keep": KEEP,
            "literal": canary,
            "json": [env(value=canary), {"in": env(value={"deep": [canary]})}],
        }[place]
        if place == "literal":
            sealed.add(f"/{key}")
    ours = redact.seal(desired, frozenset(sealed))
    shown = [c for c, place, _ in secrets if place not in ("unknown", "keep")] + ["plain"]
    leaf = st.sampled_from([*shown, MASK])
    value = st.one_of(
        leaf, st.lists(leaf, max_size=3), st.dictionaries(st.sampled_from("in"), leaf)
    )
    live = data.draw(st.dictionaries(st.sampled_from("abcde"), value))
    notes = Settling(hidden=redact.secret_texts([ours]))
    theirs = redact.seal(live, frozenset(sealed))
    changes = list(explain(*settle(ours, theirs, notes)))
    said = repr(changes) + repr(notes.uncompared) + repr(notes.lost) + repr(notes.broken_keeps)
    for canary, _, _ in secrets:
        assert canary not in said


@pytest.mark.parametrize(
    ("desired", "live"),
    [
        (env(value="same"), "same"),
        (env(value=5432), 5432),
        (env(value=5432), 5432.0),
        (env(value={"a": [1]}), {"a": [1]}),
        (env(value=["a", "b"]), ["a", "b"]),
        (env(value={"a": "x", "key": "k"}), {"a": "x", "key": MASK}),
        (env(value="anything"), MASK),
        (env(value={"a": 1}), MASK),
        (env(), "anything"),
        (env(), MASK),
        (env(), {"a": 1}),
        (KEEP, MASK),
        ([env(value="same"), "x"], ["same", "x"]),
    ],
)
def test_equal_and_unknown_secrets_are_no_change(desired: Any, live: Any) -> None:
    assert list(explain(*settle({"s": desired}, {"s": live}, Settling()))) == []


@pytest.mark.parametrize(
    ("desired", "live"),
    [
        (env(value="new"), "old"),
        (env(value=1), True),
        (env(value="5432"), 5432),
        (env(value={"a": 1}), {"a": 2}),
        (env(value=["a"]), ["a", "b"]),
        (env(value="x"), None),
    ],
)
def test_a_visible_difference_is_a_change_that_is_not_shown(desired: Any, live: Any) -> None:
    changes = list(explain(*settle({"s": desired}, {"s": live}, Settling())))
    assert changes != []
    assert all(change.secret for change in changes)


def test_both_sides_at_a_secret_path_in_clear_are_compared_unseen() -> None:
    at = frozenset({"/s"})
    same = settle(redact.seal({"s": "x"}, at), redact.seal({"s": "x"}, at), Settling())
    other = settle(redact.seal({"s": "x"}, at), redact.seal({"s": "y"}, at), Settling())
    assert list(explain(*same)) == []
    assert [(c.before, c.after, c.secret) for c in explain(*other)] == [
        ("(another secret)", "(secret)", True)
    ]


def test_a_whole_object_that_is_secret_is_compared_as_one() -> None:
    at = frozenset({"/s"})
    ours = redact.seal({"s": {"user": env(value="u"), "id": 1}}, at)
    assert list(explain(*settle(ours, {"s": MASK}, Settling()))) == []
    assert (
        list(explain(*settle(ours, redact.seal({"s": {"user": "u", "id": 1}}, at), Settling())))
        == []
    )
    unknown = redact.seal({"s": {"user": env("USER_X"), "id": 1}}, at)["s"]
    assert (unknown.known, unknown.label) == (False, "${env:USER_X}")


@pytest.mark.parametrize(
    ("live", "broken"),
    [
        ({"s": MASK}, []),
        ({}, ["/s"]),
        ({"s": "clear"}, ["/s"]),
        ({"s": "******"}, ["/s"]),
        ({"s": {"a": MASK}}, ["/s"]),
        ({"s": None}, ["/s"]),
    ],
)
def test_a_keep_needs_a_mask_at_its_place(live: Any, broken: list[str]) -> None:
    notes = Settling()
    assert list(explain(*settle({"s": KEEP}, live, notes))) == []
    assert notes.broken_keeps == broken


def test_keeps_in_a_list_that_grows_are_kept_at_their_places() -> None:
    notes = Settling()
    changes = list(explain(*settle({"l": [{"s": KEEP}, {"s": KEEP}]}, {"l": [{"s": MASK}]}, notes)))
    assert [c.pointer for c in changes] == ["/l"]
    assert (notes.broken_keeps, list(notes.uncompared)) == (["/l/1/s"], ["/l/0/s"])


def test_the_servers_own_value_is_neither_compared_nor_lost() -> None:
    notes = Settling()
    assert list(explain(*settle({}, {"token": "******"}, notes))) == []
    assert notes.lost == []


def test_an_ignored_path_is_equal_whatever_stands_there() -> None:
    for desired, live in [({"a": 1}, {"a": 2}), ({"a": 1}, {}), ({}, {"a": {"b": MASK}})]:
        notes = Settling(ignored=frozenset({"/a"}))
        assert list(explain(*settle(desired, live, notes))) == []
        assert notes.lost == []


# --- foreign text --------------------------------------------------------------------------------


@given(st.lists(st.text(min_size=8, max_size=20), min_size=1, max_size=3), st.text(max_size=9))
def test_foreign_text_loses_every_secret_it_holds(secrets: list[str], between: str) -> None:
    clean = redact.redactor(redact.secret_texts([[env(value=text) for text in secrets]]))
    cleaned = clean(between.join(secrets))
    assert not any(secret in cleaned for secret in secrets if secret not in redact.HIDDEN * 9)


def test_a_secret_that_holds_another_goes_as_a_whole() -> None:
    clean = redact.redactor(["password1", "password1-long"])
    assert clean("x password1-long y password1") == "x (secret) y (secret)"


def test_a_key_of_several_lines_is_found_as_json_writes_it() -> None:
    key = '-----BEGIN KEY-----\nab"c\n-----END KEY-----'
    clean = redact.redactor(redact.secret_texts([env(value=key)]))
    assert clean('{"message": "bad key -----BEGIN KEY-----\\nab\\"c\\n-----END KEY-----"}') == (
        '{"message": "bad key (secret)"}'
    )


def test_short_values_are_not_searched_for() -> None:
    assert redact.secret_texts([{"a": env(value="5432"), "b": env(value="12345678")}]) == {
        "12345678"
    }


def test_every_text_in_a_structured_secret_counts() -> None:
    secret = env(value={"client_email": "someone@example.com", "list": ["secret-in-list"], "n": 1})
    assert redact.secret_texts([[secret]]) == {"someone@example.com", "secret-in-list"}


def test_unknown_and_kept_secrets_have_no_text() -> None:
    assert redact.secret_texts([env(), KEEP, "plain text"]) == frozenset()
