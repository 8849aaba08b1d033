"""Chaos over real sockets: a connection that ends looks to a client as it would on a bad network."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from reconciler.emulator.serve import running
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID, Settings

PUBLIC = "/api/public/v1"
TAG = {"name": "gold", "color": "000000", "workspaceId": DEFAULT_WORKSPACE_ID}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with running(Settings()) as url, httpx.Client(base_url=url) as client:
        yield client


def chaos(client: httpx.Client, *rules: str) -> None:
    client.post("/_emulator/chaos", json={"rules": list(rules)}).raise_for_status()


def tags(client: httpx.Client) -> list[str]:
    return [tag["name"] for tag in client.get(f"{PUBLIC}/tags").json()["data"]]


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ("reset", httpx.ReadError, []),
        ("reset-after", httpx.ReadError, ["gold"]),
        ("truncate", (httpx.RemoteProtocolError, httpx.ReadError), ["gold"]),
    ],
)
def test_a_connection_ends_abruptly_and_the_next_works(
    client: httpx.Client, capfd: pytest.CaptureFixture[str], fault: str, error, made: list[str]
):
    chaos(client, f"POST /tags {fault} times=1")
    with pytest.raises(error):
        client.post(f"{PUBLIC}/tags", json=TAG)
    assert tags(client) == made
    assert capfd.readouterr().err == ""


def test_a_truncated_answer_delivers_its_first_half(client: httpx.Client):
    client.post(f"{PUBLIC}/tags", json=TAG).raise_for_status()
    chaos(client, "GET /tags truncate")
    received: list[bytes] = []
    with client.stream("GET", f"{PUBLIC}/tags") as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(answer.iter_raw())
        assert 0 < len(b"".join(received)) < int(answer.headers["content-length"])


def test_a_body_that_is_too_large_gets_its_answer(client: httpx.Client):
    assert client.post(f"{PUBLIC}/tags", content=b" " * 11_000_000).status_code == 413
