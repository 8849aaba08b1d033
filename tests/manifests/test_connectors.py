"""Connector definitions from a folder or from Airbyte's registry."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.model import ConnectorDefinition
from reconciler.manifests import load_connectors
from tests.manifests.build import told

SHARED = Path(__file__).parents[3] / "shared" / "connectors"
SPEC: dict[str, Any] = {"type": "object", "properties": {"host": {"type": "string"}}}


def definition(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "definitionId": f"id-{name}",
        "name": name,
        "dockerRepository": f"airbyte/{kind}-{name}",
        "dockerImageTag": "1.0.0",
        "connectionSpecification": SPEC,
    } | more


def write(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


def test_a_folder_of_connector_files_is_read_sorted(tmp_path: Path) -> None:
    write(tmp_path / "a.json", definition("source", "zeta"))
    write(tmp_path / "b.json", definition("destination", "lake"))
    write(tmp_path / "c.json", definition("source", "alpha"))
    found, wrong = load_connectors(str(tmp_path))
    assert wrong == ()
    assert [(d.kind, d.name) for d in found] == [
        ("destination", "lake"),
        ("source", "alpha"),
        ("source", "zeta"),
    ]
    assert found[1] == ConnectorDefinition(
        "source", "id-alpha", "alpha", "airbyte/source-alpha", "1.0.0", SPEC
    )


def test_airbytes_registry_is_read(tmp_path: Path) -> None:
    entry = {
        "name": "x",
        "dockerRepository": "airbyte/x",
        "dockerImageTag": "2",
        "documentationUrl": "https://d",
    }
    registry = {
        "sources": [
            {**entry, "sourceDefinitionId": "s", "spec": {"connectionSpecification": SPEC}}
        ],
        "destinations": [{**entry, "destinationDefinitionId": "d"}],
    }
    found, wrong = load_connectors(write(tmp_path / "registry.json", registry))
    assert wrong == ()
    assert [(d.kind, d.id, d.spec) for d in found] == [
        ("destination", "d", None),
        ("source", "s", SPEC),
    ]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("{", "1:2"),
        ("[]", "1:1"),
        ("{}", "1:1"),
        ('"text"', "1:1"),
        ('{"definitionId": "x"}', "1:1"),
        ('{"sources": [{"name": "x"}]}', "1:1"),
        ('{"sources": 5}', "1:1"),
    ],
)
def test_a_file_that_is_no_definition_is_told_and_the_others_stay(
    tmp_path: Path, content: str, place: str
) -> None:
    (tmp_path / "bad.json").write_text(content)
    write(tmp_path / "good.json", definition("source", "ok"))
    found, wrong = load_connectors(tmp_path)
    assert [d.name for d in found] == ["ok"]
    assert told(wrong) == [(f"{tmp_path}/bad.json:{place}", "connector-file-invalid")]


def test_a_place_without_connectors_is_told(tmp_path: Path) -> None:
    assert [d.code for d in load_connectors(tmp_path)[1]] == ["connector-file-invalid"]
    assert [d.code for d in load_connectors(tmp_path / "gone")[1]] == ["connector-file-invalid"]


def test_real_definitions_are_read() -> None:
    if not SHARED.is_dir():
        pytest.skip("Airbyte's connector definitions are not beside this checkout")
    found, wrong = load_connectors(SHARED)
    assert wrong == ()
    assert len(found) == len(list(SHARED.glob("*.json"))) > 40
    assert all(d.spec for d in found)
