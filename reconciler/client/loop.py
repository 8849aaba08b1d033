"""An event loop that plain calls can use. Knows nothing of what runs on it."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

from reconciler.core.diagnostics import ReconcilerError

_T = TypeVar("_T")


class Loop:
    """An event loop in a thread of its own, so that plain calls work inside a running loop too. The thread
    is a daemon: a client that nobody closed does not keep its process alive."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.stop = weakref.finalize(self, _stop, self._loop, self._thread)

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Raises ReconcilerError where the loop is stopped, with the work not begun."""
        try:
            running = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as stopped:
            work.close()
            raise ReconcilerError("this client is closed") from stopped
        return running.result()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
