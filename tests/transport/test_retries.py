"""What is sent again, what never is, and what is said when nobody knows."""

from __future__ import annotations

import socket
import ssl
from functools import partial

import anyio
import httpx
import pytest

from reconciler.core.diagnostics import ApiError, OutcomeUnknown, Unreachable
from reconciler.transport import Transport
from tests.transport.scripted import BASE, Scripted, reply

pytestmark = pytest.mark.anyio

REFUSED = httpx.ConnectError("Connection refused")
LOST = (
    httpx.ReadTimeout("timed out"),
    httpx.ReadError("reset by peer"),
    httpx.WriteError("broken pipe"),
    httpx.RemoteProtocolError("server disconnected without sending a response"),
)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("lost", [*LOST, REFUSED, httpx.ConnectTimeout("timed out")], ids=repr)
async def test_a_repeatable_request_is_sent_again_after_a_lost_one(
    method: str, lost: Exception
) -> None:
    server = Scripted([lost, reply(200, {"ok": True})])
    assert await server.transport().request(method, "/sources/1") == {"ok": True}
    assert len(server.requests) == 2
    assert len(server.slept) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [429, 502, 503, 504, 524])
async def test_a_repeatable_request_is_sent_again_after_a_gateways_answer(
    method: str, status: int
) -> None:
    server = Scripted([reply(status), reply(200, {})])
    assert await server.transport().request(method, "/sources/1") == {}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("lost", LOST, ids=repr)
async def test_a_write_that_may_have_arrived_is_never_repeated(
    method: str, lost: Exception
) -> None:
    server = Scripted([lost])
    with pytest.raises(OutcomeUnknown) as caught:
        await server.transport().request(method, "/sources", json={})
    assert len(server.requests) == 1
    assert "look at the server before" in caught.value.hint


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("status", [408, 502, 503, 504, 522])
async def test_a_gateways_answer_to_a_write_leaves_its_outcome_unknown(
    method: str, status: int
) -> None:
    server = Scripted([reply(status, "<html><title>Bad Gateway</title></html>")])
    with pytest.raises(OutcomeUnknown) as caught:
        await server.transport().request(method, "/sources", json={})
    assert caught.value.status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("before", [REFUSED, httpx.ConnectTimeout("slow"), reply(429)], ids=repr)
async def test_a_write_that_never_was_processed_is_repeated(
    method: str, before: httpx.Response | Exception
) -> None:
    server = Scripted([before, reply(200, {"id": 1})])
    assert await server.transport().request(method, "/sources", json={}) == {"id": 1}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_lost_put_that_never_gets_through_again_is_unknown_not_unreachable(
    method: str,
) -> None:
    server = Scripted([LOST[0], REFUSED, REFUSED, REFUSED])
    with pytest.raises(OutcomeUnknown):
        await server.transport().request(method, "/sources/1")


@pytest.mark.parametrize(
    "then",
    [
        reply(401),
        reply(404, "<html></html>"),
        reply(500, {"errorId": "e"}),
        reply(302, location="/"),
    ],
    ids=lambda answer: str(answer.status_code),
)
async def test_a_lost_put_stays_unknown_after_an_answer_that_is_no_verdict_on_it(
    then: httpx.Response,
) -> None:
    with pytest.raises(OutcomeUnknown):
        await Scripted([LOST[0], then]).transport().request("PUT", "/sources/1")


async def test_a_put_that_was_lost_and_then_refused_for_good_says_what_the_server_said() -> None:
    server = Scripted([LOST[0], reply(422, {"title": "unprocessable-entity", "type": "x"})])
    with pytest.raises(ApiError, match="422 unprocessable-entity") as caught:
        await server.transport().request("PUT", "/sources/1")
    assert not isinstance(caught.value, OutcomeUnknown)


async def test_attempts_are_bounded_and_wait_longer_each_time() -> None:
    server = Scripted([reply(503)] * 4)
    with pytest.raises(Unreachable, match="GET /sources: 503"):
        await server.transport().request("GET", "/sources")
    assert len(server.requests) == 4
    assert [0.5 <= server.slept[0] < 2, 1 <= server.slept[1] < 3, 2 <= server.slept[2] < 4] == [
        True,
        True,
        True,
    ]


async def test_a_servers_own_wish_to_wait_is_honoured_and_capped() -> None:
    server = Scripted([reply(429, retry_after="7"), reply(429, retry_after="86400"), reply(200)])
    await server.transport().request("GET", "/sources")
    assert server.slept == [7.0, 60.0]


@pytest.mark.parametrize("wish", ["-5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "1e3", ""])
async def test_a_wish_to_wait_that_is_no_number_is_ignored(wish: str) -> None:
    server = Scripted([reply(429, retry_after=wish), reply(200)])
    await server.transport().request("GET", "/sources")
    assert 0 < server.slept[0] < 2


async def test_a_500_is_asked_again_only_on_a_quick_get() -> None:
    server = Scripted([reply(500, {"errorId": "x"}), reply(200, {})])
    await server.transport().request("GET", "/sources/1")
    for method, slow in (("PUT", False), ("DELETE", False), ("POST", False), ("GET", True)):
        once = Scripted([reply(500, {"errorId": "x"})])
        with pytest.raises(ApiError) as caught:
            await once.transport().request(method, "/x", slow=slow)
        assert (caught.value.status, type(caught.value)) == (500, ApiError)


async def test_a_slow_call_that_stays_unanswered_is_not_asked_again() -> None:
    server = Scripted([httpx.ReadTimeout("timed out")])
    with pytest.raises(Unreachable, match="GET /streams: no answer in time"):
        await server.transport().request("GET", "/streams", slow=True)


async def test_a_refused_connection_asks_whether_the_server_runs() -> None:
    server = Scripted([REFUSED] * 4)
    with pytest.raises(Unreachable, match=r"no connection to https://airbyte\.example") as caught:
        await server.transport().request("POST", "/sources", json={})
    assert "is the server running" in caught.value.hint


async def test_an_untrusted_certificate_is_said_at_once() -> None:
    untrusted = httpx.ConnectError("certificate verify failed")
    untrusted.__cause__ = ssl.SSLCertVerificationError("self-signed")
    server = Scripted([untrusted])
    with pytest.raises(Unreachable) as caught:
        await server.transport().request("GET", "/sources")
    assert "SSL_CERT_FILE" in caught.value.hint
    assert server.slept == []


@pytest.mark.parametrize(
    ("cause", "hint"),
    [(socket.gaierror(-2, "Name or service not known"), "host name"), (None, "HTTP_PROXY")],
)
async def test_the_next_step_fits_what_kept_us_from_connecting(
    cause: Exception | None, hint: str
) -> None:
    error = httpx.ConnectError("no") if cause else httpx.ProxyError("407 Proxy")
    error.__cause__ = cause
    with pytest.raises(Unreachable) as caught:
        await Scripted([error] * 4).transport().request("POST", "/sources", json={})
    assert hint in caught.value.hint


async def test_timeouts_are_ten_seconds_to_connect_and_sixty_or_six_hundred_to_read() -> None:
    server = Scripted([reply(), reply()])
    transport = server.transport()
    await transport.request("GET", "/sources")
    await transport.request("GET", "/streams", slow=True)
    quick, slow = (request.extensions["timeout"] for request in server.requests)
    assert (quick["connect"], quick["read"]) == (10, 60)
    assert (slow["connect"], slow["read"]) == (10, 600)


@pytest.mark.parametrize(("slow", "most"), [(False, 4), (True, 2)])
async def test_only_so_many_requests_are_on_the_way_at_once(slow: bool, most: int) -> None:
    under_way = peak = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, peak
        under_way += 1
        peak = max(peak, under_way)
        await anyio.sleep(0.01)
        under_way -= 1
        return reply(200, {})

    transport = Transport(BASE, http_transport=httpx.MockTransport(answer))
    async with transport, anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(partial(transport.request, "GET", "/streams", slow=slow))
    assert peak == most


async def test_being_cancelled_is_not_retried() -> None:
    async def hang(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    transport = Transport(BASE, http_transport=httpx.MockTransport(hang))
    with anyio.move_on_after(0.05) as scope:
        await transport.request("GET", "/sources")
    assert scope.cancelled_caught
