"""From a target's url and api to the API that is meant."""

from __future__ import annotations

import httpx
import pytest

from reconciler.backends import connect
from reconciler.backends.public_api import PublicApi
from reconciler.core.diagnostics import AuthFailed, ReconcilerError, Refused, Unreachable
from reconciler.core.model import Workspace
from reconciler.core.target import Auth, Target

pytestmark = pytest.mark.anyio

HEALTHY = httpx.Response(200, text="Successful operation")


class Server:
    """Health at some paths; keeps what it was asked."""

    def __init__(self, **health: httpx.Response) -> None:
        self.health = health
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        key = request.url.path.removesuffix("/health").strip("/").replace("/", "_")
        return self.health.get(key, httpx.Response(404))

    async def base(self, url: str, api: str = "auto", auth: Auth = Auth()) -> str:  # noqa: B008 - frozen
        target = Target(name="t", url=url, api=api, auth=auth)
        transport = httpx.MockTransport(self.answer)
        async with connect(target, http_transport=transport, read_only=True) as backend:
            assert isinstance(backend, PublicApi)
            assert backend.capabilities.api == "public"
            return backend.base_url


@pytest.mark.parametrize("api", ["auto", "public"])
async def test_a_bare_url_is_probed_and_a_404_moves_on(api: str) -> None:
    own = Server(api_public_v1=HEALTHY)
    assert await own.base("https://a.example.com/", api) == "https://a.example.com/api/public/v1"
    cloud = Server(v1=HEALTHY)
    assert await cloud.base("https://a.example.com", api) == "https://a.example.com/v1"
    assert [r.url.path for r in cloud.requests] == ["/api/public/v1/health", "/v1/health"]


@pytest.mark.parametrize(
    ("url", "api", "base"),
    [
        ("https://a.example.com/api/public/v1", "auto", "https://a.example.com/api/public/v1"),
        (
            "https://a.example.com/airbyte/api/public/v1/",
            "auto",
            "https://a.example.com/airbyte/api/public/v1",
        ),
        ("https://api.airbyte.com/v1", "auto", "https://api.airbyte.com/v1"),
        (
            "https://a.example.com/behind/a/gateway",
            "public",
            "https://a.example.com/behind/a/gateway",
        ),
        ("http://127.0.0.1:8000/v1", "public", "http://127.0.0.1:8000/v1"),
    ],
)
async def test_a_url_with_a_path_is_the_base_as_it_stands(url: str, api: str, base: str) -> None:
    server = Server()
    assert await server.base(url, api) == base
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(403), ReconcilerError),
        (httpx.Response(401), AuthFailed),
        (httpx.Response(302, headers={"location": "https://login.example.com"}), Unreachable),
        (httpx.Response(200, html="<html><title>Airbyte</title></html>"), Unreachable),
    ],
)
async def test_anything_but_a_404_ends_the_search(
    answer: httpx.Response, error: type[Exception]
) -> None:
    server = Server(api_public_v1=answer, v1=HEALTHY)
    with pytest.raises(error):
        await server.base("https://a.example.com")
    assert len(server.requests) == 1


async def test_nothing_found_names_what_was_tried() -> None:
    with pytest.raises(Unreachable, match="no health at /api/public/v1 or /v1") as caught:
        await Server().base("https://a.example.com")
    assert "api: public" in caught.value.hint


async def test_probing_asks_for_no_token_and_carries_what_a_proxy_wants() -> None:
    server = Server(api_public_v1=HEALTHY)
    auth = Auth(client_id="id", client_secret="secret", headers={"X-Proxy": "let-me-in"})
    await server.base("https://a.example.com", auth=auth)
    assert [r.method for r in server.requests] == ["GET"]
    assert server.requests[0].headers["x-proxy"] == "let-me-in"


@pytest.mark.parametrize(
    ("url", "api", "problem"),
    [
        ("https://a.example.com/api/v1", "auto", "Configuration API is not built"),
        ("https://a.example.com", "config", "Configuration API is not built"),
        ("embedded", "config", "Configuration API is not built"),
        ("https://a.example.com", "soap", "no API is called 'soap'"),
        ("https://a.example.com/airbyte", "auto", "doesn't tell which API"),
        ("https://a.example.com/v1", "auto", "doesn't tell which API"),
        ("ftp://a.example.com", "auto", "no http address"),
        ("airbyte.example.com", "auto", "no http address"),
        ("https://a.example.com/?x=1", "auto", r"\? or #"),
        ("https://a.example.com:port", "auto", "not valid"),
    ],
)
async def test_a_target_that_cannot_be_meant_is_refused(url: str, api: str, problem: str) -> None:
    with pytest.raises(ReconcilerError, match=problem):
        await Server().base(url, api)


async def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(ReconcilerError, match="holds credentials") as caught:
        await Server().base("https://admin:hunter2@a.example.com")
    assert "hunter2" not in str(caught.value)


async def test_embedded_is_where_the_application_was_put_and_is_not_probed() -> None:
    server = Server()
    assert await server.base("embedded") == "http://embedded/api/public/v1"
    assert server.requests == []
    with pytest.raises(ReconcilerError, match="not started"):
        async with connect(Target(name="t", url="embedded"), read_only=True):
            pass


async def test_a_connection_that_only_reads_creates_nothing() -> None:
    target = Target(name="t", url="embedded")
    transport = httpx.MockTransport(lambda request: httpx.Response(500))
    async with connect(target, http_transport=transport, read_only=True) as backend:
        with pytest.raises(Refused):
            await backend.create_tag(Workspace("w", "w"), "gold")


async def test_a_host_that_is_not_allowed_gets_no_request() -> None:
    server = Server(api_public_v1=HEALTHY)
    target = Target(name="t", url="https://evil.example.com", auth=Auth(token="secret"))
    transport = httpx.MockTransport(server.answer)
    with pytest.raises(Refused, match=r"evil\.example\.com .* RECONCILER_ALLOWED_HOSTS"):
        async with connect(
            target, http_transport=transport, read_only=True, allowed_hosts=("a.example.com",)
        ):
            pass
    assert server.requests == []


async def test_embedded_is_always_allowed() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(500))
    target = Target(name="t", url="embedded")
    async with connect(
        target, http_transport=transport, read_only=True, allowed_hosts=()
    ) as backend:
        assert backend.capabilities.api == "public"
