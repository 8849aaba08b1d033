"""Speed and memory as ratios against a floor in the same run (never seconds), at 1,000 connections of
50 streams. Not part of the quick suite: `pytest -m benchmark tests/benchmarks -s` prints the figures.
"""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import yaml

from reconciler import app, manifests
from reconciler.core.build import build
from reconciler.core.capabilities import Capabilities
from reconciler.core.model import Live, Workspace
from reconciler.core.plan import TargetLine
from reconciler.core.planning import Situation, make_plan
from tests.benchmarks import worlds
from tests.benchmarks.measure import best, best_of_command, peak_bytes

pytestmark = pytest.mark.benchmark

CONNECTIONS, STREAMS = 1000, 50


def tell(what: str, ratio: float, limit: float, *seconds: float) -> None:
    parts = ", ".join(f"{s:.3f} s" for s in seconds)
    print(f"\n  {what}: {ratio:.2f} (limit {limit:g}; {parts})")  # noqa: T201 - the figures are the point


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    folder = tmp_path_factory.mktemp("large")
    return folder, worlds.write(folder, CONNECTIONS, STREAMS, "http://127.0.0.1:1/public/v1")


def _c_load(paths: list[Path]) -> None:
    for path in paths:
        list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def _validate(folder: Path) -> None:
    """Stages 1 to 4."""
    loaded = manifests.load(folder)
    resolved = manifests.resolve(loaded, None, worlds.ENV)
    _, diagnostics = build(resolved.documents, "server")
    assert not loaded.diagnostics
    assert not resolved.diagnostics
    assert not diagnostics


def test_validate_takes_no_longer_than_parsing(large: tuple[Path, list[Path]]) -> None:
    folder, paths = large
    floor, mine = best(lambda: _c_load(paths)), best(lambda: _validate(folder))
    tell("validate / yaml.load with the C loader", mine / floor, 1.0, mine, floor)
    assert mine <= 1.0 * floor


def test_validate_s_memory(large: tuple[Path, list[Path]]) -> None:
    folder, paths = large
    size = sum(path.stat().st_size for path in paths)
    code = (
        "from pathlib import Path; from reconciler import manifests; "
        "from reconciler.core.build import build; "
        f"r = manifests.resolve(manifests.load(Path({str(folder)!r})), None, {worlds.ENV!r}); "
        "build(r.documents, 'server')"
    )
    peak, limit = peak_bytes(code), 8 * size + 60 * 2**20
    tell(f"peak {peak / 2**20:.0f} MB / (8 x {size / 2**20:.1f} MB + 60 MB)", peak / limit, 1.0)
    assert peak <= limit


def test_help_is_quick() -> None:
    floor = best_of_command([sys.executable, "-c", "import click"])
    mine = best_of_command([sys.executable, "-m", "reconciler", "--help"])
    tell("--help / import click", mine / floor, 3.0, mine, floor)
    assert mine <= 3.0 * floor


@pytest.mark.parametrize("stage", ["load", "resolve", "build", "plan"])
def test_twice_the_work_takes_about_twice_the_time(tmp_path: Path, stage: str) -> None:
    small = _stage(tmp_path / "small", stage, 200)
    double = _stage(tmp_path / "double", stage, 400)
    one, two = best(small, 5), best(double, 5)
    tell(f"{stage}: time(2n) / time(n)", two / one, 2.3, two, one)
    assert two / one < 2.3


def _stage(folder: Path, stage: str, connections: int) -> Callable[[], Any]:
    worlds.write(folder, connections, STREAMS, "embedded")
    loaded = manifests.load(folder)
    resolved = manifests.resolve(loaded, None, worlds.ENV)
    if stage == "plan":
        return _planning(folder)
    return {
        "load": lambda: manifests.load(folder),
        "resolve": lambda: manifests.resolve(loaded, None, worlds.ENV),
        "build": lambda: build(resolved.documents, "server"),
    }[stage]


def _planning(folder: Path) -> Callable[[], object]:
    """The pure part of a plan in which everything is new."""
    project = app.open_project(app.Request(project=folder, env=worlds.ENV))
    live = Live(Workspace("w", "w"), (), project.definitions)
    line = TargetLine("server", "nowhere", "public", "w", "w")
    return lambda: make_plan(Situation(line, project.desired, live, Capabilities("public")))


# --- a plan over HTTP ------------------------------------------------------------------------


class _Slow(httpx.AsyncBaseTransport):
    """50 ms for each request, and a count of the list calls."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.calls: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path.rsplit("/", 1)[-1])
        await asyncio.sleep(0.05)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, list[Path]]]:
    """An emulator that holds the large project, as `apply` made it."""
    folder = tmp_path_factory.mktemp("served")
    catalogs = folder / "catalogs"
    catalogs.mkdir()
    (catalogs / "postgres.json").write_text(_catalog(), encoding="utf-8")
    with _server(folder / "airbyte.db", catalogs) as base:
        paths = worlds.write(folder / "project", CONNECTIONS, STREAMS, base)
        request = app.Request(project=folder / "project", env=worlds.ENV, parallelism=8)

        async def fill() -> object:
            return await app.apply(request, confirm=lambda _: True, emit=lambda _: None)

        result = anyio.run(fill)
        assert isinstance(result, app.Applied)
        assert result.outcome.exit_code == 0
        yield base, folder / "project", paths


@contextmanager
def _server(db: Path, catalogs: Path) -> Iterator[str]:
    """In a process of its own: in this one it would take its time from what is measured."""
    command = [sys.executable, "-m", "reconciler", "emulator", "serve", "--port", "0"]
    arguments = [*command, "--db", str(db), "--catalogs", str(catalogs)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield next(word for word in line.split() if word.startswith("http")).rstrip(";")
        finally:
            process.terminate()


def _catalog() -> str:
    properties = '{"id": {"type": "integer"}, "updated_at": {"type": "string"}}'
    columns = f'{{"type": "object", "properties": {properties}}}'
    streams = ", ".join(
        f'{{"stream": {{"name": "table_{n:03}", "namespace": "public", "json_schema": {columns}, '
        '"supported_sync_modes": ["full_refresh", "incremental"]}}'
        for n in range(STREAMS)
    )
    return f'{{"streams": [{streams}]}}'


def test_a_plan_without_changes_costs_little_more_than_its_reads(
    served: tuple[str, Path, list[Path]],
) -> None:
    base, project, paths = served
    seen: list[_Slow] = []

    def plan() -> None:
        transport = _Slow()
        seen.append(transport)
        request = app.Request(project=project, env=worlds.ENV, http_transport=transport)

        async def run() -> object:
            return await app.plan(request)

        assert anyio.run(run).changes == ()  # type: ignore[attr-defined]

    mine = best(plan)
    calls = seen[-1].calls
    reads = best(lambda: anyio.run(_bare_fetch, base, calls))
    floor = reads + best(lambda: _c_load(paths))
    tell("no-op plan / (bare reads + C load)", mine / floor, 1.3, mine, reads, floor - reads)
    most = math.ceil(CONNECTIONS / 100) + 1
    for kind in ("sources", "connections"):
        assert calls.count(kind) <= most + (kind == "sources")  # definitions/sources is one more
    assert mine <= 1.3 * floor


async def _bare_fetch(base: str, calls: list[str]) -> None:
    """The same pages with the same delay at the same concurrency, and nothing done with them."""
    async with httpx.AsyncClient(transport=_Slow(), timeout=60) as client:
        slots = anyio.CapacityLimiter(4)

        async def get(kind: str, offset: int) -> None:
            async with slots:
                answer = await client.get(f"{base}/{kind}", params={"limit": 100, "offset": offset})
                answer.json()

        async with anyio.create_task_group() as group:
            for kind in ("sources", "destinations", "connections"):
                for page in range(calls.count(kind)):
                    group.start_soon(get, kind, page * 100)


def test_the_clock_measures() -> None:
    """A guard for the tool itself: ratios of nothing would all pass."""
    assert best(lambda: time.sleep(0.02), 1) >= 0.02
