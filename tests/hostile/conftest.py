"""The shop, applied, with its environment; and no waiting between two attempts of a request.

It is applied once a session; each test has a copy of the folder, and an Airbyte of its own with a copy of
what that kept, at the same address.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import tenacity

from reconciler.cli.boundary import run
from reconciler.transport import retry
from tests.conftest import Cli
from tests.hostile import shop as shops
from tests.hostile.between import Between, between
from tests.hostile.shop import Shop


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses themselves are tests/transport's."""
    monkeypatch.setattr(retry, "_BACKOFF", tenacity.wait_none())


@dataclass(frozen=True)
class Applied:
    folder: Path
    database: Path
    server: Between


@pytest.fixture(scope="session")
def applied_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    within = tmp_path_factory.mktemp("applied")
    made = Applied(within / "shop", within / "airbyte.db", Between())
    (made.folder / "catalogs").mkdir(parents=True)
    with between(made.server), pytest.MonkeyPatch.context() as environment:
        _environment(environment)
        with made.server.before(shops.settings(made.folder, made.database)):
            shop = Shop(made.folder, made.server)
            shop.write()
            _done("apply", *shop.at, "--yes")
            shop.airbyte("POST", "/api/public/v1/jobs", _sync(shop))
            _done("plan", *shop.at, "--out", str(shop.folder / "saved.json"), "--detailed-exitcode")
        yield made


@pytest.fixture
def shop(
    applied_shop: Applied,
    tmp_path: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    no_pauses: None,
) -> Iterator[Shop]:
    _environment(monkeypatch)
    folder, database = tmp_path / "shop", tmp_path / "airbyte.db"
    shutil.copytree(applied_shop.folder, folder)
    shutil.copyfile(applied_shop.database, database)
    server = applied_shop.server
    with server.before(shops.settings(folder, database)):
        yield Shop(folder, server)
        assert server.errors == []


def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in shops.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("CI", "RECONCILER_TARGET", "RECONCILER_OUTPUT", "RECONCILER_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


def _done(*arguments: str) -> None:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = run(arguments)
    assert code == 0, out.getvalue()


def _sync(made: Shop) -> dict[str, str]:
    (live,) = made.airbyte("GET", "/api/public/v1/connections")["data"]
    return {"connectionId": live["connectionId"], "jobType": "sync"}
