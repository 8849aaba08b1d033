"""Servers that are not there, refuse, or are something else; and command lines that can't be meant."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from reconciler.emulator.generations import GENERATIONS
from reconciler.emulator.serve import running
from reconciler.emulator.settings import Credentials, Settings
from tests.bad_input.case import CANARIES, case
from tests.bad_input.project import CONNECTION, ORDERS, PROJECT
from tests.emulator.builders import Airbyte

_AUTH = 'auth: {clientId: "${env:AIRBYTE_CLIENT_ID}", clientSecret: "${env:AIRBYTE_CLIENT_SECRET}"}'
_SERVER = (PROJECT, "url: https://airbyte.example.com", f'url: "@URL@"\n      {_AUTH}')
_PAGE = b"<!doctype html><html><head><title>Sign in to Acme</title></head></html>"


@contextmanager
def _nobody(_folder: Path) -> Iterator[str]:
    """A port that is bound and not listened on: every connection is refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def _other_credentials(folder: Path) -> Iterator[str]:
    (folder / ".reconciler").mkdir()
    auth = Credentials("pipelines-client", CANARIES["PASSWORD"])
    with running(Settings(db=folder / ".reconciler" / "local.db", auth=auth)) as url:
        yield url


@contextmanager
def _octavias_server(folder: Path) -> Iterator[str]:
    settings = Settings(generation=GENERATIONS["0.40"], catalogs=folder / "catalogs")
    with running(settings) as url:
        yield url


@contextmanager
def _login_page(_folder: Path) -> Iterator[str]:
    class LoginPage(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(_PAGE)))
            self.end_headers()
            self.wfile.write(_PAGE)

        do_GET = do_POST = _answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Nothing on the tests' stderr."""

    with HTTPServer(("127.0.0.1", 0), LoginPage) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _second_workspace(server: Airbyte) -> None:
    server.made("POST", "/workspaces", json={"name": "Second"})


CASES = (
    case("no-server", _SERVER, server=_nobody, command=("plan", "-t", "production")),
    case(
        "wrong-password", _SERVER, server=_other_credentials, command=("plan", "-t", "production")
    ),
    case("html-from-a-proxy", _SERVER, server=_login_page, command=("plan", "-t", "production")),
    case(
        "not-on-this-server",
        (PROJECT, "url: https://airbyte.example.com", 'url: "@URL@"'),
        (
            CONNECTION,
            "  streamDefaults:",
            "  tags: [gold]\n  schemaChanges: propagate_fully\n  streamDefaults:",
        ),
        (
            CONNECTION,
            ORDERS,
            ORDERS.replace("}", ", mappers: [{type: field-filtering, targetField: total}]}"),
        ),
        server=_octavias_server,
        command=("apply", "--yes", "-t", "production"),
        codes=("not-on-this-server",) * 3,
    ),
    case(
        "registry-not-there",
        (
            PROJECT,
            "url: https://airbyte.example.com",
            'url: https://airbyte.example.com\n      connectors: "@URL@/registry.json"',
        ),
        server=_nobody,
        command=("validate", "-t", "production"),
        codes=("connector-file-invalid",),
        placed=False,
    ),
    case("two-workspaces", people=_second_workspace, command=("plan",)),
    case(
        "unknown-workspace",
        (PROJECT, "      url: embedded\n", "      url: embedded\n      workspace: Data Platfrom\n"),
        command=("plan",),
    ),
    case(
        "no-target-under-ci",
        command=("apply", "--yes"),
        env={"CI": "true"},
        exit=64,
    ),
    case("unknown-effect", command=("plan", "--allow", "stateloss"), exit=64),
)
