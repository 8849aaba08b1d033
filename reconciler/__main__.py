"""The entry: `reconciler` and `python -m reconciler`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Imports late, so that a version query or a typo costs no more than click itself."""
    from reconciler.cli.boundary import run  # noqa: PLC0415 - see above

    # Large projects make millions of objects that all stay: looking for garbage among them so often took
    # a quarter of the time of `validate` at 1,000 connections of 50 streams.
    gc.set_threshold(50_000, 20, 50)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
