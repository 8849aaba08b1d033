"""The examples: each is valid for each of its targets, and those that need no server are applied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import Cli

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECTS = sorted(path.parent.name for path in EXAMPLES.glob("*/reconciler.yaml"))


def _targets(name: str) -> dict[str, dict[str, object]]:
    text = (EXAMPLES / name / "reconciler.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, object]] = yaml.safe_load(text)["spec"]["targets"]
    return found


EVERY = [(name, target) for name in PROJECTS for target in _targets(name)]
EMBEDDED = [(n, t) for n in PROJECTS for t, s in _targets(n).items() if s["url"] == "embedded"]


def test_there_are_the_examples_the_readme_names() -> None:
    assert PROJECTS == ["ecommerce", "multi-environment", "postgres-cdc", "real-airbyte"]


@pytest.mark.parametrize(("name", "target"), EVERY)
def test_an_example_is_valid(cli: Cli, name: str, target: str) -> None:
    validated = cli("validate", "-C", str(EXAMPLES / name), "-t", target, "-o", "json")
    assert validated.code == 0, validated.out
    codes = {diagnostic["code"] for diagnostic in validated.json["diagnostics"]}
    assert codes <= {"secret-unset"}


@pytest.mark.parametrize(("name", "target"), EMBEDDED)
def test_an_example_applies_and_then_there_is_nothing_to_do(
    cli: Cli, tmp_path: Path, name: str, target: str
) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".reconciler"))
    applied = cli("apply", "-C", str(folder), "-t", target, "--yes")
    assert applied.code == 0, applied.out + applied.err
    planned = cli("plan", "-C", str(folder), "-t", target, "--detailed-exitcode", "--online")
    assert planned.code == 0, planned.out
    assert "WARNING" not in planned.out


def test_35_tables_take_about_50_lines() -> None:
    text = (EXAMPLES / "postgres-cdc" / "connection.yaml").read_text(encoding="utf-8")
    assert len(yaml.safe_load(text)["spec"]["streams"]) == 35
    assert len(text.splitlines()) < 60
