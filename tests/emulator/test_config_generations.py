"""Which server the emulator can be: what each release has, and who it lets in (CFG §0, §1)."""

from __future__ import annotations

import pytest

from reconciler.emulator.generations import GENERATIONS, NEWEST
from reconciler.emulator.settings import Credentials, Settings
from tests.emulator.builders import Airbyte, Clock, Start

ORGANIZATION = "00000000-0000-0000-0000-000000000000"
CLIENT = {"client_id": "reconciler", "client_secret": "canary-client-secret"}
AUTH = Credentials("reconciler", "canary-client-secret")
BASIC_ERA, BEARER_ERA = ["0.40", "0.63"], ["1.0", "1.6", "1.8", "2.0"]


def has(airbyte: Airbyte, verb: str) -> bool:
    """Whether the path is known at all."""
    return airbyte.config(verb).text != "Object not found."


SINCE = [
    ("workspaces/get", "0.40", None),
    ("workspaces/list", "0.40", "1.6"),
    ("workspaces/list_by_organization_id", "0.63", None),
    ("applications/token", "1.0", None),
    ("source_definitions/list_for_workspace", "0.40", None),
    ("sources/partial_update", "0.63", None),
    ("sources/list_paginated", "0.63", None),
    ("destinations/upgrade_version", "0.63", None),
    ("sources/get_with_metadata", "1.6", None),
    ("tags/list", "1.6", None),
]


@pytest.mark.parametrize(("verb", "first", "last"), SINCE)
def test_a_call_is_served_from_one_release_to_another(start: Start, verb: str, first: str, last):
    names = list(GENERATIONS)
    served = [name for name in names if has(start(generation=GENERATIONS[name]), verb)]
    until = names.index(last) + 1 if last else len(names)
    assert served == names[names.index(first) : until]


def test_the_newest_is_the_default():
    assert Settings().generation is NEWEST is list(GENERATIONS.values())[-1]


@pytest.mark.parametrize("name", BASIC_ERA)
def test_the_docker_compose_era_has_no_public_api(start: Start, name: str):
    answer = start(generation=GENERATIONS[name])("GET", "/workspaces")
    assert answer.status_code == 404
    assert answer.text == "Object not found."


@pytest.mark.parametrize("name", BEARER_ERA)
def test_later_ones_serve_both_apis_from_one_store(start: Start, name: str):
    airbyte = start(generation=GENERATIONS[name])
    made = airbyte.source("seen from both")
    read = airbyte.configured("sources/get", sourceId=made["sourceId"])
    assert read["name"] == made["name"] == "seen from both"
    assert read["sourceDefinitionId"] == made["definitionId"]


HASHING = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}


@pytest.mark.parametrize("name", BEARER_ERA)
def test_tags_and_mappers_are_unknown_to_the_public_api_before_1_6(start: Start, name: str):
    """Unknown properties are ignored without a word (PUB-T 27, PUB §11)."""
    airbyte = start(generation=GENERATIONS[name])
    tag = {"tagId": ORGANIZATION, "workspaceId": airbyte.workspace, "name": "x", "color": "75DCFF"}
    known = airbyte("GET", "/tags").status_code != 404
    stream = {
        "name": "customers",
        "syncMode": "full_refresh_append",
        "mappers": [{"type": "hashing", "mapperConfiguration": HASHING}],
    }
    made = airbyte.connection(stream, **({} if known else {"tags": [tag]}))
    (read,) = airbyte.read(made)["configurations"]["streams"]
    assert known == (name != "1.0") == ("tags" in made) == ("mappers" in read)


@pytest.mark.parametrize("name", GENERATIONS)
def test_health_is_available_everywhere(start: Start, name: str):
    airbyte = start(generation=GENERATIONS[name])
    assert airbyte("GET", "/api/v1/health").json() == {"available": True}


def test_an_instance_tells_its_version(start: Start):
    for name, generation in GENERATIONS.items():
        answer = start(generation=generation)("GET", "/api/v1/instance_configuration")
        if name == "0.40":
            assert answer.status_code == 404
        else:
            assert answer.json()["version"] == generation.version
            assert answer.json()["auth"] == {"mode": "none"}


# --- Who is let in ---------------------------------------------------------------------------


def basic(user: str, password: str) -> dict[str, tuple[str, str]]:
    return {"auth": (user, password)}


@pytest.mark.parametrize("name", BASIC_ERA)
def test_a_proxy_asks_for_the_password_with_a_page(start: Start, name: str):
    airbyte = start(generation=GENERATIONS[name], auth=Credentials("airbyte", "password"))
    for path in ("/api/v1/workspaces/list", "/api/v1/health", "/api/v1/nope"):
        for options in ({}, basic("airbyte", "wrong"), {"headers": {"Authorization": "Bearer x"}}):
            answer = airbyte("POST", path, json={}, **options)
            assert answer.status_code == 401
            assert answer.headers["content-type"].startswith("text/html")
            assert answer.headers["www-authenticate"].startswith("Basic ")
            assert "<h1>401 Authorization Required</h1>" in answer.text


@pytest.mark.parametrize("name", BASIC_ERA)
def test_the_password_opens_it(start: Start, name: str):
    airbyte = start(generation=GENERATIONS[name], auth=Credentials("airbyte", "pass:word"))
    answer = airbyte("POST", "/api/v1/workspaces/list", json={}, **basic("airbyte", "pass:word"))
    assert [w["workspaceId"] for w in answer.json()["workspaces"]] == [airbyte.workspace]


def test_the_emulators_own_paths_are_behind_no_password(start: Start):
    airbyte = start(generation=GENERATIONS["0.63"], auth=Credentials("airbyte", "password"))
    assert airbyte("GET", "/_emulator/events").status_code == 200


@pytest.mark.parametrize("name", BEARER_ERA)
def test_a_token_opens_both_apis(start: Start, name: str):
    airbyte = start(generation=GENERATIONS[name], auth=AUTH)
    token = airbyte.configured("applications/token", **CLIENT)
    assert list(token) == ["access_token"]
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    body = {"workspaceId": airbyte.workspace}
    for given, status in ((headers, 200), ({}, 401), ({"Authorization": "Bearer a.b.c"}, 401)):
        get = airbyte("POST", "/api/v1/workspaces/get", json=body, headers=given)
        assert get.status_code == status
        assert airbyte("GET", "/workspaces", headers=given).status_code == status


def test_a_token_expires_after_fifteen_minutes(start: Start, clock: Clock):
    airbyte = start(auth=AUTH)
    token = airbyte.configured("applications/token", **CLIENT)["access_token"]
    options = {
        "json": {"workspaceId": airbyte.workspace},
        "headers": {"Authorization": f"Bearer {token}"},
    }
    clock.now += 15 * 60 - 1
    assert airbyte("POST", "/api/v1/workspaces/get", **options).status_code == 200
    clock.now += 1
    assert airbyte("POST", "/api/v1/workspaces/get", **options).status_code == 401


def test_bad_client_credentials_are_401_with_an_error_id(start: Start):
    answer = start(auth=AUTH).config("applications/token", **{**CLIENT, "client_secret": "wrong"})
    assert answer.status_code == 401
    assert list(answer.json()) == ["errorId"]


@pytest.mark.parametrize("authorization", ["", "Bearer anything", "Basic eDp5", "nonsense"])
def test_where_auth_is_off_any_credentials_will_do(start: Start, authorization: str):
    for generation in GENERATIONS.values():
        airbyte = start(generation=generation)
        body, headers = {"workspaceId": airbyte.workspace}, {"Authorization": authorization}
        answer = airbyte("POST", "/api/v1/workspaces/get", json=body, headers=headers)
        assert answer.status_code == 200


# --- Pages of this machine -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3000", True),
        ("http://127.0.0.1", True),
        ("https://evil.example.com", False),
        ("http://localhost.evil.example.com", False),
    ],
)
def test_web_pages_may_read_answers_only_on_this_machine(
    airbyte: Airbyte, origin: str, allowed: bool
):
    answer = airbyte("GET", "/api/v1/health", headers={"Origin": origin})
    assert (answer.headers.get("access-control-allow-origin") == origin) == allowed
