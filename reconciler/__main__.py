"""The entry: `reconciler` and `python -m reconciler`."""

from __future__ import annotations

import sys


def main() -> None:
    """Imports late, so that a version query or a typo costs no more than click itself."""
    from reconciler.cli.boundary import run  # noqa: PLC0415 - see above

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
