"""Connector definitions from a folder or from Airbyte's registry."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from reconciler.core.model import ConnectorDefinition
from reconciler.manifests import connectors, load_connectors
from tests.manifests.build import told

SHARED = Path(__file__).parents[3] / "shared" / "connectors"
SPEC: dict[str, Any] = {"type": "object", "properties": {"host": {"type": "string"}}}


def definition(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "definitionId": f"id-{name}",
        "name": name,
        "dockerRepository": f"airbyte/{kind}-{name}",
        "dockerImageTag": "1.0.0",
        "connectionSpecification": SPEC,
    } | more


def write(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


def test_a_folder_of_connector_files_is_read_sorted(tmp_path: Path) -> None:
    write(tmp_path / "a.json", definition("source", "zeta"))
    write(tmp_path / "b.json", definition("destination", "lake"))
    write(tmp_path / "c.json", definition("source", "alpha"))
    found, wrong = load_connectors(str(tmp_path))
    assert wrong == ()
    assert [(d.kind, d.name) for d in found] == [
        ("destination", "lake"),
        ("source", "alpha"),
        ("source", "zeta"),
    ]
    assert found[1] == ConnectorDefinition(
        "source", "id-alpha", "alpha", "airbyte/source-alpha", "1.0.0", SPEC
    )


def test_airbytes_registry_is_read(tmp_path: Path) -> None:
    entry = {
        "name": "x",
        "dockerRepository": "airbyte/x",
        "dockerImageTag": "2",
        "documentationUrl": "https://d",
    }
    registry = {
        "sources": [
            {**entry, "sourceDefinitionId": "s", "spec": {"connectionSpecification": SPEC}}
        ],
        "destinations": [{**entry, "destinationDefinitionId": "d"}],
    }
    found, wrong = load_connectors(write(tmp_path / "registry.json", registry))
    assert wrong == ()
    assert [(d.kind, d.id, d.spec) for d in found] == [
        ("destination", "d", None),
        ("source", "s", SPEC),
    ]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("{", "1:2"),
        ("[]", "1:1"),
        ("{}", "1:1"),
        ('"text"', "1:1"),
        ('{"definitionId": "x"}', "1:1"),
        ('{"sources": [{"name": "x"}]}', "1:1"),
        ('{"sources": 5}', "1:1"),
    ],
)
def test_a_file_that_is_no_definition_is_told_and_the_others_stay(
    tmp_path: Path, content: str, place: str
) -> None:
    (tmp_path / "bad.json").write_text(content)
    write(tmp_path / "good.json", definition("source", "ok"))
    found, wrong = load_connectors(tmp_path)
    assert [d.name for d in found] == ["ok"]
    assert told(wrong) == [(f"{tmp_path}/bad.json:{place}", "connector-file-invalid")]


def test_a_place_without_connectors_is_told(tmp_path: Path) -> None:
    assert [d.code for d in load_connectors(tmp_path)[1]] == ["connector-file-invalid"]
    assert [d.code for d in load_connectors(tmp_path / "gone")[1]] == ["connector-file-invalid"]


@contextmanager
def answering(
    status: int, body: bytes, location: str = "", asked: list[str] | None = None
) -> Iterator[str]:
    """The URL of a server on the loopback that gives one answer to every GET."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append(f"{self.path} {self.headers.get('Authorization')}")
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on the tests' stderr."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/registry.json"
        finally:
            server.shutdown()
            thread.join()


def registry() -> bytes:
    entry = {
        "name": "Shop",
        "dockerRepository": "acme/source-shop",
        "dockerImageTag": "2",
        "sourceDefinitionId": "id-shop",
        "spec": {"connectionSpecification": SPEC},
    }
    return json.dumps({"sources": [entry], "destinations": []}).encode()


def test_airbytes_registry_is_fetched_by_url() -> None:
    asked: list[str] = []
    with answering(200, registry(), asked=asked) as url:
        found, wrong = load_connectors(url)
    assert wrong == ()
    assert [(d.kind, d.id, d.spec) for d in found] == [("source", "id-shop", SPEC)]
    assert asked == ["/registry.json None"]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"", "the server answered 404"),
        (500, registry(), "the server answered 500"),
        (200, b"<html><title>Sign in</title>", "not JSON"),
        (200, b'{"hello": 1}', "not a connector definition, nor Airbyte's registry"),
        (200, b"[" * 100_000, "not a connector definition, nor Airbyte's registry"),
    ],
)
def test_an_answer_that_is_no_registry_is_told_with_its_url(
    status: int, body: bytes, said: str
) -> None:
    with answering(status, body) as url:
        found, (wrong,) = load_connectors(url)
        assert found == ()
        assert wrong.code == "connector-file-invalid"
        assert wrong.message == f"{url}: {said}"
        assert "as file or URL" in wrong.hint


def test_a_redirect_is_told_and_not_followed() -> None:
    asked: list[str] = []
    with (
        answering(200, registry(), asked=asked) as elsewhere,
        answering(302, b"", location=f"{elsewhere}?signature=s3cr3t-s3cr3t-s3cr3t") as url,
    ):
        found, (wrong,) = load_connectors(url)
        origin = elsewhere.removesuffix("/registry.json")
    assert (found, asked) == ((), [])
    assert wrong.message == f"{url}: the server redirects to {origin}, which is not followed"


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectors, "LARGEST_REGISTRY", 1024 * 1024)
    with answering(200, b" " * (1024 * 1024 + 1)) as url:
        found, (wrong,) = load_connectors(url)
        assert (found, wrong.message) == ((), f"{url}: larger than 1 MB")


def test_nobody_there_is_told() -> None:
    with answering(200, b"") as url:
        pass
    found, (wrong,) = load_connectors(url)
    assert found == ()
    assert wrong.message.startswith(f"{url}: no answer that can be used (")


def test_a_url_with_credentials_is_refused_and_they_are_not_shown() -> None:
    found, (wrong,) = load_connectors(
        "http://me:s3cr3t-s3cr3t@127.0.0.1:1/registry.json?key=s3cr3t"
    )
    assert found == ()
    assert "credentials" in wrong.message
    assert "s3cr3t" not in wrong.message
    assert load_connectors("https://host:port/")[1][0].message == "the url is not valid"


def test_real_definitions_are_read() -> None:
    if not SHARED.is_dir():
        pytest.skip("Airbyte's connector definitions are not beside this checkout")
    found, wrong = load_connectors(SHARED)
    assert wrong == ()
    assert len(found) == len(list(SHARED.glob("*.json"))) > 40
    assert all(d.spec for d in found)
