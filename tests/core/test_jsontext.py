"""JSON from elsewhere and JSON as output: what is taken, what is refused, what no CI system obeys."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.jsontext import BadJson, NotJson, is_too_deep, json_text, read_json


def refusal(content: bytes, **how: bool) -> BadJson:
    with pytest.raises(BadJson) as caught:
        read_json(content, **how)
    return caught.value


def nested(levels: int, opening: str, closing: str) -> bytes:
    return (opening * levels + closing * levels).encode()


# --- Reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"null", None),
        (b"true", True),
        (b'"text"', "text"),
        (b" [1, 2] \n", [1, 2]),
        (b'{"a": {"b": []}}', {"a": {"b": []}}),
        ('{"größe": "→"}'.encode(), {"größe": "→"}),
        (b"\xef\xbb\xbf[]", []),
        (b"-0", 0),
        (b"1e3", 1000.0),
        (b"-1.5E-3", -0.0015),
    ],
)
def test_json_is_read_with_and_without_a_byte_order_mark(content: bytes, value: Any) -> None:
    assert read_json(content) == value


def test_the_kind_of_a_number_is_kept() -> None:
    assert [type(number) for number in read_json(b"[1, 1.0, 1e0]")] == [int, float, float]


@pytest.mark.parametrize("content", [b"\xff\xfe[\x00]\x00", b'"\xe4"', b'"\xed\xa0\x80"', b'"\xc3'])
def test_other_encodings_are_refused(content: bytes) -> None:
    bad = refusal(content)
    assert isinstance(bad, NotJson)
    assert (str(bad), bad.line, bad.column) == ("is not UTF-8 text", 1, 1)


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b"", 1, 1),
        (b"<html>", 1, 1),
        (b"[1,\n 2", 2, 3),
        (b'{"a": 1,\n "b" 2}', 2, 6),
        (b"[]\n[]", 2, 1),
        (b"\n\n  nul", 3, 3),
        (b'["a\tb"]', 1, 4),
        (b"[01]", 1, 3),
    ],
)
def test_what_is_no_json_is_told_with_its_place(content: bytes, line: int, column: int) -> None:
    bad = refusal(content)
    assert isinstance(bad, NotJson)
    assert (str(bad), bad.line, bad.column) == ("is not JSON", line, column)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_has_not_are_refused(number: str) -> None:
    bad = refusal(f'{{"a": [{number}]}}'.encode())
    assert str(bad) == "holds NaN or Infinity, which JSON has not"


@pytest.mark.parametrize("text", ["NaN", "Infinity"])
def test_a_text_that_says_so_is_a_text(text: str) -> None:
    assert read_json(f'"{text}"'.encode()) == text


@pytest.mark.parametrize("digits", [1, 17, 199, 200, 201, 299, 300])
def test_whole_numbers_of_up_to_300_digits_are_exact(digits: int) -> None:
    assert read_json(b"7" * digits) == int("7" * digits)


@pytest.mark.parametrize("digits", [301, 4300, 5000])
def test_longer_whole_numbers_are_refused(digits: int) -> None:
    assert str(refusal(b"[" + b"7" * digits + b"]")) == "holds a number with too many digits"


def test_a_sign_counts_as_a_digit() -> None:
    assert read_json(b"-" + b"7" * 299) == -int("7" * 299)
    refusal(b"-" + b"7" * 300)


@pytest.mark.parametrize(
    "number",
    ["1e309", "-1e309", "1E+309", "10e308", "1.0e999", "0.1e310", "1e99999", "9" * 310 + ".0"],
)
def test_numbers_beyond_the_largest_float_are_refused(number: str) -> None:
    assert str(refusal(f"[{number}]".encode())) == "holds a number that is too large"


@pytest.mark.parametrize("number", ["1e308", "1.7976931348623157e308", "1e-999", "9" * 300 + ".5"])
def test_numbers_up_to_the_largest_float_are_taken(number: str) -> None:
    assert read_json(number.encode()) == float(number)


@pytest.mark.parametrize("number", ["9" * 199 + "e99", "9" * 199 + ".9E+99", "9" * 199 + "e+99"])
def test_what_needs_no_closer_look_is_finite(number: str) -> None:
    assert read_json(number.encode()) == float(number)


@pytest.mark.parametrize("text", ["9" * 5000, "1e999", "v1e100"])
def test_texts_that_look_like_large_numbers_are_texts(text: str) -> None:
    assert read_json(json.dumps({text: text}).encode()) == {text: text}


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")],
    ids=["lists", "objects", "both"],
)
def test_200_levels_are_taken_and_the_innermost_value_is_one(opening: str, closing: str) -> None:
    levels = 200 // (opening.count("[") + opening.count("{"))
    inner = (opening * (levels - 1) + opening + "1" + closing + closing * (levels - 1)).encode()
    assert str(refusal(inner)) == "is nested too deeply"
    one_less = inner.removeprefix(opening.encode()).removesuffix(closing.encode())
    assert read_json(one_less) is not None


def test_an_empty_container_is_the_last_level() -> None:
    assert read_json(nested(200, "[", "]")) is not None
    assert str(refusal(nested(201, "[", "]"))) == "is nested too deeply"


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_nesting_that_overflows_the_reader_itself_is_refused_alike(levels: int) -> None:
    assert str(refusal(nested(levels, "[", "]"))) == "is nested too deeply"
    assert (
        str(refusal(nested(levels, '{"a":', "}").replace(b":}", b":1}"))) == "is nested too deeply"
    )


@pytest.mark.parametrize(
    "text",
    [r"\ud800", r"\uDFFF", r"\ud9aa", r"\uDaFf", r"a\udbffb", r"\udc00\ud800", r"\ud83d\\ude00"],
)
def test_half_a_character_is_refused(text: str) -> None:
    for content in (f'"{text}"', f'{{"{text}": 1}}', f'{{"a": [{{"b": "{text}"}}]}}'):
        assert str(refusal(content.encode())) == "holds text that is not Unicode"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (r'"\ud83d\ude00"', "😀"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\ud7ff\ue000"', "\ud7ff\ue000"),
        (r'"\u0000"', "\0"),
    ],
)
def test_whole_characters_are_taken_however_they_are_written(content: str, value: str) -> None:
    assert read_json(content.encode()) == value


@pytest.mark.parametrize(
    "content", ['{"a": 1, "a": 1}', '[{"b": {"a": 1, "c": 2, "a": 3}}]', r'{"a": 1, "\u0061": 2}']
)
def test_a_key_stated_twice_is_refused_where_keys_are_to_be_unique(content: str) -> None:
    assert str(refusal(content.encode(), unique_keys=True)) == "states a key twice"
    assert read_json(content.encode()) is not None


def test_otherwise_the_last_of_a_key_counts() -> None:
    assert read_json(b'{"a": 1, "a": 2}') == {"a": 2}


def test_unique_keys_may_stand_in_several_objects() -> None:
    content = b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}], "A": {}}'
    assert read_json(content, unique_keys=True) == json.loads(content)


def test_the_order_of_keys_is_kept() -> None:
    for unique in (True, False):
        assert list(read_json(b'{"b": 1, "a": 2}', unique_keys=unique)) == ["b", "a"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"password": "hunter2hunter2", }',
        b'["hunter2hunter2", NaN]',
        b'["hunter2hunter2", 1e999]',
        b'{"hunter2hunter2": 1, "hunter2hunter2": 2}',
        b'["hunter2hunter2\\ud800"]',
        b'"hunter2hunter2\xff"',
    ],
)
def test_no_refusal_quotes_what_was_read(content: bytes) -> None:
    bad = refusal(content, unique_keys=True)
    assert "hunter2" not in f"{bad} {bad!r}"
    assert bad.__cause__ is None  # the decoder's own error holds all of it


def test_what_is_no_json_is_bad_json_and_not_the_other_way_round() -> None:
    assert isinstance(refusal(b"{"), NotJson)
    for content in (b"NaN", b"1e999", b'"\\ud800"', nested(300, "[", "]")):
        assert not isinstance(refusal(content), NotJson)


@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(BadJson):
        read_json(content)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_what_is_written_reads_back(data: Any) -> None:
    written = json_text(data)
    assert read_json(written.encode(), unique_keys=True) == data
    assert written.isascii()
    assert "##" not in written


# --- Depth -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "deepest", "too_deep"),
    [
        (1, 1, False),
        ("text", 1, False),
        ([], 1, False),
        ({}, 1, False),
        ([1], 1, True),
        ({"a": 1}, 1, True),
        ([1], 2, False),
        ([[]], 1, True),
        ([[], [1]], 2, True),
        ([{"a": []}], 3, False),
        ([{"a": [1]}], 3, True),
        ({"a": 1, "b": {"c": {}}}, 2, True),
        ({"a": "text"}, 2, False),
    ],
)
def test_depth_counts_levels_of_values(data: Any, deepest: int, too_deep: bool) -> None:
    assert is_too_deep(data, deepest) is too_deep


def test_depth_is_found_without_recursion() -> None:
    data: Any = []
    for _ in range(100_000):
        data = [data]
    assert is_too_deep(data)


# --- Writing ---------------------------------------------------------------------------------


def test_a_result_is_indented_ascii_with_a_newline_at_its_end() -> None:
    assert json_text({"b": ["→"], "a": None}) == (
        '{\n  "b": [\n    "\\u2192"\n  ],\n  "a": null\n}\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "##[error]",
        "##vso[task]",
        "a##",
        "#",
        "###",
        "####",
        "# #",
        "\\##[x]",
        '"##[x]',
        "#####[add]",
    ],
)
def test_no_text_starts_what_a_ci_system_obeys(text: str) -> None:
    written = json_text({text: [text]})
    assert "##" not in written
    assert json.loads(written) == {text: [text]}
