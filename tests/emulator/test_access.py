"""Health, tokens and the bodies of refusals (PUB §1, §8)."""

from __future__ import annotations

import json

import pytest

from reconciler.emulator.settings import Credentials
from tests.emulator.builders import POSTGRES, Airbyte, Clock, Start, postgres

CLIENT = {"client_id": "reconciler", "client_secret": "canary-client-secret"}
AUTH = Credentials("reconciler", "canary-client-secret")


def bearer(airbyte: Airbyte) -> dict[str, str]:
    token = airbyte.made("POST", "/applications/token", json=CLIENT)["access_token"]
    return {"Authorization": f"Bearer {token}"}


def test_health_is_open(start: Start):
    airbyte = start(auth=AUTH)
    assert airbyte("GET", "/health").status_code == 200
    assert airbyte("GET", "/api/v1/health").json() == {"available": True}


def test_without_auth_nobody_needs_a_token(airbyte: Airbyte):
    assert airbyte("GET", "/workspaces").status_code == 200


def test_a_token_answers_with_its_seconds(start: Start):
    airbyte = start(auth=AUTH)
    answer = airbyte.made("POST", "/applications/token", json=CLIENT)
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 900
    assert answer["access_token"].count(".") == 2


def test_a_token_may_be_asked_for_as_a_form(start: Start):
    airbyte = start(auth=AUTH)
    form = {**CLIENT, "grant-type": "client_credentials"}
    token = airbyte.made("POST", "/applications/token", data=form)["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert airbyte("GET", "/workspaces", headers=headers).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Bearer a.b.c", "Basic eDp5"])
def test_without_a_good_token_everything_is_401(start: Start, authorization: str):
    airbyte = start(auth=AUTH)
    answer = airbyte("GET", "/workspaces", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthorized"}


def test_a_token_of_other_credentials_is_401(start: Start):
    foreign = start(auth=Credentials("reconciler", "another-secret"))
    body = {"client_id": "reconciler", "client_secret": "another-secret"}
    token = foreign.made("POST", "/applications/token", json=body)["access_token"]
    answer = start(auth=AUTH)("GET", "/workspaces", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_a_token_expires(start: Start, clock: Clock):
    airbyte = start(auth=AUTH, token_ttl=60)
    headers = bearer(airbyte)
    clock.now += 59
    assert airbyte("GET", "/workspaces", headers=headers).status_code == 200
    clock.now += 1
    assert airbyte("GET", "/workspaces", headers=headers).status_code == 401
    assert airbyte("GET", "/workspaces", headers=bearer(airbyte)).status_code == 200


def test_bad_client_credentials_are_401_with_an_error_id(start: Start):
    airbyte = start(auth=AUTH)
    answer = airbyte("POST", "/applications/token", json={**CLIENT, "client_secret": "wrong"})
    assert answer.status_code == 401
    assert list(answer.json()) == ["errorId"]


# --- Bodies of refusals ----------------------------------------------------------------------


def test_a_body_that_is_not_json_is_422_with_an_error_id(airbyte: Airbyte):
    answer = airbyte("POST", "/sources", content=b"{nope")
    assert answer.status_code == 422
    assert list(answer.json()) == ["errorId"]


def test_a_body_of_more_than_ten_megabytes_is_413(airbyte: Airbyte):
    most = 10 * 1024 * 1024
    assert airbyte("POST", "/sources", content=b" " * most).status_code == 422
    answer = airbyte("POST", "/sources", content=b" " * (most + 1))
    assert answer.status_code == 413
    assert "_embedded" in answer.json()


def test_a_missing_field_is_400_with_an_error_id(airbyte: Airbyte):
    answer = airbyte("POST", "/sources", json={"name": "x"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["errorId"]


def test_an_unknown_route_is_404_in_the_frameworks_form(airbyte: Airbyte):
    answer = airbyte("GET", "/nope")
    assert answer.status_code == 404
    assert answer.json()["_embedded"]["errors"][0]["message"] == answer.json()["message"]


def test_an_unknown_method_is_405(airbyte: Airbyte):
    assert airbyte("PUT", "/connections").status_code == 405


def test_problems_are_plain_json_and_show_their_nulls(airbyte: Airbyte):
    answer = airbyte("GET", "/sources/11111111-2222-4333-8444-555555555555")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["documentationUrl"] is None


def test_an_uncaught_error_is_a_500_with_an_error_id_and_writes_nothing(airbyte: Airbyte):
    """Half a surrogate pair is JSON, and no text that a database takes."""
    body = {"name": "\ud800", "workspaceId": airbyte.workspace, "definitionId": POSTGRES}
    content = json.dumps({**body, "configuration": postgres()})
    answer = airbyte("POST", "/sources", content=content)
    assert answer.status_code == 500
    assert list(answer.json()) == ["errorId"]
    assert airbyte.made("GET", "/sources")["data"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", {}), ("workspaceId", "not-a-uuid"), ("resourceAllocation", []), ("name", ["x"])],
)
def test_a_field_of_the_wrong_type_is_422_with_an_error_id(airbyte: Airbyte, field: str, value):
    body = {"name": "x", "workspaceId": airbyte.workspace, "configuration": {}, field: value}
    answer = airbyte("POST", "/sources", json=body)
    assert answer.status_code == 422
    assert list(answer.json()) == ["errorId"]
