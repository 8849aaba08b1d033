"""Ctrl-C while something is written: first finishes what is in flight, then gives up (design §6.7)."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import anyio
import click
from anyio.abc import TaskStatus


class Stoppable(Protocol):
    @property
    def says(self) -> str: ...

    def press(self) -> None: ...


@asynccontextmanager
async def listening(stop: Stoppable) -> AsyncIterator[None]:
    """SIGINT and SIGTERM press `stop` inside; before and after it they do what they always do."""
    if sys.platform == "win32":  # its event loop can't tell of signals: Ctrl-C ends the process
        yield
        return
    async with anyio.create_task_group() as group:
        await group.start(_listen, stop)
        yield
        group.cancel_scope.cancel()


async def _listen(stop: Stoppable, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received:
        task_status.started()
        async for _ in received:
            stop.press()
            click.echo(f"Interrupted: {stop.says}", err=True)
