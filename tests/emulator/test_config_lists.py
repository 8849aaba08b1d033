"""Lists of sources and destinations: by cursor, by offset, in order (CFG §3)."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.generations import GENERATIONS
from tests.emulator.builders import FAKER, POSTGRES, Airbyte, Start

NOBODY = "00000000-0000-0000-0000-000000000000"


def page(airbyte: Airbyte, **fields: Any) -> Any:
    return airbyte.configured("sources/list", workspaceId=airbyte.workspace, **fields)


def names(answer: Any) -> list[str]:
    return [source["name"] for source in answer["sources"]]


def test_a_list_is_in_the_order_of_names(airbyte: Airbyte):
    for name in ("beta", "Alpha", "gamma"):
        airbyte.source(name)
    assert names(page(airbyte)) == ["Alpha", "beta", "gamma"]
    assert names(page(airbyte, sortKey="actorName_desc")) == ["gamma", "beta", "Alpha"]


def test_a_cursor_is_the_last_id_of_the_page_before(airbyte: Airbyte):
    for number in range(45):
        airbyte.source(f"s{number:02}")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for size in (20, 20, 5, 0):
        answer = page(airbyte, **cursor)
        assert len(answer["sources"]) == size
        assert (answer["page_size"], answer["num_connections"]) == (20, 45)
        seen += names(answer)
        if size:
            cursor = {"cursor": answer["sources"][-1]["sourceId"]}
    assert seen == [f"s{number:02}" for number in range(45)]


def test_twins_are_not_lost_between_pages(airbyte: Airbyte):
    ids = {airbyte.source("twin")["sourceId"] for _ in range(5)}
    first = page(airbyte, pageSize=3)["sources"]
    second = page(airbyte, pageSize=3, cursor=first[-1]["sourceId"])["sources"]
    assert {source["sourceId"] for source in first + second} == ids


def test_a_cursor_that_was_deleted_meanwhile_still_marks_its_place(airbyte: Airbyte):
    for name in ("a", "b", "c"):
        airbyte.source(name)
    (_, last) = page(airbyte, pageSize=2)["sources"]
    airbyte.config("sources/delete", sourceId=last["sourceId"])
    assert names(page(airbyte, pageSize=2, cursor=last["sourceId"])) == ["c"]


def test_a_page_can_be_made_large_enough(airbyte: Airbyte):
    for number in range(25):
        airbyte.source(f"s{number}")
    answer = page(airbyte, pageSize=1000)
    assert (len(answer["sources"]), answer["page_size"]) == (25, 1000)


@pytest.mark.parametrize("name", ["0.40", "0.63", "1.0", "1.6"])
def test_older_servers_list_all_and_ignore_paging(start: Start, name: str):
    airbyte = start(generation=GENERATIONS[name])
    body = {"sourceDefinitionId": FAKER, "connectionConfiguration": {}}
    for number in range(25):
        airbyte.configured(
            "sources/create", workspaceId=airbyte.workspace, name=f"s{number}", **body
        )
    answer = page(airbyte, pageSize=2)
    assert list(answer) == ["sources"]
    assert len(answer["sources"]) == 25


def test_a_list_says_how_each_is_used(airbyte: Airbyte):
    used, idle = airbyte.source("a used one"), airbyte.source("idle")
    made = airbyte.connection({"name": "products"}, source=used)
    airbyte.made("POST", "/jobs", json={"connectionId": made["connectionId"], "jobType": "sync"})
    first, second = page(airbyte)["sources"]
    assert (first["sourceId"], second["sourceId"]) == (used["sourceId"], idle["sourceId"])
    assert (first["status"], first["numConnections"], first["lastSync"]) == (
        "active",
        1,
        1_700_000_000,
    )
    assert sum(first["connectionJobStatuses"].values()) == 1
    assert (second["status"], second["numConnections"]) == ("inactive", 0)
    assert "lastSync" not in second
    assert "numConnections" not in airbyte.configured("sources/get", sourceId=used["sourceId"])


def test_a_list_can_be_filtered(airbyte: Airbyte):
    used = airbyte.source("shop")
    airbyte.source("store")
    airbyte.source("made up", FAKER, count=1)
    airbyte.connection({"name": "products"}, source=used)
    assert names(page(airbyte, filters={"searchTerm": "SHO"})) == ["shop"]
    assert names(page(airbyte, filters={"searchTerm": "sample"})) == ["made up"]
    assert names(page(airbyte, filters={"states": ["active"]})) == ["shop"]
    inactive = page(airbyte, filters={"states": ["inactive"]})
    assert (names(inactive), inactive["num_connections"]) == (["made up", "store"], 2)


def test_deleted_ones_and_those_of_other_workspaces_are_not_listed(airbyte: Airbyte):
    gone = airbyte.source("gone")
    airbyte.config("sources/delete", sourceId=gone["sourceId"])
    other = airbyte.configured("workspaces/create", name="Other", organizationId=NOBODY)
    assert page(airbyte)["sources"] == []
    airbyte.workspace = other["workspaceId"]
    assert page(airbyte)["sources"] == []


def test_pages_by_offset_go_over_several_workspaces(airbyte: Airbyte):
    first = airbyte.workspace
    other = airbyte.configured("workspaces/create", name="Other", organizationId=NOBODY)
    airbyte.source("a")
    airbyte.workspace = other["workspaceId"]
    airbyte.source("b")
    gone = airbyte.source("c")
    airbyte.config("sources/delete", sourceId=gone["sourceId"])

    def listed(**fields: Any) -> list[str]:
        both = [first, other["workspaceId"]]
        return names(airbyte.configured("sources/list_paginated", workspaceIds=both, **fields))

    assert listed(pagination={"pageSize": 20, "rowOffset": 0}) == ["a", "b"]
    assert listed(pagination={"pageSize": 1, "rowOffset": 1}) == ["b"]
    assert listed(pagination={}, includeDeleted=True) == ["a", "b", "c"]


def test_a_search_matches_exactly_and_in_all_workspaces(airbyte: Airbyte):
    made = airbyte.source("shop")
    airbyte.source("shop 2")

    def found(**fields: Any) -> list[str]:
        return names(airbyte.configured("sources/search", **fields))

    assert found(name="shop") == ["shop"]
    assert found(sourceDefinitionId=POSTGRES) == ["shop", "shop 2"]
    assert found(sourceName="Postgres", sourceId=made["sourceId"]) == ["shop"]
    assert found(connectionConfiguration={"host": "db"}, name="shop 2") == ["shop 2"]
    assert found(connectionConfiguration={"host": "elsewhere"}) == []
