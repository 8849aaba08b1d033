"""Which live object a manifest means: by pin, else by (kind, name) (design §3, identity).

Never guesses: no match is a create, several are an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.connector import closest, find_connector
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.interim import parse_interim
from reconciler.core.kinds import KINDS
from reconciler.core.model import (
    Address,
    Connection,
    ConnectorDefinition,
    Desired,
    Live,
    LiveObject,
    Ref,
    Resource,
    Spec,
)


@dataclass(frozen=True, slots=True)
class Claims:
    """`live`: the object each address means; `by_name`: how many were matched by name alone.

    `interim`: what a replacement that was cut off left beside it (design §6.5). `address_of`:
    (kind, id) → address, of both. `undecided`: what they mean is an error of its own.
    """

    live: Mapping[Address, LiveObject]
    address_of: Mapping[tuple[str, str], Address]
    by_name: int
    interim: Mapping[Address, LiveObject] = field(default_factory=dict)
    undecided: frozenset[Address] = frozenset()


def problem(resource: Resource, code: str, pointer: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=message,
        hint=hint,
        span=resource.locate(pointer),
        address=str(resource.address),
        pointer=pointer,
    )


def claim(desired: Desired, live: Live, target: str) -> tuple[Claims, tuple[Diagnostic, ...]]:
    by_id = {(found.kind, found.id.lower()): found for found in live.objects}
    pinned = {(r.address.kind, r.pin) for r in desired.resources.values() if r.pin is not None}
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
            candidates = _named(resource, live, pinned)
            by_name += len(candidates) == 1
        if len(candidates) > 1:
            problems.append(_ambiguous(resource, candidates, target))
            undecided.add(address)
        elif candidates:
            claimed[address] = candidates[0]
    problems += _claimed_twice(desired, claimed)
    interim = _interim(claimed, live)
    address_of = {
        (found.kind, found.id): address
        for known in (interim, claimed)
        for address, found in known.items()
    }
    claims = Claims(claimed, address_of, by_name, interim, frozenset(undecided))
    return claims, tuple(problems)


def _interim(claimed: Mapping[Address, LiveObject], live: Live) -> dict[Address, LiveObject]:
    """New objects that stand beside the one that they are to replace."""
    by_old_id = {(old.kind, old.id): address for address, old in claimed.items()}
    found = {}
    for candidate in live.objects:
        parsed = parse_interim(candidate.spec.name)
        if parsed is not None and (candidate.kind, parsed.replaced_id) in by_old_id:
            found[by_old_id[(candidate.kind, parsed.replaced_id)]] = candidate
    return found


def _named(resource: Resource, live: Live, pinned: set[tuple[str, str]]) -> list[LiveObject]:
    for name in (resource.name, *resource.previous_names):
        found = [
            candidate
            for candidate in live.objects
            if candidate.kind == resource.address.kind
            and candidate.spec.name == name
            and (candidate.kind, candidate.id.lower()) not in pinned
        ]
        if found:
            return sorted(found, key=lambda candidate: candidate.id)
    return _left_by_replacement(resource, live)


def _left_by_replacement(resource: Resource, live: Live) -> list[LiveObject]:
    """The new object of a replacement that was cut off when the old one was gone already."""
    present = {found.id for found in live.objects}
    found = []
    for candidate in live.objects:
        left = parse_interim(candidate.spec.name)
        if (
            candidate.kind == resource.address.kind
            and left is not None
            and left.name == resource.name
            and left.replaced_id not in present
        ):
            found.append(candidate)
    return sorted(found, key=lambda candidate: candidate.id)


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
