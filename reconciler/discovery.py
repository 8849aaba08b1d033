"""Asks for what sources offer, where a plan needs to know (validation stage 6). Reads only.

Only connections that are new or whose streams change, on a source and destination that exist; the rest
is checked while it is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from reconciler.backends.protocol import Backend
from reconciler.core.catalog import excludes
from reconciler.core.claim import resolve_refs
from reconciler.core.diagnostics import Diagnostic, ReconcilerError, Severity
from reconciler.core.model import Address, Connection, DiscoveredStream, Live, Ref, Resource
from reconciler.core.plan import Change
from reconciler.core.planning import Planned

Pair = tuple[str, str]
"""(source id, destination id): what a server's answer depends on (PUB §5)."""


@dataclass(slots=True)
class Discovered:
    """`catalogs`: connection → what its source offers to its destination."""

    catalogs: dict[Address, tuple[DiscoveredStream, ...]] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


async def discover(
    planned: Planned,
    live: Live,
    resources: Mapping[Address, Resource],
    backend: Backend,
    *,
    every: bool,
    parallel: int,
) -> Discovered:
    """One request a pair, at most `parallel` at a time. A failure is a warning: apply will tell."""
    pairs: dict[Pair, list[Resource]] = {}
    for resource in resources.values():
        if not (every or _needed(resource, planned)):
            continue
        pair = _pair(resource, planned, live)
        if pair is not None:
            pairs.setdefault(pair, []).append(resource)
    found = Discovered()
    slots = anyio.CapacityLimiter(parallel)

    async def ask(pair: Pair, users: list[Resource]) -> None:
        async with slots:
            try:
                offered = await backend.discover(*pair)
            except ReconcilerError as error:
                found.diagnostics += [_failed(user, error) for user in users]
            else:
                found.catalogs.update({user.address: offered for user in users})

    async with anyio.create_task_group() as group:
        for pair, users in sorted(pairs.items()):
            group.start_soon(ask, pair, users)
    return found


def _pair(resource: Resource, planned: Planned, live: Live) -> Pair | None:
    """The live ids a connection points at, or None while one of them does not exist."""
    step = planned.steps.get(resource.address)
    # What has no change has no step either, and still says {name: …} for what is not managed here.
    spec = step.spec if step is not None else resolve_refs(resource, live, planned.claims)[0]
    if not isinstance(spec, Connection) or resource.spec is None:
        return None
    ids = [_live_id(ref, planned) for ref in (spec.source, spec.destination)]
    return (ids[0], ids[1]) if ids[0] and ids[1] else None


def _live_id(ref: Ref, planned: Planned) -> str | None:
    if ref.address is None:
        return ref.id
    live = planned.claims.live.get(ref.address)
    step = planned.steps.get(ref.address)
    return live.id if live is not None and (step is None or not _moves(step.change)) else None


def _moves(change: Change) -> bool:
    """Whether a source is another one after the plan: what it offers now says nothing then."""
    configured = any(changed.pointer.startswith("/configuration") for changed in change.fields)
    return change.action != "update" or configured


def _needed(resource: Resource, planned: Planned) -> bool:
    spec = resource.spec
    if not isinstance(spec, Connection):
        return False
    if isinstance(spec.streams, tuple) and any(excludes(stream) for stream in spec.streams):
        return True
    step = planned.steps.get(resource.address)
    if step is None:
        return False
    changes_streams = any(changed.stream for changed in step.change.fields)
    return step.change.action in ("create", "replace") or changes_streams


def _failed(resource: Resource, error: ReconcilerError) -> Diagnostic:
    return Diagnostic(
        code="discovery-failed",
        message=f"what the source offers could not be read, so its streams are not checked: {error.message}",
        hint=error.hint or "check the source's configuration and that it can be reached",
        severity=Severity.WARNING,
        span=resource.locate("/spec/source"),
        address=str(resource.address),
        pointer="/spec/source",
    )
