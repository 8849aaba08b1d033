"""Guards, all asked before the first write, told together, each with its own way to say "I mean it"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import anyio
import pytest

from reconciler import app
from reconciler.cli.main import COMMANDS
from reconciler.core.events import Event
from reconciler.core.plan import Plan
from reconciler.emulator import serve
from reconciler.emulator.settings import Settings
from tests.cli.conftest import Project, Served
from tests.conftest import Cli, Ran

BRONZE, STAGING = "connections/shop-to-bronze.yaml", "connections/shop-to-staging.yaml"
SOURCE = "sources/shop-postgres.yaml"
MINIO = "PostgreSQL → MinIO"
LISTED = {"public": "GET /jobs*", "config": "POST /jobs/list"}


class Shop:
    """The project, applied to a served Airbyte whose jobs never end, over one of the APIs."""

    def __init__(self, cli: Cli, project: Project, served: Served, api: str) -> None:
        self.cli, self.project, self.served, self.api = cli, project, served, api

    def __call__(self, command: str, *arguments: str) -> Ran:
        return self.cli(command, *arguments, *self.project.at, "-t", "remote", "--api", self.api)

    def connection(self, name: str = MINIO) -> str:
        listed = self.served("GET", "/connections")["data"]
        return next(str(c["connectionId"]) for c in listed if c["name"] == name)

    def sync(self, name: str = MINIO) -> None:
        body = {"connectionId": self.connection(name), "jobType": "sync"}
        self.served("POST", "/jobs", json=body)

    def edit(self, kind: str, object_id: str, **fields: Any) -> None:
        body = {"kind": kind, "id": object_id, "fields": fields}
        self.served("POST", "/_emulator/edit", json=body)

    def state(self) -> Any:
        return {kind: self.served("GET", f"/{kind}s")["data"] for kind in _KINDS}

    def applied(self, confirm: Callable[[Plan], bool], **more: Any) -> app.Applied:
        """With somebody who does something between the plan and the first write."""
        request = app.Request(self.project.folder, {}, "remote", api=self.api, **more)
        events: list[Event] = []
        result = anyio.run(partial(app.apply, request, confirm=confirm, emit=events.append))
        assert isinstance(result, app.Applied)
        return result


_KINDS = ("source", "destination", "connection")


@pytest.fixture(params=["public", "config"])
def shop(request: pytest.FixtureRequest, cli: Cli, project: Project) -> Iterator[Shop]:
    with ExitStack() as stack:
        settings = Settings(db=project.folder.parent / "served.db", job_seconds=3600)
        url = stack.enter_context(serve.running(settings))

        def point(data: dict[str, Any]) -> None:
            targets = data["spec"]["targets"]
            targets["remote"] = {"url": url, "variables": targets["local"]["variables"]}

        project.edit("reconciler.yaml", point)
        made = Shop(cli, project, Served(url), request.param)
        ran = made("apply", "--yes")
        assert ran.code == 0, ran.out + ran.err
        yield made


public_only = pytest.mark.parametrize("shop", ["public"], indirect=True)


def absent(data: dict[str, Any]) -> None:
    data.update(state="absent", reason="test")


def moved(data: dict[str, Any]) -> None:
    """To another destination: Airbyte can't do that in place."""
    data["spec"]["destination"] = "staging"
    data["spec"]["prefix"] = "moved_"
    data["spec"]["lifecycle"] = {"allow": ["replace", "inconsistent", "duplicates"]}


# --- all at once -------------------------------------------------------------------------------


def test_all_guards_are_told_together_before_anything_is_written(shop: Shop) -> None:
    def limit(data: dict[str, Any]) -> None:
        data["spec"]["targets"]["remote"]["limits"] = {"deletes": 0, "updates": 0}

    shop.project.edit("reconciler.yaml", limit)
    shop.project.edit(BRONZE, absent)
    shop.project.edit("destinations/bronze.yaml", absent)
    shop.project.edit(
        "destinations/bronze.yaml", lambda d: d["spec"].update(lifecycle={"preventDestroy": True})
    )
    shop.project.edit(STAGING, lambda data: data["spec"].update(prefix="x_"))
    shop.edit("connection", shop.connection("PostgreSQL → Staging"), status="locked")
    shop.sync()
    before = shop.state()
    ran = shop("apply", "--yes")
    told = " ".join(ran.out.split())
    assert ran.code == 1
    for guard in (
        "--max-deletes 2",
        "--max-updates 1",
        "--max-stops",
        "--allow-running",
        "--allow inconsistent=connection/shop-to-staging",
        "lifecycle.preventDestroy is set",
        "Airbyte has locked this connection",
    ):
        assert guard in told, guard
    assert shop.state() == before


# --- a job that runs ---------------------------------------------------------------------------


@pytest.mark.parametrize("change", [absent, moved])
def test_a_connection_does_not_go_while_a_job_runs_on_it(
    shop: Shop, change: Callable[[dict[str, Any]], None]
) -> None:
    shop.sync()
    shop.project.edit(BRONZE, change)
    before = shop.state()
    refused = shop("apply", "--yes")
    assert refused.code == 1
    assert "ERROR job-running  connection/shop-to-bronze" in refused.out
    assert f"{BRONZE}:" in refused.out
    assert "reconciler jobs wait 1" in refused.out
    assert shop.state() == before
    assert shop("apply", "--yes", "--allow-running").code == 0


def test_a_running_connection_is_told_once_though_its_destination_goes_too(shop: Shop) -> None:
    shop.sync()
    for name in (BRONZE, "destinations/bronze.yaml"):
        shop.project.edit(name, absent)
    refused = shop("apply", "--yes")
    assert refused.code == 1
    assert refused.out.count("ERROR job-running") == 1
    assert shop("apply", "--yes", "--allow-running").code == 0


def test_a_job_that_has_ended_or_runs_elsewhere_stands_in_nobodys_way(shop: Shop) -> None:
    shop.sync("PostgreSQL → Staging")
    shop.sync()
    assert shop.cli("jobs", "cancel", "2", *shop.project.at, "-t", "remote").code == 0
    shop.project.edit(BRONZE, absent)
    assert shop("apply", "--yes").code == 0


def test_what_is_only_changed_may_be_running(shop: Shop) -> None:
    shop.sync()
    shop.project.edit(BRONZE, lambda data: data["spec"].update(schedule="manual"))
    assert shop("apply", "--yes").code == 0


def test_a_plan_does_not_ask_for_jobs(shop: Shop) -> None:
    shop.sync()
    shop.project.edit(BRONZE, absent)
    assert shop("plan").code == 0


def test_where_jobs_can_not_be_listed_nothing_goes(shop: Shop) -> None:
    shop.project.edit(BRONZE, absent)
    shop.served.chaos(f"{LISTED[shop.api]} 403")
    before = shop.state()
    refused = shop("apply", "--yes")
    assert refused.code == 1
    assert "can't be told" in refused.out
    assert shop.state() == before
    assert shop("apply", "--yes", "--allow-running").code == 0


@pytest.mark.parametrize("change", [absent, moved])
def test_a_job_that_began_after_the_plan_saves_the_connection(
    shop: Shop, change: Callable[[dict[str, Any]], None]
) -> None:
    shop.project.edit(BRONZE, change)
    kept = shop.connection()

    def somebody_syncs(_plan: Plan) -> bool:
        shop.sync()
        return True

    result = shop.applied(somebody_syncs)
    assert result.exit_code == 3
    (failed,) = result.outcome.failed
    assert failed.message.startswith("it was not deleted: a sync runs on ")
    assert "(job 1)" in failed.message
    assert "--allow-running" in failed.hint
    assert shop.connection() == kept


def test_connections_that_a_source_takes_along_must_not_run_either(shop: Shop) -> None:
    """One that is not ours, and that the consent names."""
    listed = shop.served("GET", "/connections")["data"]
    like = next(c for c in listed if c["name"] == MINIO)
    body = {"name": "By hand", "sourceId": like["sourceId"], "destinationId": like["destinationId"]}
    made = shop.served("POST", "/connections", json=body)
    for name in (BRONZE, "destinations/bronze.yaml"):
        shop.project.edit(name, absent)
    flag = ("--allow", f"delete=connection/{made['connectionId']}")
    shop.sync("By hand")
    refused = shop("apply", "--yes", *flag)
    assert refused.code == 1
    assert "ERROR job-running  destination/bronze" in refused.out
    assert "a sync runs on 'By hand' (job 1)" in refused.out
    assert shop("apply", "--yes", "--allow-running", *flag).code == 0


# --- what stands on a source or destination ------------------------------------------------------


def test_a_connection_that_appears_after_the_plan_saves_its_destination(shop: Shop) -> None:
    for name in (BRONZE, "destinations/bronze.yaml"):
        shop.project.edit(name, absent)
    listed = shop.served("GET", "/connections")["data"]
    like = next(c for c in listed if c["name"] == MINIO)
    ends = {key: like[key] for key in ("sourceId", "destinationId")}

    def somebody_connects(_plan: Plan) -> bool:
        shop.served("POST", "/connections", json={"name": "By hand", **ends})
        return True

    result = shop.applied(somebody_connects)
    assert result.exit_code == 4
    (failed,) = result.outcome.failed
    assert str(failed.change.address) == "destination/bronze"
    assert "By hand" in failed.message
    assert ends["destinationId"] in str(shop.state()["destination"])


# --- what Airbyte has locked -------------------------------------------------------------------


def test_a_locked_connection_is_refused_and_the_rest_can_go_on(shop: Shop) -> None:
    shop.edit("connection", shop.connection(), status="locked")
    for name in (BRONZE, STAGING):
        shop.project.edit(name, lambda data: data["spec"].update(schedule="manual"))
    before = shop.state()
    refused = shop("apply", "--yes")
    assert refused.code == 1
    assert "Airbyte has locked this connection" in " ".join(refused.out.split())
    assert shop.state() == before
    assert shop("apply", "--yes", "--exclude", "connection/shop-to-bronze").code == 0


def test_a_connection_that_is_locked_after_the_plan_is_not_written(shop: Shop) -> None:
    shop.project.edit(BRONZE, lambda data: data["spec"].update(schedule="manual"))

    def airbyte_locks(_plan: Plan) -> bool:
        shop.edit("connection", shop.connection(), status="locked")
        return True

    result = shop.applied(airbyte_locks)
    assert result.exit_code == 3
    assert result.outcome.failed[0].moved


# --- git states nothing ------------------------------------------------------------------------


@public_only
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("drift",)])
def test_a_target_that_no_manifest_is_for_is_no_calm(shop: Shop, command: tuple[str, ...]) -> None:
    for path in shop.project.folder.glob("*s/*.yaml"):
        name = str(path.relative_to(shop.project.folder))
        shop.project.edit(name, lambda data: data["metadata"].update(targets=["local"]))
    before = shop.state()
    refused = shop(*command)
    assert refused.code == 1
    assert "ERROR nothing-stated" in refused.out
    assert "2 connections, 2 destinations, 1 source" in refused.out
    assert shop(*command, "--allow-empty").code == 0
    assert shop.state() == before


@public_only
def test_a_glob_that_matches_nothing_is_no_calm_either(shop: Shop) -> None:
    shop.project.edit("reconciler.yaml", lambda d: d["spec"].update(manifests=["nowhere/*.yaml"]))
    refused = shop("apply", "--yes")
    assert refused.code == 1
    assert "manifests-empty" in refused.err


# --- limits ------------------------------------------------------------------------------------


@public_only
def test_a_limit_lets_one_change_through_in_a_small_world_and_never_all(shop: Shop) -> None:
    def limit(data: dict[str, Any]) -> None:
        data["spec"]["targets"]["remote"]["limits"] = {"deletes": "10%", "updates": "10%"}

    shop.project.edit("reconciler.yaml", limit)
    manual = {"schedule": "manual"}
    shop.project.edit(BRONZE, lambda data: data["spec"].update(manual))
    shop.project.edit(STAGING, lambda data: data["spec"].update(manual))
    refused = shop("apply", "--yes")
    assert refused.code == 1
    assert "2 of 5 objects (40%): more than the limit of 10% for updates" in refused.out
    assert shop("apply", "--yes", "connection/shop-to-bronze").code == 0
    assert shop("apply", "--yes").code == 0
    for name in (BRONZE, STAGING):
        shop.project.edit(name, lambda data: data["spec"].update(status="inactive"))
    refused = shop("apply", "--yes", "--max-updates", "2")
    assert refused.code == 1
    assert "more than the limit of 10% for deletes" in refused.out
    assert "--max-stops" in refused.out
    assert shop("apply", "--yes", "connection/shop-to-bronze").code == 0


# --- where a command may go --------------------------------------------------------------------

WRITES = {
    "apply": ("apply", "--yes"),
    "sync": ("sync", "connection/shop-to-bronze"),
    "refresh": ("refresh", "connection/shop-to-bronze"),
    "clear": ("clear", "connection/shop-to-bronze", "--allow", "data-erase"),
    "jobs": ("jobs", "cancel", "1"),
}
READS = frozenset(
    {"init", "validate", "plan", "drift", "show", "explain", "get", "check", "discover", "schema"}
)
"""Of Airbyte; `init` writes files."""


def test_every_command_is_known_to_write_or_to_read() -> None:
    assert set(COMMANDS) == {*WRITES, *READS, "emulator"}


@pytest.mark.parametrize("ci", ["true", "True", "1"])
@pytest.mark.parametrize("command", WRITES)
def test_in_a_pipeline_every_command_that_writes_names_its_target(
    cli: Cli, project: Project, monkeypatch: pytest.MonkeyPatch, command: str, ci: str
) -> None:
    monkeypatch.setenv("CI", ci)
    refused = cli(*WRITES[command], *project.at)
    assert refused.code == 64
    assert "-t TARGET" in refused.err
    assert not (project.folder / ".reconciler").exists()


@pytest.mark.parametrize("command", WRITES)
def test_no_command_that_writes_speaks_to_a_host_that_is_not_allowed(
    cli: Cli, project: Project, served: Served, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("RECONCILER_ALLOWED_HOSTS", "airbyte.example.com")
    refused = cli(*WRITES[command], *project.at, "-t", "remote")
    assert refused.code == 1
    assert "not in RECONCILER_ALLOWED_HOSTS, and nothing was sent" in refused.err
    assert served.requests() == []
