"""What a plan says, arranged for reading: decisions first, then changes. No layout, no colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.diagnostics import Span, errors
from reconciler.core.diff import FieldChange
from reconciler.core.effects import Effect
from reconciler.core.model import KEEP
from reconciler.core.plan import Change, Plan
from reconciler.core.written import Written, is_in

FEW = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing to decide: effects of one change on the same streams. `number` counts from 1."""

    number: int
    change: Change
    streams: tuple[str, ...]
    effects: tuple[Effect, ...]
    fields: tuple[FieldChange, ...]
    refusals: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        return bool(self.refusals) or any(effect.blocks for effect in self.effects)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({effect.name for effect in self.effects}))


def decisions(plan: Plan) -> tuple[Decision, ...]:
    """In the order of the changes; effects on the same streams of one change are one decision."""
    found: list[Decision] = []
    for change in plan.changes:
        if change.refusals:
            found.append(Decision(len(found) + 1, change, (), (), (), change.refusals))
        groups: dict[tuple[str, ...], list[Effect]] = {}
        for effect in change.effects:
            if effect.consent != "none":
                groups.setdefault(effect.streams, []).append(effect)
        for streams, effects in sorted(groups.items()):
            fields = tuple(
                field for field in change.fields if field.stream in streams or not streams
            )
            found.append(Decision(len(found) + 1, change, streams, tuple(effects), fields))
    return tuple(found)


def sent_along(change: Change) -> tuple[Written, ...]:
    """What no field shows and goes to Airbyte with the change, where that is a secret or a reference: such
    a value can't be compared with live, so that only where git takes it from tells what it is."""
    shown = {field.pointer for field in change.fields}
    return tuple(
        one
        for one in change.writes
        if one.label not in ("", KEEP.value) and not any(is_in(one.pointer, at) for at in shown)
    )


def keeps(change: Change) -> bool:
    """Whether it holds a secret that only Airbyte knows: then as little as can be is sent along."""
    return any(one.label == KEEP.value for one in change.writes)


def accept_lines(decision: Decision) -> tuple[str, ...]:
    """How the pull request, or a flag, accepts it; nothing where no consent helps."""
    names = [
        effect.name for effect in decision.effects if effect.blocks and effect.consent == "needed"
    ]
    if not names or decision.refusals:
        return ()
    effects = ", ".join(sorted(set(names)))
    written = f"lifecycle: {{allow: [{{effects: [{effects}]"
    if decision.streams:
        streams = ", ".join(decision.streams)
        lines: tuple[str, ...] = (f"{written},", f"                     streams: [{streams}]}}]}}")
    else:
        lines = (f"{written}}}]}}",)
    return (*lines, f"or  --allow {effects.replace(' ', '')}={decision.change.address}")


def place(change: Change) -> str:
    return _file_and_line(change.span)


def decision_place(decision: Decision) -> str:
    """Where its streams stand, else the change."""
    spans = [effect.span for effect in decision.effects if effect.span]
    return _file_and_line(spans[0] if spans else decision.change.span)


def _file_and_line(span: Span | None) -> str:
    return f"{span.file}:{span.line}" if span else ""


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summary(plan: Plan) -> str:
    """The last line: truthful counts."""
    text = (
        f"{plan.count('create')} to create, {plan.count('update')} to change, "
        f"{plan.count('replace')} to replace, {plan.count('delete')} to delete."
    )
    if plan.blocked:
        text += f" {len(plan.blocked)} blocked: apply refuses all of it."
    wrong = errors(plan.diagnostics)
    failed = [found for found in wrong if found.code == "check-failed"]
    if len(failed) < len(wrong):
        text += " There are errors: apply refuses."
    elif failed:
        text += (
            f" {counted(len(failed), 'connection test')} failed: apply --check stops there; "
            "apply without it tests nothing, and writes."
        )
    return text


def listed(names: Iterable[str], most: int = FEW) -> str:
    """The first few names, and how many more."""
    known = list(names)
    if len(known) <= most:
        return ", ".join(known)
    return f"{', '.join(known[:most])} and {len(known) - most} more"
