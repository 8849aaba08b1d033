"""The manifests of an earlier commit, so that a plan can tell this branch from what was different already.

Asks git alone, reads only, and never touches the work tree.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler import manifests
from reconciler.core.build import build
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.model import Desired


def desired_at(project: Path, ref: str, target: str, env: Mapping[str, str]) -> Desired:
    """What the project asked for at `ref`. Raises ReconcilerError where git has no such commit; manifests
    that were broken then are left out, and a target that did not exist yet asked for nothing."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        _extract(project, ref, Path(folder))
        loaded = manifests.load(Path(folder))
        if loaded.project is None or target not in loaded.project.data["spec"]["targets"]:
            return Desired({})
        resolved = manifests.resolve(loaded, target, env, tolerate_missing=True)
        return build(resolved.documents, target)[0]


def _extract(project: Path, ref: str, folder: Path) -> None:
    """The project's folder as it was at `ref`; nothing where it was not there yet."""
    if ref.startswith("-"):
        raise ReconcilerError(f"--since takes a commit, not {ref!r}")
    commit = _git(
        project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
    )
    if commit is None:
        raise ReconcilerError(
            f"git knows no commit {ref!r} in {project}", hint="fetch it first, or name another one"
        )
    archive = _git(project, "archive", "--format=tar", commit.decode().strip(), ".")
    if archive is not None:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter=_inside)  # noqa: S202 - the filter is below


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """None leaves out a link that leads out of the folder: no manifest of that commit was read through it."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


def _git(project: Path, *arguments: str) -> bytes | None:
    """The output of a git command, None where it failed."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the only free word is checked above
            ["git", "-C", str(project), *arguments],  # noqa: S607 - the user's git
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise ReconcilerError("git is not installed: --since needs it") from error
    return done.stdout if done.returncode == 0 else None
