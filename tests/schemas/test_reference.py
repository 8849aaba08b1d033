"""schemas/README.md is what the schemas and the product say, and leaves nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.manifests.codes import ALL_CODES
from reconciler.manifests.schema import schema
from tests.bad_input.case import told
from tests.bad_input.cases import UNREACHABLE
from tests.schemas.fields import Field, Section, definitions, document, has_fields, section
from tests.schemas.generate import README, SHOWN, reference

SECTIONS = [section(kind, name) if name else document(kind) for kind, name in sorted(SHOWN)]
FIELDS = [
    pytest.param(found, field, id=f"{found.kind}-{found.definition}-{field.path}")
    for found in SECTIONS
    for field in found.fields
]
SHARED = ("", "metadata", "lifecycle", "consent")
"""What is shown once for all kinds of manifests."""


def test_the_reference_is_up_to_date() -> None:
    assert README.read_text(encoding="utf-8") == reference(), "run python -m tests.schemas.generate"


@pytest.mark.parametrize(("found", "field"), FIELDS)
def test_every_field_says_what_it_is(found: Section, field: Field) -> None:
    assert field.value
    assert field.meaning
    assert field.absent or field.required


@pytest.mark.parametrize(("found", "field"), FIELDS)
def test_every_field_shows_an_example_that_fits_its_schema(found: Section, field: Field) -> None:
    key = field.path.rsplit(".", 1)[-1]
    if not field.example:
        inside = [other for other in found.fields if other.path.startswith(f"{field.path}.")]
        assert inside or field.refers
        return
    example = yaml.safe_load(field.example)[key]
    fits = Draft202012Validator({**field.node, "$defs": definitions(found.kind)})
    assert [error.message for error in fits.iter_errors(example)] == []


@pytest.mark.parametrize("kind", ["project", "source", "destination", "connection"])
def test_every_key_of_the_schemas_is_in_a_section(kind: str) -> None:
    shown = {field.path.rsplit(".", 1)[-1] for found in SECTIONS for field in found.fields}
    assert set(_keys(schema(kind))) - shown == set()
    for name in definitions(kind):
        shared = name in SHARED and ("source", name) in SHOWN
        assert not has_fields(kind, name) or shared or (kind, name) in SHOWN


def _keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, child in node.items():
            if name == "properties":
                yield from child
                for value in child.values():
                    yield from _keys(value)
            elif name not in ("examples", "default", "const", "enum"):
                yield from _keys(child)
    elif isinstance(node, list):
        for child in node:
            yield from _keys(child)


@pytest.mark.parametrize("name", SHARED)
def test_what_is_shown_once_is_the_same_for_every_kind(name: str) -> None:
    def shape(kind: str) -> list[tuple[str, bool]]:
        found = section(kind, name) if name else document(kind)
        return [(field.path, field.required) for field in found.fields]

    assert shape("source") == shape("destination") == shape("connection")


def test_the_example_of_a_code_has_its_severity() -> None:
    examples = README.read_text(encoding="utf-8").split("```text\n")[1:]
    printed = [told(block.split("```")[0])[0] for block in examples]
    severities = {found.code: found.severity.lower() for found in printed}
    expected = {code: entry.severity.value for code, entry in ALL_CODES.items()}
    assert severities == {code: s for code, s in expected.items() if code not in UNREACHABLE}
