"""`plan --since REF`: this branch told from what was different before it, and what left git with it."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.cli.conftest import Project, found
from tests.conftest import Cli
from tests.emulator.builders import Airbyte

BRONZE = "connections/shop-to-bronze.yaml"


@pytest.fixture
def committed(applied: Project) -> Project:
    """The applied project, as the first commit of a repository."""
    applied.write(".gitignore", ".reconciler/\n")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        subprocess.run(["git", "-C", str(applied.folder), *author, *command], check=True)
    return applied


def _plan(cli: Cli, project: Project) -> Any:
    return cli("plan", *project.at, "--since", "HEAD", "-o", "json").json


def test_a_change_of_this_branch_is_git_s(cli: Cli, committed: Project) -> None:
    committed.edit(BRONZE, lambda data: data["spec"].update(schedule="manual"))
    (change,) = _plan(cli, committed)["changes"]
    assert [(f["pointer"], f["why"]) for f in change["fields"]] == [("/schedule", "git")]


def test_what_was_clicked_before_is_live_s(cli: Cli, committed: Project, airbyte: Airbyte) -> None:
    connection = found(airbyte, "connection", "PostgreSQL → MinIO")
    clicked = {"schedule": {"scheduleType": "manual"}, "status": "inactive"}
    airbyte.made("PATCH", f"/connections/{connection['connectionId']}", json=clicked)
    committed.edit(BRONZE, lambda data: data["spec"].update(schedule={"cron": "0 0 1 * * ?"}))
    (change,) = _plan(cli, committed)["changes"]
    whys = {f["pointer"]: f["why"] for f in change["fields"]}
    assert whys == {"/schedule": "both", "/status": "live"}
    shown = cli("plan", *committed.at, "--since", "HEAD").out
    assert "inactive -> active   (changed in Airbyte)" in shown


def test_a_key_that_leaves_git_is_named_with_what_to_write(cli: Cli, committed: Project) -> None:
    def drop(data: dict) -> None:
        del data["spec"]["streamDefaults"]["mappers"]
        del data["spec"]["streams"][1]["mappers"]
        del data["spec"]["tags"]

    committed.edit(BRONZE, drop)
    plan = _plan(cli, committed)
    assert plan["changes"] == []
    released = [d for d in plan["diagnostics"] if d["code"] == "released-value"]
    assert [d["message"].split(" left git")[0] for d in released] == [
        "'tags'",
        "stream public.customers: 'mappers'",
    ]
    assert released[1]["hint"] == "to remove it write mappers: []; to keep it, put it back"
    assert released[1]["span"]["file"] == BRONZE


def test_a_manifest_that_is_gone_is_named_and_deletes_nothing(cli: Cli, committed: Project) -> None:
    (committed.folder / "connections" / "shop-to-staging.yaml").unlink()
    plan = _plan(cli, committed)
    assert plan["changes"] == []
    (removed,) = [d for d in plan["diagnostics"] if d["code"] == "manifest-removed"]
    assert removed["address"] == "connection/shop-to-staging"


def test_a_moved_file_is_no_change(cli: Cli, committed: Project) -> None:
    folder = committed.folder
    (folder / "connections").rename(folder / "flows")
    plan = _plan(cli, committed)
    assert plan["changes"] == []
    assert plan["diagnostics"] == []


def test_an_unknown_commit_is_an_error(cli: Cli, committed: Project) -> None:
    for ref in ("nonsense", "--output=/tmp/x"):
        refused = cli("plan", *committed.at, f"--since={ref}")
        assert refused.code == 1
        assert "Error:" in refused.err
