"""What goes beside a change and has no change of its own: connections that Airbyte deletes with their source
or destination (PUB-T 2), and what a replacement that was cut off left (design §6.5).

Says what it is and what it needs; whether that was consented to is decided in policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.claim import Claims
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.drafts import Draft, referred
from reconciler.core.effects import Effect
from reconciler.core.interim import parse_interim
from reconciler.core.model import Address, Connection, Consent, Desired, Live, LiveObject

GOING: Final = frozenset({"delete", "replace"})


@dataclass(frozen=True, slots=True)
class Alongside:
    """`resumed`: with which a replacement goes on. `leftovers`: what runs that were cut off left, and is
    deleted; `idle` of them are connections that never ran. `taken`: connections that somebody named, and that
    Airbyte deletes with their source or destination; `staying`: those that nobody named."""

    resumed: LiveObject | None = None
    leftovers: tuple[LiveObject, ...] = ()
    idle: frozenset[str] = frozenset()
    taken: tuple[LiveObject, ...] = ()
    staying: tuple[str, ...] = ()

    @property
    def deleted(self) -> tuple[LiveObject, ...]:
        """What is announced and counted as a deletion of its own."""
        return (*(left for left in self.leftovers if left.id not in self.idle), *self.taken)

    @property
    def ids(self) -> frozenset[str]:
        """Of all that is no longer there, or is the new object, once the change is made."""
        resumed = [self.resumed] if self.resumed is not None else []
        return frozenset(found.id for found in (*self.leftovers, *self.taken, *resumed))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a draft is looked at against. `ran`: ids of connections on which jobs were, or may have been."""

    drafts: Mapping[Address, Draft]
    claims: Claims
    desired: Desired
    allow: tuple[Consent, ...]
    ran: frozenset[str]

    def owner(self, found: LiveObject) -> Address | None:
        """The address that a connection belongs to, also as what a replacement of it left."""
        known = self.claims.address_of.get((found.kind, found.id))
        parsed = parse_interim(found.spec.name)
        if known is not None or parsed is None:
            return known
        address = self.claims.address_of.get((found.kind, parsed.replaced_id))
        if address is None or not _goes(self.drafts.get(address)):
            return None
        return address if found in self.claims.interim.get(address, ()) else None


def alongside(draft: Draft, around: Surroundings) -> Alongside:
    if not _goes(draft):
        return Alongside()
    address = draft.resource.address
    resumed = around.claims.resumed.get(address) if draft.action == "replace" else None
    left = around.claims.interim.get(address, ())
    leftovers = tuple(found for found in left if resumed is None or found.id != resumed.id)
    taken, staying = [], []
    for user in _users(draft, leftovers, around):
        owner = around.owner(user)
        if _leaves(user, owner, draft, around):
            continue
        if _named(user, owner, around):
            taken.append(user)
        else:
            staying.append(f"{owner or user.spec.name} ({user.id})")
    return Alongside(
        resumed,
        leftovers,
        frozenset(found.id for found in leftovers if _is_idle(found, around.ran)),
        tuple(sorted(taken, key=lambda user: (user.spec.name, user.id))),
        tuple(sorted(staying)),
    )


def managed_users(draft: Draft, around: Surroundings) -> tuple[Address, ...]:
    """Addresses with a change whose connections stand on what goes."""
    leftovers = around.claims.interim.get(draft.resource.address, ())
    owners = {around.owner(user) for user in _users(draft, leftovers, around)}
    return tuple(sorted(owner for owner in owners if owner is not None and owner in around.drafts))


def effects_of(found: Alongside, action: str, own: Iterable[Effect]) -> tuple[Effect, ...]:
    """The effects of the change itself, which say what is no matter of consent, and one for each deletion."""
    first, *rest = own
    says = (
        [f"goes on with {found.resumed.id}, which a run that was cut off made"]
        if found.resumed
        else []
    )
    says += [
        f"what a run that was cut off left is deleted, and never ran: {each.spec.name} ({each.id})"
        for each in found.leftovers
        if each.id in found.idle
    ]
    return (replace(first, says=(*first.says, *says)), *rest, *_deletions(found, action))


def _deletions(found: Alongside, action: str) -> Iterator[Effect]:
    for left in found.leftovers:
        if left.id not in found.idle:
            text = f"what a run that was cut off left is deleted: {_described(left)}"
            accepted = "state: absent" if action == "delete" else ""
            yield Effect("delete", "left-behind", (), (text,), accepted=accepted)
    for user in found.taken:
        text = f"Airbyte deletes with it: {_described(user)}"
        consent = f"--allow delete=connection/{user.id}"
        yield Effect("delete", "taken-along", (), (text,), accepted=consent)


def _described(found: LiveObject) -> str:
    named = f"{found.spec.name} ({found.id})"
    if not isinstance(found.spec, Connection):
        return f"{named}, with its configuration and secrets"
    count = stream_count(found)
    return f"{named}, with the saved positions of {count} stream{'' if count == 1 else 's'}"


def stream_count(found: LiveObject) -> int:
    streams = getattr(found.spec, "streams", ())
    return len(streams) if isinstance(streams, tuple) else 0


def refusals_of(found: Alongside) -> tuple[str, ...]:
    """Deleting an actor deletes every connection on it (PUB-T 2): each must go or move in this plan, or
    be named in the consent (`--allow delete=connection/<id>`), unless git says that it must stay."""
    if not found.staying:
        return ()
    text = (
        f"Airbyte would delete {len(found.staying)} connection(s) with it: {', '.join(found.staying)}; "
        "delete or move them in git, or name each: --allow delete=connection/<id>"
    )
    return (text,)


def left_behind(
    live: Live, claims: Claims, gone: frozenset[str], target: str
) -> tuple[Diagnostic, ...]:
    """What replacements left that nothing goes on with. `gone`: ids of what the plan deals with. What other
    people are in the middle of replacing is theirs."""
    present = {found.id for found in live.objects}
    by_name = {(found.kind, found.spec.name): address for address, found in claims.live.items()}
    told = []
    for found in sorted(live.objects, key=lambda each: (each.kind, each.id)):
        parsed = parse_interim(found.spec.name)
        if parsed is None or found.id in gone or (found.kind, found.id) in claims.address_of:
            continue
        address = claims.address_of.get((found.kind, parsed.replaced_id))
        if parsed.replaced_id not in present:
            address = by_name.get((found.kind, parsed.name))
        if address is not None:
            told.append(_told(found, address, target, claims.on(found)))
    return tuple(told)


def _told(
    found: LiveObject, address: Address, target: str, users: tuple[LiveObject, ...]
) -> Diagnostic:
    """Airbyte deletes the connections on a deleted actor with it (PUB-T 2); a manifest moves them first."""
    message = f"a replacement of {address} that was cut off left {found.spec.name!r} ({found.id})"
    manifest = (
        f"by a {found.kind} manifest with metadata.ids: {{{target}: {found.id}}} and state: absent"
    )
    hint = f"delete it in Airbyte, or {manifest}"
    if users:
        names = ", ".join(f"{user.spec.name!r} ({user.id})" for user in users)
        message += f", and connections stand on it: {names}"
        hint = f"delete it {manifest}, which moves them first; Airbyte deletes them with it"
    else:
        message += ", and nothing goes on with it"
    if getattr(found.spec, "status", "") == "active":
        message += ": it is active, and writes tables"
    return Diagnostic(
        code="left-behind",
        message=message,
        hint=hint,
        severity=Severity.WARNING,
        address=str(address),
    )


def _users(
    draft: Draft, leftovers: Iterable[LiveObject], around: Surroundings
) -> Iterator[LiveObject]:
    for actor in (draft.live, *leftovers):
        yield from around.claims.on(actor)


def _goes(draft: Draft | None) -> bool:
    return draft is not None and draft.action in GOING


def _leaves(user: LiveObject, owner: Address | None, actor: Draft, around: Surroundings) -> bool:
    """Whether a connection is no longer on the actor when the plan is done."""
    draft = around.drafts.get(owner) if owner is not None else None
    if draft is None or not _goes(draft):
        return False
    if draft.live is None or user.id != draft.live.id:
        return True  # what a replacement of it left is deleted by the next one
    stays_on_it = isinstance(draft.spec, Connection) and actor.resource.address in referred(
        draft.spec
    )
    return actor.action == "replace" or not stays_on_it


def _named(user: LiveObject, owner: Address | None, around: Surroundings) -> bool:
    if owner is not None and around.desired.resources[owner].lifecycle.prevent_destroy:
        return False
    return any(
        "delete" in consent.effects and consent.address == Address("connection", user.id)
        for consent in around.allow
    )


def _is_idle(found: LiveObject, ran: frozenset[str]) -> bool:
    return getattr(found.spec, "status", "") == "inactive" and found.id not in ran


def idle_leftovers(live: Live) -> tuple[LiveObject, ...]:
    """The connections of which a plan wants to know whether they ever ran."""
    present = {found.id for found in live.objects}
    return tuple(
        found
        for found in live.objects
        if _is_idle(found, frozenset())
        and (parsed := parse_interim(found.spec.name)) is not None
        and parsed.replaced_id in present
    )
