"""Use cases as short functions: validate, plan, apply, drift; check, sync, jobs. They join the parts and
decide nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.app.applying import Applied, apply
from reconciler.app.operations import Checked, Offered, check, check_findings, discover
from reconciler.app.project import EMBEDDED, STATE_FOLDER, Project, Request, open_project
from reconciler.app.running import (
    Listed,
    Ran,
    Wanted,
    cancel_job,
    get_job,
    list_jobs,
    run,
    wait_job,
)
from reconciler.app.session import (
    Session,
    make_session_plan,
    open_backend,
    open_session,
    target_line,
)
from reconciler.app.stop import Stop
from reconciler.core.claim import claim
from reconciler.core.connector import closest
from reconciler.core.diagnostics import InvalidInput, ReconcilerError, in_order, with_rules
from reconciler.core.explanation import Row, explain_resource
from reconciler.core.jobs import Operation
from reconciler.core.model import Address, Resource
from reconciler.core.plan import Plan, TargetLine

__all__ = [
    "EMBEDDED",
    "STATE_FOLDER",
    "Applied",
    "Checked",
    "Explained",
    "Listed",
    "Listing",
    "Offered",
    "Project",
    "Ran",
    "Request",
    "Session",
    "Stop",
    "Wanted",
    "apply",
    "cancel_job",
    "check",
    "discover",
    "explain",
    "get_job",
    "list_jobs",
    "list_live",
    "make_session_plan",
    "open_project",
    "open_session",
    "plan",
    "run",
    "wait_job",
]


async def plan(request: Request, talk: Callable[[str], None] = lambda _line: None) -> Plan:
    """Reads only; raises InvalidInput where the manifests have errors. `talk`: what is said on the way."""
    project = open_project(request)
    project.refuse_errors()
    needs: Operation | None = "check" if request.check else None
    async with open_session(request, project, read_only=True, needs=needs) as session:
        planned, _ = await make_session_plan(request, session)
        if not request.check:
            return planned.plan
        findings = await check_findings(request, session, planned, talk)
    told = with_rules(findings, dict(project.target.rules))
    return replace(planned.plan, diagnostics=in_order([*planned.plan.diagnostics, *told]))


@dataclass(frozen=True, slots=True)
class Listing:
    line: TargetLine
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


async def list_live(request: Request, what: str, *, unmanaged: bool = False) -> Listing:
    """What is live, sorted by name. `what`: workspaces, connectors, sources, destinations, connections."""
    project = open_project(request, tolerate_missing=True)
    if what == "workspaces":
        async with open_backend(request, project, read_only=True) as backend:
            found = await backend.workspaces()
            line = target_line(project, backend, request.again)
        return Listing(line, ("name", "id"), tuple(sorted((w.name, w.id) for w in found)))
    async with open_session(request, project, read_only=True) as session:
        live = await session.snapshot()
    if what == "connectors":
        rows = ((d.kind, d.short_name, d.name, d.docker_tag, d.id) for d in live.definitions)
        columns = ("kind", "connector", "name", "version", "id")
        return Listing(session.line, columns, tuple(sorted(rows)))
    claims, _ = claim(project.desired, live, project.target.name)
    kind = what.removesuffix("s")
    listed = sorted(
        (found.spec.name, str(claims.address_of.get((found.kind, found.id), "")), found.id)
        for found in live.objects
        if found.kind == kind
    )
    rows_of_kind = tuple(row for row in listed if not (unmanaged and row[1]))
    return Listing(session.line, ("name", "address", "id"), rows_of_kind)


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
    api = session.backend.capabilities.api
    rows = explain_resource(resource, live, claims, api)
    return Explained(resource, found.id if found else "", rows)
