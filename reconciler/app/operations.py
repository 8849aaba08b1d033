"""check and discover: what sources and destinations say when they are asked. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from reconciler.app.project import Project, Request, open_project
from reconciler.app.session import Session, open_session
from reconciler.core.again import Again, command
from reconciler.core.catalog import match_stream
from reconciler.core.claim import Claims, claim
from reconciler.core.connector import closest
from reconciler.core.diagnostics import (
    Diagnostic,
    InvalidInput,
    ReconcilerError,
    Severity,
    errors,
)
from reconciler.core.jobs import actors_meant
from reconciler.core.model import (
    Address,
    Connection,
    DiscoveredStream,
    Live,
    LiveObject,
    Resource,
    Stream,
)
from reconciler.core.plan import TargetLine
from reconciler.core.planning import Planned
from reconciler.executor import PARALLEL_SLOW
from reconciler.executor.checks import Verdict, check_all
from reconciler.transport.answers import safe


@dataclass(frozen=True, slots=True)
class Checked:
    """One source or destination; `verdict` None: it isn't live yet. `named`: by its own address, or by
    that of a connection on it."""

    address: Address
    live_id: str = ""
    verdict: Verdict | None = None
    named: bool = False

    @property
    def good(self) -> bool:
        return self.verdict.succeeded if self.verdict is not None else not self.named


def meant(found: tuple[tuple[Address, ...], tuple[Diagnostic, ...]]) -> tuple[Address, ...]:
    """The addresses of a selection. Raises InvalidInput where a part of it means nothing."""
    chosen, problems = found
    if errors(problems):
        raise InvalidInput(problems)
    return chosen


async def claims_of(session: Session, addresses: tuple[Address, ...]) -> tuple[Live, Claims]:
    """Live, and who means what. Raises InvalidInput where it isn't clear what one of `addresses` means."""
    live = await session.snapshot()
    claims, problems = claim(session.project.desired, live, session.project.target.name)
    names = {str(address) for address in addresses}
    mine = tuple(problem for problem in problems if problem.address in names)
    if mine:
        raise InvalidInput(mine)
    return live, claims


async def check(
    request: Request,
    *,
    announce: Callable[[TargetLine], None],
    emit: Callable[[Checked], None],
) -> tuple[TargetLine, tuple[Checked, ...]]:
    """Tests what the selected manifests mean; each result is also emitted as it comes."""
    project = open_project(request, runs="check")
    project.refuse_errors()
    wanted = meant(actors_meant(request.selection, project.desired.resources))
    if not wanted:
        raise ReconcilerError("there is no source or destination to test in what is selected")
    async with open_session(request, project, read_only=True, needs="check") as session:
        announce(session.line)
        _, claims = await claims_of(session, wanted)
        by_id = {
            (found.kind, found.id): address
            for address, found in claims.live.items()
            if address in wanted
        }
        named = _named(request, project)
        results = [Checked(a, named=a in named) for a in wanted if a not in claims.live]
        for missing in results:
            emit(missing)

        def told(actor: tuple[str, str], verdict: Verdict) -> None:
            results.append(Checked(by_id[actor], actor[1], verdict, by_id[actor] in named))
            emit(results[-1])

        await check_all(
            session.backend,
            sorted(by_id, key=lambda actor: by_id[actor]),
            parallel=min(request.parallelism, PARALLEL_SLOW),
            emit=told,
            clean=partial(safe, redact=project.redactor),
        )
    return session.line, tuple(sorted(results, key=lambda result: result.address))


def _named(request: Request, project: Project) -> frozenset[Address]:
    """Actors that were asked for one by one, so that their absence is no success."""
    found: set[Address] = set()
    for address, resource in project.desired.resources.items():
        if str(address) not in request.selection.include:
            continue
        spec = resource.spec
        ends = (spec.source, spec.destination) if isinstance(spec, Connection) else ()
        found |= {address, *(ref.address for ref in ends if ref.address is not None)}
    return frozenset(found)


# --- plan --check ----------------------------------------------------------------------------


async def check_findings(
    request: Request, session: Session, planned: Planned, talk: Callable[[str], None]
) -> tuple[Diagnostic, ...]:
    """One finding for each selected actor whose test fails as it is stored now: an error, unless the plan
    changes it. What the plan makes anew has nothing to be tested yet. `talk`: how many were tested."""
    project = session.project
    chosen = actors_meant(request.selection, project.desired.resources)[0]
    live = planned.claims.live
    there = {(live[a].kind, live[a].id): a for a in chosen if a in live}
    verdicts = await check_all(
        session.backend,
        sorted(there),
        parallel=min(request.parallelism, PARALLEL_SLOW),
        clean=partial(safe, redact=project.redactor),
    )
    good = sum(verdict.succeeded for verdict in verdicts.values())
    talk(f"Connection tests: {good} of {len(verdicts)} succeeded.")
    changing = {change.address for change in planned.plan.changes}
    return tuple(
        _check_failed(project.desired.resources[there[actor]], verdict, changing, session.again)
        for actor, verdict in sorted(verdicts.items())
        if not verdict.succeeded
    )


def _check_failed(
    resource: Resource, verdict: Verdict, changing: set[Address], given: Again
) -> Diagnostic:
    mends = resource.address in changing
    again = command(given, ("check", str(resource.address)))
    return Diagnostic(
        code="check-failed",
        message=verdict.reason + (" (as it is now, without this plan's change)" if mends else ""),
        hint=verdict.hint or f"mend it, then: {again}",
        severity=Severity.WARNING if mends else Severity.ERROR,
        span=resource.locate("/spec/configuration"),
        address=str(resource.address),
        pointer="/spec/configuration",
    )


# --- discover --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offered:
    """What a source offers; with a destination, the modes of both. `selected_by`: the position in
    `streams` → the project's connections that select that stream already."""

    line: TargetLine
    source: Address
    live_id: str
    destination: Address | None
    streams: tuple[DiscoveredStream, ...]
    selected_by: dict[int, tuple[Address, ...]]


async def discover(
    request: Request, address: Address, destination: Address | None = None
) -> Offered:
    """`destination` None: the one that the project's connections lead the source to, where it is one."""
    project = open_project(request)
    project.refuse_errors()
    _managed(project, address, "source")
    if destination is not None:
        _managed(project, destination, "destination")
    async with open_session(request, project, read_only=True, needs="discover") as session:
        known = (address,) if destination is None else (address, destination)
        _, claims = await claims_of(session, known)
        source = _live(claims, address, request.again)
        if destination is None:
            destination = _usual_destination(project, address, claims)
        other = None if destination is None else _live(claims, destination, request.again).id
        streams = await session.backend.discover(source.id, other)
    return Offered(
        session.line,
        address,
        source.id,
        destination,
        streams,
        _selected_by(project, address, streams),
    )


def _managed(project: Project, address: Address, kind: str) -> None:
    """Raises ReconcilerError for what is no such manifest."""
    known = [
        str(one)
        for one, resource in sorted(project.desired.resources.items())
        if one.kind == kind and resource.spec is not None
    ]
    if str(address) in known:
        return
    if address.kind == kind:
        problem = f"no manifest of target {project.target.name} is {address}"
    else:
        problem = f"{address} is no {kind}'s address"
    guess = closest(str(address), known)
    more = f" and {len(known) - _FEW} more" if len(known) > _FEW else ""
    there = f"there is {', '.join(known[:_FEW])}{more}" if known else f"it has no {kind}"
    raise ReconcilerError(problem, hint=f"did you mean {guess}?" if guess else there)


_FEW: Final = 12
"""So many are named to choose from."""


def _live(claims: Claims, address: Address, again: Again) -> LiveObject:
    found = claims.live.get(address)
    if found is None:
        raise ReconcilerError(
            f"{address} isn't live yet, so that it can't be asked",
            hint=command(again, ("apply", str(address))),
        )
    return found


def _usual_destination(project: Project, source: Address, claims: Claims) -> Address | None:
    """None where there is none or more than one, or it isn't live."""
    found = {
        resource.spec.destination.address
        for resource in project.desired.resources.values()
        if isinstance(resource.spec, Connection) and resource.spec.source.address == source
    }
    only = next(iter(found)) if len(found) == 1 else None
    return only if only in claims.live else None


def _selected_by(
    project: Project, source: Address, offered: tuple[DiscoveredStream, ...]
) -> dict[int, tuple[Address, ...]]:
    at = {(stream.namespace, stream.name): index for index, stream in enumerate(offered)}
    by_name: dict[str, list[DiscoveredStream]] = {}
    for stream in offered:
        by_name.setdefault(stream.name, []).append(stream)
    found: dict[int, tuple[Address, ...]] = {}
    for address, resource in project.desired.resources.items():
        spec = resource.spec
        if not isinstance(spec, Connection) or spec.source.address != source:
            continue
        selected: tuple[Stream, ...] = spec.streams if isinstance(spec.streams, tuple) else ()
        for chosen in selected:
            match = match_stream(chosen, by_name.get(chosen.name, []))
            if isinstance(match, DiscoveredStream):
                index = at[(match.namespace, match.name)]
                found[index] = (*found.get(index, ()), address)
    return found
