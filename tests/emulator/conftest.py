"""Emulators for a test, on a clock that stands still."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.settings import Settings
from tests.emulator.builders import Airbyte, Clock, Start


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(clock: Clock) -> Iterator[Start]:
    """Starts emulators with the settings given; all are closed at the end."""
    started: list[Airbyte] = []
    with asyncio.Runner() as runner:

        def started_with(**settings: Any) -> Airbyte:
            numbers = itertools.count(len(started) * 10_000 + 1)
            settings.setdefault("clock", clock)
            settings.setdefault("new_id", lambda: f"00000000-0000-4000-8000-{next(numbers):012d}")
            started.append(Airbyte(Settings(**settings), runner))
            return started[-1]

        yield started_with
        for airbyte in started:
            airbyte.close()


@pytest.fixture
def airbyte(start: Start) -> Airbyte:
    return start()


@pytest.fixture
def shared() -> Path:
    folder = Path(__file__).parents[2].parent / "shared"
    if not folder.is_dir():
        pytest.skip("the reference data beside the project (../shared) is absent")
    return folder
