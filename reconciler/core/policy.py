"""Who accepted what: consent for effects, and the guards that no consent lifts.

Decides about values only; a guard that can't be evaluated refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.effects import EFFECTS, Effect
from reconciler.core.kinds import KINDS
from reconciler.core.model import Address, Consent, Desired, Live, LiveObject, Resource
from reconciler.core.target import Limits


def parse_consent(text: str) -> Consent:
    """`EFFECT[,EFFECT][=ADDRESS]` of --allow. Raises ValueError with what is wrong."""
    names, equals, address = text.partition("=")
    effects = tuple(name.strip() for name in names.split(",") if name.strip())
    known = sorted(name for name, kind in EFFECTS.items() if kind.consent == "needed")
    for name in effects:
        if name not in known:
            raise ValueError(f"{name!r} is no effect that takes consent; known: {', '.join(known)}")
    if not effects:
        raise ValueError("no effect given; write e.g. --allow state-loss=connection/shop-to-lake")
    if not equals:
        return Consent(effects)
    where = Address.parse(address)
    if where.kind not in KINDS:
        raise ValueError(f"{where.kind!r} is no kind; known: {', '.join(sorted(KINDS))}")
    return Consent(effects, (), where)


_UNSET: Final = "not set in this environment: "


def unset_refusal(labels: Iterable[str]) -> str:
    return f"{_UNSET}{', '.join(labels)}"


def is_unset_refusal(text: str) -> bool:
    """Whether a change is refused only for secrets that this environment doesn't have."""
    return text.startswith(_UNSET)


@dataclass(frozen=True, slots=True)
class Consents:
    """What was accepted, by flag (`flags`) and in each manifest (`manifests`)."""

    flags: tuple[Consent, ...]
    manifests: Mapping[Address, tuple[Consent, ...]]


def consents_of(resources: Mapping[Address, Resource], flags: tuple[Consent, ...]) -> Consents:
    return Consents(
        flags, {address: resource.lifecycle.allow for address, resource in resources.items()}
    )


def accept(effects: Iterable[Effect], address: Address, consents: Consents) -> tuple[Effect, ...]:
    """The effects with `accepted` filled in where a consent covers them."""
    decided = []
    for effect in effects:
        if effect.consent != "needed" or effect.accepted:
            decided.append(effect)
            continue
        by_flag = [c for c in consents.flags if c.address is None or c.address == address]
        if _covers(by_flag, effect):
            decided.append(replace(effect, accepted="--allow"))
        elif _covers(consents.manifests.get(address, ()), effect):
            decided.append(replace(effect, accepted="lifecycle.allow"))
        else:
            decided.append(effect)
    return tuple(decided)


def _covers(consents: Iterable[Consent], effect: Effect) -> bool:
    """Consents add up: an effect on two streams may be accepted by two entries."""
    open_streams = set(effect.streams)
    for consent in consents:
        if effect.name not in consent.effects:
            continue
        if not consent.streams:
            return True
        open_streams -= {label for label in open_streams if _named(label, consent.streams)}
        if effect.streams and not open_streams:
            return True
    return False


def _named(label: str, streams: tuple[str, ...]) -> bool:
    """A stream may be named with its namespace, or without where git does not state one."""
    return any(label == name or label.endswith(f".{name}") for name in streams)


def stale_flags(
    flags: Iterable[Consent],
    resources: Mapping[Address, Resource],
    effects: Mapping[Address, tuple[Effect, ...]],
) -> tuple[Diagnostic, ...]:
    """What --allow accepts and nothing in this plan needs. An address that is no resource's may be the
    id of a live connection that goes with its source; then it is not judged here."""
    return tuple(
        Diagnostic(
            code="stale-allow",
            message=f"nothing in this plan needs --allow {name}"
            + (f"={consent.address}" if consent.address else ""),
            hint="leave it out, so that it does not accept a later change unseen",
            severity=Severity.WARNING,
        )
        for consent in flags
        if consent.address is None
        or consent.address in resources
        or "delete" not in consent.effects
        for name in consent.effects
        if not any(
            effect.name == name
            for address, found in effects.items()
            if consent.address in (None, address)
            for effect in found
        )
    )


def stale_consents(
    resources: Mapping[Address, Resource], effects: Mapping[Address, tuple[Effect, ...]]
) -> tuple[Diagnostic, ...]:
    """Manifest entries that nothing in this plan needs."""
    return tuple(
        Diagnostic(
            code="stale-allow",
            message=f"nothing in this plan needs consent for {name}",
            hint="remove it from lifecycle.allow, so that it does not accept a later change unseen",
            severity=Severity.WARNING,
            span=resource.locate(f"/spec/lifecycle/allow/{index}"),
            address=str(address),
            pointer=f"/spec/lifecycle/allow/{index}",
        )
        for address, resource in resources.items()
        for index, consent in enumerate(resource.lifecycle.allow)
        for name in consent.effects
        if not any(
            effect.name == name and _concerns(consent, effect)
            for effect in effects.get(address, ())
        )
    )


def _concerns(consent: Consent, effect: Effect) -> bool:
    return not consent.streams or any(_named(label, consent.streams) for label in effect.streams)


# --- Guards that no consent lifts -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """What a plan does, in numbers, against what the project claims of live. `streams` and `connections`
    are all of them; `stopped` of the streams stop, `alone` of them with the one change that stops most."""

    objects: int
    streams: int
    deletes: int
    updates: int
    stopped: int
    connections: int = 0
    alone: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """`--max-deletes`, `--max-updates`, `--max-stops`: the numbers of objects and of streams that
    somebody stated; None: not stated."""

    deletes: int | None = None
    updates: int | None = None
    stops: int | None = None


_FLAGS: Final = {
    ("deletes", "objects"): "--max-deletes",
    ("deletes", "streams"): "--max-stops",
    ("updates", "objects"): "--max-updates",
}


@dataclass(frozen=True, slots=True)
class _Check:
    """`share`: the limit in percent; `room`: so many pass it in any case; `stated`: by a flag."""

    what: str
    noun: str
    count: int
    population: int
    share: float | None
    room: int
    stated: int | None

    @property
    def passed(self) -> bool:
        return (
            self.share is not None
            and self.stated is None
            and self.count > self.room
            and self.count * 100 > self.share * self.population
        )


def check_limits(tally: Tally, limits: Limits, expected: Expected) -> tuple[Diagnostic, ...]:
    """One diagnostic for each limit that is passed, with the numbers and the flag that states them, and
    for each number that was stated and is exceeded. Flags count objects: streams go with them.

    A share that is not 0 always leaves room for one change: 30% of two objects is one, and never two. What
    one change stops are the streams of one connection, where a single one is more than the share of all.
    """
    deletes, updates = limits.deletes, limits.updates
    checks = (
        _Check(
            "deletes",
            "objects",
            tally.deletes,
            tally.objects,
            deletes,
            _one(deletes),
            expected.deletes,
        ),
        _Check(
            "deletes",
            "streams",
            tally.stopped,
            tally.streams,
            deletes,
            _one_connection(deletes, tally),
            expected.stops,
        ),
        _Check(
            "updates",
            "objects",
            tally.updates,
            tally.objects,
            updates,
            _one(updates),
            expected.updates,
        ),
    )
    stated = (
        ("deletes", tally.deletes, expected.deletes),
        ("updates", tally.updates, expected.updates),
        ("stops", tally.stopped, expected.stops),
    )
    return tuple(map(_past_limit, (check for check in checks if check.passed))) + tuple(
        Diagnostic(
            code=f"limit-{what}",
            message=f"{count} {what}, and at most {number} were meant",
            hint=f"if that is meant, state the number: --max-{what} {count}",
        )
        for what, count, number in stated
        if number is not None and count > number
    )


def _one(share: float | None) -> int:
    return 1 if share else 0


def _one_connection(share: float | None, tally: Tally) -> int:
    if not share:
        return 0
    tiny = share * tally.connections < 100  # noqa: PLR2004 - percent
    return max(1, tally.alone) if tiny else 1


def _past_limit(check: _Check) -> Diagnostic:
    whole = check.population
    part = f" ({check.count / whole:.0%})" if whole else ""
    return Diagnostic(
        code=f"limit-{check.what}",
        message=f"{check.count} of {whole} {check.noun}{part}: more than the limit of "
        f"{check.share:g}% for {check.what}",
        hint=f"if that is meant, state the number: {_FLAGS[check.what, check.noun]} {check.count}",
    )


def check_stated(desired: Desired, live: Live, *, allowed: bool) -> tuple[Diagnostic, ...]:
    """No manifest means this target while its workspace holds something: a branch, folder or target that
    is not the one that was meant would read as "no changes". `allowed`: --allow-empty."""
    if desired.resources or not live.objects or allowed:
        return ()
    kinds = sorted({found.kind for found in live.objects})
    counts = [(sum(found.kind == kind for found in live.objects), kind) for kind in kinds]
    there = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for count, kind in counts)
    return (
        Diagnostic(
            code="nothing-stated",
            message=f"no manifest is for this target, while its workspace has {there}",
            hint="is it the right folder, branch and target, and what do metadata.targets say? If nothing "
            "is meant to be stated here: --allow-empty",
        ),
    )


def locked_refusal(live: LiveObject | None) -> tuple[str, ...]:
    """Airbyte refuses every change of a connection that it has locked (PUB-T 40)."""
    if live is None or getattr(live.spec, "status", None) != "locked":
        return ()
    return (_LOCKED,)


_LOCKED: Final = (
    "Airbyte has locked this connection, and takes no change of it: its page there says why; "
    "to do the rest without it: --exclude"
)
