"""One apply at a time from one folder. Across machines, the CI's concurrency group does that."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconciler.core.diagnostics import ReconcilerError, Refused

_HELD: Final = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
"""What a system says where somebody else holds it."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""A link in its place, which a repository may hold, would have another file emptied."""

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        """A byte far behind the text, which stays readable for who is refused."""
        os.lseek(descriptor, 1024, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock; the operating system releases it when the process ends, however it ends. The file
    stays, since removing it would let two in. Raises Refused where somebody else holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o644)
    except OSError as error:
        raise ReconcilerError(
            f"the lock {path} can't be made, and nothing was written: {error.strerror}",
            hint="apply needs a folder that it may write to beside reconciler.yaml",
        ) from error
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            if error.errno not in _HELD:
                raise ReconcilerError(
                    f"the lock {path} can't be taken, and nothing was written: {error.strerror}",
                    hint="apply needs a project folder on a file system that has locks",
                ) from error
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            known = holder if holder.isdecimal() else "unknown"
            raise Refused(
                f"another apply is under way in this folder (process {known}), "
                "and nothing was written",
                hint=f"wait for it to end; the lock is {path}",
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
