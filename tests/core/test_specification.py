"""Connector specifications as schemas to rely on: what is kept of each keyword, what is left out."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from reconciler.core.specification import usable

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
NOTHING_FITS: dict[str, Any] = {"not": {}}
JAVA_PATTERN = r"^\p{Alpha}+$"


def nested(levels: int) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for _ in range(levels - 1):
        spec = {"not": spec}
    return spec


@pytest.mark.parametrize("spec", [None, True, False, [], [{}], "object", 1])
def test_what_is_no_mapping_is_no_specification(spec: Any) -> None:
    assert usable(spec) is None


def test_a_specification_that_is_nested_too_deeply_is_none() -> None:
    assert usable(nested(200)) is not None
    assert usable(nested(201)) is None


def test_an_empty_specification_is_one() -> None:
    assert usable({}) == {}


def test_a_sound_specification_stays_as_it_is_in_its_order() -> None:
    spec = {
        "$schema": DRAFT_7,
        "title": "Shop",
        "type": "object",
        "required": ["host"],
        "additionalProperties": True,
        "properties": {
            "port": {"type": ["integer", "null"], "minimum": 0, "maximum": 65535, "default": 5432},
            "host": {"type": "string", "pattern": "^[a-z]+$", "airbyte_secret": True, "order": 1},
            "mode": {"oneOf": [{"properties": {"m": {"const": "a"}}}, {"enum": ["b"]}]},
        },
    }
    before = deepcopy(spec)
    kept = usable(spec)
    assert kept == spec == before
    assert list(kept or {}) == list(spec)
    assert list((kept or {})["properties"]) == ["port", "host", "mode"]


def test_what_is_given_is_never_changed() -> None:
    spec = {"properties": {"a": {"$ref": "#"}, "b": False}, "oneOf": [True], "pattern": "["}
    before = deepcopy(spec)
    usable(spec)
    assert spec == before


@pytest.mark.parametrize(
    "keyword", ["airbyte_secret", "order", "default", "const", "examples", "x"]
)
@pytest.mark.parametrize(
    "value", [None, False, 1, "[", ["$ref"], {"$ref": "#", "type": "nonsense"}]
)
def test_keywords_of_which_no_rule_is_known_are_kept_as_they_are(keyword: str, value: Any) -> None:
    assert usable({keyword: value}) == {keyword: value}


SOUND: list[tuple[str, list[Any]]] = [
    ("$schema", [DRAFT_7, "https://json-schema.org/draft-07/schema"]),
    ("type", [*("object", "array", "string", "integer", "number", "boolean", "null")]),
    ("type", [["string"], ["string", "null"]]),
    ("enum", [[], [1, "a", None, {}]]),
    ("title", ["", "Host"]),
    ("description", ["Where it is"]),
    ("format", ["date-time", "anything"]),
    ("uniqueItems", [True, False]),
    ("pattern", ["", "^a+$", r"[0-9]{4}-[0-9]{2}"]),
    ("required", [[], ["a", "b"]]),
    ("multipleOf", [1, 0.5]),
    ("maximum", [0, -1, 1.5]),
    ("minimum", [0, -1, 1.5]),
    ("exclusiveMaximum", [0, -1, 1.5]),
    ("exclusiveMinimum", [0, -1, 1.5]),
    ("maxLength", [0, 1]),
    ("minLength", [0, 1]),
    ("maxItems", [0, 1]),
    ("minItems", [0, 1]),
    ("maxProperties", [0, 1]),
    ("minProperties", [0, 1]),
    ("allOf", [[{}], [{"type": "string"}, {}]]),
    ("anyOf", [[{}], [{"type": "string"}, {}]]),
    ("oneOf", [[{}], [{"type": "string"}, {}]]),
    ("not", [{}, {"type": "string"}]),
    ("if", [{}, {"type": "string"}]),
    ("then", [{}, {"type": "string"}]),
    ("else", [{}, {"type": "string"}]),
    ("contains", [{}, {"type": "string"}]),
    ("propertyNames", [{}, {"pattern": "a"}]),
    ("additionalProperties", [True, False, {}, {"type": "string"}]),
    ("additionalItems", [True, False, {}, {"type": "string"}]),
    ("items", [{}, {"type": "string"}, [{}], [{"type": "string"}, {}]]),
    ("properties", [{}, {"a": {}, "type": {"type": "string"}}]),
    ("patternProperties", [{}, {"^a": {"type": "string"}}]),
    ("dependencies", [{}, {"a": ["b"], "c": [], "d": {"required": ["e"]}}]),
]

UNSOUND: list[tuple[str, list[Any]]] = [
    ("$ref", ["#/definitions/a", "http://127.0.0.1/schema", 1, {}]),
    ("$id", ["http://127.0.0.1/schema", "#a", 5, None, {}]),
    (
        "$schema",
        [
            "http://json-schema.org/draft-04/schema#",
            "https://json-schema.org/draft/2020-12/schema",
            f"{DRAFT_7}x",
            f"x{DRAFT_7}",
            "",
            5,
            None,
            [DRAFT_7],
            {},
        ],
    ),
    ("type", ["date", "", [], ["string", "date"], ["string", None], [["string"]], None, 1, {}]),
    ("enum", [None, "a", {"a": 1}]),
    ("title", [None, 1, ["a"], {}]),
    ("description", [None, 1, ["a"], {}]),
    ("format", [None, 1, ["date"], {}]),
    ("uniqueItems", [None, 1, 0, "true"]),
    ("pattern", ["[", "(", "*", JAVA_PATTERN, None, 1, ["a"], {}]),
    ("pattern", ["[[a-z]&&[^x]]", "[[:alpha:]]", "[a--b]"]),
    ("required", [True, False, "a", ["a", 1], [None], {"a": True}, None]),
    ("multipleOf", [0, -1, -0.5, True, "1", None, [1]]),
    ("maximum", [True, "1", None, [1], {}]),
    ("minimum", [False, "1", None, [1], {}]),
    ("exclusiveMaximum", [True, False, "1", None]),
    ("exclusiveMinimum", [True, False, "1", None]),
    ("maxLength", [-1, 1.5, True, "1", None]),
    ("minLength", [-1, 1.5, True, "1", None]),
    ("maxItems", [-1, 1.5, True, "1", None]),
    ("minItems", [-1, 1.5, False, "1", None]),
    ("maxProperties", [-1, 1.5, True, "1", None]),
    ("minProperties", [-1, 1.5, True, "1", None]),
    ("allOf", [[], [{}, None], ["a"], {}, True, None]),
    ("anyOf", [[], [{}, None], ["a"], {}, True, None]),
    ("oneOf", [[], [{}, None], [[]], {"a": {}}, True, None]),
    ("not", [None, [], "a", 1]),
    ("if", [None, [], "a", 1]),
    ("then", [None, [], "a", 1]),
    ("else", [None, [], "a", 1]),
    ("contains", [None, [], "a", 1]),
    ("propertyNames", [None, [], "a", 1]),
    ("additionalProperties", [None, [], "a", 1]),
    ("additionalItems", [None, [], "a", 0]),
    ("items", [None, [], "a", [{}, 1], [None]]),
    ("properties", [None, [], ["a"], "a", True]),
    ("patternProperties", [None, [], "a", True]),
    ("dependencies", [None, [], "a", True]),
]


@pytest.mark.parametrize(
    ("keyword", "value"), [(keyword, value) for keyword, values in SOUND for value in values]
)
def test_a_keyword_with_a_value_that_it_may_have_is_kept(keyword: str, value: Any) -> None:
    assert usable({keyword: value, "order": 1}) == {keyword: value, "order": 1}


@pytest.mark.parametrize(
    ("keyword", "value"), [(keyword, value) for keyword, values in UNSOUND for value in values]
)
def test_a_keyword_with_a_value_that_is_none_is_left_out_alone(keyword: str, value: Any) -> None:
    assert usable({keyword: value, "order": 1}) == {"order": 1}


PLACES: list[tuple[str, Any, Any]] = [
    ("properties", lambda schema: {"a": schema, "b": {}}, {"b": {}}),
    ("patternProperties", lambda schema: {"^a": schema, "b": {}}, {"b": {}}),
    ("dependencies", lambda schema: {"a": schema, "b": ["c"]}, {"b": ["c"]}),
    ("items", lambda schema: schema, None),
    ("items", lambda schema: [{}, schema], None),
    ("additionalItems", lambda schema: schema, None),
    ("additionalProperties", lambda schema: schema, None),
    ("not", lambda schema: schema, None),
    ("if", lambda schema: schema, None),
    ("then", lambda schema: schema, None),
    ("else", lambda schema: schema, None),
    ("contains", lambda schema: schema, None),
    ("propertyNames", lambda schema: schema, None),
    ("allOf", lambda schema: [{}, schema], None),
    ("anyOf", lambda schema: [schema, {}], None),
    ("oneOf", lambda schema: [{}, schema], None),
]


@pytest.mark.parametrize(("keyword", "around", "_rest"), PLACES)
def test_a_schema_inside_another_is_read_as_that_one_is(
    keyword: str, around: Any, _rest: Any
) -> None:
    unsound = {"pattern": JAVA_PATTERN, "type": "string", "not": {"$ref": "#"}}
    kept = {"type": "string", "not": {}}
    assert usable({keyword: around(unsound)}) == {keyword: around(kept)}


@pytest.mark.parametrize(("keyword", "around", "_rest"), PLACES)
def test_true_and_false_as_schemas_become_mappings_that_mean_the_same(
    keyword: str, around: Any, _rest: Any
) -> None:
    if keyword not in ("additionalItems", "additionalProperties"):
        assert usable({keyword: around(True)}) == {keyword: around({})}
        assert usable({keyword: around(False)}) == {keyword: around(NOTHING_FITS)}


@pytest.mark.parametrize(("keyword", "around", "rest"), PLACES)
@pytest.mark.parametrize("no_schema", [None, 1, "a"])
def test_what_is_no_schema_goes_and_alternatives_go_all(
    keyword: str, around: Any, rest: Any, no_schema: Any
) -> None:
    expected = {} if rest is None else {keyword: rest}
    assert usable({keyword: around(no_schema)}) == expected


def test_a_boolean_that_only_draft_4_had_lets_pass_what_its_server_lets_pass() -> None:
    spec = {"properties": {"port": {"minimum": 0, "exclusiveMinimum": True}}}
    assert usable(spec) == {"properties": {"port": {"minimum": 0}}}


def test_names_of_properties_are_no_keywords() -> None:
    spec = {
        "properties": {name: {"type": "string"} for name in ("$ref", "$id", "type", "required")},
        "dependencies": {"$ref": ["type"], "enum": {}},
        "patternProperties": {"type": {}},
    }
    assert usable(spec) == spec


def test_a_dependency_that_is_no_list_of_names_goes_alone() -> None:
    assert usable({"dependencies": {"a": ["b", 1], "c": ["d"]}}) == {"dependencies": {"c": ["d"]}}


@pytest.mark.parametrize("name", ["[", JAVA_PATTERN, "[[a-z]&&[^x]]"])
def test_a_pattern_of_properties_that_is_none_goes_alone(name: str) -> None:
    spec = {"patternProperties": {name: {"type": "integer"}, "^a": {}}}
    assert usable(spec) == {"patternProperties": {"^a": {}}}


KEYWORDS = sorted({keyword for keyword, _ in (*SOUND, *UNSOUND)})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(-2, 2)
    | st.sampled_from(["", "[", "string", "a", DRAFT_7, "#", "http://127.0.0.1/x"])
)
SPECS = st.recursive(
    SCALARS | st.sampled_from([value for _, values in (*SOUND, *UNSOUND) for value in values]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYWORDS, "const", "default", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYWORDS), SPECS, max_size=5), SPECS)
def test_a_validator_can_read_whatever_came(spec: dict[str, Any], value: Any) -> None:
    kept = usable(spec)
    assert isinstance(kept, dict)
    assert isinstance(Draft7Validator(kept).is_valid(value), bool)
    assert usable(kept) == kept


@given(SPECS)
def test_any_json_has_an_answer(spec: Any) -> None:
    assert (usable(spec) is None) is not isinstance(spec, dict)
