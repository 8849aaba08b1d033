"""Real servers on loopback: the embedded Airbyte over HTTP, and a validating proxy before it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.emulator.serve import running
from reconciler.emulator.settings import Settings
from tests.contract import real_project

OPENAPI = real_project.SHARED / "openapi" / "airbyte-config.yaml"


@pytest.fixture
def emulator() -> Iterator[str]:
    """The base URL of an embedded Airbyte with the real connectors and catalogs."""
    real_project.needs_shared()
    settings = Settings(connectors=real_project.CONNECTORS, catalogs=real_project.CATALOGS)
    with running(settings) as url:
        yield url


@dataclass
class Prism:
    """`url` is the base of the public API behind it, `config_url` that of the other one."""

    url: str
    config_url: str
    log: Path

    def violations(self) -> list[str]:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if "iolation" in line or "terminated with error" in line]

    def requests(self) -> int:
        return self.log.read_text(encoding="utf-8", errors="replace").count("Request received")


@pytest.fixture
def prism(emulator: str, tmp_path: Path) -> Iterator[Prism]:
    """A proxy that refuses every request and answer that the OpenAPI document does not allow."""
    if shutil.which("npx") is None:
        pytest.skip("node is not installed: the validating proxy needs npx")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "prism.log"
    command = [
        *("npx", "--yes", "@stoplight/prism-cli@5", "proxy", "-h", "127.0.0.1", "-p", str(port)),
        *(str(OPENAPI), f"{emulator}/api", "--errors"),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        _wait_until_listening(process, log)
        root = f"http://127.0.0.1:{port}"
        yield Prism(f"{root}/public/v1", f"{root}/v1", log)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=10)


def _wait_until_listening(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        text = log.read_text(encoding="utf-8", errors="replace")
        if "Prism is listening" in text:
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"the proxy did not start: {log.read_text(encoding='utf-8')[-2000:]}")
