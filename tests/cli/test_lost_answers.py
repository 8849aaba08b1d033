"""What apply makes of a server that loses answers, breaks, or moves while it writes (design §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import anyio
import pytest

from reconciler import app
from reconciler.backends.public_api import PublicApi
from reconciler.backends.registry import BACKENDS
from reconciler.core.events import Done, Event, Started
from reconciler.core.model import LiveObject, Spec, Workspace
from reconciler.core.plan import Plan
from reconciler.executor import Patience
from reconciler.render.applied import outcome_text
from tests.cli.conftest import Project, Served
from tests.conftest import Cli

BRONZE = "connections/shop-to-bronze.yaml"
CALM = "Read back and planned again: no difference."
SOURCES = ["PostgreSQL - Ecommerce"]
CONNECTIONS = ["PostgreSQL → MinIO", "PostgreSQL → Staging"]


@pytest.fixture
def remote(project: Project) -> tuple[str, ...]:
    return (*project.at, "-t", "remote")


def applied(
    project: Path,
    *,
    confirm: Callable[[Plan], bool] = lambda _plan: True,
    emit: Callable[[Event], None] = lambda _event: None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> app.Applied:
    request = app.Request(project, {}, "remote")
    work = partial(app.apply, request, confirm=confirm, emit=emit, patience=patience)
    result = anyio.run(work)
    assert isinstance(result, app.Applied)
    return result


@pytest.mark.parametrize(
    "fault",
    ["reset-after", "truncate", "504 after", "500 after", "late=9"],
    ids=lambda f: f.split()[0],
)
@pytest.mark.parametrize("kind", ["source", "connection"])
def test_a_create_whose_answer_is_lost_is_made_once_and_adopted(
    cli: Cli, remote: tuple[str, ...], served: Served, kind: str, fault: str
) -> None:
    served.chaos(f"POST /{kind}s {fault} times=1")
    ran = cli("apply", *remote, "--yes")
    assert ran.code == 0, ran.out
    assert "the answer was lost; what was asked is there" in ran.out
    assert served.names("source") == SOURCES
    assert served.names("connection") == CONNECTIONS
    assert cli("plan", *remote, "--detailed-exitcode").code == 0


def test_a_create_that_broke_is_failed_and_not_sent_again(
    cli: Cli, remote: tuple[str, ...], served: Served
) -> None:
    served.chaos("POST /sources 500")
    ran = cli("apply", *remote, "--yes")
    assert ran.code == 4
    assert "1 failed, 2 skipped." in ran.out
    assert CALM not in ran.out
    assert served.requests("POST").count("POST /api/public/v1/sources") == 1


def test_a_create_that_never_shows_is_of_unknown_outcome(project: Project, served: Served) -> None:
    served.chaos("POST /sources reset")
    result = applied(project.folder, patience=Patience(quick=1, slow=1))
    assert [failure.unknown for failure in result.outcome.failed] == [True]
    assert result.exit_code == 4
    assert served.requests("POST").count("POST /api/public/v1/sources") == 1
    assert CALM not in outcome_text(result.outcome, result.remaining, result.note)


@pytest.mark.parametrize("fault", ["reset-after", "504 after", "500 after"])
def test_an_update_whose_answer_is_lost_is_settled_by_reading(
    cli: Cli, project: Project, remote: tuple[str, ...], served: Served, fault: str
) -> None:
    assert cli("apply", *remote, "--yes").code == 0
    project.edit(BRONZE, lambda data: data["spec"].update(schedule="manual"))
    served.chaos(f"PATCH /connections/* {fault}")
    ran = cli("apply", *remote, "--yes")
    assert ran.code == 0, ran.out
    assert CALM in ran.out
    assert len(served.requests("PATCH")) == 1


def test_a_secret_that_may_have_been_written_is_of_unknown_outcome(
    cli: Cli, remote: tuple[str, ...], served: Served
) -> None:
    """The server shows no difference between before and after, so that reading settles nothing."""
    assert cli("apply", *remote, "--yes").code == 0
    served.chaos("PUT /sources/* 504", "PATCH /sources/* 504")
    ran = cli("apply", *remote, "--yes", "--resend-secrets", "source/*")
    assert ran.code == 4
    assert "OUTCOME UNKNOWN" in ran.out
    assert CALM not in ran.out


def test_a_read_back_that_fails_loses_nothing_of_the_outcome(
    cli: Cli, remote: tuple[str, ...], served: Served
) -> None:
    served.chaos("GET /sources 403 at=3")  # the plan's list, the run's, and then the fresh plan's
    ran = cli("apply", *remote, "--yes")
    assert ran.code == 4
    assert "What was written could not be read back: GET /sources" in ran.out
    assert "5 created" in ran.out
    assert CALM not in ran.out
    assert ran.err == ""


def test_a_read_back_that_fails_is_told_as_json_too(
    cli: Cli, project: Project, remote: tuple[str, ...], served: Served
) -> None:
    assert cli("apply", *remote, "--yes").code == 0
    project.edit(BRONZE, lambda data: data["spec"].update(schedule="manual"))
    served.chaos("GET /sources 403 at=2")  # nothing is created, so that nothing is listed before it
    ran = cli("apply", *remote, "--yes", "-o", "json")
    assert ran.code == 4
    assert [result["status"] for result in ran.json["results"]] == ["done"]
    assert ran.json["written"] is True
    assert ran.json["readBack"] is False
    assert "could not be read back" in ran.json["note"]


def test_what_the_fresh_plan_finds_wrong_is_told(project: Project, served: Served) -> None:
    def somebody_makes_another(event: Event) -> None:
        if isinstance(event, Done) and event.change.address.kind == "source":
            source = served("GET", "/sources")["data"][0]
            keys = ("name", "workspaceId", "definitionId")
            configuration = {**source["configuration"], "password": "theirs"}
            body = {**{key: source[key] for key in keys}, "configuration": configuration}
            served("POST", "/sources", json=body)

    result = applied(project.folder, emit=somebody_makes_another)
    assert result.outcome.exit_code == 0
    assert result.exit_code == 4
    told = outcome_text(result.outcome, result.remaining, result.note)
    assert "ERROR ambiguous-name  source/shop-postgres" in told
    assert CALM not in told


def test_a_world_that_moved_before_anything_was_written_exits_3(
    cli: Cli, project: Project, remote: tuple[str, ...], served: Served
) -> None:
    assert cli("apply", *remote, "--yes").code == 0
    project.edit(BRONZE, lambda data: data["spec"].update(schedule="manual"))
    (bronze,) = [c for c in served("GET", "/connections")["data"] if "MinIO" in c["name"]]

    def meanwhile(_plan: Plan) -> bool:
        served("PATCH", f"/connections/{bronze['connectionId']}", json={"prefix": "clicked_"})
        return True

    result = applied(project.folder, confirm=meanwhile)
    assert [failure.moved for failure in result.outcome.failed] == [True]
    assert result.remaining is None
    assert result.exit_code == 3


def test_what_appeared_between_plan_and_apply_is_not_made_twice(
    project: Project, served: Served
) -> None:
    def meanwhile(_plan: Plan) -> bool:
        (workspace,) = served("GET", "/workspaces")["data"]
        definitions = served("GET", f"/workspaces/{workspace['workspaceId']}/definitions/sources")
        faker = next(d for d in definitions["data"] if "faker" in d["dockerRepository"])
        body = {
            "name": SOURCES[0],
            "workspaceId": workspace["workspaceId"],
            "definitionId": faker["id"],
            "configuration": {"count": 1},
        }
        served("POST", "/sources", json=body)
        return True

    result = applied(project.folder, confirm=meanwhile)
    (failure,) = result.outcome.failed
    assert "appeared in Airbyte since the plan was made" in failure.message
    assert served.names("source") == SOURCES


def test_a_bug_is_told_after_what_was_done(
    cli: Cli, remote: tuple[str, ...], served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(PublicApi):
        async def create(self, workspace: Workspace, spec: Spec) -> LiveObject:
            if spec.name in SOURCES:
                raise KeyError("hunter2")
            return await super().create(workspace, spec)

    assert isinstance(BACKENDS, Mapping)
    monkeypatch.setitem(BACKENDS, "public", Broken)  # type: ignore[arg-type]
    ran = cli("apply", *remote, "--yes")
    assert ran.code == 70
    assert "a bug in reconciler (KeyError)" in ran.out
    assert "2 created" in ran.out
    assert "This is a bug in reconciler (KeyError)." in ran.err
    assert "hunter2" not in ran.out + ran.err


def test_every_event_of_a_create_is_told_once(project: Project, served: Served) -> None:
    events: list[Event] = []
    served.chaos("POST /sources reset-after times=1")
    applied(project.folder, emit=events.append)
    started = [event.change.address for event in events if isinstance(event, Started)]
    ended = [event.change.address for event in events if not isinstance(event, Started)]
    assert sorted(started) == sorted(ended)
    assert len(set(ended)) == 5
