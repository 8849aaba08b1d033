"""The shop, applied, with its environment; and no waiting between two attempts of a request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tenacity

from reconciler.transport import retry
from tests.conftest import Cli
from tests.hostile import shop as shops
from tests.hostile.between import between
from tests.hostile.shop import Shop


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses themselves are tests/transport's."""
    monkeypatch.setattr(retry, "_BACKOFF", tenacity.wait_none())


@pytest.fixture
def shop(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, no_pauses: None
) -> Iterator[Shop]:
    for name, value in shops.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "shop"
    (folder / "catalogs").mkdir(parents=True)
    with between(shops.settings(folder)) as server:
        made = Shop(folder, server)
        made.write()
        ran = cli("apply", *made.at, "--yes")
        assert ran.code == 0, ran.out + ran.err
        made.airbyte("POST", "/api/public/v1/jobs", _sync(made))
        ran = cli("plan", *made.at, "--out", str(folder / "saved.json"), "--detailed-exitcode")
        assert ran.code == 0, ran.out + ran.err
        server.forget()
        yield made
        assert server.errors == []


def _sync(made: Shop) -> dict[str, str]:
    (live,) = made.airbyte("GET", "/api/public/v1/connections")["data"]
    return {"connectionId": live["connectionId"], "jobType": "sync"}
