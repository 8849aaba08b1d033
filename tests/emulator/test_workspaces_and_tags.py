"""Workspaces, definitions and tags (PUB §3.1, §6, §7)."""

from __future__ import annotations

import pytest

from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID
from tests.emulator.builders import POSTGRES, S3, Airbyte

UNKNOWN = "11111111-2222-4333-8444-555555555555"


# --- Workspaces ------------------------------------------------------------------------------


def test_there_is_one_workspace_from_the_start(airbyte: Airbyte):
    (workspace,) = airbyte.made("GET", "/workspaces")["data"]
    assert workspace["workspaceId"] == DEFAULT_WORKSPACE_ID
    assert workspace["name"] == "Default Workspace"
    mails = {name: item["email"]["enabled"] for name, item in workspace["notifications"].items()}
    assert mails == {
        "failure": True,
        "success": False,
        "connectionUpdate": True,
        "connectionUpdateActionRequired": True,
        "syncDisabled": True,
        "syncDisabledWarning": True,
    }


def test_a_workspace_is_created_and_renamed(airbyte: Airbyte):
    made = airbyte.made("POST", "/workspaces", json={"name": "Team", "organizationId": UNKNOWN})
    path = f"/workspaces/{made['workspaceId']}"
    assert airbyte.made("PATCH", path, json={"name": "Data"})["name"] == "Data"
    assert airbyte.made("GET", path)["name"] == "Data"


def test_notifications_are_merged_item_by_item(airbyte: Airbyte):
    path = f"/workspaces/{airbyte.workspace}"
    hook = {"enabled": True, "url": "http://localhost/hook"}
    after = airbyte.made("PATCH", path, json={"notifications": {"failure": {"webhook": hook}}})
    assert after["notifications"]["failure"] == {"email": {"enabled": True}, "webhook": hook}
    assert after["notifications"]["success"]["email"] == {"enabled": False}


def test_a_deleted_workspace_is_gone_with_everything_in_it(airbyte: Airbyte):
    made = airbyte.connection({"name": "products"})
    path = f"/workspaces/{airbyte.workspace}"
    assert airbyte("DELETE", path).status_code == 204
    assert airbyte("GET", path).status_code == 404
    assert airbyte.made("GET", "/sources")["data"] == []
    assert airbyte.made("GET", "/connections")["data"] == []
    assert [e["connectionId"] for e in airbyte.events("cascade_deleted")] == [made["connectionId"]]


def test_a_deleted_workspace_takes_all_connections_but_only_twenty_sources(airbyte: Airbyte):
    airbyte.workspace = airbyte.made("POST", "/workspaces", json={"name": "Other"})["workspaceId"]
    sources = [airbyte.source(f"s{number}") for number in range(21)]
    connection = airbyte.connection(source=sources[20])
    airbyte.made("DELETE", f"/workspaces/{airbyte.workspace}")
    assert [source["name"] for source in airbyte.listed("sources")] == ["s20"]
    assert airbyte.listed("destinations") == []
    assert airbyte.read(connection)["status"] == "deprecated"


def test_oauth_is_not_built_into_a_self_managed_server(airbyte: Airbyte):
    path = f"/workspaces/{airbyte.workspace}/oauthCredentials"
    assert airbyte("PUT", path, json={}).status_code == 501
    assert airbyte("POST", "/sources/initiateOAuth", json={}).status_code == 501


# --- Definitions -----------------------------------------------------------------------------


def test_definitions_are_listed_by_kind(airbyte: Airbyte):
    base = f"/workspaces/{airbyte.workspace}/definitions"
    sources = {d["name"] for d in airbyte.made("GET", f"{base}/sources")["data"]}
    assert sources == {
        "Postgres", "MySQL", "Sample Data", "PokeAPI", "GitHub", "Stripe", "REST API",
    }  # fmt: skip
    destinations = {d["name"] for d in airbyte.made("GET", f"{base}/destinations")["data"]}
    assert destinations == {
        "S3", "Postgres", "Snowflake", "BigQuery", "End-to-End Testing (/dev/null)",
    }  # fmt: skip


def test_one_definition_names_its_image(airbyte: Airbyte):
    read = airbyte.made("GET", f"/workspaces/{airbyte.workspace}/definitions/sources/{POSTGRES}")
    assert read["dockerRepository"] == "airbyte/source-postgres"
    assert set(read) == {"id", "name", "dockerRepository", "dockerImageTag", "documentationUrl"}


def test_a_definition_of_the_other_kind_is_404(airbyte: Airbyte):
    path = f"/workspaces/{airbyte.workspace}/definitions/sources/{S3}"
    assert airbyte("GET", path).status_code == 404


def test_connector_definitions_need_a_workspace_whatever_the_schema_says(airbyte: Airbyte):
    path = "/connector_definitions?type=source"
    broken = airbyte("GET", path)
    assert broken.status_code == 500
    assert list(broken.json()) == ["errorId"]
    found = airbyte.made("GET", f"{path}&workspaceId={airbyte.workspace}")["data"]
    (postgres,) = [d for d in found if d["id"] == POSTGRES]
    assert set(postgres) == {"id", "name", "connectorDefinitionType", "version"}


# --- Tags ------------------------------------------------------------------------------------


def create(airbyte: Airbyte, name: str, color: str = "75DCFF"):
    body = {"name": name, "color": color, "workspaceId": airbyte.workspace}
    return airbyte("POST", "/tags", json=body)


def test_tags_are_listed_unpaged_by_workspace(airbyte: Airbyte):
    other = airbyte.made("POST", "/workspaces", json={"name": "Other"})["workspaceId"]
    mine, foreign = airbyte.tag("mine"), airbyte.tag("foreign", other)
    assert airbyte.made("GET", "/tags") == {"data": [mine, foreign]}
    assert airbyte.made("GET", f"/tags?workspaceIds={other}") == {"data": [foreign]}
    assert airbyte.made("GET", f"/tags/{mine['tagId']}") == mine


@pytest.mark.parametrize(
    ("name", "color", "status", "kind"),
    [
        ("x" * 31, "75DCFF", 400, "error:tag-name-too-long"),
        ("gold", "#75DCF", 400, "error:tag-invalid-hex-color"),
        ("gold", "75DCFG", 400, "error:tag-invalid-hex-color"),
        ("taken", "75DCFF", 409, "error:tag-already-exists"),
    ],
)
def test_limits_of_a_tag(airbyte: Airbyte, name: str, color: str, status: int, kind: str):
    create(airbyte, "taken")
    answer = create(airbyte, name, color)
    assert answer.status_code == status
    assert answer.json()["type"] == kind


def test_a_workspace_has_a_hundred_tags_at_most(airbyte: Airbyte):
    for number in range(100):
        assert create(airbyte, f"tag-{number}").status_code == 200
    answer = create(airbyte, "one more")
    assert answer.status_code == 400
    assert answer.json()["type"] == "error:tag-limit-for-workspace-reached"


def test_a_tag_is_patched_with_both_fields_or_not_at_all(airbyte: Airbyte):
    tag = airbyte.tag("gold")
    path = f"/tags/{tag['tagId']}"
    assert airbyte("PATCH", path, json={"name": "silver"}).status_code == 400
    after = airbyte.made("PATCH", path, json={"name": "silver", "color": "000000"})
    assert after == {**tag, "name": "silver", "color": "000000"}


def test_a_tag_cannot_take_the_name_of_another_but_keep_its_own(airbyte: Airbyte):
    airbyte.tag("gold")
    path = f"/tags/{airbyte.tag('silver')['tagId']}"
    body = {"name": "gold", "color": "000000"}
    assert airbyte("PATCH", path, json=body).status_code == 409
    assert airbyte("PATCH", path, json={**body, "name": "silver"}).status_code == 200


def test_a_deleted_tag_leaves_its_connections(airbyte: Airbyte):
    tag = airbyte.tag("gold")
    made = airbyte.connection(tags=[tag])
    assert airbyte("DELETE", f"/tags/{tag['tagId']}").status_code == 204
    assert airbyte.made("GET", f"/connections/{made['connectionId']}")["tags"] == []
    assert airbyte("GET", f"/tags/{tag['tagId']}").status_code == 404
