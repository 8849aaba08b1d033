"""From desired and live to a plan, and to the steps that would carry it out.

The plan is what is shown and saved; the steps hold what is sent and never leave the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core import alongside, drafts, policy
from reconciler.core.alongside import Alongside, Surroundings, stream_count
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
    `ran`: ids of connections left by replacements on which jobs were, or may have been.
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
    ran: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """How one change is carried out. `spec` is the object as it will be (its connector resolved);
    `along` what is gone on with, or goes, beside it."""

    change: Change
    resource: Resource
    live: LiveObject | None
    spec: Spec | None = field(repr=False)
    update: Update | None = field(repr=False, default=None)
    along: Alongside = field(default_factory=Alongside)


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
    around = Surroundings(
        drafted.by_address, claims, situation.desired, situation.allow, situation.ran
    )
    finished = {
        address: _finish(draft, around, situation) for address, draft in around.drafts.items()
    }
    chosen, narrowing = select(
        situation.selection, resources, {a: _needed(step, around) for a, step in finished.items()}
    )
    consents = policy.consents_of(resources, situation.allow)
    steps = {a: _accepted(step, consents) for a, step in finished.items() if a in chosen}
    changes = tuple(
        sorted(
            (s.change for s in steps.values()), key=lambda change: (change.level, change.address)
        )
    )
    effects = {change.address: change.effects for change in changes}
    dealt_with = _along(finished.values())
    diagnostics = (
        *problems,
        *fields_not_in_api(situation.desired, situation.capabilities.api),
        *not_on_this_server(situation.desired, situation.capabilities.lacks),
        *drafted.diagnostics,
        *alongside.left_behind(situation.live, claims, dealt_with, situation.target.name),
        *narrowing,
        *policy.stale_flags(situation.allow, resources, effects),
        *policy.stale_consents({a: resources[a] for a in sorted(chosen)}, effects),
        *policy.check_stated(situation.desired, situation.live, allowed=situation.allow_empty),
        *policy.check_limits(
            _tally(tuple(steps.values()), claims), situation.limits, situation.expected
        ),
    )
    plan = Plan(
        target=situation.target,
        digest=desired_digest(situation.desired),
        changes=changes,
        diagnostics=in_order(diagnostics),
        unchanged=len(chosen.intersection(drafted.unchanged)),
        matched_by_name=claims.by_name,
        new_tags=_new_tags(steps, situation.live),
        not_covered=_not_covered(situation, claims, drafted, chosen, _along(steps.values())),
        complete=not any(_left_for_apply(change, situation) for change in changes),
    )
    return Planned(plan, steps, claims, situation.allow_running)


def _along(steps: Iterable[Step]) -> frozenset[str]:
    return frozenset(object_id for step in steps for object_id in step.along.ids)


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


def _finish(draft: Draft, around: Surroundings, situation: Situation) -> Step:
    """A draft with its place in the order, what it depends on and what forbids it."""
    resource, change, claims = draft.resource, draft.change, around.claims
    assert change is not None  # noqa: S101 - only drafts with a change are finished
    along = alongside.alongside(draft, around)
    effects = change.effects
    if change.action in alongside.GOING:
        effects = alongside.effects_of(along, change.action, effects)
    deletes = change.action == "delete"
    finished = replace(
        change,
        refusals=tuple(_refusals(draft, along, situation)),
        level=level_of(resource.address.kind, deletes=deletes, references=REFERENCES),
        depends_on=_dependencies(draft, around),
        fingerprint=_fingerprint(draft, claims),
        span=_place(resource, change),
        effects=tuple(
            replace(effect, span=place_of(resource, f"/streams[{effect.streams[0]}]"))
            if effect.streams and resource.spec is not None
            else effect
            for effect in effects
        ),
        annotations=resource.annotations,
    )
    return Step(finished, resource, draft.live, draft.spec, draft.update, along)


def _refusals(draft: Draft, along: Alongside, situation: Situation) -> Iterator[str]:
    resource, change = draft.resource, draft.change
    assert change is not None  # noqa: S101 - see _finish
    yield from change.refusals
    yield from policy.locked_refusal(draft.live)
    if change.action in alongside.GOING and resource.lifecycle.prevent_destroy:
        yield "lifecycle.preventDestroy is set: no flag lifts it, only a change in git"
    yield from alongside.refusals_of(along)
    if change.action == "replace" and resource.pin is not None:
        yield "metadata.ids pins it: a replacement has another id, so take the pin out first"
    if situation.applying and draft.unset:
        yield policy.unset_refusal(draft.unset)


def _place(resource: Resource, change: Change) -> Span:
    """Of the first field that changes; of the whole where all of it comes or goes."""
    if resource.spec is None:
        return resource.locate("/state")
    if change.action == "update" and change.fields:
        return place_of(resource, change.fields[0].pointer)
    return resource.locate("/spec")


def _dependencies(draft: Draft, around: Surroundings) -> tuple[Address, ...]:
    """A write needs what it refers to; a delete needs everything gone or moved that refers to it."""
    if draft.action == "delete":
        return alongside.managed_users(draft, around)
    if not isinstance(draft.spec, Connection):
        return ()
    return tuple(sorted(a for a in set(referred(draft.spec)) if a in around.drafts))


def _needed(step: Step, around: Surroundings) -> tuple[Address, ...]:
    """What can't be left out where this is done: a replacement ends only when nothing uses the old one."""
    if step.change.action != "replace":
        return step.change.depends_on
    draft = around.drafts[step.change.address]
    return (*step.change.depends_on, *alongside.managed_users(draft, around))


def _fingerprint(draft: Draft, claims: Claims) -> str:
    if draft.live is None:
        return ""
    goes = draft.action in ("delete", "replace")
    return fingerprint(draft.live, claims.on(draft.live) if goes else ())


def fingerprint(found: LiveObject, users: Iterable[LiveObject] = ()) -> str:
    """Digest of a live object; of one that goes, together with its `users`, the connections on it."""
    form = KINDS[found.kind].canonical(found.spec, naming_for({}))
    return digest({"form": form, "connections": sorted(user.id for user in users)})


def _tally(steps: tuple[Step, ...], claims: Claims) -> policy.Tally:
    """Streams stop where they are deselected, and where their connection goes or is made inactive. What goes
    along with a change counts like a change of its own."""
    own = [_stopped(step.change, claims) for step in steps]
    stopped = [*own, *(stream_count(found) for step in steps for found in step.along.deleted)]
    along = {found.id: found for step in steps for found in step.along.deleted}
    known = {found.id: found for found in claims.live.values()} | along
    actions = [step.change.action for step in steps]
    return policy.Tally(
        objects=len(known),
        streams=sum(map(stream_count, known.values())),
        deletes=sum(action in alongside.GOING for action in actions)
        + sum(len(step.along.deleted) for step in steps),
        updates=actions.count("update"),
        stopped=sum(stopped),
        connections=sum(bool(KINDS[found.kind].references) for found in known.values()),
        alone=max(stopped, default=0),
    )


def _stopped(change: Change, claims: Claims) -> int:
    rules = {effect.rule for effect in change.effects}
    if change.action == "delete" or "deactivated" in rules:
        return stream_count(claims.live[change.address])
    return sum(len(effect.streams) for effect in change.effects if effect.rule == "deselected")


def _new_tags(steps: Mapping[Address, Step], live: Live) -> tuple[str, ...]:
    wanted = {
        tag
        for step in steps.values()
        if isinstance(step.spec, Connection) and isinstance(step.spec.tags, tuple)
        for tag in step.spec.tags
    }
    return tuple(sorted(wanted.difference(live.tags)))


def _not_covered(
    situation: Situation,
    claims: Claims,
    drafted: drafts.Drafted,
    chosen: frozenset[Address],
    handled: frozenset[str],
) -> NotCovered:
    """`handled`: ids of what goes along with what is done, or is gone on with."""
    unmanaged = sorted(
        (found.kind, found.spec.name, found.id)
        for found in situation.live.objects
        if (found.kind, found.id) not in claims.address_of and found.id not in handled
    )
    return NotCovered(
        unmanaged=tuple(Unmanaged(kind, object_id, name) for kind, name, object_id in unmanaged),
        unstated=tuple(entry for entry in drafted.unstated if entry.address in chosen),
        secrets=tuple(entry for entry in drafted.secrets if entry.address in chosen),
    )
