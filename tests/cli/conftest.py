"""A project of the kind that `init` makes, and the Airbyte behind it, reached past the product."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from reconciler.emulator import serve
from reconciler.emulator.settings import Settings
from tests.conftest import Cli
from tests.emulator.builders import Airbyte


class Project:
    """The ecommerce example in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def at(self) -> tuple[str, str]:
        return "-C", str(self.folder)

    def edit(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        path = self.folder / name
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(data)
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    example = Path(__file__).parents[2] / "examples" / "ecommerce"
    for path in sorted(example.rglob("*.yaml")):
        copy = tmp_path / "shop" / path.relative_to(example)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return Project(tmp_path / "shop")


@pytest.fixture
def applied(project: Project, cli: Cli) -> Project:
    ran = cli("apply", *project.at, "--yes")
    assert ran.code == 0, ran.out + ran.err
    return project


@pytest.fixture
def airbyte_at() -> Iterator[Callable[[Project], Airbyte]]:
    """The embedded Airbyte of a project that was applied, over raw HTTP: a person in the UI."""
    with asyncio.Runner() as runner, ExitStack() as stack:

        def opened(project: Project) -> Airbyte:
            server = Airbyte(Settings(db=project.folder / ".reconciler" / "local.db"), runner)
            stack.callback(server.close)
            return server

        yield opened


@pytest.fixture
def airbyte(applied: Project, airbyte_at: Callable[[Project], Airbyte]) -> Airbyte:
    return airbyte_at(applied)


def found(airbyte: Airbyte, kind: str, name: str) -> dict[str, Any]:
    listed = airbyte.made("GET", f"/{kind}s")["data"]
    match: dict[str, Any] = next(entry for entry in listed if entry["name"] == name)
    return match


class Served:
    """An Airbyte over HTTP, and a person who looks at it and clicks in it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        base = self.url if path.startswith("/_") else f"{self.url}/api/public/v1"
        answer = httpx.request(method, f"{base}{path}", timeout=30, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def chaos(self, *rules: str) -> None:
        self("POST", "/_emulator/chaos", json={"rules": list(rules)})

    def names(self, kind: str) -> list[str]:
        return sorted(entry["name"] for entry in self("GET", f"/{kind}s")["data"])

    def requests(self, method: str = "") -> list[str]:
        """What came in so far, as METHOD and path."""
        seen = self("GET", "/_emulator/requests")["requests"]
        return [f"{r['method']} {r['path']}" for r in seen if r["method"] == method or not method]


@pytest.fixture
def served(project: Project) -> Iterator[Served]:
    """The project's target `remote` is this server."""
    with ExitStack() as stack:
        url = stack.enter_context(serve.running(Settings(db=project.folder.parent / "served.db")))

        def point(data: dict[str, Any]) -> None:
            targets = data["spec"]["targets"]
            local = targets["local"]
            more = {name: local[name] for name in ("variables",) if name in local}
            targets["remote"] = {"url": url, **more}

        project.edit("reconciler.yaml", point)
        yield Served(url)
