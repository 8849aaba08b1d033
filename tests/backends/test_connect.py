"""From a target's url and api to the API that is meant."""

from __future__ import annotations

import httpx
import pytest

from reconciler.backends import connect, detection
from reconciler.backends.detection import stated_api
from reconciler.core.diagnostics import (
    ApiError,
    AuthFailed,
    ReconcilerError,
    Refused,
    Unreachable,
)
from reconciler.core.model import Workspace
from reconciler.core.target import Auth, Target
from reconciler.transport import Transport

pytestmark = pytest.mark.anyio

HEALTHY = httpx.Response(200, text="Successful operation")
AVAILABLE = httpx.Response(200, json={"available": True})
WEB_APP = httpx.Response(200, html="<!doctype html><html><title>Airbyte</title></html>")
NO_ROUTE = httpx.Response(
    404, content=b"Object not found.", headers={"content-type": "application/json"}
)
BUSY = httpx.Response(503, text="starting")
ASKS_FOR_A_PASSWORD = httpx.Response(
    401, html="<html><head><title>401 Authorization Required</title></head></html>"
)


class Server:
    """Health at some paths, `elsewhere` at all others; keeps what it was asked."""

    def __init__(
        self, elsewhere: httpx.Response | Exception = NO_ROUTE, **health: httpx.Response | Exception
    ) -> None:
        self.health = health
        self.elsewhere = elsewhere
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        key = request.url.path.removesuffix("/health").strip("/").replace("/", "_")
        answer = self.health.get(key, self.elsewhere)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def found(self, url: str, api: str = "auto", auth: Auth = Auth()) -> tuple[str, str]:  # noqa: B008 - frozen
        target = Target(name="t", url=url, api=api, auth=auth)
        transport = httpx.MockTransport(self.answer)
        async with connect(target, http_transport=transport, read_only=True) as backend:
            return backend.capabilities.api, backend.base_url

    async def searched(self, url: str) -> detection.Found:
        """Without the pauses between attempts."""

        async def at_once(seconds: float) -> None:
            assert seconds >= 0

        def transport(api: str, base_url: str) -> Transport:
            handler = httpx.MockTransport(self.answer)
            return Transport(base_url, http_transport=handler, sleep=at_once)

        return await detection.search(Target(name="t", url=url), transport)

    async def base(self, url: str, api: str = "auto", auth: Auth = Auth()) -> str:  # noqa: B008 - frozen
        return (await self.found(url, api, auth))[1]

    @property
    def asked(self) -> list[str]:
        return [request.url.path for request in self.requests]


@pytest.mark.parametrize("api", ["auto", "public"])
async def test_a_bare_url_is_probed_and_a_404_moves_on(api: str) -> None:
    own = Server(api_public_v1=HEALTHY)
    assert await own.base("https://a.example.com/", api) == "https://a.example.com/api/public/v1"
    older = Server(api_v1=HEALTHY)
    if api == "auto":
        assert await older.base("https://a.example.com", api) == "https://a.example.com/api/v1"
        assert older.asked == ["/api/public/v1/health", "/api/v1/health"]


@pytest.mark.parametrize("api", ["auto", "public"])
async def test_the_cloud_is_asked_where_its_api_is_and_nobody_else_is_asked_there(api: str) -> None:
    """Each request carries credentials."""
    cloud = Server(v1=HEALTHY)
    assert await cloud.base("https://api.airbyte.com", api) == "https://api.airbyte.com/v1"
    assert cloud.asked == ["/v1/health"]
    with pytest.raises(Unreachable):
        await cloud.base("https://a.example.com", api)
    assert cloud.asked.count("/v1/health") == 1


async def test_the_cloud_is_not_asked_for_an_api_that_it_has_not() -> None:
    cloud = Server(v1=HEALTHY, api_v1=AVAILABLE)
    with pytest.raises(Refused, match=r"api\.airbyte\.com has no Configuration API"):
        await cloud.base("https://api.airbyte.com", "config")
    assert cloud.requests == []


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
        ("http://localhost:8001/api/v1/", "auto", "http://localhost:8001/api/v1"),
        ("https://a.example.com/airbyte/api/v1", "auto", "https://a.example.com/airbyte/api/v1"),
        ("https://a.example.com/gateway", "config", "https://a.example.com/gateway"),
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
        (ASKS_FOR_A_PASSWORD, AuthFailed),
        (httpx.Response(302, headers={"location": "https://login.example.com"}), Unreachable),
        (httpx.Response(400), ReconcilerError),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), Unreachable),
    ],
    ids=str,
)
@pytest.mark.parametrize("place", ["api_public_v1", "api_v1"])
async def test_anything_but_a_definite_no_ends_the_search(
    answer: httpx.Response | Exception, error: type[Exception], place: str
) -> None:
    places = ["api_public_v1", "api_v1"]
    later = places[places.index(place) + 1 :]
    server = Server(**{place: answer}, **dict.fromkeys(later, AVAILABLE))
    with pytest.raises(error) as caught:
        await server.searched("https://a.example.com")
    assert not {f"/{name.replace('_', '/')}/health" for name in later} & set(server.asked)
    assert isinstance(caught.value, ReconcilerError)
    told = "is not searched for where the url has its base path" in caught.value.hint
    assert told == isinstance(answer, httpx.Response)
    assert f"https://a.example.com/{place.replace('_', '/')}" in caught.value.message
    for earlier in places[: places.index(place)]:
        assert f"/{earlier.replace('_', '/')}/health: 404" in caught.value.message


@pytest.mark.parametrize("trouble", [BUSY, httpx.ReadTimeout("slow")], ids=["503", "timeout"])
async def test_a_server_that_is_down_is_not_taken_for_one_that_lacks_the_api(
    trouble: httpx.Response | Exception,
) -> None:
    server = Server(api_public_v1=trouble, api_v1=AVAILABLE)
    with pytest.raises(Unreachable):
        await server.searched("https://a.example.com")
    assert set(server.asked) == {"/api/public/v1/health"}


@pytest.mark.parametrize("no", [NO_ROUTE, WEB_APP, httpx.Response(404, html="<html></html>")])
async def test_a_server_of_the_configuration_api_alone_is_found(no: httpx.Response) -> None:
    server = Server(no, api_v1=AVAILABLE)
    found = await server.found("http://localhost:8000")
    assert found == ("config", "http://localhost:8000/api/v1")
    assert server.asked == ["/api/public/v1/health", "/api/v1/health"]


async def test_where_a_server_has_both_auto_is_the_public_one() -> None:
    server = Server(WEB_APP, api_public_v1=HEALTHY, api_v1=AVAILABLE)
    assert await server.found("http://localhost:8000") == (
        "public",
        "http://localhost:8000/api/public/v1",
    )


@pytest.mark.parametrize(
    ("api", "asked"),
    [("config", ["/api/v1/health"]), ("public", ["/api/public/v1/health"])],
)
async def test_a_stated_api_is_looked_for_only_where_it_may_be(api: str, asked: list[str]) -> None:
    server = Server(api_public_v1=HEALTHY, api_v1=AVAILABLE)
    assert (await server.found("https://a.example.com", api))[0] == api
    assert server.asked == asked


async def test_nothing_found_names_everything_that_was_tried_and_what_it_said() -> None:
    with pytest.raises(Unreachable) as caught:
        await Server(api_v1=WEB_APP).base("https://a.example.com")
    assert caught.value.message == (
        "no Airbyte API at https://a.example.com: tried "
        "https://a.example.com/api/public/v1/health: 404; "
        'https://a.example.com/api/v1/health: 200, a page of HTML ("Airbyte")'
    )
    assert "api: public or api: config" in caught.value.hint


async def test_probing_asks_for_no_token_and_carries_what_a_proxy_wants() -> None:
    server = Server(api_public_v1=HEALTHY)
    auth = Auth(client_id="id", client_secret="secret", headers={"X-Proxy": "let-me-in"})
    await server.base("https://a.example.com", auth=auth)
    assert [r.method for r in server.requests] == ["GET"]
    assert server.requests[0].headers["x-proxy"] == "let-me-in"


@pytest.mark.parametrize(
    ("url", "api", "problem"),
    [
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


@pytest.mark.parametrize(
    "url",
    [
        "s3cr3t-canary",
        "https://s3cr3t-canary:port",
        "https://s3cr3t-canary",
        "https://a.example.com/s3cr3t-canary",
        "https://a.example.com/?s3cr3t-canary",
    ],
)
async def test_what_a_reference_brings_and_is_no_address_is_not_repeated(url: str) -> None:
    """It may be any variable of the runner, in the plan of any pull request."""
    target = Target(name="t", url=url, referred={"url": "${env:URL}"})
    transport = httpx.MockTransport(lambda request: httpx.Response(500))
    with pytest.raises(ReconcilerError) as caught:
        async with connect(
            target, http_transport=transport, read_only=True, allowed_hosts=("a.example.com",)
        ):
            pass
    assert "canary" not in f"{caught.value} {caught.value.hint}"


async def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(ReconcilerError, match="holds credentials") as caught:
        await Server().base("https://admin:hunter2@a.example.com")
    assert "hunter2" not in str(caught.value)


async def test_embedded_is_where_the_application_was_put_and_is_not_probed() -> None:
    server = Server()
    assert await server.base("embedded") == "http://embedded/api/public/v1"
    assert await server.base("embedded", "public") == "http://embedded/api/public/v1"
    assert await server.found("embedded", "config") == ("config", "http://embedded/api/v1")
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


@pytest.mark.parametrize(
    ("url", "api", "stated"),
    [
        ("https://a.example.com", "public", "public"),
        ("https://a.example.com/behind", "config", "config"),
        ("embedded", "auto", "public"),
        ("embedded", "config", "config"),
        ("https://a.example.com/api/public/v1/", "auto", "public"),
        ("https://a.example.com/airbyte/api/v1", "auto", "config"),
        ("https://api.airbyte.com/v1", "auto", "public"),
        ("https://a.example.com/v1", "auto", None),
        ("https://a.example.com/", "auto", None),
        ("https://a.example.com/behind", "auto", None),
        ("https://a.example.com:port", "auto", None),
    ],
)
def test_what_a_target_states_by_itself_needs_no_server(
    url: str, api: str, stated: str | None
) -> None:
    assert stated_api(Target(name="t", url=url, api=api)) == stated


@pytest.mark.parametrize(
    "auth",
    [
        Auth(username="airbyte", password="password"),
        Auth(token="a-token"),
        Auth(client_id="id", client_secret="secret"),
    ],
    ids=["basic", "token", "client"],
)
async def test_every_way_to_say_who_we_are_works_for_the_configuration_api(auth: Auth) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path.endswith("/applications/token"):
            return httpx.Response(200, json={"access_token": "issued"})
        return httpx.Response(200, json={"workspaces": []})

    target = Target(name="t", url="http://localhost:8001/api/v1", auth=auth)
    transport = httpx.MockTransport(answer)
    async with connect(target, http_transport=transport, read_only=True) as backend:
        assert await backend.workspaces() == ()
    *before, last = seen[:2] if auth.client_id else seen[:1]
    assert [r.url.path for r in before] == ["/api/v1/applications/token"] * len(before)
    kinds = {"username": "Basic ", "token": "Bearer a-token", "client_id": "Bearer issued"}
    wanted = next(text for name, text in kinds.items() if getattr(auth, name))
    assert last.headers["authorization"].startswith(wanted)


OLD_PROXY = httpx.Response(
    401,
    html="<html><head><title>401 Authorization Required</title></head></html>",
    headers={"WWW-Authenticate": 'Basic realm="Restricted"'},
)
CLIENT, TOKEN = Auth(client_id="id", client_secret="secret"), Auth(token="t")


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://localhost:8001/api/v1"])
@pytest.mark.parametrize(
    ("no", "auth", "hint"),
    [
        (OLD_PROXY, CLIENT, "it asks for username and password, as Airbyte up to 0.63 does"),
        (OLD_PROXY, TOKEN, "it asks for username and password, as Airbyte up to 0.63 does"),
        (NO_ROUTE, CLIENT, "Airbyte up to 0.63 knows no client credentials"),
    ],
    ids=["client", "token", "client, auth off"],
)
async def test_a_server_that_knows_only_passwords_says_so_to_other_credentials(
    url: str, no: httpx.Response, auth: Auth, hint: str
) -> None:
    """A proxy asks for user and password; what is behind it has no path for tokens (CFG §1)."""
    server = Server(no, **({} if no is OLD_PROXY else {"api_v1": AVAILABLE}))
    target = Target(name="t", url=url, auth=auth)
    transport = httpx.MockTransport(server.answer)
    with pytest.raises(ApiError) as caught:
        async with connect(target, http_transport=transport, read_only=True) as backend:
            await backend.workspaces()
    assert hint in caught.value.hint
    assert "made on" not in caught.value.hint


@pytest.mark.parametrize(
    ("api", "base"), [("public", "/gateway"), ("public", "/api/v1"), ("config", "/gateway")]
)
async def test_a_server_that_has_no_workspaces_is_named_with_its_address(
    api: str, base: str
) -> None:
    """A gateway may answer 404 in JSON of its own, which looks like an object that there is not."""
    server = Server(httpx.Response(404, json={"error": "no such service"}))
    target = Target(name="t", url=f"https://a.example.com{base}", api=api)
    transport = httpx.MockTransport(server.answer)
    async with connect(target, http_transport=transport, read_only=True) as backend:
        with pytest.raises(Unreachable) as caught:
            await backend.workspaces()
    assert f"https://a.example.com{base}" in caught.value.message
    assert caught.value.hint.startswith(f"is https://a.example.com{base} the base of the ")


@pytest.mark.parametrize("api", ["public", "config"])
async def test_no_path_for_tokens_is_not_taken_for_an_object_that_is_gone(api: str) -> None:
    base = "/api/public/v1" if api == "public" else "/api/v1"
    target = Target(name="t", url=f"https://a.example.com{base}", api=api, auth=CLIENT)
    transport = httpx.MockTransport(Server(NO_ROUTE).answer)
    async with connect(target, http_transport=transport, read_only=False) as backend:
        for ask in (backend.read("source", "s-1"), backend.delete("source", "s-1")):
            with pytest.raises(AuthFailed, match="no access token"):
                await ask
