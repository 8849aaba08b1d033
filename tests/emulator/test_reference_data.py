"""Real connectors and real catalogs as input: all load, and the largest stays quick."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.app import connectors
from reconciler.emulator.settings import Settings
from tests.emulator.builders import MASK, Airbyte, Start

FACEBOOK = "e7778cfc-e97c-4458-9ecb-b4f2bba8946c"


@pytest.fixture
def airbyte(start: Start, shared: Path) -> Airbyte:
    return start(connectors=shared / "connectors", catalogs=shared / "catalogs")


def facebook(airbyte: Airbyte) -> Any:
    credentials = {"auth_type": "Service", "access_token": "canary-facebook"}
    return airbyte.source("facebook", FACEBOOK, account_ids=["1"], credentials=credentials)


def test_every_reference_connector_loads_with_its_spec(shared: Path):
    files = list((shared / "connectors").glob("*.json"))
    ids = {json.loads(file.read_text())["definitionId"] for file in files}
    found = {
        definition.id: definition
        for definition in connectors(Settings(connectors=shared / "connectors"))
    }
    assert len(files) >= 45
    assert all(found[definition_id].spec for definition_id in ids)


def test_built_in_facts_agree_with_the_reference(shared: Path):
    """Ids, names, repositories, required keys and secret flags of our shorter specs are the real ones."""
    real = {}
    for file in (shared / "connectors").glob("*.json"):
        data = json.loads(file.read_text())
        real[data["dockerRepository"]] = data
    own = [d for d in connectors(Settings()) if d.name != "REST API"]
    assert len(own) == 11
    for definition in own:
        reference = real[definition.docker_repository]
        spec = reference["connectionSpecification"]
        assert (definition.id, definition.name) == (reference["definitionId"], reference["name"])
        assert definition.spec is not None
        assert sorted(definition.spec["required"]) == sorted(spec.get("required") or [])
        assert set(definition.spec["properties"]) <= set(spec["properties"])
        assert secret_paths(definition.spec) == secret_paths(spec)


def secret_paths(node: Any, path: str = "") -> set[str]:
    if not isinstance(node, dict):
        return set()
    found = {path} if "airbyte_secret" in node else set()
    for name, child in (node.get("properties") or {}).items():
        found |= secret_paths(child, f"{path}/{name}")
    for combination in ("oneOf", "anyOf", "allOf"):
        for branch in node.get(combination) or ():
            found |= secret_paths(branch, path)
    return found


def test_every_pattern_of_a_reference_spec_can_be_compiled(shared: Path):
    for definition in connectors(Settings(connectors=shared / "connectors")):
        for pattern in patterns(definition.spec):
            re.compile(pattern)


def patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for child in node.values():
            yield from patterns(child)
    elif isinstance(node, list):
        for child in node:
            yield from patterns(child)


def test_thirteen_thousand_fields_are_discovered_configured_and_patched_quickly(airbyte: Airbyte):
    source, destination = facebook(airbyte), airbyte.destination()
    assert source["configuration"]["credentials"]["access_token"] == MASK
    began = time.monotonic()
    offered = airbyte.made("GET", f"/streams?sourceId={source['sourceId']}")
    assert len(offered) == 30
    # 13,322 fields in all; what the endpoint lists leaves out those inside arrays (PUB §5).
    assert sum(len(stream["propertyFields"]) for stream in offered) == 2_804
    streams = [
        {"name": s["streamName"], "syncMode": "incremental_deduped_history"}
        for s in offered
        if s["sourceDefinedCursorField"] and s["sourceDefinedPrimaryKey"]
    ]
    made = airbyte.connection(*streams, source=source, destination=destination)
    assert len(made["configurations"]["streams"]) == len(streams) > 20
    path = f"/connections/{made['connectionId']}"
    airbyte.made("PATCH", path, json={"configurations": {"streams": streams[:5]}})
    # Far more than it takes (well under two seconds): guards against the quadratic, not the slow machine.
    assert time.monotonic() - began < 20


def test_a_real_database_catalog_can_be_connected_whole(airbyte: Airbyte):
    source = airbyte.source("internal-pg")
    offered = airbyte.made("GET", f"/streams?sourceId={source['sourceId']}")
    assert len(offered) == 44
    made = airbyte.connection(
        *({"name": s["streamName"], "syncMode": "incremental_append"} for s in offered),
        source=source,
    )
    assert len(made["configurations"]["streams"]) == 44


def test_a_catalog_named_after_the_connector_is_found(airbyte: Airbyte):
    source = airbyte.source(
        "payments",
        "e094cb9a-26de-4645-8761-65c0c425d1de",
        account_id="acct_1",
        client_secret="sk_test_x",
    )
    offered = airbyte.made("GET", f"/streams?sourceId={source['sourceId']}")
    assert len(offered) == 3
