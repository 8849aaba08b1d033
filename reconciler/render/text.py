"""A plan as plain text of at most 100 columns, readable without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from reconciler.core.diff import FieldChange
from reconciler.core.effects import EFFECTS
from reconciler.core.model import UNSET, Json
from reconciler.core.plan import SYMBOLS, Change, Plan
from reconciler.core.redact import HIDDEN
from reconciler.render.clean import clean, value_text, value_texts
from reconciler.render.layout import LABEL, WIDTH, hanging, joined, with_place, wrap, wrapped
from reconciler.render.problems import problems_lines
from reconciler.render.target import target_lines
from reconciler.render.then import follow_up
from reconciler.render.view import (
    Decision,
    accept_lines,
    counted,
    decision_place,
    decisions,
    keeps,
    listed,
    place,
    sent_along,
    summary,
)

_MANY_LINES: Final = 12


def plan_text(plan: Plan, *, verbose: bool = False) -> str:
    """What needs deciding first, then the changes, what is not covered, and one line of counts."""
    decided = decisions(plan)
    lines = [*header(plan), ""]
    lines += problems_lines(plan.diagnostics)
    if decided:
        lines += [*_decision_lines(decided), ""]
    if plan.changes:
        lines += ["CHANGES, in the order they will be made", ""]
        for change in plan.changes:
            lines += _change_lines(change, decided, verbose=verbose)
            then = follow_up(change, plan.target)
            lines += [*(hanging("    ", "then", then) if then else ()), ""]
    if not plan.complete:
        waiting = (
            "streams of new or changed connections on sources that do not exist yet, or that change"
        )
        lines += [*wrapped(f"CHECKED AT APPLY: {waiting}."), ""]
    if plan.new_tags:
        lines += [f"TAGS to be created: {', '.join(map(clean, plan.new_tags))}", ""]
    lines += [*not_covered_lines(plan), ""]
    lines.append(f"No changes. {plan.unchanged} as in git." if _nothing(plan) else summary(plan))
    return joined(lines)


def _nothing(plan: Plan) -> bool:
    return not plan.changes and not plan.errored


def header(plan: Plan) -> Iterator[str]:
    yield from target_lines(plan.target)
    if plan.matched_by_name:
        yield f"{plan.matched_by_name} matched by name; pin one with metadata.ids to tell it apart for good."


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
    what = clean(str(decision.change.address))
    if decision.streams:
        noun = "stream" if len(decision.streams) == 1 else "streams"
        what += f", {noun} {clean(listed(decision.streams))}"
    yield with_place(f"      {what}", decision_place(decision))
    if decision.streams and len(decision.fields) <= _MANY_LINES:
        for field in decision.fields:
            several = len(decision.streams) > 1 and own_name(field)
            name = f"{clean(field.stream)} {own_name(field)}" if several else own_name(field)
            yield from _field_lines(field, "      ", name or clean(field.stream))
    for effect in decision.effects:
        for said in effect.says or (EFFECTS[effect.name].says,):
            yield from hanging("      ", effect.name, said)
        if effect.accepted:
            yield from hanging("      ", "accepted by", effect.accepted)
    for refusal in decision.refusals:
        yield from hanging("      ", "because", refusal)
    for index, line in enumerate(accept_lines(decision)):
        yield f"      {'to accept' if index == 0 else '':<{LABEL}}{clean(line)}"


# --- changes ---------------------------------------------------------------------------------


def _change_lines(change: Change, decided: tuple[Decision, ...], *, verbose: bool) -> Iterator[str]:
    numbers = "".join(f" [{d.number}]" for d in decided if d.change is change)
    head = clean(f"{SYMBOLS[change.action]} {change.address}{numbers}")
    yield with_place(head, place(change))
    if change.reason and change.action in ("delete", "update"):
        yield from hanging("    ", "reason", change.reason)
    if change.action == "create":
        yield f"    {'name':<{LABEL}}{clean(change.name)}"
    plain = [field for field in change.fields if not field.stream]
    if change.action == "create":
        plain = [
            field for field in plain if field.pointer != "/name" and field.after not in ("", [])
        ]
    for field in plain if verbose else plain[:_MANY_LINES]:
        yield from _field_lines(field, "    ", own_name(field))
    if len(plain) > _MANY_LINES and not verbose:
        yield f"    … and {len(plain) - _MANY_LINES} more fields (-v shows all)"
    along = ", ".join(f"{dotted(one.pointer)} {one.label}" for one in sent_along(change))
    if along:
        yield from hanging("    ", "may go along" if keeps(change) else "sent along", along)
    yield from _stream_lines(change, verbose=verbose)
    for effect in change.effects:
        if effect.consent == "none":
            said = "; ".join(effect.says or (EFFECTS[effect.name].says,))
            which = f" ({listed(effect.streams)})" if effect.streams else ""
            yield from hanging("    ", "effect", f"{effect.name}: {said}{which}")
    for name, value in sorted(change.annotations.items()):
        yield from hanging("    ", clean(name), str(value))


_WHY: Final = {"live": "   (changed in Airbyte)", "both": "   (changed in git and in Airbyte)"}


def own_name(field: FieldChange) -> str:
    """The field without its surroundings: `host` of /configuration/host, `syncMode` of a stream's."""
    tokens = [token for token in field.pointer.split("/")[1:] if not token.startswith("streams[")]
    return clean(dotted("/".join(["", *tokens])))


def dotted(pointer: str) -> str:
    """`credentials.password` of /configuration/credentials/password."""
    return pointer.removeprefix("/").removeprefix("configuration/").replace("/", ".")


def _field_lines(field: FieldChange, indent: str, name: str) -> Iterator[str]:
    label = f"{name or 'stream':<{LABEL}}" if len(name) < LABEL else f"{name}  "
    secret = "(secret) " if field.secret else ""
    before, after = field_sides(field)
    if field.secret and before == HIDDEN and field.after is not UNSET:
        before = "another value"
    arrow = after if field.before is UNSET else f"{before} -> {after}"
    text = f"{indent}{label}{secret}{arrow}{_WHY.get(field.why, '')}"
    if len(text) <= WIDTH:
        yield text
        return
    if field.before is not UNSET:
        yield f"{indent}{label}{secret}{before}"
        label, after = f"{'':<15}", f"-> {after}"
    first, *rest = wrap(after, WIDTH - len(indent) - max(len(label), LABEL)) or [""]
    yield f"{indent}{label}{first}"
    yield from (f"{indent}{'':<{LABEL}}{line}" for line in rest)


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


def field_sides(field: FieldChange) -> tuple[str, str]:
    """Both values of a field; of a stream that comes or goes, its selection."""
    sides = field.before, field.after
    if field.stream and field.pointer.endswith("]"):
        before, after = (selection(s) if isinstance(s, Mapping) else value_text(s) for s in sides)
        return before, after
    return value_texts(*sides)


def selection(form: Mapping[str, Json]) -> str:
    """`incremental_append, cursorField updated_at, columns all`: the mode first, nothing that is empty."""
    details = [
        f"{key} {value_text(value)}" for key, value in form.items() if key != "syncMode" and value
    ]
    return ", ".join([value_text(form.get("syncMode")), *details])


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
        first, *rest = wrapped(f"+ {clean(name)}  {selection(form)}", "          ")
        yield f"      {first.strip()}"
        yield from rest
        return
    yield f"      ~ {clean(name)}"
    for field in fields:
        yield from _field_lines(field, "          ", own_name(field))


# --- what the plan does not cover ------------------------------------------------------------


def not_covered_lines(plan: Plan) -> Iterator[str]:
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
    lines = wrap(clean(f"{len(entries)}: {listed(entries, 4)}"), WIDTH - 36)
    for index, line in enumerate(lines):
        yield f"  {name if index == 0 else '':<34}{line}"
