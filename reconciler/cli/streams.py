"""Standard output and error that always take what is printed.

Whoever reads a command may go away, or never have been there, and a disk may be full: none of it may end an
apply halfway, nor change an exit code that tells what was done. Knows nothing of commands.
"""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

_ESCAPED: Final = "backslashreplace"
_STANDARD: Final = (0, 1, 2)
"""The descriptors of input, output and error."""


@dataclass(slots=True)
class Printed:
    """What became of what was printed: the first thing that stood in the way. `exit_if_lost`: the exit code
    where all went well but that."""

    problem: OSError | None = None
    exit_if_lost: int = 1

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


class _Nowhere(io.RawIOBase):
    """Where that goes which is printed to what was closed before the start."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        return memoryview(data).nbytes


@contextmanager
def lasting() -> Iterator[Printed]:
    """While it is open nothing that is printed raises; yields what became of standard output."""
    _occupy_closed()
    out, err = sys.stdout, sys.stderr
    printed = Printed()
    sys.stdout, sys.stderr = _lasting(out, printed), _lasting(err, Printed())
    try:
        yield printed
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = out, err


def _occupy_closed() -> None:
    """Of what was closed before the start another file would get the descriptor, the next one that is opened:
    a database, and in it what somebody prints past `sys.stdout`."""
    for descriptor in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            taken = os.open(os.devnull, os.O_RDWR)  # the lowest that is free, hence this one
            os.set_inheritable(taken, True)  # noqa: FBT003 - it takes no keyword


def _lasting(stream: Any, printed: Printed) -> Any:
    """A character that its encoding has not is printed as an escape. One without a descriptor, a test's or an
    editor's, stays itself."""
    if stream is None:  # closed by whoever started the command, and so nobody reads it
        return io.TextIOWrapper(io.BufferedWriter(_Nowhere()), "utf-8", _ESCAPED)
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
