"""Whether a plan is the one that was reviewed, and in what it is not (design §6.1).

The reviewed plan comes from a file that anybody may have written: it is compared, and nothing of it is
ever taken over. Knows no file and no layout.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal, TypeAlias, TypeVar

from reconciler.core.connector import escape
from reconciler.core.diagnostics import Span, errors
from reconciler.core.diff import FieldChange, json_equal
from reconciler.core.effects import Effect
from reconciler.core.model import UNSET, Address, Json, Resource, Unset
from reconciler.core.places import place_of
from reconciler.core.plan import Change, Plan, TargetLine
from reconciler.core.policy import is_unset_refusal
from reconciler.core.redact import HIDDEN
from reconciler.core.written import STREAMS, Knowledge, Written, is_in, other_writes

Sort: TypeAlias = Literal["new", "gone", "differs"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that is not as reviewed; UNSET: not there at all on that side. A FieldChange stands for
    its two values."""

    name: str
    reviewed: FieldChange | Json | Unset
    now: FieldChange | Json | Unset
    span: Span | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """`subject` is the address of a change, or what else is meant: `target`, `tag gold`, `error CODE`.
    `gone`: it was reviewed and is not in the plan of now."""

    sort: Sort
    subject: str
    details: tuple[Detail, ...] = ()
    span: Span | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`aside`: objects whose reviewed change is the same while they moved in something that git does not
    state. `stated_otherwise`: git as a whole asks for something else than at the review."""

    differences: tuple[Difference, ...]
    aside: tuple[Address, ...] = ()
    stated_otherwise: bool = False

    @property
    def same(self) -> bool:
        return not self.differences


def compare(reviewed: Plan, now: Plan, resources: Mapping[Address, Resource]) -> Comparison:
    """Change for change, by what is shown, what it does to data and who accepted that. `resources`: what
    git states now, for places. What neither plan touches does not count, nor do places in files."""
    elsewhere = tuple(_target(reviewed.target, now.target))
    if elsewhere:
        return Comparison((Difference("differs", "target", elsewhere),))
    before = {change.address: change for change in reviewed.changes}
    after = {change.address: change for change in now.changes}
    unset, unset_now = _unset_in(reviewed), _unset_in(now)
    differences: list[Difference] = []
    aside = []
    for address in sorted({*before, *after}):
        old, new = before.get(address), after.get(address)
        case = _Case(
            address,
            old,
            new,
            resources.get(address),
            unset.get(str(address), frozenset()),
            unset_now.get(str(address), frozenset()),
        )
        found = _one(case)
        if found is not None:
            differences.append(found)
        elif old is not None and new is not None and old.fingerprint != new.fingerprint:
            aside.append(address)
    differences += [*_tags(reviewed, now), *_errors(reviewed, now)]
    return Comparison(tuple(differences), tuple(aside), reviewed.digest != now.digest)


@dataclass(frozen=True, slots=True)
class _Case:
    """`unset`, `unset_now`: pointers of its secrets that the two plans were made without."""

    address: Address
    old: Change | None
    new: Change | None
    resource: Resource | None
    unset: frozenset[str]
    unset_now: frozenset[str]

    def place(self, pointer: str = "") -> Span | None:
        if self.resource is None:
            return None
        return place_of(self.resource, pointer) if pointer else self.resource.locate("/spec")

    def was_unset(self, pointer: str) -> bool:
        return pointer in self.unset

    def unset_within(self, pointer: str) -> bool:
        return any(is_in(at, pointer) for at in self.unset)


# --- one change ------------------------------------------------------------------------------


def _one(case: _Case) -> Difference | None:
    old, new = case.old, case.new
    if new is None:
        assert old is not None  # noqa: S101 - one of the two is there
        if old.action == "update" and old.fields and not _known_by_now(case, old.fields):
            return None
        return _gone(case, old)
    if old is None:
        details = tuple(_fields((), new.fields, case))
        return Difference("new", str(case.address), details, new.span, f"{new.action} {new.name!r}")
    fields = tuple(_fields(_known_by_now(case, old.fields, new.fields), new.fields, case))
    told = frozenset(detail.name for detail in fields)
    details = (
        *_whole(old, new),
        *fields,
        *_effects(old, new, case),
        *_refusals(old, new),
        *(found for found in _writes(old, new, case) if found.name not in told),
        *_moved(old, new),
    )
    return Difference("differs", str(case.address), details, new.span) if details else None


def _gone(case: _Case, old: Change) -> Difference:
    """Where it stands now; where the reviewed plan saw it may be another line by now."""
    note = (
        "no manifest has it any more"
        if case.resource is None
        else "nothing is to be done there now"
    )
    place = case.place()
    return Difference("gone", str(case.address), (), place, f"{old.action} {old.name!r}: {note}")


def _whole(old: Change, new: Change) -> Iterator[Detail]:
    pairs = (
        ("action", old.action, new.action),
        ("name", old.name, new.name),
        ("live id", old.live_id, new.live_id),
    )
    for name, was, becomes in pairs:
        if was != becomes:
            yield Detail(name, was or UNSET, becomes or UNSET)


def _moved(old: Change, new: Change) -> Iterator[Detail]:
    """What goes as a whole goes with what the plan does not show of it. Of what is updated everything that
    is not shown stays as it is."""
    if new.action in ("delete", "replace") and old.fingerprint != new.fingerprint:
        note = "what it is, or the connections on it; a deletion takes all of it along"
        yield Detail("live", "as reviewed", "changed since", note=note)


def _fields(
    before: Iterable[FieldChange], after: Iterable[FieldChange], case: _Case
) -> Iterator[Detail]:
    for pointer, old, new in _pairs(before, after, lambda field: field.pointer):
        if old is None or new is None or not _same_field(old, new, case):
            yield Detail(
                pointer,
                UNSET if old is None else old,
                UNSET if new is None else new,
                case.place(pointer),
                "its value was not set where the reviewed plan was made"
                if case.was_unset(pointer)
                else "",
            )


def _same_field(old: FieldChange, new: FieldChange, case: _Case) -> bool:
    """As shown. Who changed it is a matter of --since, and not of what is written. Where a secret was not
    set at the review and now is, more is hidden now, or has another name: so much is taken loosely, and
    only in a field that holds a secret now."""
    if not (new.secret and case.unset):
        return json_equal(old.before, new.before) and json_equal(old.after, new.after)
    return _loosely(old.before, new.before, new.pointer, _more_is_hidden) and _loosely(
        old.after,
        new.after,
        new.pointer,
        lambda at, was: case.unset_within(at) and _LABELS.fullmatch(was) is not None,
    )


_LABELS: Final = re.compile(r"\$\{[^{}]*\}(, \$\{[^{}]*\})*")
"""What is shown for a value that is a secret as a whole while some of it is not set."""


def _more_is_hidden(_pointer: str, was: str) -> bool:
    """What live showed is hidden by a secret that is known by now; one that turned out to differ is not."""
    return _LABELS.fullmatch(was) is None


def _loosely(
    old: Json | Unset, new: Json | Unset, pointer: str, hidden: Callable[[str, str], bool]
) -> bool:
    """Equal but for texts that are hidden now and may stand for what was shown then: `hidden` says."""
    if isinstance(old, str) and new == HIDDEN and old != HIDDEN:
        return hidden(pointer, old)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(
            _loosely(old[key], new[key], f"{pointer}/{escape(key)}", hidden) for key in old
        )
    if isinstance(old, list) and isinstance(new, list):
        pairs = zip(old, new, strict=False)
        return len(old) == len(new) and all(
            _loosely(was, becomes, f"{pointer}/{index}", hidden)
            for index, (was, becomes) in enumerate(pairs)
        )
    return json_equal(old, new)


def _effects(old: Change, new: Change, case: _Case) -> Iterator[Detail]:
    for _, was, becomes in _pairs(old.effects, new.effects, _effect_key):
        if was is None or becomes is None or was.says != becomes.says:
            some = becomes or was
            assert some is not None  # noqa: S101 - one of the two is there
            place = case.place(f"/streams[{some.streams[0]}]" if some.streams else "")
            yield Detail(f"effect {some.name}", _effect(was), _effect(becomes), place)
        elif was.accepted != becomes.accepted:
            note = "consent is given again where it is applied, by the same flag or manifest"
            yield Detail(
                f"consent for {was.name}",
                was.accepted or UNSET,
                becomes.accepted or UNSET,
                note=note,
            )


def _effect_key(effect: Effect) -> tuple[str, str, tuple[str, ...]]:
    return effect.name, effect.rule, effect.streams


def _effect(effect: Effect | None) -> Json | Unset:
    if effect is None:
        return UNSET
    return {
        "rule": effect.rule,
        "streams": list(effect.streams),
        "says": list(effect.says),
        "accepted": effect.accepted,
    }


def _refusals(old: Change, new: Change) -> Iterator[Detail]:
    """A secret that is not at hand refuses by itself, and is no matter of review."""
    was, becomes = (
        sorted(text for text in change.refusals if not is_unset_refusal(text))
        for change in (old, new)
    )
    if was != becomes:
        yield Detail("refused because", was or UNSET, becomes or UNSET)


# --- secrets, and what else no field shows ---------------------------------------------------


def _unset_in(plan: Plan) -> dict[str, frozenset[str]]:
    """Pointers by address, as text: they come from a file. Streams are numbered there, and may come from
    elsewhere by now: of theirs only that there are some is known."""
    found: dict[str, set[str]] = {}
    for one in plan.diagnostics:
        if one.code == "secret-unset" and one.address:
            pointer = one.pointer.removeprefix("/spec")
            pointer = STREAMS if pointer.startswith("/stream") else pointer
            found.setdefault(one.address, set()).add(pointer)
    return {address: frozenset(pointers) for address, pointers in found.items()}


def _known_by_now(
    case: _Case, before: tuple[FieldChange, ...], after: tuple[FieldChange, ...] = ()
) -> tuple[FieldChange, ...]:
    """The reviewed fields without secrets that were to be sent only because nobody could compare them,
    and that turn out to be what live shows (--resend-secrets)."""
    still = {field.pointer for field in after}
    return tuple(
        field
        for field in before
        if field.pointer in still
        or not (field.secret and field.before == HIDDEN and case.was_unset(field.pointer))
    )


def _writes(old: Change, new: Change, case: _Case) -> Iterator[Detail]:
    knowledge = Knowledge(case.unset, case.unset_now)
    for found in other_writes(old.writes, new.writes, knowledge):
        before, after = (_side(one) for one in (found.before, found.after))
        yield Detail(found.pointer, before, after, case.place(found.pointer), found.why)


def _side(one: Written | None) -> Json | Unset:
    if one is None:
        return UNSET
    return one.label or "a value that no field shows"


# --- what is not one change ------------------------------------------------------------------


def _target(reviewed: TargetLine, now: TargetLine) -> Iterator[Detail]:
    pairs = (
        ("target", reviewed.name, now.name),
        ("address", reviewed.where, now.where),
        ("API", reviewed.api, now.api),
    )
    for name, was, becomes in pairs:
        if was != becomes:
            yield Detail(name, was, becomes)
    if reviewed.workspace_id != now.workspace_id:
        was, becomes = (f"{line.workspace} ({line.workspace_id})" for line in (reviewed, now))
        yield Detail("workspace", was, becomes)


def _tags(reviewed: Plan, now: Plan) -> Iterator[Difference]:
    """One that somebody has made meanwhile is one less to make."""
    for tag in sorted(set(now.new_tags) - set(reviewed.new_tags)):
        yield Difference("new", f"tag {tag}", note="to be created")


def _errors(reviewed: Plan, now: Plan) -> Iterator[Difference]:
    was, becomes = (
        {(found.code, found.address or ""): found for found in errors(plan.diagnostics)}
        for plan in (reviewed, now)
    )
    for key in sorted({*was, *becomes}):
        found = becomes.get(key) or was[key]
        if key in was and key in becomes:
            continue
        subject = f"error {found.code}" + (f" {found.address}" if found.address else "")
        if key in becomes:
            hint = f" -> {found.hint}" if found.hint else ""
            yield Difference("new", subject, span=found.span, note=found.message + hint)
        else:
            note = f"a plan with an error is no approval: {found.message}"
            yield Difference("gone", subject, note=note)


def _pairs(
    before: Iterable[_T], after: Iterable[_T], key: Callable[[_T], Hashable]
) -> Iterator[tuple[str, _T | None, _T | None]]:
    """Both sides by key, in the order of now; what has the same key twice in their order."""
    groups: dict[Hashable, tuple[list[_T], list[_T]]] = {}
    for side, items in ((1, after), (0, before)):
        for item in items:
            groups.setdefault(key(item), ([], []))[side].append(item)
    for name, (olds, news) in groups.items():
        for old, new in zip_longest(olds, news):
            yield str(name), old, new
