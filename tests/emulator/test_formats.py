"""The `format` of a schema: asserted before draft 2019-09, an annotation since (PUB §3.3)."""

from __future__ import annotations

import json

import pytest

from reconciler.emulator import schema
from reconciler.emulator.problems import InvalidConfiguration
from tests.emulator.builders import Start

FITS = [
    ("date", "2024-02-29"),
    ("date-time", "2024-01-01T00:00:00Z"),
    ("date-time", "2024-01-01T00:00:00.123456789+02:00"),
    ("date-time", "2016-12-31T23:59:60Z"),
    ("time", "12:30:00Z"),
    ("hostname", "db.example.com"),
    ("ipv4", "10.0.0.1"),
    ("ipv6", "::1"),
    ("uuid", "00000000-0000-0000-0000-000000000000"),
    ("made-up", "anything"),
]
DOES_NOT = [
    ("date", "2023-02-29"),
    ("date", "2024-1-1"),
    ("date-time", "2024-01-01"),
    ("date-time", "2024-01-01T00:00:00"),
    ("date-time", "2024-01-01T25:00:00Z"),
    ("time", "12:30"),
    ("hostname", "-db"),
    ("ipv4", "10.0.0.256"),
    ("ipv6", "fe80::1%eth0"),
    ("uuid", "0"),
]


@pytest.mark.parametrize(("name", "value"), FITS)
def test_fits(name: str, value: str):
    schema.validate({"format": name}, value)


@pytest.mark.parametrize(("name", "value"), DOES_NOT)
def test_does_not_fit_and_the_value_is_not_quoted(name: str, value: str):
    with pytest.raises(InvalidConfiguration) as refused:
        schema.validate({"format": name}, value)
    assert f"does not match the {name} pattern" in str(refused.value)
    assert f"'{value}'" not in str(refused.value)


@pytest.mark.parametrize("draft", ["2019-09", "2020-12"])
def test_later_drafts_only_annotate(draft: str):
    declared = f"https://json-schema.org/draft/{draft}/schema"
    schema.validate({"$schema": declared, "format": "date"}, "yesterday")


def test_only_text_has_a_format():
    schema.validate({"format": "date"}, 20240101)


def test_a_configuration_with_a_date_that_is_none_is_422(start: Start, tmp_path):
    connector = {
        "definitionId": "88888888-8888-4888-8888-888888888888",
        "name": "Dated",
        "type": "source",
        "dockerRepository": "acme/source-dated",
        "dockerImageTag": "1",
        "connectionSpecification": {
            "type": "object",
            "properties": {"start_date": {"type": "string", "format": "date-time"}},
        },
    }
    (tmp_path / "dated.json").write_text(json.dumps(connector))
    airbyte = start(connectors=tmp_path)
    body = {
        "name": "x",
        "workspaceId": airbyte.workspace,
        "definitionId": connector["definitionId"],
        "configuration": {"start_date": "2024-01-01"},
    }
    answer = airbyte("POST", "/sources", json=body)
    assert answer.status_code == 422
    assert "$.start_date: does not match the date-time pattern" in answer.json()["data"]["message"]
