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
from reconciler.core.model import Address, Consent, Resource
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


@dataclass(frozen=True, slots=True)
class Tally:
    """What a plan does, in numbers, against what the project claims of live."""

    objects: int
    streams: int
    deletes: int
    updates: int
    stopped: int


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


def check_limits(tally: Tally, limits: Limits, expected: Expected) -> tuple[Diagnostic, ...]:
    """One diagnostic for each limit that is passed, with the numbers and the flag that states them, and
    for each number that was stated and is exceeded. Flags count objects: streams go with them."""
    checks = (
        ("deletes", tally.deletes, tally.objects, "objects", limits.deletes, expected.deletes),
        ("deletes", tally.stopped, tally.streams, "streams", limits.deletes, expected.stops),
        ("updates", tally.updates, tally.objects, "objects", limits.updates, expected.updates),
    )
    stated = (
        ("deletes", tally.deletes, expected.deletes),
        ("updates", tally.updates, expected.updates),
        ("stops", tally.stopped, expected.stops),
    )
    return _past_limits(checks) + tuple(
        Diagnostic(
            code=f"limit-{what}",
            message=f"{count} {what}, and at most {number} were meant",
            hint=f"if that is meant, state the number: --max-{what} {count}",
        )
        for what, count, number in stated
        if number is not None and count > number
    )


_Check = tuple[str, int, int, str, float | None, int | None]
"""(what, count, population, noun, limit in percent, the number that was stated)."""


def _past_limits(checks: Iterable[_Check]) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(
            code=f"limit-{what}",
            message=f"{count} of {population} {noun} ({count / population:.0%}): more than the limit of "
            f"{limit:g}% for {what}",
            hint=f"if that is meant, state the number: {_FLAGS[what, noun]} {count}",
        )
        for what, count, population, noun, limit, stated in checks
        if limit is not None
        and population > 0
        and count * 100 > limit * population
        and stated is None
    )
