"""Use cases as short functions: validate, plan, apply, drift. They join the parts and decide nothing.

Everything that varies (folder, environment, transport, clock) comes in as a value.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import httpx

from reconciler import manifests
from reconciler.backends import Backend, connect
from reconciler.core import redact
from reconciler.core.build import build
from reconciler.core.claim import claim, resolve_connector
from reconciler.core.configuration import check_configuration
from reconciler.core.connector import closest, with_specs
from reconciler.core.diagnostics import (
    Diagnostic,
    InvalidInput,
    ReconcilerError,
    errors,
    in_order,
    with_rules,
)
from reconciler.core.events import Event, Outcome
from reconciler.core.explanation import Row, explain_resource
from reconciler.core.model import (
    Address,
    Connection,
    ConnectorDefinition,
    Consent,
    Desired,
    Live,
    Resource,
    Workspace,
)
from reconciler.core.plan import Plan, TargetLine
from reconciler.core.planning import Planned, Situation, make_plan
from reconciler.core.policy import Expected
from reconciler.core.select import Selection
from reconciler.core.since import released, tell_why
from reconciler.core.target import Target
from reconciler.discovery import discover
from reconciler.emulator.app import connectors, create_app
from reconciler.emulator.settings import Settings
from reconciler.executor import PARALLEL_SLOW, execute
from reconciler.history import desired_at
from reconciler.transport import Exchange

EMBEDDED: Final = "embedded"
STATE_FOLDER: Final = ".reconciler"


@dataclass(frozen=True, slots=True)
class Request:
    """What a command was asked to do. `target` None: the project's default one."""

    project: Path
    env: Mapping[str, str] = field(repr=False)
    target: str | None = None
    allow: tuple[Consent, ...] = ()
    expected: Expected = field(default_factory=Expected)
    selection: Selection = field(default_factory=Selection)
    parallelism: int = 4
    online: bool = False
    resend: tuple[str, ...] = ()
    since: str | None = None
    http_transport: httpx.AsyncBaseTransport | None = None
    observe: Callable[[Exchange], None] | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """Manifests of one target, read and checked as far as that goes without a server."""

    target: Target
    desired: Desired
    documents: int
    diagnostics: tuple[Diagnostic, ...]
    definitions: tuple[ConnectorDefinition, ...]
    settings: Settings | None

    def refuse_errors(self) -> None:
        if errors(self.diagnostics):
            raise InvalidInput(self.diagnostics)

    @property
    def redactor(self) -> Callable[[str], str]:
        """Takes this project's secrets out of foreign text."""
        trees = [getattr(r.spec, "configuration", {}) for r in self.desired.resources.values()]
        trees += [
            [mapper.config for stream in streams for mapper in stream.mappers or ()]
            for r in self.desired.resources.values()
            if isinstance(r.spec, Connection) and isinstance(streams := r.spec.streams, tuple)
        ]
        auth = self.target.auth
        credentials = [auth.client_id, auth.client_secret, auth.token, auth.password]
        return redact.redactor(redact.secret_texts([*trees, credentials, dict(auth.headers)]))


def open_project(request: Request, *, tolerate_missing: bool = False) -> Project:
    """Stages 1-5 of validation. User mistakes become diagnostics; only a missing target raises."""
    loaded = manifests.load(request.project)
    if errors(loaded.diagnostics):
        raise InvalidInput(loaded.diagnostics)
    resolved = manifests.resolve(
        loaded, request.target, request.env, tolerate_missing=tolerate_missing
    )
    if resolved.target is None:
        raise InvalidInput(resolved.diagnostics)
    desired, problems = build(resolved.documents, resolved.target.name)
    settings = _embedded_settings(request.project, resolved.target)
    definitions, unreadable = _known_definitions(resolved.target, settings)
    found = [*loaded.diagnostics, *resolved.diagnostics, *problems, *unreadable]
    if definitions:
        found += _check_configurations(desired, definitions, complete=settings is not None)
    return Project(
        target=resolved.target,
        desired=desired,
        documents=len(resolved.documents),
        diagnostics=with_rules(in_order(found), dict(resolved.target.rules)),
        definitions=definitions,
        settings=settings,
    )


def _embedded_settings(project: Path, target: Target) -> Settings | None:
    if target.url != EMBEDDED:
        return None
    return Settings(
        db=project / STATE_FOLDER / f"{target.name}.db",
        connectors=Path(target.connectors) if target.connectors else None,
        catalogs=Path(target.catalogs) if target.catalogs else None,
    )


def _known_definitions(
    target: Target, settings: Settings | None
) -> tuple[tuple[ConnectorDefinition, ...], tuple[Diagnostic, ...]]:
    if settings is not None:
        return connectors(settings), ()
    if target.connectors is not None:
        return manifests.load_connectors(target.connectors)
    return (), ()


def _check_configurations(
    desired: Desired, definitions: tuple[ConnectorDefinition, ...], *, complete: bool
) -> list[Diagnostic]:
    """Stage 5 for every actor whose connector is known here. One that is not is a mistake where the
    definitions are `complete`; elsewhere the plan tells."""
    found: list[Diagnostic] = []
    for resource in desired.resources.values():
        if resource.spec is None or isinstance(resource.spec, Connection):
            continue
        definition = resolve_connector(resource, definitions)
        if isinstance(definition, ConnectorDefinition):
            found += check_configuration(resource, definition)
        elif complete:
            found.append(definition)
    return found


@dataclass(frozen=True, slots=True)
class Session:
    """An open project: its backend and workspace."""

    project: Project
    backend: Backend
    workspace: Workspace

    @property
    def line(self) -> TargetLine:
        target = self.project.target
        where = "EMBEDDED, not a real Airbyte" if target.url == EMBEDDED else target.url
        return TargetLine(
            target.name,
            where,
            self.backend.capabilities.api,
            self.workspace.name,
            self.workspace.id,
        )

    async def snapshot(self) -> Live:
        """Live, with the specs that are known here joined to the server's definitions."""
        live = await self.backend.snapshot(self.workspace)
        return replace(live, definitions=with_specs(live.definitions, self.project.definitions))


@asynccontextmanager
async def open_backend(
    request: Request, project: Project, *, read_only: bool
) -> AsyncIterator[Backend]:
    async with AsyncExitStack() as stack:
        http_transport = request.http_transport
        if project.settings is not None and http_transport is None:
            Path(project.settings.db).parent.mkdir(parents=True, exist_ok=True)
            embedded = create_app(project.settings)
            stack.callback(embedded.state.instance.store.close)
            http_transport = httpx.ASGITransport(app=embedded)
        yield await stack.enter_async_context(
            connect(
                project.target,
                http_transport=http_transport,
                read_only=read_only,
                redact=project.redactor,
                observe=request.observe,
            )
        )


@asynccontextmanager
async def open_session(
    request: Request, project: Project, *, read_only: bool
) -> AsyncIterator[Session]:
    async with open_backend(request, project, read_only=read_only) as backend:
        yield Session(project, backend, await _workspace(backend, project.target))


async def _workspace(backend: Backend, target: Target) -> Workspace:
    found = await backend.workspaces()
    wanted = target.workspace
    if wanted is None:
        if len(found) == 1:
            return found[0]
        names = ", ".join(f"{w.name} ({w.id})" for w in found) or "none"
        raise ReconcilerError(
            f"target {target.name}: {len(found)} workspaces are visible, so that it must say which: {names}",
            hint=f"set spec.targets.{target.name}.workspace in reconciler.yaml",
        )
    matches = [w for w in found if wanted.lower() == w.id.lower() or wanted == w.name]
    if len(matches) == 1:
        return matches[0]
    names = ", ".join(f"{w.name} ({w.id})" for w in matches or found) or "none"
    problem = f"{len(matches)} workspaces are called" if matches else "there is no workspace"
    raise ReconcilerError(
        f"target {target.name}: {problem} {wanted!r}; visible: {names}",
        hint="write the workspace's id",
    )


def _situation(request: Request, session: Session, live: Live, *, applying: bool) -> Situation:
    project = session.project
    return Situation(
        target=session.line,
        desired=project.desired,
        live=live,
        capabilities=session.backend.capabilities,
        allow=request.allow,
        limits=project.target.limits,
        expected=request.expected,
        applying=applying,
        selection=request.selection,
        resend=request.resend,
    )


async def make_session_plan(
    request: Request, session: Session, *, applying: bool = False
) -> tuple[Planned, Live]:
    live = await session.snapshot()
    situation = _situation(request, session, live, applying=applying)
    planned = make_plan(situation)
    discovered = await discover(
        planned,
        session.project.desired.resources,
        session.backend,
        every=request.online,
        parallel=min(request.parallelism, PARALLEL_SLOW),
    )
    if discovered.catalogs:
        planned = make_plan(replace(situation, catalogs=discovered.catalogs))
    planned = _since(request, session, planned, situation)
    rules = dict(session.project.target.rules)
    found = [*planned.plan.diagnostics, *discovered.diagnostics]
    diagnostics = in_order([*session.project.diagnostics, *with_rules(found, rules)])
    return replace(planned, plan=replace(planned.plan, diagnostics=diagnostics)), live


def _since(request: Request, session: Session, planned: Planned, situation: Situation) -> Planned:
    """With `--since`: which change is this branch's, and what left git with it."""
    if request.since is None:
        return planned
    name = session.project.target.name
    old = desired_at(request.project, request.since, name, request.env)
    old_plan = make_plan(replace(situation, desired=old, selection=Selection())).plan
    told = tell_why(planned.plan, old_plan)
    left = released(old, session.project.desired, planned.claims)
    return replace(planned, plan=replace(told, diagnostics=(*told.diagnostics, *left)))


async def plan(request: Request) -> Plan:
    """Reads only; raises InvalidInput where the manifests have errors."""
    project = open_project(request)
    project.refuse_errors()
    async with open_session(request, project, read_only=True) as session:
        planned, _ = await make_session_plan(request, session)
        return planned.plan


@dataclass(frozen=True, slots=True)
class Applied:
    """`remaining`: what a fresh read and plan still finds on what was touched (design §6.8)."""

    plan: Plan
    outcome: Outcome
    remaining: Plan


async def apply(
    request: Request,
    *,
    confirm: Callable[[Plan], bool],
    emit: Callable[[Event], None],
    stopping: Callable[[], bool] = lambda: False,
) -> Applied | Plan:
    """The plan itself where nothing was written: empty, not applyable, or not confirmed."""
    project = open_project(request)
    project.refuse_errors()
    async with open_session(request, project, read_only=False) as session:
        planned, live = await make_session_plan(request, session, applying=True)
        if not planned.plan.changes or not planned.plan.applyable or not confirm(planned.plan):
            return planned.plan
        outcome = await execute(
            planned, live, session.backend, emit, parallelism=request.parallelism, stopping=stopping
        )
        # Resent secrets would be sent for ever: what is left is judged without that wish.
        calm = replace(request, resend=())
        remaining, _ = await make_session_plan(calm, session, applying=True)
        touched = {done.change.address for done in outcome.done}
        left = tuple(change for change in remaining.plan.changes if change.address in touched)
        return Applied(planned.plan, outcome, replace(remaining.plan, changes=left))


@dataclass(frozen=True, slots=True)
class Listing:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


async def list_live(request: Request, what: str, *, unmanaged: bool = False) -> Listing:
    """What is live, sorted by name. `what`: workspaces, connectors, sources, destinations, connections."""
    project = open_project(request, tolerate_missing=True)
    if what == "workspaces":
        async with open_backend(request, project, read_only=True) as backend:
            found = await backend.workspaces()
            return Listing(("name", "id"), tuple(sorted((w.name, w.id) for w in found)))
    async with open_session(request, project, read_only=True) as session:
        live = await session.snapshot()
    if what == "connectors":
        rows = ((d.kind, d.short_name, d.name, d.docker_tag, d.id) for d in live.definitions)
        return Listing(("kind", "connector", "name", "version", "id"), tuple(sorted(rows)))
    claims, _ = claim(project.desired, live, project.target.name)
    kind = what.removesuffix("s")
    listed = sorted(
        (found.spec.name, str(claims.address_of.get((found.kind, found.id), "")), found.id)
        for found in live.objects
        if found.kind == kind
    )
    rows_of_kind = tuple(row for row in listed if not (unmanaged and row[1]))
    return Listing(("name", "address", "id"), rows_of_kind)


@dataclass(frozen=True, slots=True)
class Explained:
    resource: Resource
    live_id: str
    rows: tuple[Row, ...]


async def explain(request: Request, address: Address) -> Explained:
    """One resource field by field. Raises ReconcilerError where no manifest has the address."""
    project = open_project(request)
    project.refuse_errors()
    resource = project.desired.resources.get(address)
    if resource is None:
        guess = closest(str(address), map(str, project.desired.resources))
        raise ReconcilerError(
            f"no manifest of target {project.target.name} is {address}",
            hint=f"did you mean {guess}?" if guess else "",
        )
    async with open_session(request, project, read_only=True) as session:
        live = await session.snapshot()
    claims, problems = claim(project.desired, live, project.target.name)
    mine = tuple(p for p in problems if p.address == str(address))
    if mine:
        raise InvalidInput(mine)
    found = claims.live.get(address)
    return Explained(resource, found.id if found else "", explain_resource(resource, live, claims))
