"""Jobs while they are waited for: one live line on a terminal, plain lines where something changed
elsewhere; and how long to wait as people write it."""

from __future__ import annotations

import re
import shutil
from typing import Final, TextIO

import click

from reconciler.core.jobs import JobResult, JobSeen
from reconciler.executor.jobs import RunEvent
from reconciler.render.jobs import progress_line

_QUIET: Final = 30.0
"""Seconds between two lines about a job of which only the amounts grow."""

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds_of(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> float | None:
    """`90`, `90s`, `30m`, `2h` as seconds."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if match is None:
        raise click.BadParameter(f"{text!r} is no duration: write 90s, 30m or 2h")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not seconds:
        raise click.BadParameter(f"{text!r} leaves no time to wait: write 90s, 30m or 2h")
    return seconds


class Watching:
    """The line is rewritten in place, with blanks, so that it needs no terminal's own language."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._watched = stream.isatty()
        self._running: dict[str, JobSeen] = {}
        self._told: dict[str, JobSeen] = {}
        self._width = 0

    def tell(self, event: RunEvent) -> None:
        if isinstance(event, JobResult):
            self._running.pop(event.address, None)
        elif self._watched:
            self._running[event.address] = event
        elif self._is_news(event):
            self._told[event.address] = event
            self._write(f"{progress_line(event)}\n")
        if self._watched:
            self.clear()
            self._show()

    def clear(self) -> None:
        if self._width:
            self._write(f"\r{' ' * self._width}\r")
            self._width = 0

    def _is_news(self, seen: JobSeen) -> bool:
        told = self._told.get(seen.address)
        if told is None or told.job.status != seen.job.status:
            return True
        grown = (told.job.rows, told.job.size) != (seen.job.rows, seen.job.size)
        return grown and seen.seconds - told.seconds >= _QUIET

    def _show(self) -> None:
        line = "; ".join(map(progress_line, self._running.values()))
        line = line[: shutil.get_terminal_size().columns - 1]
        if line:
            self._width = len(line)
            self._write(line)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


timeout_option = click.option(
    "--timeout",
    callback=seconds_of,
    metavar="TIME",
    help="Wait at most so long in all, as 90s, 30m or 2h; exit 4 when it is not over by then.",
)
