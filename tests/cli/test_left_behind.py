"""Replacements that were cut off, and connections that go with their destination: all of it is in the plan,
whatever happened in between."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Project, found
from tests.conftest import Cli, Ran
from tests.emulator.builders import Airbyte

BRONZE, FLOW = "destinations/bronze.yaml", "connections/shop-to-bronze.yaml"
MINIO, LAKE = "PostgreSQL → MinIO", "MinIO - Bronze Layer"
CANARY = "canary-of-the-new-destination"


class Shop:
    """The example, applied; git then wants its destination to be of another connector."""

    def __init__(self, cli: Cli, project: Project, airbyte: Airbyte) -> None:
        self.cli, self.project, self.airbyte = cli, project, airbyte
        self.lake = str(found(airbyte, "destination", LAKE)["destinationId"])
        self.flow = found(airbyte, "connection", MINIO)

    def __call__(self, *arguments: str) -> Ran:
        return self.cli(*arguments, *self.project.at)

    def replace_the_lake(self) -> None:
        staging = "destinations/staging.yaml"
        configuration: dict[str, Any] = {}
        self.project.edit(staging, lambda data: configuration.update(data["spec"]["configuration"]))
        configuration.update(schema="bronze", password=f"${{env:NEW_LAKE:-{CANARY}}}")

        def another(data: dict[str, Any]) -> None:
            data["spec"].update(connector="postgres", configuration=configuration)
            data["spec"]["lifecycle"] = {"allow": ["replace"]}

        self.project.edit(BRONZE, another)
        self.project.edit(FLOW, lambda d: d["spec"].update(lifecycle={"allow": ["replace"]}))

    def left_destination(self) -> str:
        """Of the old connector: another replacement had begun to make it."""
        like = self.airbyte.made("GET", f"/destinations/{self.lake}")
        configuration = {
            **like["configuration"],
            "access_key_id": "of-another-run",
            "secret_access_key": "of-another-run",
        }
        name = f"{LAKE} (reconciler: replaces {self.lake})"
        made = self.airbyte.destination(name, like["definitionId"], **configuration)
        return str(made["destinationId"])

    def connect(self, name: str) -> str:
        ends = {key: self.flow[key] for key in ("sourceId", "destinationId")}
        made = self.airbyte.made("POST", "/connections", json={"name": name, **ends})
        return str(made["connectionId"])

    def left_connection(self, status: str) -> str:
        flow = self.flow["connectionId"]
        left = self.connect(f"{MINIO} (reconciler: replaces {flow}, then active)")
        self.airbyte.made("PATCH", f"/connections/{left}", json={"status": status})
        return left

    def sync(self, connection: str) -> None:
        body = {"connectionId": connection, "jobType": "sync"}
        job = self.airbyte.made("POST", "/jobs", json=body)
        self.airbyte.made("DELETE", f"/jobs/{job['jobId']}")

    def ids(self, kind: str) -> set[str]:
        return {str(each[f"{kind}Id"]) for each in self.airbyte.listed(f"{kind}s")}


@pytest.fixture
def shop(cli: Cli, applied: Project, airbyte: Airbyte) -> Shop:
    return Shop(cli, applied, airbyte)


def test_a_half_done_one_of_another_connector_is_not_gone_on_with(shop: Shop) -> None:
    left = shop.left_destination()
    shop.replace_the_lake()
    blocked = shop("apply", "--yes")
    assert blocked.code == 1
    assert left in blocked.out
    assert "--allow delete=destination/bronze" in blocked.out
    done = shop("apply", "--yes", "--allow", "delete=destination/bronze")
    assert done.code == 0, done.out
    assert "2 replaced, 1 deleted" in done.out
    assert shop.ids("destination").isdisjoint({left, shop.lake})
    assert CANARY not in str(shop.airbyte.listed("destinations"))
    assert shop("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("ran", [False, True])
def test_a_half_done_connection_that_synced_is_not_deleted_unasked(
    shop: Shop, *, ran: bool
) -> None:
    left = shop.left_connection("active")
    if ran:
        shop.sync(left)
        shop.airbyte.made("PATCH", f"/connections/{left}", json={"status": "inactive"})
    shop.replace_the_lake()
    blocked = shop("apply", "--yes")
    assert blocked.code == 1
    assert left in blocked.out
    assert left in shop.ids("connection")
    flag = ("--allow", "delete=connection/shop-to-bronze")
    refused = shop("apply", "--yes", *flag, "--max-deletes", "2")
    assert "3 deletes, and at most 2 were meant" in refused.out
    done = shop("apply", "--yes", *flag)
    assert done.code == 0, done.out
    assert "2 replaced, 1 deleted" in done.out
    assert left not in shop.ids("connection")


def test_a_half_done_connection_that_never_ran_is_deleted_and_told(shop: Shop) -> None:
    left = shop.left_connection("inactive")
    shop.replace_the_lake()
    done = shop("apply", "--yes")
    assert done.code == 0, done.out
    assert left in done.out
    assert left not in shop.ids("connection")
    assert len(shop.ids("connection")) == 2


def test_what_git_no_longer_asks_for_is_told_listed_and_can_be_deleted(shop: Shop) -> None:
    left = shop.left_destination()
    for command in ("plan", "drift"):
        ran = shop(command)
        assert ran.code == 0
        assert "WARNING left-behind  destination/bronze" in ran.out
        assert left in ran.out
        assert "not in any manifest               1 destination" in ran.out
    assert left in shop("get", "destinations", "--unmanaged").out
    shop.project.write(
        "destinations/half.yaml",
        "apiVersion: airbyte.reconciler/v1\nkind: Destination\nstate: absent\nreason: cut off\n"
        f"metadata: {{name: half, ids: {{local: {left}}}}}\n",
    )
    assert shop("apply", "--yes").code == 0
    assert left not in shop.ids("destination")
    assert "left-behind" not in shop("plan").out


def test_connections_that_go_with_their_destination_are_announced_and_counted(shop: Shop) -> None:
    theirs = [shop.connect("By hand"), shop.connect("By somebody else")]
    for name in (BRONZE, FLOW):
        shop.project.edit(name, lambda data: data.update(state="absent", reason="test"))
    flags = [part for each in theirs for part in ("--allow", f"delete=connection/{each}")]
    refused = shop("apply", "--yes", *flags, "--max-deletes", "2")
    assert refused.code == 1
    assert "4 deletes, and at most 2 were meant" in refused.out
    planned = shop("plan", *flags)
    for each in theirs:
        assert each in planned.out
    assert "4 to delete." in planned.out
    assert "not in any manifest               none" in planned.out
    done = shop("apply", "--yes", *flags)
    assert done.code == 0, done.out
    assert "4 deleted" in done.out
    assert len(shop.ids("connection")) == 1


def test_a_replaced_destination_that_is_asked_for_alone_takes_its_connections_with_it(
    shop: Shop,
) -> None:
    shop.replace_the_lake()
    refused = shop("apply", "--yes", "--exclude", "connection/*")
    assert refused.code == 1
    assert "excluded-but-needed" in refused.out
    assert shop.lake in shop.ids("destination")
    done = shop("apply", "--yes", "destination/bronze")
    assert done.code == 0, done.out
    assert "selection-widened  connection/shop-to-bronze" in done.out
    assert "2 replaced" in done.out
    assert shop.lake not in shop.ids("destination")


def test_a_connector_that_changes_is_shown_by_name_on_both_sides(shop: Shop) -> None:
    shop.replace_the_lake()
    assert (
        "connector             airbyte/destination-s3 -> airbyte/destination-postgres"
        in shop("plan").out
    )
