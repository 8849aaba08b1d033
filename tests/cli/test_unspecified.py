"""A real Airbyte whose API serves no specifications, and a target that states none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.project import Request, open_project
from tests.cli.conftest import Project, Served
from tests.conftest import Cli

SOURCE = "sources/shop-postgres.yaml"
CANARY = "canary-0123456789abcdef"
UNKNOWN = "specification-unknown"
GUESS = "looks-like-a-secret"


@pytest.fixture
def literal(project: Project, served: Served) -> Project:
    """With a password in clear."""

    def in_clear(data: dict[str, Any]) -> None:
        data["spec"]["configuration"]["password"] = CANARY

    project.edit(SOURCE, in_clear)
    return project


def codes(ran_json: Any) -> list[str]:
    known = (UNKNOWN, GUESS, "plaintext-secret")
    return sorted(d["code"] for d in ran_json["diagnostics"] if d["code"] in known)


def test_a_password_in_clear_is_warned_of_and_never_shown(
    literal: Project, cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    for options in ((), ("-o", "json"), ("-v",)):
        planned = cli("plan", *literal.at, "-t", "remote", "--out", str(file), *options)
        assert planned.code == 0, planned.out
        assert CANARY not in planned.out + planned.err + file.read_text(encoding="utf-8")
    saved = json.loads(file.read_text(encoding="utf-8"))
    assert codes(saved) == [GUESS, *[UNKNOWN] * 3]
    assert "connectors" in next(d["hint"] for d in saved["diagnostics"] if d["code"] == UNKNOWN)
    applied = cli("apply", *literal.at, "-t", "remote", "--yes", "-v")
    assert applied.code == 0, applied.out
    assert CANARY not in applied.out + applied.err
    explained = cli("explain", *literal.at, "-t", "remote", "source/shop-postgres")
    assert explained.code == 0
    assert CANARY not in explained.out


def test_validate_warns_of_it_too(literal: Project, cli: Cli) -> None:
    ran = cli("validate", *literal.at, "-t", "remote", "-o", "json")
    assert (ran.code, codes(ran.json)) == (0, [GUESS])
    literal.edit(
        "reconciler.yaml", lambda data: data["spec"]["targets"]["remote"].update(api="public")
    )
    ran = cli("validate", *literal.at, "-t", "remote", "-o", "json")
    assert (ran.code, codes(ran.json)) == (0, [GUESS, *[UNKNOWN] * 3])


def test_who_is_strict_about_secrets_is_not_stopped_by_a_guess(literal: Project, cli: Cli) -> None:
    def strict(data: dict[str, Any]) -> None:
        data["spec"]["rules"] = {"plaintext-secret": "error"}

    literal.edit("reconciler.yaml", strict)
    ran = cli("validate", *literal.at, "-t", "remote", "-o", "json")
    assert (ran.code, codes(ran.json)) == (0, [GUESS])
    ran = cli("validate", *literal.at, "-o", "json")
    assert (ran.code, codes(ran.json)) == (1, ["plaintext-secret"])


def test_an_api_that_serves_specifications_tells_for_certain(literal: Project, cli: Cli) -> None:
    ran = cli("plan", *literal.at, "-t", "remote", "--api", "config", "-o", "json")
    assert (ran.code, codes(ran.json)) == (1, ["plaintext-secret"])
    assert [d["severity"] for d in ran.json["diagnostics"] if d["code"] == "plaintext-secret"] == [
        "error"
    ]
    assert CANARY not in ran.out


def test_it_is_taken_out_of_what_a_server_says(literal: Project) -> None:
    opened = open_project(Request(literal.folder, {}, target="remote"), tolerate_missing=True)
    assert opened.redactor(f"{CANARY} is too short") == "(secret) is too short"
