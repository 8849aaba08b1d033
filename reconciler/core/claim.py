"""Which live object a manifest means: by pin, else by (kind, name) (design §3, identity).

Never guesses: no match is a create, several are an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.capabilities import API_NAMES
from reconciler.core.connector import closest, find_connector
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.interim import parse_interim
from reconciler.core.kinds import KINDS, is_stated
from reconciler.core.model import (
    Address,
    Connection,
    ConnectorDefinition,
    Desired,
    Destination,
    Live,
    LiveObject,
    Ref,
    Resource,
    Source,
    Spec,
)


@dataclass(frozen=True, slots=True)
class Claims:
    """`live`: the object each address means; `by_name`: how many were matched by name alone.

    `interim`: what replacements that were cut off left beside it (design §6.5); `resumed`: the one of them,
    a source or destination of the connector that is asked for, with which the replacement goes on.
    `address_of`: (kind, id) → address, of `live` and `resumed`. `undecided`: what they mean is an error of
    its own. `users`: (kind, id) of a source or destination → the live connections on it.
    """

    live: Mapping[Address, LiveObject]
    address_of: Mapping[tuple[str, str], Address]
    by_name: int
    interim: Mapping[Address, tuple[LiveObject, ...]] = field(default_factory=dict)
    resumed: Mapping[Address, LiveObject] = field(default_factory=dict)
    undecided: frozenset[Address] = frozenset()
    users: Mapping[tuple[str, str], tuple[LiveObject, ...]] = field(default_factory=dict)

    def on(self, actor: LiveObject | None) -> tuple[LiveObject, ...]:
        """The live connections that use a source or destination."""
        return () if actor is None else self.users.get((actor.kind, actor.id), ())


def problem(resource: Resource, code: str, pointer: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=message,
        hint=hint,
        span=resource.locate(pointer),
        address=str(resource.address),
        pointer=pointer,
    )


def fields_not_in_api(desired: Desired, api: str) -> tuple[Diagnostic, ...]:
    """What manifests state and the API can't be told (CFG §10): dropped silently it would be no promise."""
    found = []
    for resource in desired.resources.values():
        row = KINDS[resource.address.kind]
        if resource.spec is None:
            continue
        for name, only in row.only_in.items():
            if only != api and is_stated(resource.spec, row.name, name):
                found.append(
                    problem(
                        resource,
                        "field-not-in-api",
                        f"/spec/{name}",
                        f"the {API_NAMES.get(api, api)} has no {name}",
                        f"leave it out, or set api: {only} for the target: "
                        f"the {API_NAMES[only]} has it",
                    )
                )
    return tuple(found)


def claim(desired: Desired, live: Live, target: str) -> tuple[Claims, tuple[Diagnostic, ...]]:
    by_id = {(found.kind, found.id.lower()): found for found in live.objects}
    pinned = {(r.address.kind, r.pin) for r in desired.resources.values() if r.pin is not None}
    names = _Names(live)
    claimed: dict[Address, LiveObject] = {}
    problems: list[Diagnostic] = []
    undecided: set[Address] = set()
    by_name = 0
    for address, resource in desired.resources.items():
        if resource.pin is not None:
            candidates = (
                [by_id[(address.kind, resource.pin)]]
                if (address.kind, resource.pin) in by_id
                else []
            )
            if not candidates and not resource.absent:
                problems.append(_pin_not_live(resource, target))
                undecided.add(address)
        else:
            candidates = _named(resource, names, pinned)
            by_name += len(candidates) == 1
        if len(candidates) > 1:
            problems.append(_ambiguous(resource, candidates, target))
            undecided.add(address)
        elif candidates:
            claimed[address] = candidates[0]
    problems += _claimed_twice(desired, claimed)
    interim, users = _interim(claimed, live), users_of(live.objects)
    resumed = _resumed(desired, claimed, interim, users, live.definitions)
    address_of = {
        (found.kind, found.id): address
        for known in (resumed, claimed)
        for address, found in known.items()
    }
    claims = Claims(claimed, address_of, by_name, interim, resumed, frozenset(undecided), users)
    return claims, tuple(problems)


def users_of(
    objects: Iterable[LiveObject],
) -> dict[tuple[str, str], tuple[LiveObject, ...]]:
    """(kind, id) of a source or destination → the connections on it."""
    users: dict[tuple[str, str], list[LiveObject]] = {}
    for found in objects:
        for at, kind in KINDS[found.kind].references.items():
            users.setdefault((kind, getattr(found.spec, at).id), []).append(found)
    return {key: tuple(on_it) for key, on_it in users.items()}


class _Names:
    """Live objects by (kind, name), and what cut-off replacements left by the name it is to have."""

    def __init__(self, live: Live) -> None:
        present = {found.id for found in live.objects}
        self.called: dict[tuple[str, str], list[LiveObject]] = {}
        self.left: dict[tuple[str, str], list[LiveObject]] = {}
        for found in sorted(live.objects, key=lambda found: found.id):
            self.called.setdefault((found.kind, found.spec.name), []).append(found)
            left = parse_interim(found.spec.name)
            if left is not None and left.replaced_id not in present:
                self.left.setdefault((found.kind, left.name), []).append(found)


def _interim(
    claimed: Mapping[Address, LiveObject], live: Live
) -> dict[Address, tuple[LiveObject, ...]]:
    """New objects that stand beside the one that they are to replace, and that no manifest means."""
    by_old_id = {(old.kind, old.id): address for address, old in claimed.items()}
    found: dict[Address, tuple[LiveObject, ...]] = {}
    for candidate in sorted(live.objects, key=lambda each: each.id):
        parsed = parse_interim(candidate.spec.name)
        if parsed is None or (candidate.kind, candidate.id) in by_old_id:
            continue
        address = by_old_id.get((candidate.kind, parsed.replaced_id))
        if address is not None:
            found[address] = (*found.get(address, ()), candidate)
    return found


def _resumed(
    desired: Desired,
    claimed: Mapping[Address, LiveObject],
    interim: Mapping[Address, tuple[LiveObject, ...]],
    users: Mapping[tuple[str, str], tuple[LiveObject, ...]],
    definitions: tuple[ConnectorDefinition, ...],
) -> dict[Address, LiveObject]:
    """With what a replacement goes on: of the same connector, for another's configuration and secrets
    are none of its; of several the one with most connections on it. A new connection is always made anew."""
    found = {}
    for address, left in interim.items():
        resource = desired.resources[address]
        if not isinstance(resource.spec, Source | Destination):
            continue
        definition = resolve_connector(resource, definitions)
        if isinstance(definition, Diagnostic) or _connector(claimed[address]) == definition.id:
            continue
        fitting = [each for each in left if _connector(each) == definition.id]
        if fitting:
            found[address] = max(fitting, key=lambda each: len(users.get((each.kind, each.id), ())))
    return found


def _connector(found: LiveObject) -> str:
    return found.spec.connector if isinstance(found.spec, Source | Destination) else ""


def _named(resource: Resource, names: _Names, pinned: set[tuple[str, str]]) -> list[LiveObject]:
    kind = resource.address.kind
    for name in (resource.name, *resource.previous_names):
        called = names.called.get((kind, name), ())
        found = [c for c in called if (c.kind, c.id.lower()) not in pinned]
        if found:
            return found
    return names.left.get((kind, resource.name), [])


def _pin_not_live(resource: Resource, target: str) -> Diagnostic:
    return problem(
        resource,
        "pin-not-live",
        f"/metadata/ids/{target}",
        f"no {resource.address.kind} with the id {resource.pin} is live in this workspace",
        "remove the pin to create a new one, or correct the id (reconciler get lists them)",
    )


def _ambiguous(resource: Resource, candidates: list[LiveObject], target: str) -> Diagnostic:
    ids = ", ".join(candidate.id for candidate in candidates)
    return problem(
        resource,
        "ambiguous-name",
        "/spec/name",
        f"{len(candidates)} live {resource.address.kind}s are named {resource.name!r}: {ids}",
        f"say which one with metadata.ids: {{{target}: <id>}}",
    )


def _claimed_twice(desired: Desired, claimed: Mapping[Address, LiveObject]) -> list[Diagnostic]:
    first: dict[tuple[str, str], Address] = {}
    problems = []
    for address, found in claimed.items():
        other = first.setdefault((found.kind, found.id), address)
        if other != address:
            problems.append(
                problem(
                    desired.resources[address],
                    "claimed-twice",
                    "/metadata",
                    f"{other} means the same live object ({found.id})",
                    "remove one of the two manifests, or pin them to different ids",
                )
            )
    return problems


def resolve_connector(
    resource: Resource, definitions: tuple[ConnectorDefinition, ...]
) -> ConnectorDefinition | Diagnostic:
    """The definition that `spec.connector` names on this server."""
    spec = resource.spec
    assert spec is not None  # noqa: S101 - only for resources that are to exist
    reference = getattr(spec, "connector")  # noqa: B009 - Source and Destination share it
    kind = resource.address.kind
    found = find_connector(reference, kind, definitions)
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(sorted(f"{d.name} {d.id}" for d in found))
        return problem(
            resource,
            "ambiguous-connector",
            "/spec/connector",
            f"{len(found)} {kind} connectors are called {reference!r}: {ids}",
            "write the definition id",
        )
    guess = closest(reference, [d.short_name for d in definitions if d.kind == kind])
    return problem(
        resource,
        "unknown-connector",
        "/spec/connector",
        f"this server has no {kind} connector {reference!r}",
        f"did you mean {guess!r}?" if guess else "reconciler get connectors lists them",
    )


def resolve_refs(
    resource: Resource, live: Live, claims: Claims
) -> tuple[Spec | None, tuple[Diagnostic, ...]]:
    """The spec with `{name: …}` and `{id: …}` turned into live ids, or into addresses where the object
    is managed here after all."""
    spec, problems = resource.spec, []
    if not isinstance(spec, Connection):
        return spec, ()
    for at, kind in KINDS[resource.address.kind].references.items():
        ref: Ref = getattr(spec, at)
        if ref.address is not None:
            continue
        found = [
            candidate.id
            for candidate in live.objects
            if candidate.kind == kind
            and (candidate.id.lower() == ref.id or candidate.spec.name == ref.name)
        ]
        if len(found) == 1:
            address = claims.address_of.get((kind, found[0]))
            spec = _pointing(spec, at, Ref(address=address) if address else Ref(id=found[0]))
        else:
            wanted = ref.id if ref.id is not None else ref.name
            count = "no" if not found else f"{len(found)}"
            problems.append(
                problem(
                    resource,
                    "unknown-reference" if not found else "ambiguous-name",
                    f"/spec/{at}",
                    f"{count} live {kind}s match {wanted!r}",
                    "reconciler get lists what is live; an id is never ambiguous",
                )
            )
    return spec, tuple(problems)


def _pointing(spec: Connection, field: str, ref: Ref) -> Connection:
    return replace(spec, source=ref) if field == "source" else replace(spec, destination=ref)
