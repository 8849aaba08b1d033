"""What may stand in a recording, and what may not."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from vcr.request import Request

from reconciler.core.model import MASK
from tests.cassettes.recording import EMBEDDED, LIVE, RECORDED, SECRETS
from tests.cassettes.scrub import SCRUBBED, scrubbed_request, scrubbed_response

CASSETTES = sorted(RECORDED.glob("*.yaml"), key=lambda path: path.stem)
LIVE_SECRETS = ("RECONCILER_CASSETTE_CLIENT_ID", "RECONCILER_CASSETTE_CLIENT_SECRET")

each = pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)


def forms(secret: str) -> set[str]:
    """As it stands, in a URL, in JSON, and in base64 at each of the three offsets."""
    shifted = [base64.b64encode(b"x" * n + secret.encode()).decode() for n in range(3)]
    inner = {text[4 * bool(n) : -4] for n, text in enumerate(shifted)}
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], *inner}


def test_there_is_a_recording_of_each_flow() -> None:
    assert [path.stem for path in CASSETTES] == [
        "apply",
        "change",
        "drift",
        "plan",
        "plan-after-apply",
    ]


@each
def test_no_secret_is_in_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    secrets = {**SECRETS, **{n: os.environ[n] for n in LIVE_SECRETS if n in os.environ}}
    assert all(len(secret) >= 16 for secret in SECRETS.values())
    assert [name for name, secret in secrets.items() if any(f in text for f in forms(secret))] == []
    assert re.findall(r"(?i)authorization|bearer [a-z0-9]|\beyJ", text) == []


@each
def test_it_says_where_it_is_from(path: Path) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["recorded_from"] in (EMBEDDED, LIVE)


@each
def test_it_holds_nothing_that_differs_between_two_recordings(path: Path) -> None:
    interactions = yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]
    assert interactions
    for entry in interactions:
        assert entry["request"]["uri"].startswith("https://airbyte.example.com/api/public/v1/")
        headers = {*entry["request"]["headers"], *entry["response"]["headers"]}
        assert {name.lower() for name in headers} <= {"content-type"}


def _sent(path: str, body: object) -> str:
    uri = f"http://127.0.0.1:8000/api/public/v1{path}"
    headers = {"Authorization": "Bearer hidden-hidden-hidden", "Content-Type": "application/json"}
    once = scrubbed_request(Request("POST", uri, json.dumps(body).encode(), headers))
    twice = scrubbed_request(once)
    assert (once.uri, once.body, once.headers) == (twice.uri, twice.body, twice.headers)
    return f"{once.uri} {once.headers} {once.body.decode()}"


def test_credentials_are_taken_out_of_a_token_request_and_its_answer() -> None:
    asked = {"client_id": SECRETS["AIRBYTE_CLIENT_ID"], "client_secret": "hidden-hidden-hidden"}
    assert "hidden" not in _sent("/applications/token", asked)
    answer = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Set-Cookie": ["hidden"], "Content-Type": ["application/json"]},
        "body": {"string": b'{"access_token": "hidden-hidden-hidden", "expires_in": 900}'},
    }
    assert "hidden" not in str(scrubbed_response(answer))
    assert b'"expires_in": 900' in scrubbed_response(answer)["body"]["string"]


@pytest.mark.parametrize(
    "body",
    [
        {"configuration": {"host": "db", "password": "hidden-hidden-hidden"}},
        {
            "configuration": {
                "tunnel_method": {"tunnel_method": "SSH_KEY_AUTH", "ssh_key": "hidden-hidden"}
            }
        },
        {"mappers": [{"type": "encryption", "mapperConfiguration": {"key": "hidden-hidden"}}]},
    ],
)
def test_secrets_are_taken_out_of_a_request_wherever_they_are_nested(body: object) -> None:
    text = _sent("/sources", {"name": "shop", "data": [body]})
    assert "hidden" not in text
    assert SCRUBBED in text
    assert '"shop"' in text


def test_masks_stay_for_they_are_what_the_product_must_see() -> None:
    assert MASK in _sent("/sources", {"configuration": {"password": MASK}})
