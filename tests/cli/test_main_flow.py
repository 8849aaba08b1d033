"""validate, plan, apply, drift, show, get on the embedded Airbyte, as a user runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.cli.conftest import Project, found
from tests.conftest import Cli
from tests.emulator.builders import Airbyte

BRONZE = "connections/shop-to-bronze.yaml"


def test_a_new_project_plans_at_once(cli: Cli, tmp_path: Path) -> None:
    folder = str(tmp_path / "new")
    assert cli("init", folder).code == 0
    planned = cli("plan", "-C", folder)
    assert planned.code == 0
    assert "3 to create, 0 to change, 0 to replace, 0 to delete." in planned.out
    assert (tmp_path / "new" / ".gitignore").read_text() == ".reconciler/\n"


def test_init_overwrites_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text("mine")
    refused = cli("init", str(tmp_path))
    assert refused.code == 1
    assert "exists already; nothing was written" in refused.err
    assert [path.name for path in tmp_path.iterdir()] == ["reconciler.yaml"]


def test_applying_twice_changes_nothing(cli: Cli, applied: Project) -> None:
    again = cli("apply", *applied.at, "--yes")
    assert again.code == 0
    assert "No changes. 5 as in git." in again.out
    assert cli("plan", *applied.at, "--detailed-exitcode").code == 0
    assert cli("drift", *applied.at).code == 0


def test_an_edit_behind_its_back_is_named_and_undone(
    cli: Cli, applied: Project, airbyte: Airbyte
) -> None:
    connection = found(airbyte, "connection", "PostgreSQL → MinIO")
    airbyte.made("PATCH", f"/connections/{connection['connectionId']}", json={"prefix": "clicked_"})

    planned = cli("plan", *applied.at, "--detailed-exitcode", "-o", "json")
    # Moving tables under saved positions needs consent, so that the plan is blocked rather than 2.
    assert planned.code == 1
    (change,) = planned.json["changes"]
    assert change["address"] == "connection/shop-to-bronze"
    assert [(f["pointer"], f["before"], f["after"]) for f in change["fields"]] == [
        ("/prefix", "clicked_", "")
    ]

    drifted = cli("drift", *applied.at)
    assert drifted.code == 2
    assert 'live: clicked_   git: ""' in drifted.out
    assert "1 drifted, 4 as in git. Exit 2." in drifted.out

    undone = cli("apply", *applied.at, "--yes", "--allow", "inconsistent")
    assert undone.code == 0
    assert cli("drift", *applied.at).code == 0


def test_a_harmless_edit_exits_2_and_names_the_field(
    cli: Cli, applied: Project, airbyte: Airbyte
) -> None:
    connection = found(airbyte, "connection", "PostgreSQL → MinIO")
    manual = {"schedule": {"scheduleType": "manual"}}
    airbyte.made("PATCH", f"/connections/{connection['connectionId']}", json=manual)
    planned = cli("plan", *applied.at, "--detailed-exitcode")
    assert planned.code == 2
    assert "schedule              manual -> 0 0 */6 * * ? UTC" in planned.out
    assert cli("apply", *applied.at, "--yes").code == 0
    assert cli("plan", *applied.at, "--detailed-exitcode").code == 0


def test_a_mistyped_option_is_64_and_never_2(cli: Cli, project: Project) -> None:
    wrong = cli("plan", *project.at, "--detailed-exitcde")
    assert wrong.code == 64
    assert "--detailed-exitcode" in wrong.err
    assert cli("plann").code == 64
    assert cli("plan", *project.at, "--allow", "stateloss").code == 64


def test_apply_asks_and_fails_where_nobody_can_answer(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = cli("apply", *project.at)
    assert refused.code == 1
    assert "add --yes" in refused.err
    monkeypatch.setenv("CI", "true")
    assert cli("apply", *project.at, "--yes").code == 64
    assert cli("apply", *project.at, "--yes", "-t", "local").code == 0


def test_a_saved_plan_is_shown_again(cli: Cli, project: Project, tmp_path: Path) -> None:
    file = str(tmp_path / "plan.json")
    planned = cli("plan", *project.at, "--out", file)
    assert cli("show", file).out == planned.out
    assert cli("show", file, "-o", "json").out == Path(file).read_text(encoding="utf-8")


def test_a_plan_fits_its_published_schema(cli: Cli, applied: Project) -> None:
    def flip(data: dict) -> None:
        data["spec"]["streams"] = [{"name": "orders", "syncMode": "full_refresh_overwrite"}]

    applied.edit(BRONZE, flip)
    validator = Draft202012Validator(cli("schema", "plan").json)
    for ran in (cli("plan", *applied.at, "-o", "json"), cli("drift", *applied.at, "-o", "json")):
        assert ran.json["changes"][0]["effects"]
        assert list(validator.iter_errors(ran.json)) == []


def test_show_refuses_what_is_no_plan(cli: Cli, tmp_path: Path) -> None:
    for text in ("", "[]", "{}", '{"formatVersion": "9.0"}', "nonsense"):
        (tmp_path / "f.json").write_text(text)
        refused = cli("show", str(tmp_path / "f.json"))
        assert refused.code == 1
        assert "is not a plan that this version reads" in refused.err


def test_plan_bytes_do_not_depend_on_the_run(cli: Cli, project: Project) -> None:
    assert cli("plan", *project.at, "-o", "json").out == cli("plan", *project.at, "-o", "json").out


def test_apply_reports_as_json(cli: Cli, project: Project) -> None:
    ran = cli("apply", *project.at, "--yes", "-o", "json")
    assert ran.code == 0
    assert ran.json["written"] is True
    assert {result["status"] for result in ran.json["results"]} == {"done"}
    assert len(ran.json["results"]) == 5
    assert ran.json["remaining"] == []


def test_a_blocked_change_stops_everything(cli: Cli, applied: Project, airbyte: Airbyte) -> None:
    def flip(data: dict) -> None:
        data["spec"]["streams"][0] = {"name": "orders", "syncMode": "full_refresh_overwrite"}
        data["spec"]["schedule"] = "manual"

    applied.edit(BRONZE, flip)
    before = found(airbyte, "connection", "PostgreSQL → MinIO")
    refused = cli("apply", *applied.at, "--yes")
    assert refused.code == 1
    assert "BLOCKED   overwrites-table, state-loss" in refused.out
    assert "streams: [public.orders]" in refused.out
    assert found(airbyte, "connection", "PostgreSQL → MinIO") == before


def test_consent_in_the_pull_request_is_enough(cli: Cli, applied: Project) -> None:
    def flip(data: dict) -> None:
        data["spec"]["streams"][0] = {"name": "orders", "syncMode": "full_refresh_overwrite"}
        consent = {"effects": ["state-loss", "overwrites-table"], "streams": ["public.orders"]}
        data["spec"]["lifecycle"] = {"allow": [consent]}

    applied.edit(BRONZE, flip)
    ran = cli("apply", *applied.at, "--yes")
    assert ran.code == 0, ran.out
    assert "accepted by" in ran.out
    # Once applied, nothing needs it any more, and the plan says so.
    again = cli("plan", *applied.at)
    assert again.code == 0
    assert "WARNING stale-allow" in again.out


def test_a_missing_secret_is_a_warning_in_plan_and_an_error_in_apply(
    cli: Cli, project: Project
) -> None:
    project.edit(
        "sources/shop-postgres.yaml",
        lambda data: data["spec"]["configuration"].update(password="${env:NOT_SET_ANYWHERE}"),
    )
    planned = cli("plan", *project.at)
    assert planned.code == 0
    assert "WARNING secret-unset" in planned.out
    refused = cli("apply", *project.at, "--yes")
    assert refused.code == 1
    assert "not set in this environment: ${env:NOT_SET_ANYWHERE}" in refused.out


def test_get_lists_what_is_live(cli: Cli, applied: Project, airbyte: Airbyte) -> None:
    airbyte.source("clicked by somebody")
    assert "Default Workspace" in cli("get", "workspaces", *applied.at).out
    assert "airbyte" not in cli("get", "sources", *applied.at, "--unmanaged").out
    body = cli("get", "sources", *applied.at, "-o", "json").json
    assert (body["formatVersion"], body["target"]["name"]) == ("1.0", "local")
    assert [(row["name"], row["address"]) for row in body["sources"]] == [
        ("PostgreSQL - Ecommerce", "source/shop-postgres"),
        ("clicked by somebody", ""),
    ]
    unmanaged = cli("get", "sources", *applied.at, "--unmanaged", "-o", "json").json
    assert [row["name"] for row in unmanaged["sources"]] == ["clicked by somebody"]
    assert "postgres" in cli("get", "connectors", *applied.at).out


def test_objects_of_others_are_left_alone(cli: Cli, applied: Project, airbyte: Airbyte) -> None:
    other = airbyte.source("clicked by somebody")
    planned = cli("plan", *applied.at)
    assert "not in any manifest               1 source" in planned.out
    assert cli("apply", *applied.at, "--yes").code == 0
    assert airbyte.made("GET", f"/sources/{other['sourceId']}") == other


@pytest.mark.parametrize(
    "kind", ["manifest", "project", "source", "destination", "connection", "plan"]
)
def test_schemas_are_printed(cli: Cli, kind: str) -> None:
    printed = cli("schema", kind)
    assert printed.code == 0
    assert printed.json["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_help_and_version(cli: Cli) -> None:
    helped = cli("--help")
    assert helped.code == 0
    for command in (
        "init",
        "validate",
        "plan",
        "apply",
        "drift",
        "show",
        "get",
        "schema",
        "emulator",
    ):
        assert command in helped.out
        assert cli(command, "--help").code == 0
    assert cli("--version").out.startswith("reconciler, version ")
