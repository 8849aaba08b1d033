"""Connector specs as they are in the wild: read from the reference material beside the project."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.configuration import check_configuration
from reconciler.core.connector import parse_definition, scalar_defaults, secret_pointers
from reconciler.core.model import Resource, Source
from tests.core.build import desired_of, env, source

FOLDER = Path(__file__).parents[3] / "shared" / "connectors"
FILES = sorted(FOLDER.glob("*.json"))
CANARY = "canary-5d1e7a0b94c3f2"

pytestmark = pytest.mark.skipif(not FILES, reason="../shared/connectors is not here")
per_file = pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)


def read(file: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


def resource_with(configuration: Any) -> Resource:
    (resource,) = desired_of(source(configuration=configuration)).resources.values()
    assert isinstance(resource.spec, Source)
    return resource


def filled(schema: Any, form: int, leaf: Any) -> Any:
    """A value with every key that the schema describes: of each combination the form of that number."""
    branches = [b for c in ("oneOf", "anyOf", "allOf") for b in schema.get(c) or ()]
    properties = dict(schema.get("properties") or {})
    if branches:
        properties |= branches[form % len(branches)].get("properties") or {}
    if properties:
        return {key: filled(child, form, leaf) for key, child in properties.items()}
    if isinstance(schema.get("items"), dict) and schema.get("type") == "array":
        return [filled(schema["items"], form, leaf)]
    return schema.get("const", leaf)


def most_forms(schema: Any) -> int:
    counts = [len(schema.get(c) or ()) for c in ("oneOf", "anyOf", "allOf")]
    children = [*(schema.get("properties") or {}).values()]
    children += [b for c in ("oneOf", "anyOf", "allOf") for b in schema.get(c) or ()]
    return max([1, *counts, *(most_forms(child) for child in children)])


@per_file
def test_an_empty_configuration_lacks_exactly_what_is_required(file: Path) -> None:
    data = read(file)
    resource = resource_with({"_": 1})
    found = check_configuration(resource, parse_definition(data))
    missing = {d.pointer for d in found if d.code == "config-missing-key"}
    required = data["connectionSpecification"].get("required") or []
    assert missing == {f"/spec/configuration/{key}" for key in required}


@per_file
def test_the_paths_of_secrets_are_those_that_are_known(file: Path) -> None:
    data = read(file)
    schema = data["connectionSpecification"]
    found = {
        re.sub(r"/\d+(?=/|$)", "", pointer).removeprefix("/").replace("/", ".")
        for form in range(most_forms(schema))
        for pointer in secret_pointers(schema, filled(schema, form, "x"))
    }
    assert found == set(data["secretPaths"])


@per_file
def test_no_message_holds_a_value(file: Path) -> None:
    data = read(file)
    definition = parse_definition(data)
    schema = data["connectionSpecification"]
    for form in range(most_forms(schema)):
        for leaf in (CANARY, env(value=CANARY), [CANARY], {CANARY[:6]: CANARY}):
            found = check_configuration(resource_with(filled(schema, form, leaf)), definition)
            assert CANARY not in repr(found)


@per_file
def test_what_is_not_known_is_never_wrong(file: Path) -> None:
    """Every leaf is a reference that this run can't resolve: only the forms' constants are there."""
    data = read(file)
    schema = data["connectionSpecification"]
    for form in range(most_forms(schema)):
        found = check_configuration(
            resource_with(filled(schema, form, env())), parse_definition(data)
        )
        wrong = {d.code for d in found} - {"config-missing-key"}
        assert wrong <= {"unknown-config-key"}, [d for d in found if d.code in wrong]


@per_file
def test_defaults_are_found_for_every_form(file: Path) -> None:
    schema = read(file)["connectionSpecification"]
    for form in range(most_forms(schema)):
        found = scalar_defaults(schema, filled(schema, form, "x"))
        assert all(isinstance(value, str | int | float | bool) for value in found.values())
