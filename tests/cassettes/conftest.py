"""The example as a team would have it, with made-up secrets in its environment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cassettes.recording import SECRETS, WORKSPACE, World, server

_EXAMPLE = Path(__file__).parents[2] / "examples" / "ecommerce"


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_mode: str | None
) -> Iterator[World]:
    folder = tmp_path / "ecommerce"
    shutil.copytree(_EXAMPLE, folder, ignore=shutil.ignore_patterns(".reconciler"))
    file = folder / "reconciler.yaml"
    project = file.read_text(encoding="utf-8")
    project = project.replace("workspace: Default Workspace", f"workspace: {WORKSPACE}")
    file.write_text(project, encoding="utf-8")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    if record_mode in (None, "none"):
        yield World(folder, None)
        return
    with server() as found:
        here = project.replace("https://airbyte.example.com", found.url)
        file.write_text(here, encoding="utf-8")
        monkeypatch.setenv("AIRBYTE_CLIENT_ID", found.client_id)
        monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", found.client_secret)
        yield World(folder, found)
