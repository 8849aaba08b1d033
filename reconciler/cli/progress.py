"""One line on a terminal that says how far an apply is. Nothing where nobody watches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from reconciler.core.events import Event, Failed, Started

FEW: Final = 3
"""So many changes are seen at a glance."""


class Progress:
    """`total` is set once it is known; the line is rewritten in place, with blanks, so that it needs no
    terminal's own language."""

    def __init__(self, stream: TextIO, total: int = 0) -> None:
        self.total = total
        self._stream = stream
        self._watched = stream.isatty()
        self._ended = 0
        self._failed = 0
        self._width = 0

    @contextmanager
    def told(self, event: Event) -> Iterator[None]:
        """Around the printing of an event: the line is out of its way, and counts it afterwards."""
        self.clear()
        yield
        self._ended += not isinstance(event, Started)
        self._failed += isinstance(event, Failed)
        if self._watched and self.total > FEW:
            failed = f", {self._failed} failed" if self._failed else ""
            line = f"{self._ended} of {self.total} done{failed}"
            self._width = len(line)
            self._write(line)

    def clear(self) -> None:
        if self._width:
            self._write(f"\r{' ' * self._width}\r")
            self._width = 0

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
