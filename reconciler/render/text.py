"""Plans, drift, problems and progress as plain text of at most 100 columns, readable without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.core.diagnostics import Diagnostic, errors
from reconciler.core.diff import FieldChange
from reconciler.core.effects import EFFECTS
from reconciler.core.model import UNSET
from reconciler.core.plan import SYMBOLS, Change, Plan
from reconciler.render.clean import clean, value_text
from reconciler.render.view import (
    Decision,
    accept_lines,
    counted,
    decisions,
    listed,
    place,
    summary,
)

WIDTH: Final = 100
LABEL: Final = 18
_MANY_LINES: Final = 12


def plan_text(plan: Plan, *, verbose: bool = False) -> str:
    """What needs deciding first, then the changes, what is not covered, and one line of counts."""
    decided = decisions(plan)
    lines = [*_header(plan), ""]
    lines += problems_lines(plan.diagnostics)
    if decided:
        lines += [*_decision_lines(decided), ""]
    if plan.changes:
        lines += ["CHANGES, in the order they will be made", ""]
        for change in plan.changes:
            lines += [*_change_lines(change, decided, verbose=verbose), ""]
    if plan.new_tags:
        lines += [f"TAGS to be created: {', '.join(map(clean, plan.new_tags))}", ""]
    lines += [*_not_covered_lines(plan), ""]
    lines.append(f"No changes. {plan.unchanged} as in git." if _nothing(plan) else summary(plan))
    return joined(lines)


def _nothing(plan: Plan) -> bool:
    return not plan.changes and not plan.errored


def joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _header(plan: Plan) -> Iterator[str]:
    target = plan.target
    where = f"{clean(target.where)} ({target.api} API)"
    yield from wrapped(
        f'Target {clean(target.name)}: {where}, workspace "{clean(target.workspace)}"'
    )
    if plan.matched_by_name:
        yield f"{plan.matched_by_name} matched by name; pin one with metadata.ids to tell it apart for good."


def wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent]


def problems_lines(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    """Each problem: where, what, next step."""
    lines: list[str] = []
    for diagnostic in diagnostics:
        where = f"{diagnostic.span}: " if diagnostic.span else ""
        head = f"{where}{diagnostic.severity.value.upper()} {diagnostic.code}"
        if diagnostic.address:
            head += f"  {diagnostic.address}"
        lines.append(clean(head))
        lines += wrapped(clean(diagnostic.message), "    ")
        if diagnostic.hint:
            lines += wrapped(f"-> {clean(diagnostic.hint)}", "    ")
    return [*lines, ""] if lines else []


def problems_text(diagnostics: tuple[Diagnostic, ...]) -> str:
    return joined(problems_lines(diagnostics)) if diagnostics else ""


def validated_text(documents: int, diagnostics: tuple[Diagnostic, ...]) -> str:
    found = len(errors(diagnostics))
    warnings = len(diagnostics) - found
    verdict = "invalid" if found else "valid"
    counts = f"{counted(documents, 'manifest')}: {counted(found, 'error')}, {counted(warnings, 'warning')}"
    return joined([*problems_lines(diagnostics), f"{counts}: {verdict}."])


# --- decisions -------------------------------------------------------------------------------


def _decision_lines(decided: tuple[Decision, ...]) -> Iterator[str]:
    blocked = sum(decision.blocked for decision in decided)
    accepted = len(decided) - blocked
    noun = "decision" if len(decided) == 1 else "decisions"
    yield f"DECIDE: {len(decided)} {noun} about data and safety. {blocked} blocked, {accepted} accepted."
    for decision in decided:
        yield ""
        yield from _one_decision(decision)


def _one_decision(decision: Decision) -> Iterator[str]:
    head = f"  [{decision.number}] {'BLOCKED ' if decision.blocked else 'accepted'}  "
    yield head + (", ".join(decision.names) or "refused")
    what = str(decision.change.address)
    if decision.streams:
        noun = "stream" if len(decision.streams) == 1 else "streams"
        what += f", {noun} {clean(listed(decision.streams))}"
    yield _with_place(f"      {what}", place(decision.change))
    if decision.streams and len(decision.fields) <= _MANY_LINES:
        for field in decision.fields:
            yield from _field_lines(field, "      ", _own_name(field))
    for effect in decision.effects:
        for said in effect.says or (EFFECTS[effect.name].says,):
            yield from _hanging("      ", effect.name, said)
        if effect.accepted:
            yield from _hanging("      ", "accepted by", effect.accepted)
    for refusal in decision.refusals:
        yield from _hanging("      ", "because", refusal)
    for index, line in enumerate(accept_lines(decision)):
        yield f"      {'to accept' if index == 0 else '':<{LABEL}}{clean(line)}"


def _hanging(indent: str, name: str, text: str) -> list[str]:
    wrapped = textwrap.wrap(
        clean(text), WIDTH - len(indent) - LABEL, break_long_words=False, break_on_hyphens=False
    )
    return [
        f"{indent}{name if index == 0 else '':<{LABEL}}{line}" for index, line in enumerate(wrapped)
    ]


def _with_place(text: str, where: str) -> str:
    if not where:
        return text
    gap = max(2, WIDTH - len(text) - len(where))
    return f"{text}{' ' * gap}{clean(where)}"


# --- changes ---------------------------------------------------------------------------------


def _change_lines(change: Change, decided: tuple[Decision, ...], *, verbose: bool) -> Iterator[str]:
    numbers = "".join(f" [{d.number}]" for d in decided if d.change is change)
    yield _with_place(f"{SYMBOLS[change.action]} {change.address}{numbers}", place(change))
    if change.action == "delete":
        yield from _hanging("    ", "reason", change.reason)
    if change.action == "create":
        yield f"    {'name':<{LABEL}}{clean(change.name)}"
    plain = [field for field in change.fields if not field.stream]
    for field in plain if verbose else plain[:_MANY_LINES]:
        if not (change.action == "create" and field.pointer == "/name"):
            yield from _field_lines(field, "    ", _own_name(field))
    if len(plain) > _MANY_LINES and not verbose:
        yield f"    … and {len(plain) - _MANY_LINES} more fields (-v shows all)"
    yield from _stream_lines(change, verbose=verbose)
    for effect in change.effects:
        if effect.consent == "none":
            said = "; ".join(effect.says or (EFFECTS[effect.name].says,))
            which = f" ({listed(effect.streams)})" if effect.streams else ""
            yield from _hanging("    ", "effect", f"{effect.name}: {said}{which}")
    for name, value in sorted(change.annotations.items()):
        yield from _hanging("    ", clean(name), str(value))


def _own_name(field: FieldChange) -> str:
    """The field without its surroundings: `host` of /configuration/host, `syncMode` of a stream's."""
    tokens = [token for token in field.pointer.split("/")[1:] if not token.startswith("streams[")]
    if tokens and tokens[0] == "configuration":
        tokens = tokens[1:]
    return clean(".".join(tokens))


def _field_lines(field: FieldChange, indent: str, name: str) -> Iterator[str]:
    label = f"{name or 'stream':<{LABEL}}" if len(name) < LABEL else f"{name}  "
    secret = "(secret) " if field.secret else ""
    before, after = value_text(field.before), value_text(field.after)
    arrow = after if field.before is UNSET else f"{before} -> {after}"
    text = f"{indent}{label}{secret}{arrow}"
    if len(text) <= WIDTH:
        yield text
        return
    yield f"{indent}{label}{secret}{before}"
    yield f"{indent}{'':<15}-> {after}"


def _stream_lines(change: Change, *, verbose: bool) -> Iterator[str]:
    streams: dict[str, list[FieldChange]] = {}
    for field in change.fields:
        if field.stream:
            streams.setdefault(field.stream, []).append(field)
    if not streams:
        return
    yield f"    {'streams':<{LABEL}}{_stream_counts(streams)}"
    shown = list(streams.items()) if verbose else list(streams.items())[:_MANY_LINES]
    for name, fields in shown:
        yield from _one_stream(name, fields)
    if len(streams) > len(shown):
        yield f"      … and {len(streams) - len(shown)} more (-v shows all)"


def _stream_counts(streams: dict[str, list[FieldChange]]) -> str:
    new = sum(_is_new(fields) for fields in streams.values())
    gone = sum(_is_gone(fields) for fields in streams.values())
    parts = [
        (new, "new"),
        (len(streams) - new - gone, "changed"),
        (gone, "deselected"),
    ]
    return ", ".join(f"{count} {noun}" for count, noun in parts if count)


def _is_new(fields: list[FieldChange]) -> bool:
    return fields[0].before is UNSET and fields[0].pointer.endswith("]")


def _is_gone(fields: list[FieldChange]) -> bool:
    return fields[0].after is UNSET and fields[0].pointer.endswith("]")


def _one_stream(name: str, fields: list[FieldChange]) -> Iterator[str]:
    if _is_gone(fields):
        yield f"      - {clean(name)}"
        return
    if _is_new(fields):
        form = fields[0].after or {}
        details = [
            f"{key} {value_text(value)}"
            for key, value in form.items()
            if key != "syncMode" and value
        ]
        yield f"      + {clean(name)}  {', '.join([value_text(form['syncMode']), *details])}"[
            :WIDTH
        ]
        return
    for index, field in enumerate(fields):
        head = f"~ {clean(name)}" if index == 0 else ""
        yield f"      {head}" if head else ""
        yield from _field_lines(field, "          ", _own_name(field))


# --- what the plan does not cover ------------------------------------------------------------


def _not_covered_lines(plan: Plan) -> Iterator[str]:
    covered = plan.not_covered
    yield "NOT COVERED"
    kinds = sorted({found.kind for found in covered.unmanaged})
    counts = [counted(sum(u.kind == kind for u in covered.unmanaged), kind) for kind in kinds]
    yield f"  {'not in any manifest':<34}{', '.join(counts) or 'none'}"
    fields = [
        f"{entry.address} {entry.field}" + (f" ({entry.count})" if entry.count > 1 else "")
        for entry in covered.unstated
    ]
    yield from _counted_list("live values git does not state", fields)
    secrets = [f"{entry.address} {entry.pointer}" for entry in covered.secrets]
    yield from _counted_list("secrets the server hides", secrets)


def _counted_list(name: str, entries: list[str]) -> Iterator[str]:
    if not entries:
        yield f"  {name:<34}none"
        return
    lines = textwrap.wrap(
        clean(f"{len(entries)}: {listed(entries, 4)}"), WIDTH - 36, break_on_hyphens=False
    )
    for index, line in enumerate(lines):
        yield f"  {name if index == 0 else '':<34}{line}"


# --- drift -----------------------------------------------------------------------------------


def drift_text(plan: Plan) -> str:
    """The plan read the other way round: what live is, and what git says."""
    lines = [*_header(plan), "", *problems_lines(plan.diagnostics)]
    for change in plan.changes:
        lines += [*_drift_lines(change), ""]
    lines += [*_not_covered_lines(plan), ""]
    drifted = len(plan.changes)
    lines.append(
        f"{drifted} drifted, {plan.unchanged} as in git." + (" Exit 2." if drifted else "")
    )
    return joined(lines)


_DRIFT: Final = {
    "create": "MISSING",
    "update": "DRIFT",
    "replace": "DRIFT",
    "delete": "STILL THERE",
}


def _drift_lines(change: Change) -> Iterator[str]:
    yield _with_place(f"{_DRIFT[change.action]}  {change.address}", place(change))
    if change.action in ("update", "replace"):
        for field in change.fields:
            name = (
                f"{field.stream} {_own_name(field)}".strip() if field.stream else _own_name(field)
            )
            live, git = value_text(field.before), value_text(field.after)
            yield from _hanging("    ", clean(name), f"live: {live}   git: {git}")
    for name, value in sorted(change.annotations.items()):
        yield from _hanging("    ", clean(name), str(value))
    yield f"    {'undo it':<{LABEL}}reconciler apply {change.address}"
