"""A network that fails and a server that changes, under the command line as people run it, over both APIs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import Cli, Ran
from tests.hostile.between import Asked, Said
from tests.hostile.shop import APIS, READS, Run, Shop, found, some, thorough

each_api = pytest.mark.parametrize("api", APIS)


def chaos(shop: Shop, *rules: str) -> None:
    shop.airbyte("POST", "/_emulator/chaos", {"rules": list(rules)})
    shop.server.forget()


def differs(shop: Shop) -> None:
    path = shop.folder / "manifests" / "source.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("database: shop", "database: other"), encoding="utf-8")


def applied(cli: Cli, shop: Shop, api: str) -> Ran:
    """One request at a time, so that two attempts of a request are not struck by turns."""
    return cli(
        "apply", "--yes", *shop.at, "--api", api, "--allow", "inconsistent", "--parallelism", "1"
    )


# --- trouble that passes: nobody notices -------------------------------------------------------

PASSING = (
    "* /[!ah]* 401 times=1",
    "* /[!ah]* expire-tokens every=5",
    "* /[!ah]* 429 every=5",
    "* /[!ah]* 429 body=html times=3",
    "POST /applications/token 503 times=2",
    "POST /applications/token 429 times=2",
    "POST /applications/token truncate times=1",
    "GET * reset every=3",
    "GET * truncate every=3",
    "POST */list* reset every=3",
    "POST */get* truncate every=3",
    "GET * 502 every=3",
    "GET * 500 every=4",
    "POST */list* 503 body=html every=3",
    "* * delay=0.05",
    "GET * pages=shuffle seed=3",
    "GET * pages=repeat",
    "POST */list* pages=shuffle seed=3",
)


@pytest.mark.parametrize(("rule", "api"), some(2, PASSING, APIS))
def test_trouble_that_passes_is_not_noticed(cli: Cli, shop: Shop, api: str, rule: str) -> None:
    chaos(shop, rule)
    calm = cli("plan", *shop.at, "--api", api, "--detailed-exitcode", "--parallelism", "1")
    assert calm.code == 0, calm.out + calm.err
    differs(shop)
    ran = applied(cli, shop, api)
    assert ran.code == 0, ran.out + ran.err
    chaos(shop)
    assert cli("plan", *shop.at, "--api", api, "--detailed-exitcode").code == 0


# --- trouble that stays: an end, in a line -----------------------------------------------------

LASTING = (
    "* /[!ah]* 401",
    "* /[!ah]* expire-tokens",
    "* /[!ah]* 429",
    "* /[!ah]* 403",
    "POST /applications/token 401",
    "POST /applications/token 500",
    "POST /applications/token 200 body=html",
    "POST /applications/token 200 body=empty",
    "* /[!ah]* reset",
    "* /[!ah]* truncate",
    "* /[!ah]* 502 body=html",
    "* /[!ah]* 200 body=html",
    "* /[!ah]* 200 body=empty",
    "* /[!ah]* 200 body=framework",
    "* /[!ah]* 404 body=html",
    "* * 503",
)


@pytest.mark.parametrize(("rule", "api"), some(2, LASTING, APIS))
def test_trouble_that_stays_ends_in_an_error_and_a_next_step(
    cli: Cli, shop: Shop, api: str, rule: str
) -> None:
    chaos(shop, rule)
    for run in (Run("plan"), Run("apply", ("--yes",)), Run("drift"), Run("jobs list")):
        shop.server.forget()
        ran = cli(*run.line(shop, api))
        assert ran.code == 1, ran.out + ran.err
        assert ran.err.startswith("Error: "), ran.err
        assert "\n  -> " in ran.err
        assert found(ran.out + ran.err) == []
        assert len(shop.server.asked) < 60, "it did not end"


@each_api
def test_a_storm_of_401_refreshes_once_a_request(cli: Cli, shop: Shop, api: str) -> None:
    """And the first request that is refused twice ends the run."""
    chaos(shop, "* /[!ah]* 401")
    ran = cli("plan", *shop.at, "--api", api)
    assert ran.code == 1
    assert "check the client credentials" in ran.err
    tokens = [asked for asked in shop.server.asked if asked.is_token]
    others = [asked for asked in shop.server.asked if not asked.is_token]
    assert len(tokens) <= 2
    assert len(others) <= 4


@each_api
def test_tokens_that_expire_between_any_two_requests_are_replaced(
    cli: Cli, shop: Shop, api: str
) -> None:
    differs(shop)
    chaos(shop, "* /[!ah]* expire-tokens every=2")
    ran = applied(cli, shop, api)
    assert ran.code == 0, ran.out + ran.err
    tokens = sum(asked.is_token for asked in shop.server.asked)
    assert 1 < tokens <= len(shop.server.asked) / 2


# --- a server of another year ------------------------------------------------------------------

WORDS = frozenset(
    (
        *("status", "scheduleType", "namespaceDefinition", "nonBreakingSchemaUpdatesBehavior"),
        *(
            "syncMode",
            "destinationSyncMode",
            "nonBreakingChangesPreference",
            "jobType",
            "configType",
        ),
        *("type", "cronTimeZone", "timeUnit", "geography", "dataResidency", "sourceType"),
        *("destinationType", "releaseStage", "supportLevel"),
    )
)


def later(node: Any, *, words: bool) -> Any:
    if isinstance(node, list):
        return [later(item, words=words) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {
        key: f"{value}_2031"
        if words and key in WORDS and isinstance(value, str)
        else later(value, words=words)
        for key, value in node.items()
        if key != "connectionSpecification"
    }
    kept = {key: node[key] for key in node if key == "connectionSpecification"}
    return {**changed, **kept, "inventedIn": 2031, "invention": {"of": [{"some": None}]}}


@each_api
@pytest.mark.parametrize("words", [False, True], ids=["fields", "words"])
def test_unknown_fields_and_words_are_no_trouble(
    cli: Cli, shop: Shop, api: str, words: bool
) -> None:
    path = shop.folder / "manifests" / "connection.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("  source: shop", "  status: active\n  source: shop"))

    def change(asked: Asked, said: Said) -> Said:
        if asked.is_token or asked.is_health or said.status != 200 or not said.body.strip():
            return said
        return said.but(body=json.dumps(later(json.loads(said.body), words=words)).encode())

    shop.server.change = change
    for run, output in some(2, (run for run in READS if api in run.apis), ("text", "json")):
        ran = cli(*run.line(shop, api, "-o", output))
        waits = words and run.command in ("jobs wait", "check", "plan")
        assert ran.code in ((0, 1, 2, 4) if waits else (0, 1, 2)), ran.out + ran.err
        assert "not what Airbyte's" not in ran.err, ran.err
    plan = cli("plan", *shop.at, "--api", api, "-v")
    assert plan.err == ""
    if words:
        assert "active_2031" in plan.out
        assert "incremental_append_2031" in plan.out or api == "config"
    else:
        configuration = [
            field["pointer"]
            for change in cli("plan", *shop.at, "--api", api, "-o", "json").json["changes"]
            for field in change["fields"]
        ]
        assert configuration, "a new key of a configuration is drift, and shown"
        assert [
            pointer
            for pointer in configuration
            if "/inven" not in pointer and not pointer.endswith("/mappers")
        ] == []


ODD = (None, True, -1, 10**30, 1.5, "", "x", "\u0000", [], {}, [[[]]], {"a": None}, ["x", 1, None])


@pytest.fixture(scope="module")
def known_keys() -> dict[tuple[Run, str], set[str]]:
    """Of each command, the keys of the answers that it gets."""
    return {}


@each_api
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_field_of_another_type_is_never_a_bug(
    cli: Cli, shop: Shop, api: str, odd: Any, known_keys: dict[tuple[Run, str], set[str]]
) -> None:
    """Each key of each answer by turns, wherever it stands: with each odd value in a thorough run."""
    runs = [Run("plan"), Run("jobs list"), Run("discover", ("source/shop",))]
    runs += [Run("check")] if api == "config" else [Run("plan", ("--online",))]
    for run in runs:
        if (run, api) not in known_keys:
            known_keys[run, api] = _met(cli, shop, run, api)
    every = sorted((key, at) for at, run in enumerate(runs) for key in known_keys[run, api])
    assert len(every) > 100
    if not thorough():  # of each key one command that meets it
        every = sorted(dict(every).items())[ODD.index(odd) :: len(ODD)]
    for key, at in every:
        shop.server.change = _changing(key, odd)
        ran = cli(*runs[at].line(shop, api))
        assert ran.code in (0, 1, 2, 4), (key, ran.err)
        assert "Traceback" not in ran.err


def _met(cli: Cli, shop: Shop, run: Run, api: str) -> set[str]:
    """Keys of the answers that a command gets."""
    keys: set[str] = set()

    def note(asked: Asked, said: Said) -> Said:
        if not (asked.is_token or asked.is_health) and said.status == 200 and said.body.strip():
            keys.update(_keys(json.loads(said.body)))
        return said

    shop.server.change = note
    cli(*run.line(shop, api))
    return keys


def _keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in ("connectionSpecification", "jsonSchema"):
                yield key
                yield from _keys(value)
    elif isinstance(node, list):
        for item in node:
            yield from _keys(item)


def _changing(key: str, odd: Any) -> Any:
    def replaced(node: Any) -> Any:
        if isinstance(node, list):
            return [replaced(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {name: odd if name == key else replaced(value) for name, value in node.items()}

    def change(asked: Asked, said: Said) -> Said:
        if asked.is_token or asked.is_health or said.status != 200 or not said.body.strip():
            return said
        return said.but(body=json.dumps(replaced(json.loads(said.body))).encode())

    return change


# --- specifications of connectors --------------------------------------------------------------

SPECIFICATIONS: dict[str, Any] = {
    "no schema": {"type": "nonsense", "properties": {"host": {"type": ["text", 5]}}},
    "wrong shapes": {"properties": [], "oneOf": {}, "required": "host", "type": {}},
    "booleans": {"properties": {"host": True, "port": False}, "oneOf": [True], "items": True},
    "a pattern that is none": {"properties": {"host": {"pattern": "(?P<"}}},
    "a pattern of Java's": {"properties": {"host": {"pattern": "\\p{L}++"}}},
    "itself": {"$ref": "#", "properties": {"host": {"$ref": "#"}}},
    "another's": {
        "properties": {"host": {"$ref": "@elsewhere/schema.json"}},
        "$ref": "@elsewhere/x",
    },
    "a file": {"properties": {"host": {"$ref": "file:///etc/passwd"}}},
    "draft 4": {"properties": {"port": {"minimum": 1, "exclusiveMinimum": True}}},
    "text": "no object",
    "a list": [1],
    "nothing": None,
}


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_a_specification_that_is_no_schema_is_no_trouble(
    cli: Cli, shop: Shop, specification: str
) -> None:
    with elsewhere() as (url, hits):
        text = json.dumps(SPECIFICATIONS[specification]).replace("@elsewhere", url)

        def change(asked: Asked, said: Said) -> Said:
            if "specification" not in asked.path:
                return said
            body = {**json.loads(said.body), "connectionSpecification": json.loads(text)}
            return said.but(body=json.dumps(body).encode())

        shop.server.change = change
        for command in (("plan",), ("apply", "--yes"), ("drift",)):
            ran = cli(*command, *shop.at, "--api", "config")
            assert ran.code in (0, 1, 2), ran.err
        assert hits == []


# --- other origins -----------------------------------------------------------------------------


@contextmanager
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody should ever ask, and the requests that it got."""
    hits: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            hits.append(f"{self.command} {self.path} {dict(self.headers)}")
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer  # noqa: N815 - the library's

        def log_message(self, *_: object) -> None:
            """Nothing on the tests' stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", hits
        finally:
            server.shutdown()
            thread.join()


REDIRECTS = (301, 302, 303, 307, 308)
REDIRECTED = ("everything", "token", "health", "writes")


@pytest.mark.parametrize(("status", "where", "api"), some(5, REDIRECTS, REDIRECTED, APIS))
def test_no_redirect_is_followed(cli: Cli, shop: Shop, api: str, status: int, where: str) -> None:
    differs(shop)
    with elsewhere() as (url, hits):

        def change(asked: Asked, said: Said) -> Said:
            is_write = asked.method in ("PUT", "PATCH") or "update" in asked.path
            chosen = {
                "everything": True,
                "token": asked.is_token,
                "health": asked.is_health,
                "writes": is_write,
            }[where]
            location = {"location": f"{url}/api/v1{asked.path}", "refresh": f"0; url={url}"}
            return Said(status, b"", location) if chosen else said

        shop.server.change = change
        ran = applied(cli, shop, api)
        assert ran.code in (1, 4), ran.out + ran.err
        assert "redirects are not followed" in " ".join((ran.out + ran.err).split())
        assert hits == []
        assert found(ran.out + ran.err) == []


@pytest.mark.parametrize(
    "location",
    ["", "//", "http://[::1", "http://a b/", "\x7f", "javascript:1", "http://" + "a" * 70_000],
)
def test_a_redirect_to_nowhere_is_told(cli: Cli, shop: Shop, location: str) -> None:
    shop.server.change = lambda _asked, _said: Said(302, b"", {"location": location})
    ran = cli("plan", *shop.at)
    assert ran.code == 1
    assert "redirects are not followed" in ran.err


@each_api
def test_no_link_of_an_answer_is_followed(cli: Cli, shop: Shop, api: str) -> None:
    with elsewhere() as (url, hits):

        def change(asked: Asked, said: Said) -> Said:
            if asked.is_token or asked.is_health or said.status != 200 or not said.body.strip():
                return said
            links = {"next": f"{url}/next", "previous": url, "_links": {"next": {"href": url}}}
            data = json.loads(said.body)
            body = {**data, **links} if isinstance(data, dict) else data
            headers = {**said.headers, "link": f'<{url}/link>; rel="next"', "content-location": url}
            return said.but(body=json.dumps(body).encode(), headers=headers)

        shop.server.change = change
        assert cli("plan", *shop.at, "--api", api, "--detailed-exitcode").code == 0
        assert hits == []


@pytest.mark.parametrize("variable", ["", "example.com", "127.0.0.2", "127.0.0.1:1"])
def test_a_host_that_is_not_allowed_is_never_asked(
    cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", variable)
    for run in READS:
        ran = cli(*run.line(shop, run.apis[0]))
        assert ran.code == 1
        assert "is not in RECONCILER_ALLOWED_HOSTS, and nothing was sent" in ran.err
    assert shop.server.asked == []
