"""sync, refresh and clear, as people type them, over both of Airbyte's APIs."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from reconciler.emulator import serve
from reconciler.emulator.settings import Settings
from tests.cli.conftest import Project, Served
from tests.cli.test_interrupts import until
from tests.conftest import Cli, Ran

APIS = ("public", "config")
BRONZE, STAGING = "connection/shop-to-bronze", "connection/shop-to-staging"
START = {"public": "POST /jobs", "config": "POST /connections/sync"}


class Shop:
    """The project, applied to a served Airbyte, and the command line for it."""

    def __init__(self, cli: Cli, project: Project, served: Served, api: str) -> None:
        self.cli, self.project, self.served, self.api = cli, project, served, api

    @property
    def at(self) -> tuple[str, ...]:
        return (*self.project.at, "-t", "remote", "--api", self.api)

    def __call__(self, command: str, *arguments: str) -> Ran:
        return self.cli(command, *arguments, *self.at)

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.served("GET", "/jobs")["data"]
        return found

    def connection(self, name: str) -> str:
        listed = self.served("GET", "/connections")["data"]
        return next(str(c["connectionId"]) for c in listed if name in c["name"])

    def fail_next(self, name: str, message: str) -> None:
        body = {"connectionId": self.connection(name), "message": message}
        self.served("POST", "/_emulator/fail-next-job", json=body)

    def erased(self) -> list[str]:
        events = self.served("GET", "/_emulator/events")["events"]
        return sorted(e["stream"] for e in events if e["kind"] == "data_erased")


Shops = Callable[..., Shop]


@pytest.fixture(params=APIS)
def shop(request: pytest.FixtureRequest, cli: Cli, project: Project) -> Iterator[Shops]:
    """Makes one whose jobs take so many seconds; they are done at once unless told otherwise."""
    with ExitStack() as stack:

        def make(seconds: float = 0.0) -> Shop:
            settings = Settings(db=project.folder.parent / "served.db", job_seconds=seconds)
            url = stack.enter_context(serve.running(settings))

            def point(data: dict[str, Any]) -> None:
                targets = data["spec"]["targets"]
                targets["remote"] = {"url": url, "variables": targets["local"]["variables"]}

            project.edit("reconciler.yaml", point)
            made = Shop(cli, project, Served(url), request.param)
            applied = made("apply", "--yes")
            assert applied.code == 0, applied.out + applied.err
            return made

        yield make


def only(api: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("shop", [api], indirect=True)


# --- sync ------------------------------------------------------------------------------------


def test_a_sync_is_started_under_a_header_that_says_where(shop: Shops) -> None:
    made = shop()
    ran = made("sync", BRONZE)
    assert ran.code == 0
    target, told, *_ = ran.out.split("\n\n")
    assert target.startswith(f"Target remote: {made.served.url} (")
    assert told.split()[:4] == ["sync", BRONZE, "started", "job"]
    assert "Watch: reconciler jobs wait 1 -C" in ran.out
    assert [job["jobType"] for job in made.jobs()] == ["sync"]


def test_several_are_waited_for_and_counted(shop: Shops) -> None:
    made = shop(0.3)
    ran = made("sync", "label:team=data", "--wait")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "2 succeeded."
    assert [job["status"] for job in made.jobs()] == ["succeeded", "succeeded"]


def test_without_a_terminal_progress_is_plain_lines_on_stderr(shop: Shops) -> None:
    ran = shop(0.3)("sync", BRONZE, "--wait")
    first, *_, last = ran.err.splitlines()
    assert first.startswith(f"{BRONZE}  job 1  running")
    assert last.startswith(f"{BRONZE}  job 1  succeeded, 2,000 rows, 500.0 kB")
    assert "\r" not in ran.err


def test_as_json_every_result_is_on_stdout(shop: Shops) -> None:
    made = shop()
    ran = made("sync", "--select", "connection/*", "--wait", "-o", "json")
    assert ran.json["formatVersion"] == "1.0"
    assert ran.json["target"]["api"] == made.api
    found = [(r["address"], r["kind"], r["result"]) for r in ran.json["results"]]
    assert found == [(BRONZE, "sync", "succeeded"), (STAGING, "sync", "succeeded")]
    assert ran.json["results"][0]["job"]["rows"] == 2000
    assert ran.json["interrupted"] is False


@only("public")
def test_syncing_everything_has_to_be_said(shop: Shops) -> None:
    made = shop()
    ran = made("sync")
    assert ran.code == 64
    assert "reconciler sync 'connection/*'" in ran.err
    assert made.jobs() == []


@only("public")
@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("source/shop-postgres", "'source/shop-postgres' means no connection"),
        ("connection/shop-to-bronz", "did you mean connection/shop-to-bronze?"),
        ("label:team=sales", "no connection of this target is meant by 'label:team=sales'"),
    ],
)
def test_a_selection_that_means_no_connection_is_an_error(
    shop: Shops, pattern: str, said: str
) -> None:
    made = shop()
    ran = made("sync", pattern)
    assert ran.code == 1
    assert said in ran.err
    assert made.jobs() == []


def test_an_inactive_connection_is_told_and_the_rest_is_synced(shop: Shops) -> None:
    made = shop()
    body = {"status": "inactive"}
    made.served("PATCH", f"/connections/{made.connection('Staging')}", json=body)
    ran = made("sync", "connection/*", "--wait")
    assert ran.code == 1
    assert "it is inactive, and Airbyte syncs only active connections" in ran.out
    assert ran.out.splitlines()[-1] == "1 succeeded, 1 not started."
    assert len(made.jobs()) == 1


@only("public")
def test_a_connection_that_is_not_live_yet_is_told(shop: Shops) -> None:
    made = shop()
    made.served("DELETE", f"/connections/{made.connection('Staging')}")
    ran = made("sync", STAGING)
    assert ran.code == 1
    assert "it isn't live yet" in ran.out
    assert f"-> reconciler apply {STAGING} -C" in " ".join(ran.out.split())


def test_a_sync_that_runs_already_is_told_and_with_wait_waited_for(shop: Shops) -> None:
    made = shop(2)
    assert made("sync", BRONZE).code == 0
    again = made("sync", BRONZE)
    assert again.code == 1
    assert "a sync is already running: job 1" in again.out
    joined = made("sync", BRONZE, "--wait", "-o", "json")
    assert joined.code == 0
    (result,) = joined.json["results"]
    assert (result["result"], result["alreadyRunning"]) == ("succeeded", True)
    assert len(made.jobs()) == 1


def test_a_sync_that_fails_exits_1(shop: Shops) -> None:
    made = shop()
    made.fail_next("MinIO", "the bucket is gone, password postgres-and-more")
    ran = made("sync", BRONZE, "--wait")
    assert ran.code == 1
    assert "FAILED" in ran.out
    assert ran.out.splitlines()[-1] == "1 failed."


@only("config")
@pytest.mark.parametrize("form", ["text", "json"])
def test_why_it_failed_is_told_without_secrets(shop: Shops, form: str) -> None:
    made = shop()
    made.fail_next("Staging", "FATAL: no access for minioadmin \x1b[31mred")
    ran = made("sync", STAGING, "--wait", "-o", form)
    assert ran.code == 1
    assert "FATAL: no access for (secret) red" in ran.out
    assert "minioadmin" not in ran.out + ran.err


def test_when_the_time_is_up_it_still_runs_and_exits_4(shop: Shops) -> None:
    made = shop(60)
    ran = made("sync", BRONZE, "--wait", "--timeout", "0.2s")
    assert ran.code == 4
    assert "STILL RUNNING" in ran.out
    assert ran.out.splitlines()[-1] == "1 still running."


@only("public")
@pytest.mark.parametrize(
    "wrong", [("--timeout", "5m"), ("--wait", "--timeout", "soon")], ids=" ".join
)
def test_a_timeout_that_means_nothing_is_wrong_usage(shop: Shops, wrong: tuple[str, ...]) -> None:
    made = shop()
    assert made("sync", BRONZE, *wrong).code == 64
    assert made.jobs() == []


@pytest.mark.parametrize("fault", ["reset-after", "504 after", "500 after"])
def test_a_start_whose_answer_is_lost_is_found_and_never_sent_again(
    shop: Shops, fault: str
) -> None:
    made = shop()
    made.served.chaos(f"{START[made.api]} {fault} times=1")
    ran = made("sync", BRONZE, "--wait")
    assert ran.code == 0, ran.out
    assert len(made.jobs()) == 1
    starts = [r for r in made.served.requests("POST") if r.endswith(START[made.api].split()[1])]
    assert len(starts) == 1


def test_under_ci_a_command_that_writes_needs_a_target(
    shop: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shop()
    monkeypatch.setenv("CI", "true")
    without = (*made.project.at, "--api", made.api)
    for command in (
        ("sync", BRONZE),
        ("refresh", BRONZE),
        ("clear", BRONZE, "--allow", "data-erase"),
        ("jobs", "cancel", "1"),
        ("apply", "--yes"),
    ):
        refused = made.cli(*command, *without)
        assert refused.code == 64
        assert "add -t TARGET" in refused.err
    assert made("sync", BRONZE).code == 0


# --- refresh ---------------------------------------------------------------------------------


@only("public")
@pytest.mark.parametrize(
    "command",
    [
        ("refresh", BRONZE),
        ("clear", BRONZE, "--stream", "orders", "--allow", "data-erase"),
        ("check",),
        ("plan", "--check"),
        ("apply", "--check", "--yes"),
    ],
    ids=" ".join,
)
def test_what_the_public_api_has_not_is_refused_before_anything_is_sent(
    shop: Shops, command: tuple[str, ...]
) -> None:
    made = shop()
    before = len(made.served.requests())
    ran = made(*command)
    assert ran.code == 1
    assert ran.out == ""
    assert "Error: target remote: the public API has no" in ran.err
    assert "add --api config, or api: config to the target" in ran.err
    asked = made.served.requests()[before:]
    assert [request for request in asked if not request.endswith("/health")] == []


@only("config")
def test_a_refresh_reads_the_named_streams_again(shop: Shops) -> None:
    made = shop(0.2)
    assert made("sync", STAGING, "--wait").code == 0
    ran = made("refresh", STAGING, "--stream", "orders", "--wait", "-o", "json")
    assert ran.code == 0
    (result,) = ran.json["results"]
    assert (result["kind"], result["job"]["rows"]) == ("refresh", 1000)
    assert made.erased() == []


@only("config")
def test_a_truncating_refresh_needs_consent_and_says_so_to_the_server(shop: Shops) -> None:
    made = shop()
    command = ("refresh", STAGING, "--stream=public.orders", "--mode", "truncate", "--wait")
    refused = made(*command)
    assert refused.code == 1
    assert "drops the rows of earlier syncs" in refused.err
    assert made.jobs() == []
    ran = made(*command, "--allow", "data-erase")
    assert ran.code == 0
    assert made.erased() == ["orders"]


@only("config")
@pytest.mark.parametrize(
    ("stream", "said"),
    [("order", "did you mean 'orders'?"), ("audit.orders", "syncs no stream")],
)
def test_a_stream_that_is_not_synced_is_an_error(shop: Shops, stream: str, said: str) -> None:
    made = shop()
    ran = made("refresh", BRONZE, "--stream", stream)
    assert ran.code == 1
    assert said in ran.err
    assert made.jobs() == []


# --- clear -----------------------------------------------------------------------------------


@pytest.mark.parametrize("consent", [(), ("--allow", f"data-erase={STAGING}")], ids=len)
def test_clear_without_consent_for_it_does_nothing_and_says_what_it_would_do(
    shop: Shops, consent: tuple[str, ...]
) -> None:
    made = shop()
    ran = made("clear", BRONZE, *consent)
    assert ran.code == 1
    assert "public.customers, public.orders" in ran.err
    assert f"--allow data-erase={BRONZE}" in ran.err
    assert made.jobs() == []


@pytest.mark.parametrize("consent", ["data-erase", f"data-erase={BRONZE}"])
def test_clear_empties_what_was_consented_to(shop: Shops, consent: str) -> None:
    made = shop()
    ran = made("clear", BRONZE, "--allow", consent, "--wait")
    assert ran.code == 0
    assert made.erased() == ["customers", "orders"]
    assert [job["jobType"] for job in made.jobs()] == ["reset"]


@only("config")
def test_clear_empties_only_the_named_stream(shop: Shops) -> None:
    made = shop()
    allow = ("--allow", "data-erase")
    assert made("clear", BRONZE, "--stream", "orders", *allow, "--wait").code == 0
    assert made.erased() == ["orders"]


@only("public")
@pytest.mark.parametrize(
    "command",
    [
        ("clear", BRONZE, "--allow", "delete"),
        ("clear", BRONZE, "--allow", "data-erase,delete"),
        ("clear", "connection/*", "--allow", "data-erase"),
        ("clear", "source/shop-postgres", "--allow", "data-erase"),
        ("refresh", "label:team=data"),
        ("refresh",),
    ],
    ids=" ".join,
)
def test_refresh_and_clear_take_one_address_and_no_other_consent(
    shop: Shops, command: tuple[str, ...]
) -> None:
    made = shop()
    assert made(*command).code == 64
    assert made.jobs() == []


@only("public")
def test_what_git_accepts_for_applies_accepts_no_clear(shop: Shops) -> None:
    """An entry of lifecycle.allow would accept every later clear too."""
    made = shop()
    lifecycle = {"allow": ["data-erase"]}
    made.project.edit(
        "connections/shop-to-bronze.yaml", lambda data: data["spec"].update(lifecycle=lifecycle)
    )
    assert made("clear", BRONZE).code == 1
    assert made.jobs() == []


# --- Ctrl-C ----------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
@pytest.mark.parametrize(
    "command", [("sync", BRONZE, "--wait"), ("jobs", "wait", "1")], ids=" ".join
)
def test_ctrl_c_leaves_the_job_running_and_says_how_to_cancel_it(
    shop: Shops, command: tuple[str, ...]
) -> None:
    made = shop(60)
    if command[0] == "jobs":
        assert made("sync", BRONZE).code == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *command, *made.at],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    job = "/jobs/1" if made.api == "public" else "/jobs/get"
    looks = 2 if command[0] == "jobs" else 1  # the first tells whether there is such a job
    until(lambda: sum(job in request for request in made.served.requests()) >= looks)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted: no longer waiting." in err
    assert "reconciler jobs cancel 1" in out
    assert [found["status"] for found in made.jobs()] == ["running"]
