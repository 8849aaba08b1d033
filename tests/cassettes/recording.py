"""Recorded conversations between the product and an Airbyte, one YAML file in `recorded/` each.

The tests replay them: no server, and a request whose method, path, query or body is not what was recorded
fails. They were recorded from the embedded Airbyte over loopback, and each says so. One command records
all of them anew:

    pytest tests/cassettes --record-mode=rewrite

and against a live server, in a workspace that is made for each test and deleted after it (the two
PostgreSQL hosts of examples/ecommerce must be reachable from that server, for it discovers their schemas):

    RECONCILER_CASSETTE_URL=https://airbyte.example.com RECONCILER_CASSETTE_CLIENT_ID=… \\
    RECONCILER_CASSETTE_CLIENT_SECRET=… pytest tests/cassettes --record-mode=rewrite
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import vcr
import yaml
from vcr.cassette import Cassette

from reconciler.emulator.serve import running
from reconciler.emulator.settings import Credentials, Settings
from tests.cassettes.scrub import scrubbed_request, scrubbed_response

RECORDED: Final = Path(__file__).parent / "recorded"
WORKSPACE: Final = "reconciler cassettes"
EMBEDDED: Final = "the embedded Airbyte over loopback, not a real server"
LIVE: Final = "a live server"

SECRETS: Final = {
    "AIRBYTE_CLIENT_ID": "canary-client-id-1f6b0c7d2a",
    "AIRBYTE_CLIENT_SECRET": "canary-client-secret-93ad51e80b",
    "SHOP_PG_PASSWORD": "canary-shop-password-c4e7720f16",
    "STAGING_PG_PASSWORD": "canary-staging-password-5b8d3f902e",
    "MINIO_ACCESS_KEY": "canary-minio-key-e06a94d7b3",
    "MINIO_SECRET_KEY": "canary-minio-secret-27fc618a5d",
}
"""What the example's target `production` takes from the environment; none of it may be in a cassette."""


@dataclass(frozen=True)
class Server:
    """Something to record from, reached past the product: over plain HTTP, with its credentials."""

    url: str
    source: str
    client_id: str
    client_secret: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        base = f"{self.url}/api/public/v1"
        with httpx.Client(base_url=base, timeout=600) as client:
            credentials = {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "grant-type": "client_credentials",
            }
            token = client.post("/applications/token", json=credentials).raise_for_status().json()
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            answer = client.request(method, path, json=body, headers=headers).raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def server() -> Iterator[Server]:
    """An empty workspace called WORKSPACE on an embedded Airbyte, or on the live one that was named."""
    with _somewhere() as found:
        workspace = found.call("POST", "/workspaces", {"name": WORKSPACE})["workspaceId"]
        try:
            yield found
        finally:
            found.call("DELETE", f"/workspaces/{workspace}")


@contextmanager
def _somewhere() -> Iterator[Server]:
    if live := os.environ.get("RECONCILER_CASSETTE_URL"):
        names = ("RECONCILER_CASSETTE_CLIENT_ID", "RECONCILER_CASSETTE_CLIENT_SECRET")
        yield Server(live.rstrip("/"), LIVE, *(os.environ[name] for name in names))
        return
    numbers = itertools.count(1)
    credentials = (SECRETS["AIRBYTE_CLIENT_ID"], SECRETS["AIRBYTE_CLIENT_SECRET"])
    settings = Settings(
        auth=Credentials(*credentials),
        new_id=lambda: f"{next(numbers):08x}-0000-4000-8000-000000000000",
        clock=lambda: 1_700_000_000.0,
    )
    with running(settings) as url:
        yield Server(url, EMBEDDED, *credentials)


class _Readable(yaml.SafeDumper):
    """Text of several lines as it is."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)


@dataclass(frozen=True)
class _Form:
    """A cassette's YAML, which says first where it is from."""

    source: str

    def serialize(self, data: dict[str, Any]) -> str:
        said = {"recorded_from": self.source, **data}
        return yaml.dump(said, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=110)

    def deserialize(self, text: str) -> Any:
        return yaml.safe_load(text)


@contextmanager
def cassette(name: str, recording: Server | None, *, whole: bool) -> Iterator[Cassette]:
    """Everything said inside is recorded, or answered from the recording; `whole`: all of it must be."""
    path = RECORDED / f"{name}.yaml"
    if recording is not None:
        path.unlink(missing_ok=True)
    recorder = vcr.VCR(
        record_mode="none" if recording is None else "once",
        match_on=("method", "path", "query", "body"),
        before_record_request=scrubbed_request,
        before_record_response=scrubbed_response,
        decode_compressed_response=True,
        serializer="provenance",
    )
    recorder.register_serializer("provenance", _Form(recording.source if recording else ""))
    with recorder.use_cassette(str(path)) as tape:
        yield tape
    if whole and recording is None:
        assert tape.all_played, f"{name}: not everything was asked for"


@dataclass(frozen=True)
class World:
    """The ecommerce example with its target `production`, and the server to record from, if any."""

    folder: Path
    recording: Server | None

    @property
    def at(self) -> tuple[str, ...]:
        """One request at a time, so that a recording has one order."""
        return "-C", str(self.folder), "-t", "production", "--parallelism", "1"

    def given(self, happened: Callable[[Server], object]) -> None:
        """What was so before the conversation; a replay begins after it."""
        if self.recording is not None:
            happened(self.recording)

    def cassette(self, name: str, *, whole: bool = True) -> AbstractContextManager[Cassette]:
        return cassette(name, self.recording, whole=whole)
