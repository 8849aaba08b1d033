"""What must not happen quietly: each of these once ended green."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Project, found
from tests.conftest import Cli
from tests.emulator.builders import Airbyte

BRONZE = "connections/shop-to-bronze.yaml"
SOURCE = "sources/shop-postgres.yaml"


def _codes(ran: Any) -> list[str]:
    return [diagnostic["code"] for diagnostic in ran.json["diagnostics"]]


@pytest.mark.parametrize(
    ("kind", "name"), [("source", "PostgreSQL - Ecommerce"), ("connection", "PostgreSQL → MinIO")]
)
def test_a_rename_in_the_ui_makes_no_twin(
    cli: Cli, applied: Project, airbyte: Airbyte, kind: str, name: str
) -> None:
    live = found(airbyte, kind, name)
    airbyte.made("PATCH", f"/{kind}s/{live[f'{kind}Id']}", json={"name": "renamed"})
    refused = cli("apply", *applied.at, "--yes", "-o", "json")
    assert refused.code == 1
    planned = cli("plan", *applied.at, "-o", "json")
    assert "looks-like-rename" in _codes(planned)
    assert len(airbyte.made("GET", f"/{kind}s")["data"]) == (1 if kind == "source" else 2)


def test_a_deletion_that_finds_nothing_says_so(cli: Cli, applied: Project) -> None:
    text = "apiVersion: airbyte.reconciler/v1\nkind: Connection\nmetadata: {name: shop-to-bronze}\n"
    applied.write(BRONZE, f"{text}state: absent\nreason: no longer used\n")
    planned = cli("plan", *applied.at)
    assert "WARNING absent-not-found" in planned.out
    assert "no connection in Airbyte is named 'shop-to-bronze'" in planned.out


@pytest.mark.parametrize(
    "code", ["pin-not-live", "mask-as-value", "ambiguous-name", "limit-deletes"]
)
def test_what_always_holds_can_not_be_switched_off(cli: Cli, project: Project, code: str) -> None:
    project.edit("reconciler.yaml", lambda data: data["spec"].update(rules={code: "off"}))
    refused = cli("validate", *project.at)
    assert refused.code == 1
    assert "fixed-rule" in refused.out


def test_a_rule_of_caution_can_be_switched(cli: Cli, applied: Project, airbyte: Airbyte) -> None:
    live = found(airbyte, "connection", "PostgreSQL → MinIO")
    airbyte.made("PATCH", f"/connections/{live['connectionId']}", json={"name": "renamed"})
    rules = {"looks-like-rename": "warning", "same-table": "off"}
    applied.edit("reconciler.yaml", lambda data: data["spec"].update(rules=rules))
    planned = cli("plan", *applied.at, "-o", "json")
    assert planned.code == 0
    assert [change["action"] for change in planned.json["changes"]] == ["create"]


def test_a_host_from_the_environment_moves_tables_too(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.edit(
        SOURCE, lambda data: data["spec"]["configuration"].update(host="${env:SHOP_PG_HOST}")
    )
    monkeypatch.setenv("SHOP_PG_HOST", "old-host.internal")
    assert cli("apply", *project.at, "--yes").code == 0
    monkeypatch.setenv("SHOP_PG_HOST", "new-host.internal")
    planned = cli("plan", *project.at)
    assert planned.code == 1
    assert "BLOCKED   inconsistent" in planned.out
    assert "host.internal" not in planned.out


def test_production_secrets_are_not_needed_to_plan(cli: Cli, project: Project) -> None:
    def without_defaults(data: dict) -> None:
        variables = data["spec"]["targets"]["local"]["variables"]
        for name in variables:
            variables[name] = variables[name].split(":-")[0] + (
                "}" if ":-" in variables[name] else ""
            )

    project.edit("reconciler.yaml", without_defaults)
    planned = cli("plan", *project.at, "-o", "json")
    assert planned.code == 0, planned.out + planned.err
    assert set(_codes(planned)) == {"secret-unset"}
    assert cli("apply", *project.at, "--yes").code == 1


def test_a_number_that_was_stated_is_held(cli: Cli, applied: Project) -> None:
    applied.edit(BRONZE, lambda data: data.update(state="absent", reason="test"))
    for flag in ("--max-deletes=0", "--max-stops=1"):
        refused = cli("apply", *applied.at, "--yes", flag)
        assert refused.code == 1
        assert "limit-" in refused.out
    assert cli("plan", *applied.at, "--max-deletes=1", "--max-stops=2").code == 0


def test_what_is_excluded_stays_out_while_airbyte_adds_columns(
    cli: Cli, project: Project, airbyte_at: Any
) -> None:
    def hide(data: dict) -> None:
        spec = data["spec"]
        spec["schemaChanges"] = "propagate_columns"
        spec["streams"][1] = {"name": "customers", "columns": {"except": ["email", "phone"]}}

    project.edit(BRONZE, hide)
    assert cli("apply", *project.at, "--yes").code == 0
    airbyte = airbyte_at(project)
    live = found(airbyte, "connection", "PostgreSQL → MinIO")
    streams = live["configurations"]["streams"]
    customers = next(stream for stream in streams if stream["name"] == "customers")
    customers["selectedFields"].append({"fieldPath": ["email"]})
    for stream in streams:
        if not stream["selectedFields"]:
            del stream["selectedFields"]
    body = {"configurations": {"streams": streams}}
    airbyte.made("PATCH", f"/connections/{live['connectionId']}", json=body)
    drifted = cli("drift", *project.at)
    assert drifted.code == 2
    assert "public.customers columns" in drifted.out


def test_text_around_a_reference_is_not_shown_where_the_whole_is_a_secret(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUFFIX", "suffix-canary-0123456789")
    project.edit(
        SOURCE,
        lambda data: data["spec"]["configuration"].update(password="literal-canary-${env:SUFFIX}"),
    )
    for output in ("text", "json"):
        planned = cli("plan", *project.at, "-v", "-o", output)
        assert planned.code == 0
        assert "canary" not in planned.out + planned.err
    assert "…${env:SUFFIX}" in cli("plan", *project.at).out
