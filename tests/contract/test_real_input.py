"""The main flow on real catalogs and real connector specifications, straight and through a proxy that
validates every request and answer against Airbyte's OpenAPI document."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.conftest import Cli
from tests.contract import real_project
from tests.contract.conftest import Prism
from tests.contract.real_project import RealProject

pytestmark = pytest.mark.contract

NEW_YORK = {"cron": "0 0 6 * * ?", "timezone": "America/New_York"}


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in real_project.SECRETS.items():
        monkeypatch.setenv(name, value)


def _blocked_then_applied(
    cli: Cli, project: RealProject, edit: Callable[[], None], effect: str, address: str
) -> None:
    """The edit is blocked with its effect, refused by apply, and applied with consent."""
    edit()
    project.write()
    folder = str(project.folder)

    planned = cli("plan", "-C", folder, "-o", "json")
    assert planned.code == 1, planned.out + planned.err
    (change,) = planned.json["changes"]
    assert change["address"] == address
    assert change["blocked"]
    assert effect in {found["effect"] for found in change["effects"] if not found["accepted"]}

    refused = cli("apply", "-C", folder, "--yes")
    assert refused.code == 1
    assert f"BLOCKED   {effect}" in refused.out

    applied = cli("apply", "-C", folder, "--yes", "--allow", f"{effect}={address}")
    assert applied.code == 0, applied.out + applied.err
    assert "Read back and planned again: no difference." in applied.out
    _nothing_left(cli, folder)


def _nothing_left(cli: Cli, folder: str) -> None:
    again = cli("plan", "-C", folder, "--detailed-exitcode")
    assert again.code == 0, again.out + again.err
    assert "No changes." in again.out


def _flow(cli: Cli, project: RealProject) -> None:
    folder = str(project.folder)
    first = cli("apply", "-C", folder, "--yes")
    assert first.code == 0, first.out + first.err
    assert "7 created, 0 changed, 0 replaced, 0 deleted, 0 failed, 0 skipped." in first.out
    _nothing_left(cli, folder)

    def flip_mode() -> None:
        project.stream("facebook-to-lake", "ads")["syncMode"] = "full_refresh_append"

    def remove_mapper() -> None:
        mappers = project.stream("internal-pg-to-lake", "organization")["mappers"]
        project.stream("internal-pg-to-lake", "organization")["mappers"] = mappers[1:]

    def widen_selection() -> None:
        project.stream("stripe-to-lake", "customers")["columns"] = "all"

    _blocked_then_applied_pair(cli, project, flip_mode)
    pg, stripe = "connection/internal-pg-to-lake", "connection/stripe-to-lake"
    _blocked_then_applied(cli, project, remove_mapper, "pii-exposure", pg)
    _blocked_then_applied(cli, project, widen_selection, "pii-exposure", stripe)
    _delete_stripe(cli, project)


def _blocked_then_applied_pair(cli: Cli, project: RealProject, flip: Callable[[], None]) -> None:
    """A flip to full_refresh_append loses the position and doubles rows: one consent is not enough."""
    flip()
    project.write()
    folder = str(project.folder)
    half = cli("apply", "-C", folder, "--yes", "--allow", "state-loss")
    assert half.code == 1
    assert "BLOCKED   duplicates, state-loss" in half.out
    both = cli(
        "apply",
        "-C",
        folder,
        "--yes",
        "--allow",
        "state-loss,duplicates=connection/facebook-to-lake",
    )
    assert both.code == 0, both.out + both.err
    _nothing_left(cli, folder)


def _delete_stripe(cli: Cli, project: RealProject) -> None:
    """Taking the manifest away deletes nothing; `state: absent` does, and is its own consent, for the
    connection alone: the source below it is refused while the connection stays."""
    folder = str(project.folder)
    source = project.manifests["source/stripe"]
    project.manifests["source/stripe"] = {**source, "state": "absent", "reason": "no longer used"}
    connection = project.manifests.pop("connection/stripe-to-lake")
    project.write()
    blocked = cli("apply", "-C", folder, "--yes")
    assert blocked.code == 1
    assert "BLOCKED" in blocked.out
    assert "Airbyte would delete 1 connection(s) with it" in blocked.out

    gone = {**connection, "state": "absent", "reason": "moved"}
    project.manifests["connection/stripe-to-lake"] = gone
    project.write()
    deleted = cli("apply", "-C", folder, "--yes")
    assert deleted.code == 0, deleted.out + deleted.err
    assert "0 created, 0 changed, 0 replaced, 2 deleted, 0 failed, 0 skipped." in deleted.out
    _nothing_left(cli, folder)


def _no_secret_in(text: str) -> None:
    for secret in real_project.SECRETS.values():
        assert secret not in text


@pytest.mark.parametrize("api", ["public", "config"])
def test_real_catalogs_over_http(emulator: str, cli: Cli, tmp_path: Path, api: str) -> None:
    _flow(cli, real_project.build(tmp_path / "project", emulator, api))


def test_real_catalogs_through_the_validating_proxy(prism: Prism, cli: Cli, tmp_path: Path) -> None:
    _flow(cli, real_project.build(tmp_path / "project", prism.url, "public"))
    assert prism.violations() == []
    assert prism.requests() > 50
    _no_secret_in(prism.log.read_text(encoding="utf-8", errors="replace"))


def test_the_configuration_api_through_the_validating_proxy(
    prism: Prism, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every mapper type, all three kinds of schedules, the fields that only this API has, and a job."""
    project = real_project.build(tmp_path / "project", prism.config_url, "config")
    monkeypatch.setenv("RECONCILER_TARGET", "server")
    _flow(cli, project)
    facebook = project.connection("facebook-to-lake")
    for schedule in ({"every": "6 hours"}, NEW_YORK, "manual"):
        facebook["schedule"] = schedule
        _applied(cli, project)
    facebook |= {
        "schemaChanges": "propagate_columns",
        "backfillPreference": "enabled",
        "notifySchemaChanges": True,
        "resourceRequirements": {"cpu_limit": "1", "memory_limit": "2Gi"},
    }
    _applied(cli, project)
    folder = str(project.folder)
    for command in (
        ("check", "source/facebook"),
        ("sync", "connection/facebook-to-lake", "--wait"),
        ("refresh", "connection/facebook-to-lake", "--wait"),
        ("clear", "connection/facebook-to-lake", "--allow", "data-erase", "--wait"),
        ("jobs", "list"),
    ):
        ran = cli(*command, "-C", folder)
        assert ran.code == 0, f"{command}: {ran.out}{ran.err}"
    # Today's document has no workspaces/list any more: asking for it comes first all the same (CFG-T 1).
    unknown = [line for line in prism.violations() if "workspaces/list" not in line]
    assert unknown == []
    assert prism.requests() > 100
    _no_secret_in(prism.log.read_text(encoding="utf-8", errors="replace"))


def _applied(cli: Cli, project: RealProject) -> None:
    project.write()
    folder = str(project.folder)
    applied = cli("apply", "-C", folder, "--yes")
    assert applied.code == 0, applied.out + applied.err
    _nothing_left(cli, folder)


def test_the_proxy_does_refuse_what_the_document_forbids(prism: Prism) -> None:
    answer = httpx.post(f"{prism.url}/sources", json={"name": 3})
    assert answer.status_code == 422
    deadline = time.monotonic() + 10
    while not prism.violations() and time.monotonic() < deadline:
        time.sleep(0.05)  # its log lags behind its answers
    assert len(prism.violations()) == 1
