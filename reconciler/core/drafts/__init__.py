"""Every resource of a target against live: what differs, and what that does to data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.core.capabilities import Capabilities
from reconciler.core.catalog import as_diagnostics, check_catalog, resolve_columns
from reconciler.core.claim import (
    Claims,
    problem,
    resolve_connector,
    resolve_refs,
    users_of,
)
from reconciler.core.connector import closest
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.drafts.actor import draft_actor, is_twin
from reconciler.core.drafts.connection import draft_connection
from reconciler.core.drafts.draft import Draft
from reconciler.core.effects import Effect
from reconciler.core.graph import depth_of
from reconciler.core.kinds import REFERENCES
from reconciler.core.merge import merge_connection
from reconciler.core.model import (
    SYNC_MODES,
    Address,
    Connection,
    Desired,
    Destination,
    DiscoveredStream,
    Json,
    Live,
    LiveObject,
    Resource,
    Source,
    Spec,
)
from reconciler.core.normalize import (
    Naming,
    canonical_connection,
    naming_for,
    stream_key,
    stream_label,
)
from reconciler.core.plan import Change, HiddenSecret, Unstated
from reconciler.core.written import written

__all__ = [
    "Catalogs",
    "Draft",
    "Drafted",
    "Ground",
    "connections_on",
    "draft_all",
    "ignored_by_server",
    "referred",
]


@dataclass(frozen=True, slots=True)
class Drafted:
    """`by_address` holds only drafts with a change."""

    by_address: Mapping[Address, Draft]
    diagnostics: tuple[Diagnostic, ...]
    unstated: tuple[Unstated, ...]
    secrets: tuple[HiddenSecret, ...]
    unchanged: tuple[Address, ...]


Catalogs: TypeAlias = Mapping[Address, tuple[DiscoveredStream, ...]]
"""Connection → what its source offers to its destination, where that was asked."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What drafts stand on. `resend`: whether secrets that can't be compared are to be sent again."""

    desired: Desired
    live: Live
    claims: Claims
    capabilities: Capabilities
    catalogs: Catalogs
    resend: Callable[[Resource], bool]


def draft_all(ground: Ground) -> Drafted:
    drafts: dict[Address, Draft] = {}
    diagnostics: list[Diagnostic] = []
    for resource in _references_first(ground.desired):
        if resource.address in ground.claims.undecided:
            continue
        if resource.spec is None:
            drafts[resource.address] = _deleted(resource, ground.claims)
            diagnostics += _not_found(resource, ground)
            continue
        draft, problems = _drafted(resource, ground, drafts)
        diagnostics += problems
        if draft is not None:
            drafts[resource.address] = draft
    by_address = {address: drafts[address] for address in sorted(drafts)}
    return Drafted(
        by_address={a: draft for a, draft in by_address.items() if draft.change is not None},
        diagnostics=tuple(diagnostics),
        unstated=tuple(entry for draft in by_address.values() for entry in draft.unstated),
        secrets=tuple(entry for draft in by_address.values() for entry in draft.secrets),
        unchanged=tuple(
            address
            for address, draft in by_address.items()
            if draft.change is None and draft.live is not None
        ),
    )


def _references_first(desired: Desired) -> list[Resource]:
    """What becomes of a connection depends on what becomes of its source and destination."""
    return sorted(
        desired.resources.values(), key=lambda r: (depth_of(r.address.kind, REFERENCES), r.address)
    )


def _drafted(
    resource: Resource, ground: Ground, drafts: Mapping[Address, Draft]
) -> tuple[Draft | None, tuple[Diagnostic, ...]]:
    if isinstance(resource.spec, Connection):
        return _drafted_connection(resource, ground, drafts)
    assert isinstance(resource.spec, Source | Destination)  # noqa: S101 - the only other kinds
    found = ground.claims.live.get(resource.address)
    definition = resolve_connector(resource, ground.live.definitions)
    if isinstance(definition, Diagnostic):
        return None, (definition,)
    resolved = replace(resource.spec, connector=definition.id)
    streams = _incremental_streams_on(found, ground.desired, ground.claims)
    draft, problems = draft_actor(
        resource,
        resolved,
        found,
        definition,
        streams,
        ground.capabilities,
        resend=ground.resend(resource),
        definitions=ground.live.definitions,
    )
    if draft.action == "create":
        problems = (*problems, *_renamed_twins(resource, resolved, ground))
    return _with_writes(draft, ground, definition.spec), problems


def _with_writes(draft: Draft, ground: Ground, schema: Json) -> Draft:
    if draft.change is None:
        return draft
    found = written(
        draft.resource,
        frozenset(field.pointer for field in draft.change.fields),
        action=draft.action,
        live=draft.live.spec if draft.live is not None else None,
        schema=schema,
        salt=ground.live.workspace.id,
    )
    return replace(draft, change=replace(draft.change, writes=found))


def _drafted_connection(
    resource: Resource, ground: Ground, drafts: Mapping[Address, Draft]
) -> tuple[Draft | None, tuple[Diagnostic, ...]]:
    claims, found = ground.claims, ground.claims.live.get(resource.address)
    spec, problems = resolve_refs(resource, ground.live, claims)
    if problems or not isinstance(spec, Connection):
        return None, problems
    if claims.undecided.intersection(referred(spec)):
        return None, ()  # what it hangs on has an error of its own
    offered = ground.catalogs.get(resource.address)
    if offered is not None:
        spec = resolve_columns(spec, offered)
    replaced = _replaced_below(spec, found, claims, drafts)
    naming = naming_for(claims.address_of)
    draft, problems = draft_connection(resource, spec, found, naming, ground.capabilities, replaced)
    draft = _with_writes(draft, ground, None)
    if draft.action == "create":
        problems = (*problems, *_renamed_twins(resource, draft.spec, ground))
    if offered is None:
        return draft, problems
    assert isinstance(draft.spec, Connection)  # noqa: S101 - a connection's draft has one
    return draft, (*problems, *as_diagnostics(resource, check_catalog(draft.spec, offered)))


def _renamed_twins(resource: Resource, spec: Spec | None, ground: Ground) -> tuple[Diagnostic, ...]:
    """A create whose twin is live and unclaimed is more likely a rename (design §3, identity)."""
    return tuple(
        problem(
            resource,
            "looks-like-rename",
            "/spec/name",
            f"{candidate.spec.name!r} ({candidate.id}) is live and {_likeness(spec)}, and no "
            "manifest means it: creating this would make a second one",
            f"if it is the same, write metadata.previousNames: [{candidate.spec.name}]; if both are "
            "meant, set rules: {looks-like-rename: warning} in reconciler.yaml",
        )
        for candidate in ground.live.objects
        if candidate.kind == resource.address.kind
        and (candidate.kind, candidate.id) not in ground.claims.address_of
        and _is_twin(spec, candidate, ground.claims)
    )


def _likeness(spec: Spec | None) -> str:
    if isinstance(spec, Connection):
        return "writes streams of the same source into the same tables"
    return "the same but for its name"


def _is_twin(spec: Spec | None, live: LiveObject, claims: Claims) -> bool:
    """Actors: same connector and configuration, secrets aside. Connections: same source and destination,
    a stream in common, and nothing that puts its rows elsewhere: both would write the same tables."""
    if isinstance(spec, Connection) and isinstance(live.spec, Connection):
        ours, theirs = (
            _tables_of(side, claims) for side in (merge_connection(spec, None), live.spec)
        )
        return ours == theirs and bool(_stream_names(spec) & _stream_names(live.spec))
    return isinstance(spec, Source | Destination) and is_twin(spec, live)


def _tables_of(connection: Connection, claims: Claims) -> Json:
    form = canonical_connection(replace(connection, streams=()), naming_for(claims.address_of))
    return [
        form.get(field) for field in ("source", "destination", "destinationNamespace", "prefix")
    ]


def _stream_names(connection: Connection) -> set[str]:
    streams = connection.streams if isinstance(connection.streams, tuple) else ()
    return {stream.name for stream in streams}


def _replaced_below(
    spec: Connection, live: LiveObject | None, claims: Claims, drafts: Mapping[Address, Draft]
) -> frozenset[str]:
    """Its source and destination that are replaced; one that it was already moved off does not count."""
    used = (
        {ref.id for ref in (live.spec.source, live.spec.destination)}
        if live and isinstance(live.spec, Connection)
        else set()
    )
    return frozenset(
        str(address)
        for address in referred(spec)
        if address in drafts
        and drafts[address].action == "replace"
        and claims.live[address].id in used
    )


def connections_on(actor: LiveObject | None, live: Live) -> list[LiveObject]:
    """The live connections that use a source or destination; one of many is asked of Claims."""
    return [] if actor is None else list(users_of(live.objects).get((actor.kind, actor.id), ()))


def referred(spec: Connection) -> list[Address]:
    """The managed resources a connection points at."""
    return [ref.address for ref in (spec.source, spec.destination) if ref.address is not None]


def _incremental_streams_on(
    actor: LiveObject | None, desired: Desired, claims: Claims
) -> tuple[str, ...]:
    """Labels of incremental streams of live connections that use this actor and are not to be deleted."""
    labels = set()
    for user in claims.on(actor):
        address = claims.address_of.get((user.kind, user.id))
        if address is not None and desired.resources[address].absent:
            continue
        assert isinstance(user.spec, Connection)  # noqa: S101 - only connections have references
        for stream in user.spec.streams if isinstance(user.spec.streams, tuple) else ():
            mode = SYNC_MODES.get(stream.sync_mode or "")
            if mode is None or mode.incremental:
                labels.add(stream_label(stream_key(stream)))
    return tuple(sorted(labels))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _not_found(resource: Resource, ground: Ground) -> tuple[Diagnostic, ...]:
    """Gone already, or never found: nobody should take the one for the other."""
    address = resource.address
    if address in ground.claims.live or resource.pin is not None:
        return ()
    names = [found.spec.name for found in ground.live.objects if found.kind == address.kind]
    guess = closest(resource.name, names)
    found = problem(
        resource,
        "absent-not-found",
        "/state",
        f"nothing is deleted: no {address.kind} in Airbyte is named {resource.name!r}",
        (f"did you mean {guess!r}? " if guess else "if it is gone, take the manifest out; else ")
        + "say which with spec.name, metadata.previousNames or metadata.ids",
    )
    return (replace(found, severity=Severity.WARNING),)


def _deleted(resource: Resource, claims: Claims) -> Draft:
    found = claims.live.get(resource.address)
    if found is None:
        return Draft(resource, None)
    spec = found.spec
    streams: tuple[str, ...] = ()
    says = ["its configuration and secrets are deleted; there is no undo"]
    if isinstance(spec, Connection) and isinstance(spec.streams, tuple):
        streams = tuple(sorted(stream_label(stream_key(stream)) for stream in spec.streams))
        count = _counted(len(streams), "stream")
        says = [f"the saved positions of {count} are deleted; there is no undo"]
        says.append("its tables stay as they are")
    elif users := claims.on(found):
        says.append(
            f"{_counted(len(users), 'connection')} on it now: "
            + ", ".join(sorted(user.spec.name for user in users))
        )
    change = Change(
        resource.address,
        "delete",
        spec.name,
        reason=resource.reason or "state: absent",
        live_id=found.id,
        effects=(Effect("delete", "object-goes", streams, tuple(says), accepted="state: absent"),),
    )
    return Draft(resource, change, found)


def ignored_by_server(
    resource: Resource, spec: Spec | None, answer: LiveObject, naming: Naming, live: Live
) -> tuple[str, ...]:
    """Pointers of what was asked for (`spec`, as it was sent) and is not in the server's answer."""
    if isinstance(spec, Connection):
        draft, _ = draft_connection(resource, spec, answer, naming, _ANY_API)
    elif isinstance(spec, Source | Destination):
        definition = next(d for d in live.definitions if d.id == spec.connector)
        draft, _ = draft_actor(resource, spec, answer, definition, (), _ANY_API)
    else:
        return ()
    return tuple(field.pointer for field in draft.change.fields) if draft.change else ()


_ANY_API = Capabilities(api="any", writes_interval_schedules=True, writes_time_zones=True)
