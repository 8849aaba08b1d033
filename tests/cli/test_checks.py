"""check, plan --check and apply --check, as people type them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.backends.config_api import ConfigApi
from reconciler.backends.public_api import PublicApi
from reconciler.core.jobs import ONLY_CONFIG, Operation
from tests.cli.conftest import Project
from tests.conftest import Cli, Ran
from tests.emulator.builders import Airbyte

SOURCE, STAGING, BRONZE = "source/shop-postgres", "destination/staging", "destination/bronze"
FLOW = "connection/shop-to-bronze"
UNREACHABLE = "Could not connect: the host fail.invalid is not known."


@pytest.fixture
def check(cli: Cli, applied: Project) -> Callable[..., Ran]:
    return lambda *arguments: cli("check", *arguments, *applied.at, "--api", "config")


def breaks(project: Project, host: str = "fail.invalid") -> None:
    """In git: what is applied next fails its test."""

    def change(data: dict[str, Any]) -> None:
        data["spec"]["configuration"]["host"] = host

    project.edit("sources/shop-postgres.yaml", change)


def broken_by_hand(airbyte: Airbyte, host: str = "fail.invalid") -> None:
    (source,) = airbyte.made("GET", "/sources")["data"]
    change = {"configuration": {"host": host}}
    airbyte.made("PATCH", f"/sources/{source['sourceId']}", json=change)


def told(ran: Ran) -> list[list[str]]:
    """Of each line about an actor its address and result."""
    lines = [line.split() for line in ran.out.splitlines() if line.startswith("  ")]
    return sorted(words[:2] for words in lines if "/" in words[0])


# --- check -----------------------------------------------------------------------------------


def test_everything_that_manifests_mean_is_tested(check: Callable[..., Ran]) -> None:
    ran = check()
    assert ran.code == 0
    assert ran.out.startswith("Target local: EMBEDDED, not a real Airbyte (Configuration API)")
    assert told(ran) == [[BRONZE, "succeeded"], [STAGING, "succeeded"], [SOURCE, "succeeded"]]
    assert ran.out.splitlines()[-1] == "3 succeeded."


@pytest.mark.parametrize(
    ("selection", "tested"),
    [
        ((SOURCE,), [SOURCE]),
        (("destination/*",), [BRONZE, STAGING]),
        ((FLOW,), [BRONZE, SOURCE]),
        (("-s", "label:team=data", "--exclude", SOURCE), [BRONZE, STAGING]),
        (("--exclude", "destination/*"), [SOURCE]),
    ],
    ids=" ".join,
)
def test_a_selection_narrows_it_and_a_connection_means_both_its_ends(
    check: Callable[..., Ran], selection: tuple[str, ...], tested: list[str]
) -> None:
    assert [address for address, _ in told(check(*selection))] == tested


def test_a_pattern_that_means_nothing_is_an_error(check: Callable[..., Ran]) -> None:
    ran = check("source/shop-postgre")
    assert ran.code == 1
    assert "did you mean source/shop-postgres?" in ran.err


@pytest.mark.parametrize(
    ("host", "said"),
    [("fail.invalid", UNREACHABLE), ("crash.invalid", "exited with status 137")],
)
def test_one_that_fails_is_told_with_what_the_connector_says(
    check: Callable[..., Ran], airbyte: Airbyte, host: str, said: str
) -> None:
    broken_by_hand(airbyte, host)
    ran = check()
    assert ran.code == 1
    assert [SOURCE, "FAILED"] in told(ran)
    assert said in ran.out
    assert ran.out.splitlines()[-1] == "2 succeeded, 1 failed."


def test_as_json_there_is_all_of_it(check: Callable[..., Ran], airbyte: Airbyte) -> None:
    broken_by_hand(airbyte)
    ran = check("-o", "json")
    assert ran.code == 1
    body = ran.json
    assert (body["formatVersion"], body["target"]["api"]) == ("1.0", "config")
    assert [(r["address"], r["result"]) for r in body["results"]] == [
        (BRONZE, "succeeded"),
        (STAGING, "succeeded"),
        (SOURCE, "failed"),
    ]
    assert body["results"][2]["message"] == UNREACHABLE


def test_nothing_that_could_be_tested_is_a_failure(cli: Cli, project: Project) -> None:
    at = (*project.at, "--api", "config")
    everything = cli("check", *at)
    assert everything.code == 1
    assert everything.out.splitlines()[-2:] == [
        "3 not live yet.",
        "Nothing was tested: none of what is selected is live.",
    ]
    for named in (SOURCE, FLOW):
        ran = cli("check", named, *at)
        assert ran.code == 1
        assert f"-> reconciler apply {SOURCE} -C" in " ".join(ran.out.split())


def test_one_that_is_not_live_is_a_failure_only_where_it_was_named(
    cli: Cli, applied: Project, airbyte: Airbyte
) -> None:
    (staging,) = (
        found
        for found in airbyte.made("GET", "/destinations")["data"]
        if found["name"].endswith("Staging")
    )
    assert airbyte("DELETE", f"/destinations/{staging['destinationId']}").status_code == 204
    at = (*applied.at, "--api", "config")
    everything = cli("check", *at)
    assert everything.code == 0
    assert everything.out.splitlines()[-1] == "2 succeeded, 1 not live yet."
    assert cli("check", "destination/staging", *at).code == 1


def test_the_api_that_has_tests_is_used_where_none_is_stated(cli: Cli, applied: Project) -> None:
    ran = cli("check", *applied.at)
    assert ran.code == 0
    header = " ".join(ran.out.partition("\n\n")[0].split())
    assert "(Configuration API, since the public API has no connection tests)" in header


def test_an_api_without_tests_is_told_before_anything(cli: Cli, applied: Project) -> None:
    ran = cli("check", *applied.at, "--api", "public")
    assert ran.code == 1
    assert ran.out == ""
    assert "the public API has no connection tests" in ran.err
    assert "-> the Configuration API has: add --api config" in ran.err


@pytest.mark.parametrize("operation", sorted(ONLY_CONFIG))
def test_what_we_say_of_both_apis_is_so(operation: Operation) -> None:
    assert operation not in PublicApi.capabilities.operations
    assert operation in ConfigApi.capabilities.operations


# --- plan --check ----------------------------------------------------------------------------


def test_a_plan_tests_what_exists_and_writes_nothing(cli: Cli, applied: Project) -> None:
    ran = cli("plan", "--check", *applied.at, "--api", "config", "-o", "json")
    assert ran.code == 0
    assert ran.json["diagnostics"] == []
    assert "Connection tests: 3 of 3 succeeded." in ran.err


def test_a_failed_test_makes_the_plan_errored(cli: Cli, applied: Project, airbyte: Airbyte) -> None:
    broken_by_hand(airbyte)
    breaks(applied)
    ran = cli("plan", "--check", *applied.at, "--api", "config", "-o", "json")
    assert ran.code == 1
    (found,) = [d for d in ran.json["diagnostics"] if d["code"] == "check-failed"]
    assert (found["severity"], found["address"]) == ("error", SOURCE)
    assert found["message"] == f"its connection test failed: {UNREACHABLE}"
    assert found["span"]["file"] == "sources/shop-postgres.yaml"


def test_a_plan_that_changes_it_is_not_stopped_by_what_is_stored(
    cli: Cli, applied: Project, airbyte: Airbyte
) -> None:
    broken_by_hand(airbyte)
    allow = ("--allow", "inconsistent")
    ran = cli("plan", "--check", *applied.at, "--api", "config", *allow)
    assert ran.code == 0
    assert f"WARNING check-failed  {SOURCE}" in ran.out
    assert "(as it is now, without this plan's change)" in " ".join(ran.out.split())


def test_a_rule_of_the_project_may_switch_it_off(
    cli: Cli, applied: Project, airbyte: Airbyte
) -> None:
    broken_by_hand(airbyte)
    breaks(applied)

    def lower(data: dict[str, Any]) -> None:
        data["spec"]["rules"] = {"check-failed": "warning"}

    applied.edit("reconciler.yaml", lower)
    assert cli("plan", "--check", *applied.at, "--api", "config").code == 0


def test_what_is_to_be_created_is_not_tested(cli: Cli, project: Project) -> None:
    ran = cli("plan", "--check", *project.at, "--api", "config")
    assert ran.code == 0
    assert "Connection tests: 0 of 0 succeeded." in ran.err


# --- apply --check ---------------------------------------------------------------------------


def test_an_apply_tests_before_connections_are_written(cli: Cli, project: Project) -> None:
    ran = cli("apply", "--check", "--yes", *project.at, "--api", "config")
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.count("its connection test succeeded") == 3


def test_what_fails_its_test_skips_its_connections_and_exits_4(cli: Cli, project: Project) -> None:
    breaks(project)
    ran = cli("apply", "--check", "--yes", *project.at, "--api", "config")
    assert ran.code == 4
    said = f"written, but its connection test failed: {UNREACHABLE}"
    assert said in " ".join(ran.out.split())
    assert ran.out.count(f"{SOURCE} failed its connection test") == 2
    assert "2 created, 0 changed, 0 replaced, 0 deleted, 1 failed, 2 skipped." in ran.out


def test_a_later_apply_still_refuses_to_use_it(cli: Cli, project: Project) -> None:
    breaks(project)
    at = (*project.at, "--api", "config")
    assert cli("apply", "--check", "--yes", *at).code == 4
    again = cli("apply", "--check", "--yes", *at)
    assert again.code == 1
    assert again.out.count(f"{SOURCE}: its connection test failed") == 2
    assert "0 created" in again.out
    breaks(project, "postgres")
    assert cli("apply", "--check", "--yes", *at).code == 0


# --- what is left to be done by hand ---------------------------------------------------------


def moved(project: Project) -> None:
    project.edit(
        "connections/shop-to-staging.yaml", lambda data: data["spec"].update(prefix="new_")
    )


@pytest.mark.parametrize(("api", "suffix"), [("public", " --api config"), ("config", "")])
def test_a_plan_names_the_refresh_that_is_left_to_people(
    cli: Cli, applied: Project, api: str, suffix: str
) -> None:
    moved(applied)
    at = (*applied.at, "--api", api, "--allow", "inconsistent")
    left = (
        "reconciler refresh connection/shop-to-staging --stream=public.customers "
        f"--stream=public.orders -C {applied.folder}{suffix}"
    )
    planned = " ".join(cli("plan", *at).out.split())
    assert f"then {left}" in planned
    ran = cli("apply", "--yes", *at)
    assert ran.code == 0
    assert left in " ".join(ran.out.partition("Left for you")[2].split())
    assert "refresh" not in " ".join(cli("jobs", "list", *applied.at).out.split())


def test_the_refresh_that_is_named_can_be_run_as_it_is(cli: Cli, applied: Project) -> None:
    moved(applied)
    assert cli("apply", "--yes", *applied.at, "--allow", "inconsistent").code == 0
    named = ("connection/shop-to-staging", "--stream=public.customers", "--stream=public.orders")
    assert cli("refresh", *named, "--api", "config", *applied.at, "--wait").code == 0


def test_a_change_that_parts_nothing_leaves_nothing(cli: Cli, applied: Project) -> None:
    applied.edit(
        "connections/shop-to-staging.yaml", lambda data: data["spec"].update(schedule="manual")
    )
    assert "reconciler refresh" not in cli("plan", *applied.at).out
