"""jobs list, get, wait and cancel, as people type them; and what a server of another age says of jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.backends.public_jobs import read_job
from reconciler.backends.registry import BACKENDS
from reconciler.core.capabilities import Capabilities
from reconciler.core.jobs import ONLY_CONFIG, Job
from reconciler.core.model import Connection, LiveObject, Ref
from tests.cli.conftest import Project
from tests.cli.test_operations_running import BRONZE, STAGING, Shops, only, shop
from tests.conftest import Cli
from tests.executor.fake import FakeBackend

__all__ = ["shop"]  # a fixture


def test_the_newest_jobs_of_the_workspace_are_listed_first(shop: Shops) -> None:
    made = shop()
    for address in (BRONZE, STAGING, BRONZE):
        assert made("sync", address).code == 0
    ran = made("jobs", "list")
    head, *rows = ran.out.partition("\n\n")[2].splitlines()
    assert head.split() == ["job", "kind", "status", "started", "rows", "size", "connection"]
    assert [(row.split()[0], row.split()[-1]) for row in rows] == [
        ("3", BRONZE),
        ("2", STAGING),
        ("1", BRONZE),
    ]


def test_a_selection_and_a_limit_narrow_the_list(shop: Shops) -> None:
    made = shop()
    for address in (BRONZE, STAGING, BRONZE):
        assert made("sync", address).code == 0
    listed = made("jobs", "list", BRONZE, "-o", "json").json
    assert [job["id"] for job in listed["jobs"]] == ["3", "1"]
    assert {job["address"] for job in listed["jobs"]} == {BRONZE}
    newest = made("jobs", "list", "--limit", "1", "-o", "json").json
    assert newest["formatVersion"] == "1.0"
    assert [job["id"] for job in newest["jobs"]] == ["3"]


def test_where_nothing_ran_it_is_said(shop: Shops) -> None:
    assert made_out(shop()("jobs", "list").out) == "No jobs."


def made_out(out: str) -> str:
    return out.splitlines()[-1]


def test_one_job_is_shown_whatever_became_of_it(shop: Shops) -> None:
    made = shop()
    made.fail_next("MinIO", "the bucket is gone")
    assert made("sync", BRONZE).code == 0
    ran = made("jobs", "get", "1")
    assert ran.code == 0
    shown = dict(line.split(maxsplit=1) for line in ran.out.partition("\n\n")[2].splitlines())
    assert (shown["job"], shown["kind"], shown["status"]) == ("1", "sync", "failed")
    assert shown["connection"].startswith(BRONZE)
    assert shown.get("failure", "the bucket is gone") == "the bucket is gone"


@pytest.mark.parametrize("command", ["get", "wait", "cancel"])
def test_a_job_that_there_is_not_is_one_error(shop: Shops, command: str) -> None:
    ran = shop()("jobs", command, "99")
    assert ran.code == 1
    assert ran.err.count("Error:") == 1
    assert "there is no job 99 at target remote" in ran.err
    assert "-> reconciler jobs list" in ran.err


@only("public")
@pytest.mark.parametrize("wrong", ["abc", "-1", "../sources"])
def test_what_is_no_job_id_is_wrong_usage(shop: Shops, wrong: str) -> None:
    assert shop()("jobs", "get", "--", wrong).code == 64


def test_waiting_for_a_job_ends_as_the_job_does(shop: Shops) -> None:
    made = shop(0.3)
    assert made("sync", BRONZE).code == 0
    ran = made("jobs", "wait", "1")
    assert ran.code == 0
    assert made_out(ran.out) == "1 succeeded."
    made.fail_next("Staging", "no")
    assert made("sync", STAGING).code == 0
    assert made("jobs", "wait", "2", "-o", "json").code == 1


def test_waiting_may_end_before_the_job(shop: Shops) -> None:
    made = shop(60)
    assert made("sync", BRONZE).code == 0
    ran = made("jobs", "wait", "1", "--timeout", "0.3s")
    assert ran.code == 4
    assert "reconciler jobs cancel 1" in ran.out


def test_a_job_is_cancelled_once(shop: Shops) -> None:
    made = shop(60)
    assert made("sync", BRONZE).code == 0
    ran = made("jobs", "cancel", "1")
    assert ran.code == 0
    assert [job["status"] for job in made.jobs()] == ["cancelled"]
    assert made("jobs", "wait", "1").code == 1
    again = made("jobs", "cancel", "1")
    assert again.code == 0
    assert "It had ended already: cancelled." in again.err


def test_mistakes_in_manifests_do_not_keep_anybody_from_a_job(shop: Shops) -> None:
    made = shop(60)
    assert made("sync", BRONZE).code == 0
    made.project.edit(
        "connections/shop-to-bronze.yaml", lambda data: data["spec"].update(source="nobody")
    )
    assert made("sync", BRONZE).code == 1
    assert made("jobs", "cancel", "1").code == 0


# --- with a backend that says what servers may say -------------------------------------------

Faked = Callable[[FakeBackend], tuple[str, ...]]


@pytest.fixture
def faked(project: Project, monkeypatch: pytest.MonkeyPatch) -> Faked:
    def behind(backend: FakeBackend) -> tuple[str, ...]:
        everything = frozenset(ONLY_CONFIG | {"discover", "sync", "clear", "cancel", "jobs"})
        backend.capabilities = Capabilities("public", operations=everything)
        monkeypatch.setitem(BACKENDS, "public", lambda _transport: backend)  # type: ignore[arg-type]
        return (*project.at, "--api", "public")

    return behind


def test_kinds_and_statuses_of_a_later_server_are_shown(cli: Cli, faked: Faked) -> None:
    backend = FakeBackend()
    backend.ran["7"] = Job("7", "c-1", "rebuild", "re\x1b[31mbuilding\n", failure="\u202eevil")
    at = faked(backend)
    for command in (("list",), ("get", "7")):
        ran = cli("jobs", *command, *at)
        assert ran.code == 0
        assert "rebuild" in ran.out
        assert not set(ran.out) & {"\x1b", "\u202e"}


def test_a_job_of_another_workspace_is_left_alone(cli: Cli, faked: Faked) -> None:
    backend = FakeBackend(course=("running",))
    backend.ran["7"] = Job("7", "of-somebody-else", "sync", "running")
    ran = cli("jobs", "cancel", "7", *faked(backend))
    assert ran.code == 1
    assert "job 7 is of no connection in workspace 'Workspace', and was left alone" in ran.err
    assert backend.calls == []


def test_a_connection_that_no_manifest_means_is_called_by_its_name(cli: Cli, faked: Faked) -> None:
    theirs = Connection("made by\nhand", Ref(id="s"), Ref(id="d"))
    objects = {"c": LiveObject("connection", "c", theirs)}
    backend = FakeBackend(objects=objects, course=("running",))
    backend.ran["7"] = Job("7", "c", "sync", "running")
    ran = cli("jobs", "list", *faked(backend))
    assert ran.out.splitlines()[-1].endswith("made by\ufffdhand")
    assert cli("jobs", "cancel", "7", *faked(backend)).code == 0
    assert backend.calls == ["cancel 7"]


# --- what the public API says of jobs (PUB §7, §11) ------------------------------------------

JOB = {"jobId": 5, "connectionId": "c", "jobType": "sync", "status": "running"}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2024-01-01T00:00Z", 1704067200.0),
        ("2024-01-01T00:00:01.123456789Z", 1704067201.123456),
        ("1704067200000", 1704067200.0),
        (1704067200, 1704067200.0),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times_are_read_in_every_form(said: object, seconds: float | None) -> None:
    assert read_job({**JOB, "startTime": said}).started == seconds


def test_a_reset_is_a_clear_and_what_is_not_known_stays_as_it_is() -> None:
    read = read_job({**JOB, "jobId": "5", "jobType": "reset", "status": "dancing"})
    assert read == replace(read_job(JOB), kind="clear", status="dancing")
    assert read_job({**JOB, "jobType": "rebuild"}).kind == "rebuild"
