"""Workspaces and tags over the Configuration API (CFG §2, §5.1)."""

from __future__ import annotations

import pytest

from reconciler.emulator.generations import GENERATIONS
from tests.emulator.builders import Airbyte, Start

NOBODY = "00000000-0000-0000-0000-000000000000"
ANOTHER = "11111111-2222-4333-8444-555555555555"


def names(answer) -> list[str]:
    return [workspace["name"] for workspace in answer["workspaces"]]


def test_a_workspace_is_read_whole(airbyte: Airbyte):
    read = airbyte.configured("workspaces/get", workspaceId=airbyte.workspace)
    assert read["name"] == "Default Workspace"
    assert read["slug"] == "default-workspace"
    assert read["organizationId"] == NOBODY
    assert read["initialSetupComplete"] is True
    assert read["notificationSettings"]["sendOnFailure"] == {"notificationType": ["customerio"]}
    assert read["notificationSettings"]["sendOnSuccess"] == {"notificationType": []}


@pytest.mark.parametrize(
    ("name", "key"), [("1.0", "defaultGeography"), ("2.0", "dataplaneGroupId")]
)
def test_where_its_data_is_moved_is_said_differently(start: Start, name: str, key: str):
    airbyte = start(generation=GENERATIONS[name])
    read = airbyte.configured("workspaces/get", workspaceId=airbyte.workspace)
    assert {"defaultGeography", "dataplaneGroupId"} & set(read) == {key}


@pytest.mark.parametrize(
    ("verb", "field"),
    [
        ("workspaces/list_by_organization_id", "organizationId"),
        ("workspaces/list_by_user_id", "userId"),
    ],
)
def test_workspaces_are_listed_by_their_one_organization_and_user(airbyte: Airbyte, verb, field):
    for name in ("Alpha", "Beta"):
        airbyte.configured("workspaces/create", name=name, organizationId=NOBODY)
    every = airbyte.configured(verb, **{field: NOBODY})
    assert names(every) == ["Default Workspace", "Alpha", "Beta"]
    page = {"pageSize": 1, "rowOffset": 1}
    assert names(airbyte.configured(verb, **{field: NOBODY}, pagination=page)) == ["Alpha"]
    assert names(airbyte.configured(verb, **{field: NOBODY}, nameContains="bet")) == ["Beta"]
    assert names(airbyte.configured(verb, **{field: ANOTHER})) == []


def test_workspaces_are_paged_only_among_those_named(airbyte: Airbyte):
    made = airbyte.configured("workspaces/create", name="Alpha", organizationId=NOBODY)
    page = {"pageSize": 10, "rowOffset": 0}
    listed = airbyte.configured("workspaces/list_paginated", workspaceIds=[], pagination=page)
    assert names(listed) == []
    ids = [made["workspaceId"], ANOTHER]
    listed = airbyte.configured("workspaces/list_paginated", workspaceIds=ids, pagination=page)
    assert names(listed) == ["Alpha"]


def test_both_apis_see_the_same_workspaces(airbyte: Airbyte):
    made = airbyte.made("POST", "/workspaces", json={"name": "Made in public"})
    read = airbyte.configured("workspaces/get", workspaceId=made["workspaceId"])
    assert (read["name"], read["slug"]) == ("Made in public", "made-in-public")


def test_an_update_is_a_patch(airbyte: Airbyte):
    hook = {"notificationType": ["slack"], "slackConfiguration": {"webhook": "http://hooks.test/1"}}
    where = {"workspaceId": airbyte.workspace}
    airbyte.configured("workspaces/update", **where, notificationSettings={"sendOnSuccess": hook})
    airbyte.configured("workspaces/update_name", **where, name="Renamed")
    read = airbyte.configured("workspaces/get", **where)
    assert read["name"] == "Renamed"
    assert read["notificationSettings"]["sendOnSuccess"] == hook
    assert read["notificationSettings"]["sendOnFailure"] == {"notificationType": ["customerio"]}


def test_a_deleted_workspace_is_only_shown_on_demand(airbyte: Airbyte):
    made = airbyte.configured("workspaces/create", name="Alpha", organizationId=NOBODY)
    where = {"workspaceId": made["workspaceId"]}
    assert airbyte.config("workspaces/delete", **where).status_code == 204
    assert airbyte.config("workspaces/get", **where).status_code == 404
    kept = airbyte.configured("workspaces/get", **where, includeTombstone=True)
    assert kept["tombstone"] is True


# --- Tags ------------------------------------------------------------------------------------


def test_tags_are_made_listed_changed_and_deleted(airbyte: Airbyte):
    where = {"workspaceId": airbyte.workspace}
    tag = airbyte.configured("tags/create", **where, name="gold", color="75DCFF")
    assert set(tag) == {"tagId", "workspaceId", "name", "color"}
    assert airbyte.configured("tags/list", **where) == [tag]
    assert airbyte.made("GET", "/tags")["data"] == [tag]
    one = {**where, "tagId": tag["tagId"]}
    changed = airbyte.configured("tags/update", **one, name="silver", color="000000")
    assert changed == {**tag, "name": "silver", "color": "000000"}
    deleted = airbyte.config("tags/delete", **one)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert airbyte.configured("tags/list", **where) == []


def test_a_tag_is_not_found_from_another_workspace(airbyte: Airbyte):
    tag = airbyte.tag("gold")
    other = airbyte.configured("workspaces/create", name="Other", organizationId=NOBODY)
    where = {"workspaceId": other["workspaceId"], "tagId": tag["tagId"]}
    assert airbyte.config("tags/delete", **where).status_code == 404
    assert airbyte.config("tags/update", **where, name="x", color="000000").status_code == 404
    assert airbyte.configured("tags/list", workspaceId=other["workspaceId"]) == []


def test_a_tag_of_a_name_that_exists_is_a_conflict(airbyte: Airbyte):
    airbyte.tag("gold")
    answer = airbyte.config(
        "tags/create", workspaceId=airbyte.workspace, name="gold", color="000000"
    )
    assert answer.status_code == 409
    assert answer.json()["type"] == "error:tag-already-exists"
