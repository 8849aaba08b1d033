"""Paging, and the links that no client should follow (PUB §2)."""

from __future__ import annotations

import pytest

from reconciler.emulator.settings import Chaos
from tests.emulator.builders import Airbyte, Start


def names(answer) -> list[str]:
    return [row["name"] for row in answer["data"]]


def test_a_page_holds_twenty_unless_asked(airbyte: Airbyte):
    for number in range(21):
        airbyte.source(f"s{number}")
    assert len(airbyte.made("GET", "/sources")["data"]) == 20
    assert names(airbyte.made("GET", "/sources?offset=20")) == ["s20"]
    assert len(airbyte.made("GET", "/sources?limit=100")["data"]) == 21


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "offset=-1", "workspaceIds=x"]
)
def test_a_page_out_of_range_is_400(airbyte: Airbyte, query: str):
    answer = airbyte("GET", f"/sources?{query}")
    assert answer.status_code == 400
    assert list(answer.json()) == ["errorId"]


def test_pub_t_25_next_stands_on_the_last_page_too(airbyte: Airbyte):
    airbyte.source()
    page = airbyte.made("GET", f"/sources?workspaceIds={airbyte.workspace}&limit=5")
    assert page["previous"] == ""
    assert page["next"] == (
        "http://localhost:8001/api/public/v1/sources?includeDeleted=false"
        f"&workspaceIds={airbyte.workspace}&limit=5&offset=5"
    )
    empty = airbyte.made("GET", "/sources?limit=5&offset=5")
    assert (empty["next"], empty["data"]) == ("", [])


def test_pub_t_25_previous_repeats_the_limit(airbyte: Airbyte):
    assert airbyte.made("GET", "/sources?limit=5&offset=7")["previous"] == (
        "http://localhost:8001/api/public/v1/sources?includeDeleted=false&limit=5&limit=5&offset=2"
    )


def test_pub_t_25_next_of_connections_drops_the_tags(airbyte: Airbyte):
    tag = airbyte.tag("gold")
    tagged = airbyte.connection(tags=[tag])
    airbyte.connection()
    page = airbyte.made("GET", f"/connections?tagIds={tag['tagId']}")
    assert [c["connectionId"] for c in page["data"]] == [tagged["connectionId"]]
    assert "tagIds" not in page["next"]


def test_workspaces_may_be_joined_or_repeated(airbyte: Airbyte):
    other = airbyte.made("POST", "/workspaces", json={"name": "Other"})["workspaceId"]
    third = airbyte.made("POST", "/workspaces", json={"name": "Third"})["workspaceId"]
    mine = airbyte.workspace
    airbyte.source("a")
    airbyte.workspace = other
    airbyte.source("b")
    airbyte.workspace = third
    airbyte.source("c")
    assert names(airbyte.made("GET", f"/sources?workspaceIds={mine},{other}")) == ["a", "b"]
    repeated = f"/sources?workspaceIds={mine}&workspaceIds={third}"
    assert names(airbyte.made("GET", repeated)) == ["a", "c"]
    assert names(airbyte.made("GET", "/sources")) == ["a", "b", "c"]


def test_pub_t_24_pages_may_come_in_any_order(start: Start):
    airbyte = start(chaos=Chaos(page_seed=7))
    for number in range(10):
        airbyte.source(f"s{number}")
    first = names(airbyte.made("GET", "/sources?limit=100"))
    second = names(airbyte.made("GET", "/sources?limit=100"))
    assert first != second
    assert sorted(first) == sorted(second)
