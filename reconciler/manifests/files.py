"""Which files of a project are manifests, and reading one without waiting for ever. Never leaves the
project's folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final

from reconciler.core.diagnostics import Diagnostic, Span

PROJECT_FILE: Final = "reconciler.yaml"
DEFAULT_PATTERNS: Final = ("**/*.yaml", "**/*.yml")
_WILDCARDS = frozenset("*?[")
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Opening a pipe that nobody writes to would wait for somebody."""


def read_file(path: Path, most: int) -> bytes:
    """At most `most` bytes and one more, which tells that there are more. Raises OSError, also for a pipe or
    a device: reading it may wait for ever, or never end."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "a file's name holds no null byte")
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        reason = os.strerror(errno.EISDIR) if stat.S_ISDIR(mode) else "it is no regular file"
        raise OSError(errno.EINVAL, reason)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most + 1)


def find(
    project_dir: Path, patterns: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
    """Paths relative to the project, sorted, each file once however many links lead to it."""
    root = project_dir.resolve()
    problems = [
        _outside(PROJECT_FILE, f"the pattern {pattern!r} of `manifests` leads out of the project")
        for pattern in patterns
        if "\0" in pattern or not (root / _fixed_part(pattern)).resolve().is_relative_to(root)
    ]
    split = [tuple(_parts(pattern)) for pattern in patterns]
    found: dict[Path, str] = {}
    candidates = (path for path in _walk(root) if any(_matches(path.parts, p) for p in split))
    for path in sorted(candidates, key=lambda p: ((root / p).is_symlink(), p)):
        real = (root / path).resolve()
        if real.is_relative_to(root):
            found.setdefault(real, str(path))
        else:
            problems.append(_outside(str(path), "this link leads out of the project"))
    return tuple(sorted(found.values())), tuple(problems)


def _walk(root: Path) -> Iterator[PurePosixPath]:
    """Every file below, links to folders not followed, hidden folders and project files left out."""
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        yield from (relative / name for name in files if name != PROJECT_FILE)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """`**` stands for any number of folders, everything else for one part of the path."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (bool(parts) and _matches(parts[1:], pattern))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _parts(pattern: str) -> Iterator[str]:
    """One `**` where several follow each other: they mean the same, and cost more with each."""
    before = ""
    for part in PurePosixPath(pattern).parts:
        if part != "**" or before != "**":
            yield part
        before = part


def _fixed_part(pattern: str) -> PurePosixPath:
    fixed = PurePosixPath()
    for part in PurePosixPath(pattern).parts:
        if _WILDCARDS & set(part):
            break
        fixed /= part
    return fixed


def _outside(file: str, message: str) -> Diagnostic:
    return Diagnostic(
        code="manifest-outside-project",
        message=message,
        hint="keep manifests inside the project's folder",
        span=Span(file, 1, 1),
    )
