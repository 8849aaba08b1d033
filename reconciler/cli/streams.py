"""Standard output and error that always take what is printed.

Whoever reads a command may go away, and a disk may be full: neither may end an apply halfway, nor change an
exit code that tells what was done. Knows nothing of commands.
"""

from __future__ import annotations

import io
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

_ESCAPED: Final = "backslashreplace"


@dataclass(slots=True)
class Printed:
    """What became of what was printed: the first thing that stood in the way."""

    problem: OSError | None = None

    @property
    def unread(self) -> bool:
        """Nobody reads it any longer, which is the reader's own choice."""
        return isinstance(self.problem, BrokenPipeError)


class _Taking(io.FileIO):
    """A descriptor that takes everything; from the first failure on it passes nothing on."""

    def __init__(self, descriptor: int, printed: Printed) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._printed = printed

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self._printed.problem is None:
            try:
                written = super().write(data)
                while written is None:  # a pipe that is full, and that somebody made non-blocking
                    select.select([], [self.fileno()], [])
                    written = super().write(data)
            except OSError as error:
                self._printed.problem = error
            else:
                return written
        return size


@contextmanager
def lasting() -> Iterator[Printed]:
    """While it is open nothing that is printed raises; yields what became of standard output."""
    out, err = sys.stdout, sys.stderr
    printed = Printed()
    sys.stdout, sys.stderr = _lasting(out, printed), _lasting(err, Printed())
    try:
        yield printed
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = out, err


def _lasting(stream: Any, printed: Printed) -> Any:
    """A character that its encoding has not is printed as an escape. One without a descriptor, a test's or an
    editor's, stays itself."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.reconfigure(errors=_ESCAPED)
    try:
        stream.flush()
        raw = _Taking(stream.fileno(), printed)
    except OSError:
        return stream
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, stream.encoding, _ESCAPED, line_buffering=True)
