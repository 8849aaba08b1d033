"""Who we say we are: tokens, their refresh, and that no credential goes astray or is shown."""

from __future__ import annotations

import base64
import json

import anyio
import httpx
import pytest

from reconciler.core.diagnostics import AuthFailed, ReconcilerError, Unreachable
from reconciler.core.model import UNSET, Secret
from reconciler.core.target import Auth
from tests.transport.scripted import Scripted, reply, token

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t-of-the-application"
CLIENT = Auth(
    client_id=Secret("${env:AIRBYTE_CLIENT_ID}", "client-1"),
    client_secret=Secret("${env:AIRBYTE_CLIENT_SECRET}", SECRET),
)


def authorizations(server: Scripted) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.requests]


async def test_client_credentials_are_exchanged_once_for_a_token_in_both_spellings() -> None:
    server = Scripted([reply(200, {}), reply(200, {})], tokens=[token("t1")])
    transport = server.transport(CLIENT)
    await transport.request("GET", "/sources")
    await transport.request("GET", "/sources")
    assert authorizations(server) == ["Bearer t1", "Bearer t1"]
    assert json.loads(server.token_requests[0].content) == {
        "client_id": "client-1",
        "client_secret": SECRET,
        "grant-type": "client_credentials",
        "grant_type": "client_credentials",
    }
    assert str(server.token_requests[0].url).startswith(
        "https://airbyte.example.com/api/public/v1/app"
    )


@pytest.mark.parametrize(
    ("expires_in", "still_good", "refreshed"),
    [
        (900, 860, 880),
        (2, 1.5, 1.7),
        (None, 140, 160),
        ("soon", 140, 160),
        (-1, 140, 160),
        ("60", 40, 55),
    ],
)
async def test_a_token_is_refreshed_before_it_expires(
    expires_in: object, still_good: float, refreshed: float
) -> None:
    server = Scripted([reply(200)] * 3, tokens=[token("t1", expires_in), token("t2")])
    transport = server.transport(CLIENT)
    start = server.now
    await transport.request("GET", "/sources")
    server.now = start + still_good
    await transport.request("GET", "/sources")
    server.now = start + refreshed
    await transport.request("GET", "/sources")
    assert authorizations(server) == ["Bearer t1", "Bearer t1", "Bearer t2"]


async def test_an_old_servers_answer_with_nothing_but_the_token_is_enough() -> None:
    server = Scripted([reply(200)], tokens=[reply(200, {"access_token": "t1"})])
    await server.transport(CLIENT).request("GET", "/sources")
    assert authorizations(server) == ["Bearer t1"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_401_gets_one_fresh_token_and_one_more_try(method: str) -> None:
    server = Scripted([reply(401), reply(200, {"ok": 1})], tokens=[token("t1"), token("t2")])
    assert await server.transport(CLIENT).request(method, "/sources") == {"ok": 1}
    assert authorizations(server) == ["Bearer t1", "Bearer t2"]


async def test_a_second_401_is_the_end() -> None:
    server = Scripted(
        [reply(401), reply(401, {"message": "Unauthorized"})], tokens=[token("t1"), token("t2")]
    )
    with pytest.raises(AuthFailed, match="GET /sources: 401") as caught:
        await server.transport(CLIENT).request("GET", "/sources")
    assert "${env:AIRBYTE_CLIENT_ID}" in caught.value.hint


async def test_many_requests_at_once_share_one_refresh() -> None:
    server = Scripted(
        [lambda request: reply(401 if request.headers["authorization"] == "Bearer t1" else 200)]
        * 8,
        tokens=[token("t1"), token("t2")],
    )
    transport = server.transport(CLIENT)
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(transport.request, "GET", "/sources")
    assert len(server.token_requests) == 2


async def test_a_bearer_token_has_nothing_to_refresh() -> None:
    server = Scripted([reply(401)])
    with pytest.raises(AuthFailed, match="401"):
        await server.transport(Auth(token="abc")).request("GET", "/sources")
    assert authorizations(server) == ["Bearer abc"]


async def test_username_and_password_are_basic() -> None:
    server = Scripted([reply(200)])
    auth = Auth(username="ünal", password=Secret("${env:P}", "päss:word"))
    await server.transport(auth).request("GET", "/sources")
    encoded = base64.b64encode("ünal:päss:word".encode()).decode()
    assert authorizations(server) == [f"Basic {encoded}"]


async def test_extra_headers_go_with_every_request_and_the_tokens_too() -> None:
    server = Scripted([reply(200)], tokens=[token("t1")])
    auth = Auth(
        client_id="a", client_secret="b", headers={"X-Proxy": Secret("${env:X}", "let-me-in")}
    )
    await server.transport(auth).request("GET", "/sources")
    assert server.requests[0].headers["x-proxy"] == "let-me-in"
    assert server.token_requests[0].headers["x-proxy"] == "let-me-in"


async def test_an_authorization_header_of_a_proxy_gives_way_to_the_token() -> None:
    server = Scripted([reply(200)], tokens=[token("t1")])
    auth = Auth(client_id="a", client_secret="b", headers={"authorization": "Basic eA=="})
    await server.transport(auth).request("GET", "/sources")
    assert server.requests[0].headers.get_list("authorization") == ["Bearer t1"]
    assert server.token_requests[0].headers.get_list("authorization") == ["Basic eA=="]


async def test_without_credentials_none_are_sent_and_a_401_asks_for_them() -> None:
    server = Scripted([reply(200), reply(401)])
    await server.transport().request("GET", "/sources")
    assert authorizations(server) == [None]
    with pytest.raises(AuthFailed) as caught:
        await server.transport().request("GET", "/sources")
    assert "state them as auth" in caught.value.hint


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_a_refused_token_is_a_failure_of_the_credentials(status: int) -> None:
    server = Scripted([], tokens=[reply(status, {"errorId": "e-1"})])
    with pytest.raises(AuthFailed, match=f"no access token.*{status}.*server log id e-1") as caught:
        await server.transport(CLIENT).request("GET", "/sources")
    assert "check the client credentials ${env:AIRBYTE_CLIENT_ID}" in caught.value.hint


@pytest.mark.parametrize(
    "trouble",
    [
        reply(500, {"errorId": "e"}),
        reply(502),
        reply(429),
        httpx.ReadTimeout("x"),
        httpx.ConnectError("refused"),
    ],
    ids=repr,
)
async def test_an_outage_of_the_token_endpoint_is_retried_and_is_no_auth_failure(
    trouble: httpx.Response | Exception,
) -> None:
    recovers = Scripted([reply(200)], tokens=[trouble, trouble, token("t1")])
    await recovers.transport(CLIENT).request("GET", "/sources")
    stays = Scripted([], tokens=[trouble] * 4)
    with pytest.raises(Unreachable):
        await stays.transport(CLIENT).request("POST", "/sources", json={})


async def test_a_500_for_a_token_mentions_that_wrong_credentials_look_like_that() -> None:
    server = Scripted([], tokens=[reply(500, {"errorId": "e"})] * 4)
    with pytest.raises(Unreachable) as caught:
        await server.transport(CLIENT).request("GET", "/sources")
    assert "wrong client credentials" in caught.value.hint


@pytest.mark.parametrize(
    "body",
    [
        {"message": "hi"},
        {"access_token": ""},
        {"access_token": "a\nb"},
        [],
        "<html><title>Sign in</title></html>",
        None,
    ],
)
async def test_a_token_answer_without_a_token_is_said(body: object) -> None:
    server = Scripted([], tokens=[reply(200, body)])
    with pytest.raises(Unreachable, match="no access token"):
        await server.transport(CLIENT).request("GET", "/sources")


async def test_a_redirect_is_not_followed_and_only_its_origin_is_named() -> None:
    elsewhere = "https://user:pw@login.example.org:8443/in?token=abcdefgh"
    server = Scripted([reply(302, location=elsewhere)], tokens=[token("t1")])
    with pytest.raises(Unreachable) as caught:
        await server.transport(CLIENT).request("GET", "/sources")
    assert "https://login.example.org:8443;" in caught.value.message
    assert "pw" not in caught.value.message
    assert "abcdefgh" not in caught.value.message
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("/login", "another path of the same server"),
        ("", "another path of the same server"),
        ("//sso.example.com/x?y", "https://sso.example.com;"),
    ],
)
async def test_where_a_redirect_points_is_said_whatever_it_looks_like(
    location: str, named: str
) -> None:
    with pytest.raises(Unreachable) as caught:
        await Scripted([reply(301, location=location)]).transport().request("GET", "/sources")
    assert named in caught.value.message


async def test_a_token_path_that_is_not_there_asks_for_the_base_path() -> None:
    server = Scripted([], tokens=[reply(404, "<html></html>")])
    with pytest.raises(AuthFailed) as caught:
        await server.transport(CLIENT).request("GET", "/sources")
    assert "base path" in caught.value.hint


async def test_a_redirect_of_the_token_endpoint_takes_no_secret_along() -> None:
    server = Scripted(
        [], tokens=[reply(307, location="http://evil.example.org/applications/token")]
    )
    with pytest.raises(Unreachable, match=r"http://evil\.example\.org"):
        await server.transport(CLIENT).request("GET", "/sources")
    assert len(server.token_requests) == 1


async def test_a_server_that_echoes_credentials_does_not_get_them_shown() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return reply(400, {"message": f"bad {request.headers['authorization']} and {SECRET}"})

    server = Scripted([echo], tokens=[token("a-long-access-token")])
    with pytest.raises(ReconcilerError) as caught:
        await server.transport(CLIENT).request("GET", "/sources")
    assert caught.value.message.endswith("bad Bearer (secret) and (secret)")


@pytest.mark.parametrize(
    ("auth", "problem"),
    [
        (Auth(client_id="a"), "auth.clientSecret is missing"),
        (Auth(password="a"), "auth.username is missing"),
        (Auth(token=Secret("${env:T}", UNSET)), r"auth.token \(\$\{env:T\}\) has no value"),
        (Auth(token=Secret("${env:T}", "")), r"auth.token \(\$\{env:T\}\) has no value"),
        (
            Auth(token=Secret("${file:t}", "hidden-value\n")),
            r"auth.token \(\$\{file:t\}\) holds a line break",
        ),
        (Auth(headers={"X-A": "hidden-välue"}), "auth.headers.X-A holds"),
    ],
)
async def test_credentials_that_cannot_be_sent_are_named_and_not_quoted(
    auth: Auth, problem: str
) -> None:
    with pytest.raises(ReconcilerError, match=problem) as caught:
        Scripted([]).transport(auth)
    assert "hidden" not in str(caught.value)


async def test_nothing_about_credentials_is_in_a_repr() -> None:
    transport = Scripted([]).transport(CLIENT)
    assert SECRET not in repr(transport._credentials)


async def test_a_token_is_taken_when_a_request_has_its_turn_not_while_it_waits_for_one() -> None:
    """A slow call may wait for longer than a token of an old server lives (PUB §1, PUB-T 39)."""
    server = Scripted([], tokens=[token("t1", 180), token("t2", 180)])

    def slowly(request: httpx.Request) -> httpx.Response:
        server.now += 170
        return reply(200, {})

    server.replies = [slowly, slowly]
    transport = server.transport(CLIENT, parallelism=1)
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(transport.request, "GET", "/x")
    assert [sent.headers["authorization"] for sent in server.requests] == ["Bearer t1", "Bearer t2"]


async def test_a_token_that_was_refused_is_still_no_text_to_show() -> None:
    server = Scripted(
        [reply(401), reply(401, {"message": "neither first-token-1 nor second-token-2 is valid"})],
        tokens=[token("first-token-1"), token("second-token-2")],
    )
    with pytest.raises(AuthFailed) as caught:
        await server.transport(CLIENT).request("GET", "/x")
    assert caught.value.message.endswith("neither (secret) nor (secret) is valid")
