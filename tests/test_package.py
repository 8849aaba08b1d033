"""The distribution: schemas and data are in the wheel, and are found from a checkout too."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from reconciler.manifests.schema import KINDS, schema_text

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel's content, away from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(folder), str(ROOT)], check=True, capture_output=True)
    (wheel,) = folder.glob("airbyte_reconciler-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _run(code: str, unpacked: Path) -> str:
    environment = {"PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=unpacked,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_wheel_holds_what_it_needs(unpacked: Path) -> None:
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert "reconciler/py.typed" in names
    for path in (ROOT / "schemas").glob("*.json"):
        assert f"reconciler/schemas/{path.name}" in names
    assert any(name.startswith("reconciler/emulator/data/connectors/") for name in names)
    assert not any(name.startswith(("tests/", "examples/", "schemas/")) for name in names)


def test_schemas_are_found_in_an_installed_wheel(unpacked: Path) -> None:
    code = (
        "import reconciler, reconciler.manifests.schema as s; "
        "print(reconciler.__file__); [s.schema_text(k) for k in s.KINDS]"
    )
    assert _run(code, unpacked).strip() == str(unpacked / "reconciler" / "__init__.py")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_schemas_are_found_in_a_checkout(kind: str) -> None:
    assert schema_text(kind) == (ROOT / "schemas" / f"{kind}.schema.json").read_text(
        encoding="utf-8"
    )


def test_both_commands_start_the_same_entry() -> None:

    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "scripts"
    ]
    assert scripts == {
        "reconciler": "reconciler.__main__:main",
        "airbyte-reconciler": "reconciler.__main__:main",
    }
