"""Paging, and the links that no client should follow (PUB §2)."""

from __future__ import annotations

import pytest

from tests.emulator.builders import Airbyte


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


def test_pub_t_25b_previous_repeats_the_limit(airbyte: Airbyte):
    link = "http://localhost:8001/api/public/v1/sources?includeDeleted=false&limit=1"
    airbyte.source("a")
    airbyte.source("b")
    assert (
        airbyte.made("GET", "/sources?limit=1&offset=1")["previous"] == f"{link}&limit=1&offset=0"
    )
    # one builder makes both links, and on an empty page there is no next before it
    assert airbyte.made("GET", "/sources?limit=1&offset=2")["previous"] == f"{link}&offset=1"


def test_pub_t_25d_next_of_jobs_keeps_type_and_connection_only(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    body = {"connectionId": made["connectionId"], "jobType": "sync"}
    airbyte.made("POST", "/jobs", json=body)
    query = f"connectionId={made['connectionId']}"
    page = airbyte.made("GET", f"/jobs?{query}&status=running&orderBy=createdAt%7CDESC")
    assert page["next"] == (f"http://localhost:8001/api/public/v1/jobs?{query}&limit=20&offset=20")


def test_pub_t_25c_next_of_connections_drops_the_tags(airbyte: Airbyte):
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
