"""Whole runs over the Configuration API, of servers of every generation, and what they never ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from reconciler import app
from reconciler.backends.config_endpoints import MEANINGS
from reconciler.core.diagnostics import ApiError
from reconciler.core.plan import Plan
from reconciler.emulator import serve
from reconciler.emulator.app import close, create_app
from reconciler.emulator.generations import GENERATIONS
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID, Settings
from tests.cli.conftest import Project, Served
from tests.conftest import Cli

BASE = "http://embedded/api/v1"
BRONZE = "connections/shop-to-bronze.yaml"
STAGING = "connections/shop-to-staging.yaml"
SHOP = "sources/shop-postgres.yaml"


class Server(httpx.AsyncBaseTransport):
    """An embedded Airbyte that keeps the requests it got, and what it is told to say first."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self._inner = httpx.ASGITransport(self.app)
        self.instead: dict[str, httpx.Response] = {}
        self.requests: list[tuple[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        path = request.url.path.removeprefix("/api/v1")
        self.requests.append((path, json.loads(content) if content else None))
        return self.instead.get(path) or await self._inner.handle_async_request(request)

    def ask(self, path: str, body: Any = None) -> Any:
        """As somebody else would; not counted."""

        async def call() -> Any:
            async with httpx.AsyncClient(transport=self._inner, base_url=BASE) as client:
                answer = await client.post(path, json=body)
                assert answer.is_success, f"{path}: {answer.text}"
                return answer.json() if answer.content else None

        return anyio.run(call)


@pytest.fixture
def server_of(tmp_path: Path) -> Callable[[str], Server]:
    opened: list[Server] = []

    def start(generation: str) -> Server:
        settings = Settings(db=tmp_path / "airbyte.db", generation=GENERATIONS[generation])
        opened.append(Server(settings))
        return opened[-1]

    yield start  # type: ignore[misc]  # a fixture
    for server in opened:
        close(server.app)


def request(project: Project, server: Server, api: str = "config") -> app.Request:
    return app.Request(project.folder, {}, "local", api=api, http_transport=server)


def planned(project: Project, server: Server, api: str = "config") -> Plan:
    return anyio.run(app.plan, request(project, server, api))


def actions(plan: Plan) -> list[tuple[str, str]]:
    return [(str(change.address), change.action) for change in plan.changes]


def applied(project: Project, server: Server, api: str = "config") -> app.Applied:
    work = partial(
        app.apply,
        request(project, server, api),
        confirm=lambda _plan: True,
        emit=lambda _event: None,
    )
    result = anyio.run(work)
    assert isinstance(result, app.Applied)
    assert not result.outcome.failed
    return result


def without_what_came_later(project: Project) -> None:
    """Neither tags nor mappers, which servers before 1.6 don't have."""

    def simpler(data: dict[str, Any]) -> None:
        data["spec"].pop("tags", None)
        for stream in data["spec"]["streams"]:
            if isinstance(stream, dict):
                stream.pop("mappers", None)

    project.edit(BRONZE, simpler)
    project.edit(STAGING, simpler)


@pytest.mark.parametrize("generation", sorted(GENERATIONS))
def test_a_project_is_applied_and_the_next_plan_is_empty(
    project: Project, server_of: Callable[[str], Server], generation: str
) -> None:
    server = server_of(generation)
    if not GENERATIONS[generation].tags:
        without_what_came_later(project)
    applied(project, server)
    assert planned(project, server).changes == ()


@pytest.mark.parametrize("generation", sorted(GENERATIONS))
def test_a_plan_only_reads_and_no_run_asks_what_changes_a_connection(
    project: Project, server_of: Callable[[str], Server], generation: str
) -> None:
    server = server_of(generation)
    if not GENERATIONS[generation].tags:
        without_what_came_later(project)
    planned(project, server)
    applied(project, server)
    project.edit(STAGING, lambda data: data["spec"].update(streams=["customers"]))
    before = len(server.requests)
    assert actions(planned(project, server)) == [("connection/shop-to-staging", "update")]
    assert {MEANINGS[path] for path, _ in server.requests[before:]} == {"GET"}
    applied(project, server)
    discoveries = [body for path, body in server.requests if path == "/sources/discover_schema"]
    assert discoveries
    for body in discoveries:
        assert set(body) == {"sourceId"}
    for path, body in server.requests:
        assert path in MEANINGS
        assert "withRefreshedCatalog" not in json.dumps(body)
        assert "schedule" not in (body or {})


@pytest.mark.parametrize("generation", ["2.0", "1.8", "1.6", "0.40"])
def test_a_source_beyond_the_first_page_gets_no_twin(
    project: Project, server_of: Callable[[str], Server], generation: str
) -> None:
    server = server_of(generation)
    without_what_came_later(project)
    applied(project, server)
    rows = server.ask("/sources/list", {"workspaceId": DEFAULT_WORKSPACE_ID})["sources"]
    definition = rows[0]["sourceDefinitionId"]
    server.ask("/sources/update", {**ours(rows[0]), "name": "zz the last by name"})
    for number in range(136):
        shop = {"host": f"db{number}", "port": 5432, "database": "d", "username": "u"}
        server.ask(
            "/sources/create",
            {
                "workspaceId": DEFAULT_WORKSPACE_ID,
                "sourceDefinitionId": definition,
                "name": f"shop {number:03}",
                "connectionConfiguration": {**rows[0]["connectionConfiguration"], **shop},
            },
        )
    project.edit(SHOP, lambda data: data["spec"].update(name="zz the last by name"))
    assert planned(project, server).changes == ()
    project.edit(SHOP, lambda data: data["spec"]["configuration"].update(host="other"))
    assert actions(planned(project, server)) == [("source/shop-postgres", "update")]
    allow = {"allow": ["inconsistent"]}
    project.edit(SHOP, lambda data: data["spec"].update(lifecycle=allow))
    applied(project, server)
    assert [path for path, _ in server.requests].count("/sources/create") == 1


def ours(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("sourceId", "name", "connectionConfiguration")}


SCHEDULES = [
    "manual",
    {"every": "6 hours"},
    {"cron": "0 0 6 * * ?", "timezone": "America/New_York"},
]


@pytest.mark.parametrize("generation", ["2.0", "0.40"])
def test_every_form_of_schedule_is_applied_and_is_there(
    project: Project, server_of: Callable[[str], Server], generation: str
) -> None:
    server = server_of(generation)
    without_what_came_later(project)
    for schedule in (*SCHEDULES, *reversed(SCHEDULES)):
        project.edit(BRONZE, lambda data, s=schedule: data["spec"].update(schedule=s))
        if planned(project, server).changes:
            applied(project, server)
        assert planned(project, server).changes == ()


def test_what_only_this_api_has_is_applied_and_is_there(
    project: Project, server_of: Callable[[str], Server]
) -> None:
    server = server_of("2.0")
    applied(project, server)
    project.edit(
        BRONZE,
        lambda data: data["spec"].update(
            backfillPreference="enabled",
            notifySchemaChanges=True,
            resourceRequirements={"cpu_limit": "1"},
        ),
    )
    assert actions(planned(project, server)) == [("connection/shop-to-bronze", "update")]
    applied(project, server)
    assert planned(project, server).changes == ()


@pytest.mark.parametrize(("first", "then"), [("public", "config"), ("config", "public")])
def test_what_one_api_wrote_reads_the_same_through_the_other(
    project: Project, server_of: Callable[[str], Server], first: str, then: str
) -> None:
    server = server_of("2.0")
    applied(project, server, first)
    assert planned(project, server, then).changes == ()


def test_a_server_that_answers_with_nothing_but_an_id_is_told_in_one_line(
    project: Project, server_of: Callable[[str], Server]
) -> None:
    server = server_of("2.0")
    server.instead["/connections/list"] = httpx.Response(403, json={"errorId": "e-1"})
    with pytest.raises(ApiError) as caught:
        planned(project, server)
    assert caught.value.message == "POST /connections/list: 403 Forbidden (server log id e-1)"


@pytest.mark.parametrize(
    ("generation", "api"), [("1.0", "public"), ("1.0", "config"), ("0.40", "config")]
)
def test_the_plan_refuses_tags_and_mappers_where_the_server_has_none(
    project: Project, server_of: Callable[[str], Server], generation: str, api: str
) -> None:
    server = server_of(generation)
    work = partial(
        app.apply,
        request(project, server, api),
        confirm=lambda _plan: True,
        emit=lambda _event: None,
    )
    refused = anyio.run(work)
    assert isinstance(refused, Plan)
    assert not refused.applyable
    told = [d for d in refused.diagnostics if d.code == "not-on-this-server"]
    assert [(d.span.file, d.message.split(":")[0]) for d in told if d.span] == [
        (BRONZE, "this server has no tags"),
        (BRONZE, "this server has no mappers"),
    ]
    assert server.ask("/sources/list", {"workspaceId": DEFAULT_WORKSPACE_ID})["sources"] == []


@pytest.mark.parametrize("generation", sorted(GENERATIONS))
def test_schema_propagation_is_refused_by_the_plan_where_the_server_has_none(
    project: Project, server_of: Callable[[str], Server], generation: str
) -> None:
    without_what_came_later(project)
    project.edit(BRONZE, lambda data: data["spec"].update(schemaChanges="propagate_columns"))
    told = [(d.code, d.pointer) for d in planned(project, server_of(generation)).diagnostics]
    refused = ("not-on-this-server", "/spec/schemaChanges")
    assert (refused in told) == (not GENERATIONS[generation].propagation)


def test_the_embedded_airbyte_is_spoken_to_by_either_api(cli: Cli, project: Project) -> None:
    project.edit(
        "reconciler.yaml", lambda data: data["spec"]["targets"]["local"].update(api="config")
    )
    ran = cli("plan", *project.at)
    assert ran.code == 0, ran.err
    assert "EMBEDDED, not a real Airbyte (Configuration API)" in ran.out


@pytest.mark.parametrize("fault", ["reset-after", "504 after", "500 after", "late=9"])
@pytest.mark.parametrize("kind", ["source", "connection"])
def test_a_create_whose_answer_is_lost_is_made_once_and_adopted(
    cli: Cli, project: Project, served: Served, kind: str, fault: str
) -> None:
    at = (*project.at, "-t", "remote", "--api", "config")
    served.chaos(f"POST /{kind}s/create {fault} times=1")
    ran = cli("apply", *at, "--yes")
    assert ran.code == 0, ran.out
    assert "the answer was lost; what was asked is there" in ran.out
    assert served.names("source") == ["PostgreSQL - Ecommerce"]
    assert served.names("connection") == ["PostgreSQL → MinIO", "PostgreSQL → Staging"]
    assert cli("plan", *at, "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("generation", "api"), [("0.40", "Configuration"), ("0.63", "Configuration"), ("2.0", "public")]
)
def test_a_bare_url_finds_the_api_that_the_server_has(
    cli: Cli, project: Project, generation: str, api: str
) -> None:
    without_what_came_later(project)
    with serve.running(Settings(generation=GENERATIONS[generation])) as url:

        def point(data: dict[str, Any]) -> None:
            targets = data["spec"]["targets"]
            targets["remote"] = {"url": url, "variables": targets["local"]["variables"]}

        project.edit("reconciler.yaml", point)
        ran = cli("apply", *project.at, "-t", "remote", "--yes")
        assert ran.code == 0, ran.out + ran.err
        assert f"({api} API" in ran.out
        assert cli("plan", *project.at, "-t", "remote", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("generation", "told"),
    [("0.40", "before 1.6"), ("1.6", "1.6"), ("1.8", "1.7 or newer"), ("2.0", "1.7 or newer")],
)
def test_the_header_says_which_releases_the_server_is_like(
    cli: Cli, tmp_path: Path, generation: str, told: str
) -> None:
    """Found by what it answers: the first line of a plan names target, API and generation."""
    cli("init", str(tmp_path / "shop"))
    project = tmp_path / "shop" / "reconciler.yaml"
    with serve.running(Settings(generation=GENERATIONS[generation])) as url:
        text = project.read_text(encoding="utf-8").replace("url: embedded", f"url: {url}")
        project.write_text(text, encoding="utf-8")
        planned = cli("plan", "-C", str(tmp_path / "shop"), "--api", "config")
    assert planned.code == 0, planned.err
    header = " ".join(planned.out.split("\n\n")[0].split())
    assert f"(Configuration API, {told})" in header
