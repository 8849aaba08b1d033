"""YAML 1.2-minded reading: what is data, what is refused, and where each node stands."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.parse import MAX_ALIASED, MAX_BYTES, MAX_DEPTH, Parsed, parse
from tests.manifests.build import told

LOADERS = [yaml.SafeLoader] + ([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def loader(request: pytest.FixtureRequest) -> Any:
    return request.param


def read(text: str, loader: Any = LOADERS[-1]) -> Any:
    documents, wrong = parse(text.encode(), "a.yaml", loader=loader)
    assert wrong == ()
    assert len(documents) == 1
    return documents[0].data


def problem(text: str, loader: Any = LOADERS[-1]) -> Any:
    documents, wrong = parse(text.encode(), "a.yaml", loader=loader)
    assert documents == ()
    assert len(wrong) == 1
    return wrong[0]


@pytest.mark.parametrize(
    "text", ["NO", "no", "on", "yes", "y", "12:30", "1_000", "2026-01-02", "0b1"]
)
def test_what_yaml_1_1_would_convert_is_text(text: str, loader: Any) -> None:
    assert read(f"a: {text}", loader) == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0o17", 15),
        ("0x1f", 31),
        ("007", 7),
        ("-3", -3),
        ("+1.5e3", 1500.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("!!int 1", 1),
        ("!!float 1", 1.0),
        ("-", None),
    ],
)
def test_plain_values_follow_the_core_schema(text: str, value: object, loader: Any) -> None:
    if text == "-":
        text = "\n  -"
        value = [None]
    found = read(f"a: {text}", loader)["a"]
    assert found == value
    assert type(found) is type(value)


def test_a_block_text_keeps_its_lines(loader: Any) -> None:
    assert read("a: |\n  1\n  2\n", loader) == {"a": "1\n2\n"}


@pytest.mark.parametrize(
    ("text", "place", "code", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1", "yaml-duplicate-key", "first at line 1, column 1"),
        (
            "x:\n  b: [1, {c: 2}]\n  k: 1\n  k: 2",
            "a.yaml:4:3",
            "yaml-duplicate-key",
            "line 3, column 3",
        ),
        ("1: x", "a.yaml:1:1", "yaml-unsupported", "key that is not text"),
        ("null: x", "a.yaml:1:1", "yaml-unsupported", "key that is not text"),
        ("? [a]\n: x", "a.yaml:1:3", "yaml-unsupported", "key that is not text"),
        ("a: !!python/object:os.system x", "a.yaml:1:4", "yaml-unsupported", "tag"),
        ("a: !!timestamp 2026-01-01", "a.yaml:1:4", "yaml-unsupported", "tag"),
        ("a: !mine {b: 1}", "a.yaml:1:4", "yaml-unsupported", "tag"),
        ("a: !!int x", "a.yaml:1:4", "yaml-unsupported", "tag"),
        ("a: .inf", "a.yaml:1:4", "yaml-unsupported", "infinity"),
        ("a: .NaN", "a.yaml:1:4", "yaml-unsupported", "not-a-number"),
        ("a: 1e999", "a.yaml:1:4", "yaml-unsupported", "too large"),
        ("a: " + "9" * 5000, "a.yaml:1:4", "yaml-unsupported", "too many digits"),
        ("a: *x", "a.yaml:1:4", "yaml-alias", "no anchor"),
        ("a: &x [*x]", "a.yaml:1:8", "yaml-alias", "never ends"),
        ("a: {<<: 1}", "a.yaml:1:9", "yaml-unsupported", "merge only a mapping"),
        ("a: \x01", "a.yaml:1:4", "yaml-syntax", "U+0001"),
        ("a: 'x\u2028y'", "a.yaml:1:6", "yaml-syntax", "U+2028"),
        ("a:\n\t- b", "a.yaml:2:1", "yaml-syntax", "tab"),
        ("a: [**/*.yaml]", "a.yaml:1:6", "yaml-syntax", "begins no alias"),
        ("a: @x", "a.yaml:1:4", "yaml-syntax", "can't begin"),
        ("a: b: c", "a.yaml:1:5", "yaml-syntax", "no key can stand"),
        ('a: "b', "a.yaml:1:4", "yaml-syntax", "never closed"),
    ],
)
def test_what_is_refused_has_a_place_and_a_reason(
    text: str, place: str, code: str, says: str, loader: Any
) -> None:
    found = problem(text, loader)
    assert (str(found.span), found.code) == (place, code)
    assert says in found.message
    assert "\n" not in found.message
    assert found.hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: {b: ${env:X}}", "a.yaml:1:8"),
        ("a: [${keep}]", "a.yaml:1:5"),
        ("a: 1\nb: {${env:X}}", "a.yaml:2:5"),
        ("a: ${env:X: y}", "a.yaml:1:11"),
    ],
)
def test_an_unquoted_reference_in_flow_style_gets_the_hint_to_quote_it(
    text: str, place: str, loader: Any
) -> None:
    found = problem(text, loader)
    assert str(found.span) == place
    assert 'must be quoted: "${env:NAME}"' in found.hint


def test_bytes_that_are_not_utf8_are_told_with_their_place() -> None:
    documents, wrong = parse(b"a: 1\nb: \xff\n", "a.yaml")
    assert documents == ()
    assert told(wrong) == [("a.yaml:2:4", "yaml-syntax")]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    documents, wrong = parse(b"\xef\xbb\xbfa: 1\n", "a.yaml")
    assert (documents[0].data, wrong) == ({"a": 1}, ())


def test_aliases_and_merge_keys_are_fine(loader: Any) -> None:
    text = "base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nlist: {<<: [{z: 0}, *b]}\nsame: *b\nq: {'<<': 1}\n"
    assert read(text, loader) == {
        "base": {"x": 1, "y": 2},
        "use": {"y": 3, "x": 1},
        "list": {"z": 0, "x": 1, "y": 2},
        "same": {"x": 1, "y": 2},
        "q": {"<<": 1},
    }


def test_aliases_of_aliases_are_bounded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    found = problem("\n".join(lines))
    assert found.code == "yaml-alias"
    assert f"{MAX_ALIASED:,}" in found.message


def test_depth_is_bounded_without_using_up_the_stack() -> None:
    assert problem("[" * 20_000).code == "yaml-limit"
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(read(deep)) == deep


def test_size_is_bounded() -> None:
    _, wrong = parse(b"#" * (MAX_BYTES + 1), "a.yaml")
    assert told(wrong) == [("a.yaml:1:1", "yaml-limit")]


def test_all_problems_of_a_file_come_at_once_and_good_documents_stay() -> None:
    text = "a: 1\na: 2\n1: x\n---\nok: 1\n---\nb: !t x\n---\n- [\n"
    documents, wrong = parse(text.encode(), "a.yaml")
    assert [document.data for document in documents] == [{"ok": 1}]
    assert told(wrong) == [
        ("a.yaml:2:1", "yaml-duplicate-key"),
        ("a.yaml:3:1", "yaml-unsupported"),
        ("a.yaml:7:4", "yaml-unsupported"),
        ("a.yaml:10:1", "yaml-syntax"),
    ]


def test_empty_documents_are_skipped() -> None:
    documents, wrong = parse(b"# nothing\n---\n---\na: 1\n---\n", "a.yaml")
    assert ([d.data for d in documents], wrong) == ([{"a": 1}], ())


LOCATED = """\
base: &b
  deep: [1, {k: v}]
own: 0
use:
  <<: *b
  own: {x: 1}
list:
  - one
  - two: 2
    "a/b": ~
"""


@pytest.mark.parametrize(
    ("pointer", "value", "key"),
    [
        ("", (1, 1), (1, 1)),
        ("/base/deep/1/k", (2, 17), (2, 14)),
        ("/own", (3, 6), (3, 1)),
        ("/use", (5, 3), (4, 1)),
        ("/use/own/x", (6, 12), (6, 9)),
        ("/use/deep/0", (2, 10), (2, 10)),
        ("/list/1", (9, 5), (9, 5)),
        ("/list/1/a~1b", (10, 12), (10, 5)),
        ("/list/1/unknown/more", (9, 5), (9, 5)),
        ("/list/7", (8, 3), (8, 3)),
        ("/own/x", (3, 6), (3, 6)),
    ],
)
def test_locate_finds_the_node_or_its_nearest_parent(
    pointer: str, value: tuple[int, int], key: tuple[int, int]
) -> None:
    document = parse(LOCATED.encode(), "a.yaml")[0][0]
    assert (document.locate(pointer).line, document.locate(pointer).column) == value
    span = document.locate(pointer, key=True)
    assert (span.line, span.column) == key


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"]),
        max_size=12,
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc<~/ 1", max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(PLAIN)
def test_json_is_read_as_the_data_it_holds(data: Any) -> None:
    text = json.dumps({"data": data}, ensure_ascii=False)
    assert repr(read(text)) == repr({"data": json.loads(text)["data"]})


@given(PLAIN)
def test_every_node_of_a_document_can_be_located(data: Any) -> None:
    """Positions follow a walk of the data exactly, so none is left over and none is missing."""
    text = yaml.safe_dump({"data": data}, default_style='"', allow_unicode=True)
    documents, _ = parse(text.encode(), "a.yaml")
    document = documents[0]
    pointers = list(_pointers(document.data, ""))
    nodes = len(pointers) + sum(
        1 for p in pointers if document.locate(p) != document.locate(p, key=True)
    )
    assert nodes == len(document.positions)
    lines = text.split("\n")
    for pointer in pointers:
        span = document.locate(pointer)
        assert 1 <= span.line <= len(lines)


def _pointers(node: Any, pointer: str) -> Any:
    yield pointer
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _pointers(value, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    if isinstance(node, list):
        for index, value in enumerate(node):
            yield from _pointers(value, f"{pointer}/{index}")


@given(
    st.binary(max_size=200)
    | st.text("ab{}[]:,-&*?|>!%@`'\"# \n\t$<~1", max_size=60).map(str.encode)
)
def test_no_input_breaks_the_reader(content: bytes) -> None:
    documents, wrong = parse(content, "a.yaml")
    assert all(isinstance(document, Parsed) for document in documents)
    assert all(d.span and d.hint and "\n" not in d.message for d in wrong)
