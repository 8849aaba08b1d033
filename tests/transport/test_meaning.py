"""An API whose every call is a POST: what a request does decides what may be done with it, not its method."""

from __future__ import annotations

import httpx
import pytest

from reconciler.core.diagnostics import ApiError, OutcomeUnknown, Refused, Unreachable
from reconciler.core.target import Auth
from reconciler.transport.meaning import of_method, of_table
from tests.transport.scripted import Reply, Scripted, reply, token

pytestmark = pytest.mark.anyio

TABLE = of_table(
    {"/read": "GET", "/whole": "PUT", "/merge": "PATCH", "/delete": "DELETE", "/create": "POST"}
)
WRITES = ("/whole", "/merge", "/delete", "/create", "/in/no/table")
ONCE = ("/merge", "/create", "/in/no/table")
AGAIN = ("/read", "/whole", "/delete")


async def sent(server: Scripted, path: str, *, slow: bool = False) -> None:
    await server.transport(meaning=TABLE).request("POST", path, json={}, slow=slow)


@pytest.mark.parametrize("path", WRITES)
async def test_a_transport_that_only_reads_sends_no_write_whatever_its_method(path: str) -> None:
    server = Scripted([])
    with pytest.raises(Refused, match=f"POST {path} was not sent: this command only reads"):
        await server.transport(meaning=TABLE, read_only=True).request("POST", path, json={})
    assert server.requests == []


async def test_a_transport_that_only_reads_reads_by_post_and_gets_its_token() -> None:
    server = Scripted([reply(200, {"rows": []})], tokens=[token("t1")])
    auth = Auth(client_id="a", client_secret="b")
    reading = server.transport(auth, meaning=TABLE, read_only=True)
    assert await reading.request("POST", "/read", json={}) == {"rows": []}


@pytest.mark.parametrize("path", AGAIN)
@pytest.mark.parametrize("trouble", [reply(503), reply(429), httpx.ReadError("reset")], ids=str)
async def test_what_does_no_harm_twice_is_sent_again(path: str, trouble: Reply) -> None:
    server = Scripted([trouble, trouble, reply(200, {})])
    await sent(server, path)
    assert len(server.requests) == 3


@pytest.mark.parametrize("path", ONCE)
@pytest.mark.parametrize("trouble", [reply(503), httpx.ReadError("reset")], ids=str)
async def test_a_write_that_may_have_arrived_is_never_repeated(path: str, trouble: Reply) -> None:
    server = Scripted([trouble])
    with pytest.raises(OutcomeUnknown):
        await sent(server, path)


@pytest.mark.parametrize("path", ["/whole", "/delete"])
async def test_a_lost_write_that_can_be_repeated_leaves_its_outcome_open_at_last(path: str) -> None:
    with pytest.raises(OutcomeUnknown):
        await sent(Scripted([httpx.ReadError("reset")] * 4), path)


async def test_a_lost_read_is_unreachable_and_a_500_is_asked_again_unless_slow() -> None:
    with pytest.raises(Unreachable):
        await sent(Scripted([httpx.ReadError("reset")] * 4), "/read")
    again = Scripted([reply(500, {"errorId": "e"}), reply(200, {})])
    await sent(again, "/read")
    slow = Scripted([reply(500, {"errorId": "e"})])
    with pytest.raises(ApiError, match="500"):
        await sent(slow, "/read", slow=True)


@pytest.mark.parametrize("path", WRITES)
async def test_a_500_of_a_write_is_an_answer(path: str) -> None:
    with pytest.raises(ApiError, match="500") as caught:
        await sent(Scripted([reply(500, {"errorId": "e"})]), path)
    assert type(caught.value) is ApiError


def test_a_get_is_a_read_and_an_unknown_post_a_write_that_is_sent_once() -> None:
    assert TABLE("GET", "/health") == "GET"
    assert TABLE("POST", "/health") == "POST"
    assert of_method("PATCH", "/read") == "PATCH"
