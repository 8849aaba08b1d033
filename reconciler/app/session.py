"""An open project with its backend and workspace, and the plan that is made of both."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from reconciler.app.project import EMBEDDED, Project, Request
from reconciler.backends import Backend, connect, stated_api
from reconciler.core.again import NOTHING, Again
from reconciler.core.alongside import idle_leftovers
from reconciler.core.capabilities import API_NAMES
from reconciler.core.configuration import check_specified
from reconciler.core.connector import with_specs
from reconciler.core.diagnostics import ReconcilerError, in_order, with_rules
from reconciler.core.jobs import Operation, called, refuse_missing
from reconciler.core.model import Live, Workspace
from reconciler.core.plan import TargetLine
from reconciler.core.planning import Planned, Situation, make_plan
from reconciler.core.select import Selection
from reconciler.core.since import released, tell_why
from reconciler.core.target import Target
from reconciler.discovery import discover
from reconciler.emulator.app import create_app
from reconciler.emulator.settings import Settings
from reconciler.executor import PARALLEL_SLOW
from reconciler.executor.running import have_run
from reconciler.history import desired_at
from reconciler.specifications import check_served, served_specs, without_guesses


@dataclass(frozen=True, slots=True)
class Session:
    """An open project: its backend and workspace. `again`: what printed commands repeat."""

    project: Project
    backend: Backend
    workspace: Workspace
    again: Again = NOTHING

    @property
    def line(self) -> TargetLine:
        return target_line(self.project, self.backend, self.again, self.workspace)

    async def snapshot(self) -> Live:
        """Live, with the specs that are known here joined to the server's definitions."""
        live = await self.backend.snapshot(self.workspace)
        return replace(live, definitions=with_specs(live.definitions, self.project.definitions))


def target_line(
    project: Project, backend: Backend, again: Again, workspace: Workspace | None = None
) -> TargetLine:
    target, chosen = project.target, project.chosen_for
    embedded = target.url == EMBEDDED
    return TargetLine(
        target.name,
        "EMBEDDED, not a real Airbyte" if embedded else target.url,
        backend.capabilities.api,
        workspace.name if workspace is not None else "",
        workspace.id if workspace is not None else "",
        "" if embedded else backend.generation,
        "" if chosen is None else f"since the {API_NAMES['public']} has no {called(chosen)}",
        again,
    )


@asynccontextmanager
async def open_backend(
    request: Request, project: Project, *, read_only: bool
) -> AsyncIterator[Backend]:
    async with AsyncExitStack() as stack:
        http_transport = request.http_transport
        if project.settings is not None and http_transport is None:
            stack.enter_context(_told(project.settings))
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
                parallelism=request.parallelism,
                allowed_hosts=request.allowed_hosts,
            )
        )


@contextmanager
def _told(settings: Settings) -> Iterator[None]:
    """Trouble with the embedded Airbyte's file in words, whenever it shows."""
    db = Path(settings.db)
    try:
        db.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReconcilerError(
            f"{db.parent} can't be a folder, where the embedded Airbyte keeps its data: {error.strerror}",
            hint="move away what is in its place, or make the project's folder writable",
        ) from error
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise ReconcilerError(
            f"the embedded Airbyte's data, {db}, can't be used: {error}",
            hint="move that file away to begin with an empty one",
        ) from error


@asynccontextmanager
async def open_session(
    request: Request, project: Project, *, read_only: bool, needs: Operation | None = None
) -> AsyncIterator[Session]:
    """Raises Refused, before it asks for anything, where the API in use can't do what is needed."""
    async with open_backend(request, project, read_only=read_only) as backend:
        if needs is not None:
            refuse_missing(backend.capabilities, needs, project.target)
        workspace = await _workspace(backend, project.target)
        yield Session(project, backend, workspace, request.again)


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
        f"target {target.name}: {problem} {target.told('workspace')}; visible: {names}",
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
        allow_empty=request.allow_empty,
        allow_running=request.allow_running,
    )


async def make_session_plan(
    request: Request, session: Session, *, applying: bool = False
) -> tuple[Planned, Live]:
    live = await session.snapshot()
    desired = session.project.desired
    served = await served_specs(session.backend, session.workspace, live, desired)
    live = replace(live, definitions=with_specs(live.definitions, served))
    ran = await have_run(session.backend, session.workspace, idle_leftovers(live))
    situation = replace(_situation(request, session, live, applying=applying), ran=ran)
    planned = make_plan(situation)
    discovered = await discover(
        planned,
        live,
        desired.resources,
        session.backend,
        every=request.online,
        parallel=min(request.parallelism, PARALLEL_SLOW),
    )
    if discovered.catalogs:
        planned = make_plan(replace(situation, catalogs=discovered.catalogs))
    planned = _since(request, session, planned, situation)
    rules = dict(session.project.target.rules)
    found = [
        *planned.plan.diagnostics,
        *check_served(desired, served),
        *discovered.diagnostics,
    ]
    if stated_api(session.project.target) != "public":  # else it was told without a server
        found += check_specified(desired.resources.values(), live.definitions)
    earlier = without_guesses(session.project.diagnostics, desired, served)
    diagnostics = in_order([*earlier, *with_rules(found, rules)])
    return replace(planned, plan=replace(planned.plan, diagnostics=diagnostics)), live


def _since(request: Request, session: Session, planned: Planned, situation: Situation) -> Planned:
    """With `--since`: which change is this branch's, and what left git with it."""
    if request.since is None:
        return planned
    name = session.project.target.name
    old = desired_at(request.project, request.since, name, request.env)
    before = make_plan(replace(situation, desired=old, selection=Selection()))
    told = tell_why(planned.plan, before.plan)
    left = released(old, session.project.desired, planned.claims, before.claims)
    return replace(planned, plan=replace(told, diagnostics=(*told.diagnostics, *left)))
