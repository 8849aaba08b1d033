"""A new project: files that plan at once against the embedded Airbyte. Overwrites nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reconciler.core.diagnostics import ReconcilerError, Refused

_PROJECT: Final = """\
apiVersion: airbyte.reconciler/v1
kind: Project
metadata: {name: my-pipelines}
spec:
  defaultTarget: local
  targets:
    # An Airbyte emulated in this process; its data lies in .reconciler/local.db.
    local: {url: embedded}
    # A real one. `reconciler plan -t production` compares it with the manifests here.
    # production:
    #   url: https://airbyte.example.com
    #   workspace: Default Workspace
    #   auth: {clientId: "${env:AIRBYTE_CLIENT_ID}", clientSecret: "${env:AIRBYTE_CLIENT_SECRET}"}
"""

_SOURCE: Final = """\
apiVersion: airbyte.reconciler/v1
kind: Source
metadata: {name: sample-data}
spec:
  name: Sample Data
  connector: faker
  configuration:
    count: 1000
"""

_DESTINATION: Final = """\
apiVersion: airbyte.reconciler/v1
kind: Destination
metadata: {name: nowhere}
spec:
  name: Nowhere
  connector: dev-null
  configuration:
    test_destination: {test_destination_type: SILENT}
"""

_CONNECTION: Final = """\
apiVersion: airbyte.reconciler/v1
kind: Connection
metadata: {name: sample-to-nowhere}
spec:
  name: Sample Data → Nowhere
  source: sample-data
  destination: nowhere
  schedule: manual
  destinationNamespace: destination
  streamDefaults: {syncMode: full_refresh_append}
  streams: [users, products]
"""

FILES: Final[Mapping[str, str]] = {
    "reconciler.yaml": _PROJECT,
    "sources/sample-data.yaml": _SOURCE,
    "destinations/nowhere.yaml": _DESTINATION,
    "connections/sample-to-nowhere.yaml": _CONNECTION,
}
_IGNORED: Final = ".reconciler/"


def create(directory: Path) -> tuple[Path, ...]:
    """The files made. Raises Refused, and writes nothing, where one of them exists; ReconcilerError where
    nothing can be written."""
    try:
        present = [name for name in FILES if (directory / name).exists()]
        if not present:
            return _written(directory)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ReconcilerError(
            f"no project can be made in {directory}: {reason}",
            hint="choose a folder that can be written to: reconciler init DIRECTORY",
        ) from error
    raise Refused(
        f"{directory / present[0]} exists already; nothing was written",
        hint="choose an empty folder: reconciler init DIRECTORY",
    )


def _written(directory: Path) -> tuple[Path, ...]:
    made = []
    for name, content in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        made.append(path)
    ignore = directory / ".gitignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.exists() else []
    if _IGNORED not in lines:
        ignore.write_text("\n".join([*lines, _IGNORED, ""]), encoding="utf-8")
        made.append(ignore)
    return tuple(made)
