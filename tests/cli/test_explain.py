"""`explain`: one resource field by field."""

from __future__ import annotations

from tests.cli.conftest import Project, found
from tests.conftest import Cli
from tests.emulator.builders import Airbyte


def _standing(cli: Cli, project: Project, address: str) -> dict[str, str]:
    fields = cli("explain", *project.at, address, "-o", "json").json["fields"]
    return {row["field"]: row["standing"] for row in fields}


def test_each_field_says_whose_it_is(cli: Cli, applied: Project, airbyte: Airbyte) -> None:
    connection = found(airbyte, "connection", "PostgreSQL → MinIO")
    path = f"/connections/{connection['connectionId']}"
    airbyte.made("PATCH", path, json={"schedule": {"scheduleType": "manual"}})
    applied.edit("connections/shop-to-bronze.yaml", lambda data: data["spec"].pop("status"))
    standing = _standing(cli, applied, "connection/shop-to-bronze")
    assert standing["/schedule"] == "differs"
    assert standing["/status"] == "not stated"
    assert standing["/streams[public.customers]/mappers"] == "same"
    assert standing["/streams[public.orders]/primaryKey"] == "not stated"
    text = cli("explain", *applied.at, "connection/shop-to-bronze").out
    assert "connections/shop-to-bronze.yaml:" in text
    assert "1 of " in text


def test_a_secret_is_not_comparable_and_not_shown(cli: Cli, applied: Project) -> None:
    standing = _standing(cli, applied, "source/shop-postgres")
    assert standing["/configuration/password"] == "not comparable"
    assert standing["/configuration/host"] == "same"


def test_what_is_not_live_is_missing(cli: Cli, project: Project) -> None:
    standing = _standing(cli, project, "source/shop-postgres")
    assert {standing["/name"], standing["/configuration/host"]} == {"missing"}


def test_an_unknown_address_is_an_error_with_a_guess(cli: Cli, project: Project) -> None:
    refused = cli("explain", *project.at, "source/shop-postgers")
    assert refused.code == 1
    assert "did you mean source/shop-postgres?" in refused.err
    assert cli("explain", *project.at, "nonsense").code == 64


def test_what_only_the_other_api_has_is_not_readable(cli: Cli, applied: Project) -> None:
    standing = _standing(cli, applied, "connection/shop-to-bronze")
    assert standing["/notifySchemaChanges"] == "not readable"
    over_config = cli(
        "explain", *applied.at, "connection/shop-to-bronze", "-o", "json", "--api", "config"
    )
    fields = {row["field"]: row for row in over_config.json["fields"]}
    assert fields["/notifySchemaChanges"]["standing"] == "not stated"
    assert fields["/notifySchemaChanges"]["live"] is False
