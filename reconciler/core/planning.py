"""From desired and live to a plan, and to the steps that would carry it out.

The plan is what is shown and saved; the steps hold what is sent and never leave the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core import drafts, policy
from reconciler.core.capabilities import Capabilities
from reconciler.core.claim import Claims, claim, fields_not_in_api
from reconciler.core.diagnostics import Span, in_order
from reconciler.core.drafts import Draft, referred
from reconciler.core.features import not_on_this_server
from reconciler.core.graph import level_of
from reconciler.core.kinds import KINDS, REFERENCES
from reconciler.core.model import (
    Address,
    Connection,
    Consent,
    Desired,
    Live,
    LiveObject,
    Resource,
    Spec,
    Update,
)
from reconciler.core.normalize import digest, naming_for
from reconciler.core.places import place_of
from reconciler.core.plan import Change, NotCovered, Plan, TargetLine, Unmanaged
from reconciler.core.policy import Expected
from reconciler.core.select import Selection, matches, select
from reconciler.core.target import Limits


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a plan depends on. `applying`: secrets that would be sent must be at hand.

    `resend`: patterns of sources and destinations whose secrets are sent though they can't be compared;
    `allow_empty`: that git states nothing is meant; `allow_running`: connections may go while jobs run.
    """

    target: TargetLine
    desired: Desired
    live: Live
    capabilities: Capabilities
    allow: tuple[Consent, ...] = ()
    limits: Limits = field(default_factory=Limits)
    expected: Expected = field(default_factory=Expected)
    applying: bool = False
    selection: Selection = field(default_factory=Selection)
    catalogs: drafts.Catalogs = field(default_factory=dict)
    resend: tuple[str, ...] = ()
    allow_empty: bool = False
    allow_running: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """How one change is carried out. `spec` is the object as it will be (its connector resolved)."""

    change: Change
    resource: Resource
    live: LiveObject | None
    spec: Spec | None = field(repr=False)
    update: Update | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Planned:
    """`may_interrupt`: connections may be deleted while a job runs on them."""

    plan: Plan
    steps: Mapping[Address, Step]
    claims: Claims
    may_interrupt: bool = False


def make_plan(situation: Situation) -> Planned:
    resources = situation.desired.resources
    claims, problems = claim(situation.desired, situation.live, situation.target.name)
    drafted = drafts.draft_all(_ground(situation, claims))
    finished = {
        address: _finish(draft, drafted.by_address, claims, situation)
        for address, draft in drafted.by_address.items()
    }
    chosen, narrowing = select(
        situation.selection, resources, {a: step.change.depends_on for a, step in finished.items()}
    )
    consents = policy.consents_of(resources, situation.allow)
    steps = {a: _accepted(step, consents) for a, step in finished.items() if a in chosen}
    changes = tuple(
        sorted(
            (s.change for s in steps.values()), key=lambda change: (change.level, change.address)
        )
    )
    effects = {change.address: change.effects for change in changes}
    diagnostics = (
        *problems,
        *fields_not_in_api(situation.desired, situation.capabilities.api),
        *not_on_this_server(situation.desired, situation.capabilities.lacks),
        *drafted.diagnostics,
        *narrowing,
        *policy.stale_flags(situation.allow, resources, effects),
        *policy.stale_consents({a: resources[a] for a in sorted(chosen)}, effects),
        *policy.check_stated(situation.desired, situation.live, allowed=situation.allow_empty),
        *policy.check_limits(_tally(changes, claims), situation.limits, situation.expected),
    )
    plan = Plan(
        target=situation.target,
        digest=desired_digest(situation.desired),
        changes=changes,
        diagnostics=in_order(diagnostics),
        unchanged=len(chosen.intersection(drafted.unchanged)),
        matched_by_name=claims.by_name,
        new_tags=_new_tags(steps, situation.live),
        not_covered=_not_covered(situation, claims, drafted, chosen),
        complete=not any(_left_for_apply(change, situation) for change in changes),
    )
    return Planned(plan, steps, claims, situation.allow_running)


def _ground(situation: Situation, claims: Claims) -> drafts.Ground:
    return drafts.Ground(
        desired=situation.desired,
        live=situation.live,
        claims=claims,
        capabilities=situation.capabilities,
        catalogs=situation.catalogs,
        resend=lambda resource: any(matches(pattern, resource) for pattern in situation.resend),
    )


def _left_for_apply(change: Change, situation: Situation) -> bool:
    """Whether streams are checked against discovery only while they are written (design §4, stage 6)."""
    connection = change.address.kind == "connection"
    streams = any(changed.stream for changed in change.fields)
    written = streams or (connection and change.action == "replace")
    return written and change.action != "delete" and change.address not in situation.catalogs


def _accepted(step: Step, consents: policy.Consents) -> Step:
    effects = policy.accept(step.change.effects, step.change.address, consents)
    return replace(step, change=replace(step.change, effects=effects))


def desired_digest(desired: Desired) -> str:
    """Of what is asked for, not of files: comments, order and moved files keep it (design §6.1)."""
    naming = naming_for({})
    return digest(
        {
            str(address): "absent"
            if resource.spec is None
            else KINDS[address.kind].canonical(resource.spec, naming)
            for address, resource in desired.resources.items()
        }
    )


def _finish(
    draft: Draft, all_drafts: Mapping[Address, Draft], claims: Claims, situation: Situation
) -> Step:
    """A draft with its place in the order, what it depends on and what forbids it."""
    resource, change = draft.resource, draft.change
    assert change is not None  # noqa: S101 - only drafts with a change are finished
    deletes = change.action == "delete"
    refusals = [*change.refusals, *policy.locked_refusal(draft.live)]
    if deletes or change.action == "replace":
        if resource.lifecycle.prevent_destroy:
            refusals.append(
                "lifecycle.preventDestroy is set: no flag lifts it, only a change in git"
            )
        refusals += _still_in_use(draft, all_drafts, claims, situation)
    if change.action == "replace" and resource.pin is not None:
        refusals.append(
            "metadata.ids pins it: a replacement has another id, so take the pin out first"
        )
    if situation.applying and draft.unset:
        refusals.append(policy.unset_refusal(draft.unset))
    finished = replace(
        change,
        refusals=tuple(refusals),
        level=level_of(resource.address.kind, deletes=deletes, references=REFERENCES),
        depends_on=_dependencies(draft, all_drafts, claims),
        fingerprint=_fingerprint(draft, claims),
        span=_place(resource, change),
        effects=tuple(
            replace(effect, span=place_of(resource, f"/streams[{effect.streams[0]}]"))
            if effect.streams and resource.spec is not None
            else effect
            for effect in change.effects
        ),
        annotations=resource.annotations,
    )
    return Step(finished, resource, draft.live, draft.spec, draft.update)


def _place(resource: Resource, change: Change) -> Span:
    """Of the first field that changes; of the whole where all of it comes or goes."""
    if resource.spec is None:
        return resource.locate("/state")
    if change.action == "update" and change.fields:
        return place_of(resource, change.fields[0].pointer)
    return resource.locate("/spec")


def _dependencies(
    draft: Draft, all_drafts: Mapping[Address, Draft], claims: Claims
) -> tuple[Address, ...]:
    """A write needs what it refers to; a delete needs everything gone or moved that refers to it."""
    if draft.action == "delete":
        users = claims.on(draft.live)
        keys = [(user.kind, user.id) for user in users]
        addresses = [claims.address_of[key] for key in keys if key in claims.address_of]
    elif isinstance(draft.spec, Connection):
        addresses = referred(draft.spec)
    else:
        addresses = []
    return tuple(sorted(address for address in set(addresses) if address in all_drafts))


def _still_in_use(
    draft: Draft, all_drafts: Mapping[Address, Draft], claims: Claims, situation: Situation
) -> list[str]:
    """Deleting an actor deletes every connection on it (PUB-T 2): each must go or move in this plan, or
    be named in the consent (`--allow delete=connection/<id>`), unless git says that it must stay."""
    named = {
        consent.address.name
        for consent in situation.allow
        if "delete" in consent.effects and consent.address and consent.address.kind == "connection"
    }
    staying = []
    for user in claims.on(draft.live):
        address = claims.address_of.get((user.kind, user.id))
        planned = all_drafts.get(address) if address else None
        protected = (
            address is not None and situation.desired.resources[address].lifecycle.prevent_destroy
        )
        if not _leaves(planned, draft) and (user.id not in named or protected):
            staying.append(f"{address or user.spec.name} ({user.id})")
    if not staying:
        return []
    listed = ", ".join(sorted(staying))
    text = f"Airbyte would delete {len(staying)} connection(s) with it: {listed}; "
    return [text + "delete or move them in git, or name each: --allow delete=connection/<id>"]


def _leaves(user: Draft | None, actor: Draft) -> bool:
    """Whether a connection is no longer on the actor when the plan is done."""
    if user is None or user.action not in ("delete", "replace"):
        return False
    stays_on_it = isinstance(user.spec, Connection) and actor.resource.address in referred(
        user.spec
    )
    return actor.action == "replace" or not stays_on_it


def _fingerprint(draft: Draft, claims: Claims) -> str:
    if draft.live is None:
        return ""
    goes = draft.action in ("delete", "replace")
    return fingerprint(draft.live, claims.on(draft.live) if goes else ())


def fingerprint(found: LiveObject, users: Iterable[LiveObject] = ()) -> str:
    """Digest of a live object; of one that goes, together with its `users`, the connections on it."""
    form = KINDS[found.kind].canonical(found.spec, naming_for({}))
    return digest({"form": form, "connections": sorted(user.id for user in users)})


def _tally(changes: tuple[Change, ...], claims: Claims) -> policy.Tally:
    """Streams stop where they are deselected, and where their connection goes or is made inactive."""
    stopped = [_stopped(change, claims) for change in changes]
    return policy.Tally(
        objects=len(claims.live),
        streams=sum(_stream_count(found) for found in claims.live.values()),
        deletes=sum(1 for c in changes if c.action in ("delete", "replace")),
        updates=sum(1 for c in changes if c.action == "update"),
        stopped=sum(stopped),
        connections=sum(bool(KINDS[address.kind].references) for address in claims.live),
        alone=max(stopped, default=0),
    )


def _stopped(change: Change, claims: Claims) -> int:
    rules = {effect.rule for effect in change.effects}
    if change.action == "delete" or "deactivated" in rules:
        return _stream_count(claims.live[change.address])
    return sum(len(effect.streams) for effect in change.effects if effect.rule == "deselected")


def _stream_count(found: LiveObject) -> int:
    streams = getattr(found.spec, "streams", ())
    return len(streams) if isinstance(streams, tuple) else 0


def _new_tags(steps: Mapping[Address, Step], live: Live) -> tuple[str, ...]:
    wanted = {
        tag
        for step in steps.values()
        if isinstance(step.spec, Connection) and isinstance(step.spec.tags, tuple)
        for tag in step.spec.tags
    }
    return tuple(sorted(wanted.difference(live.tags)))


def _not_covered(
    situation: Situation, claims: Claims, drafted: drafts.Drafted, chosen: frozenset[Address]
) -> NotCovered:
    unmanaged = sorted(
        (found.kind, found.spec.name, found.id)
        for found in situation.live.objects
        if (found.kind, found.id) not in claims.address_of
    )
    return NotCovered(
        unmanaged=tuple(Unmanaged(kind, object_id, name) for kind, name, object_id in unmanaged),
        unstated=tuple(entry for entry in drafted.unstated if entry.address in chosen),
        secrets=tuple(entry for entry in drafted.secrets if entry.address in chosen),
    )
