"""What an apply did: a line for each change, and truthful counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.core.diagnostics import errors
from reconciler.core.encode import FORMAT_VERSION, encode_diagnostic, encode_plan
from reconciler.core.events import Done, Event, Failed, Outcome, Skipped
from reconciler.core.lastlook import StillDiffers
from reconciler.core.model import Json
from reconciler.core.plan import SYMBOLS, Change, Plan, TargetLine
from reconciler.render.clean import clean
from reconciler.render.lastlook import differing_lines, encode_differing
from reconciler.render.layout import joined, wrapped
from reconciler.render.problems import problems_lines
from reconciler.render.then import follow_up

_PAST: Final = {
    "create": "created",
    "update": "changed",
    "replace": "replaced",
    "delete": "deleted",
}


def event_line(event: Event) -> str:
    """One line, and for trouble its reason below it."""
    head = f"  {SYMBOLS[event.change.action]} {event.change.address!s:<56}"
    if isinstance(event, Done):
        noted = wrapped(clean(event.note), "      ") if event.note else []
        return "\n".join([f"{head} done {event.seconds:6.1f} s", *noted])
    if isinstance(event, Skipped):
        return "\n".join([f"{head} skipped", *wrapped(clean(event.reason), "      ")])
    if isinstance(event, Failed):
        lines = [f"{head} {'OUTCOME UNKNOWN' if event.unknown else 'FAILED'}"]
        lines += wrapped(clean(event.message), "      ")
        lines += wrapped(clean(_gone(event.gone)), "      ") if event.gone else []
        lines += wrapped(f"-> {clean(event.hint)}", "      ") if event.hint else []
        return "\n".join(lines)
    return f"{head} …"


def outcome_text(
    outcome: Outcome,
    remaining: Plan | None,
    note: str = "",
    target: TargetLine | None = None,
    differing: Iterable[StillDiffers] = (),
) -> str:
    lines = ["", *_read_back_lines(outcome, remaining, note, differing)]
    counts = [f"{_count(outcome, action)} {past}" for action, past in _PAST.items()]
    unknown = sum(failure.unknown for failure in outcome.failed)
    counts += [f"{len(outcome.failed) - unknown} failed", f"{len(outcome.skipped)} skipped"]
    counts += [f"{unknown} of unknown outcome"] if unknown else []
    lines.append(", ".join(counts) + ".")
    lines += _left_lines(outcome, target) if target is not None else []
    if outcome.interrupted:
        lines.append("Interrupted: apply again to finish.")
    return joined(lines)


def _read_back_lines(
    outcome: Outcome, remaining: Plan | None, note: str, differing: Iterable[StillDiffers]
) -> list[str]:
    """Calm only where every change was made, read back, and planned again without a complaint."""
    lines = wrapped(f"What was written {clean(note)}", "") if note else []
    if remaining is None:
        return lines
    for found in differing:
        lines += [*differing_lines(found), ""]
    wrong = errors(remaining.diagnostics)
    if wrong:
        lines += ["Read back and planned again, which finds:", *problems_lines(wrong)]
    if not lines and not remaining.changes and outcome.done and outcome.whole:
        lines.append("Read back and planned again: no difference.")
    return lines


def _left_lines(outcome: Outcome, target: TargetLine) -> list[str]:
    left = [then for done in outcome.done if (then := follow_up(done.change, target))]
    if not left:
        return []
    lines = ["Left for you, so that old and new rows follow one rule again:"]
    return lines + [line for then in left for line in wrapped(then, "  ")]


def _count(outcome: Outcome, action: str) -> int:
    """Of deletions also those of objects that went with another one, and before a change failed."""
    along = 0
    if action == "delete":
        along = sum(done.change.along for done in outcome.done)
        along += sum(len(failed.gone) for failed in outcome.failed)
    return sum(done.change.action == action for done in outcome.done) + along


def _gone(names: tuple[str, ...]) -> str:
    return f"deleted before it failed: {', '.join(names)}"


def encode_outcome(
    plan: Plan,
    outcome: Outcome | None,
    remaining: Plan | None,
    note: str = "",
    differing: Iterable[StillDiffers] = (),
) -> dict[str, Json]:
    """The plan, what became of each change, and what a fresh plan still finds. No outcome: not written;
    not read back: nothing was written, or a `note` says why."""
    return {
        "formatVersion": FORMAT_VERSION,
        "plan": encode_plan(plan),
        "written": outcome is not None and outcome.wrote,
        "results": [] if outcome is None else _results(plan, outcome),
        "remaining": [encode_differing(found) for found in differing],
        "readBack": remaining is not None,
        "note": note,
        "diagnostics": []
        if remaining is None
        else [encode_diagnostic(found) for found in errors(remaining.diagnostics)],
        "interrupted": outcome is not None and outcome.interrupted,
    }


def _results(plan: Plan, outcome: Outcome) -> list[Json]:
    by_change: dict[str, Json] = {}
    for done in outcome.done:
        by_change[_key(done.change)] = {
            "status": "done",
            "seconds": round(done.seconds, 3),
            "note": done.note,
        }
    for failed in outcome.failed:
        status = "unknown" if failed.unknown else "failed"
        by_change[_key(failed.change)] = {
            "status": status,
            "message": failed.message,
            "hint": failed.hint,
            "written": failed.written,
            "moved": failed.moved,
            "deleted": list(failed.gone),
        }
    for skipped in outcome.skipped:
        by_change[_key(skipped.change)] = {"status": "skipped", "message": skipped.reason}
    return [
        {"address": str(change.address), "action": change.action, **by_change[_key(change)]}
        for change in plan.changes
    ]


def _key(change: Change) -> str:
    return str(change.address)
