"""What a change does to data: the table of design §5, one row a rule, nowhere else.

Rules read canonical forms before and after; they know no API call and no policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.capabilities import Capabilities
from reconciler.core.effects import Effect
from reconciler.core.model import SYNC_MODES, Json, Schedule, SyncMode, Unset
from reconciler.core.normalize import StreamKey, stream_label
from reconciler.core.schedule import canonical_timezone, equal_utc_cron


@dataclass(frozen=True, slots=True)
class StreamCase:
    """A stream before and after; None where it is not selected. `states_protection`: git states both
    mappers and columns of it; `was_protected`: some live stream of the connection has either."""

    before: Mapping[str, Json] | None
    after: Mapping[str, Json] | None
    states_protection: bool = True
    was_protected: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionCase:
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    schedule: Schedule | Unset
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class ActorCase:
    """`configured`: pointers of changed configuration that is no secret. `lost`: pointers of secrets
    that leave. `incremental`: labels of incremental streams of live connections that stay on it."""

    kind: str
    configured: tuple[str, ...] = ()
    rewritten: bool = False
    lost: tuple[str, ...] = ()
    incremental: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: the effect, where the rule comes from, the APIs it holds for, and when.

    `applies` returns what to say (may be empty), or None where the rule does not apply.
    """

    name: str
    effect: str
    source: str
    applies: Callable[..., str | None] = field(repr=False)
    apis: frozenset[str] = frozenset({"public", "config"})


_HELD = frozenset({"append", "append_dedup", "update", "soft_delete"})
_REPLACING = frozenset({"overwrite", "overwrite_dedup"})
_PROTECTING = frozenset({"hashing", "encryption", "field-filtering", "row-filtering"})


def _modes(form: Mapping[str, Json] | None) -> tuple[SyncMode, ...]:
    """The modes a form may mean: a live pair without a name may be any (PUB §4.3)."""
    if form is None:
        return ()
    mode = SYNC_MODES.get(form["syncMode"] or "")
    return (mode,) if mode else tuple(SYNC_MODES.values())


def _when(
    text: str, test: Callable[[SyncMode, SyncMode], bool]
) -> Callable[[StreamCase], str | None]:
    """A rule on the old and the new mode of a stream that stays selected; an unknown old one may be any."""

    def applies(case: StreamCase) -> str | None:
        if case.before is None or case.after is None or not _differs(case, "syncMode"):
            return None
        pairs = [
            (old, new) for old in _modes(case.before) for new in _modes(case.after) if old != new
        ]
        return text if any(test(old, new) for old, new in pairs) else None

    return applies


def _stays_incremental(case: StreamCase) -> bool:
    return any(m.incremental for m in _modes(case.before)) and any(
        m.incremental for m in _modes(case.after)
    )


def _differs(case: StreamCase, name: str) -> bool:
    assert case.before is not None  # noqa: S101 - callers tested both sides
    assert case.after is not None  # noqa: S101
    return bool(case.before.get(name) != case.after.get(name))


def _cursor_changes(case: StreamCase) -> str | None:
    if not _stays_incremental(case) or not _differs(case, "cursorField"):
        return None
    return "the saved position belongs to the old cursor: rows may be missed or read twice"


def _key_changes(case: StreamCase) -> str | None:
    merged = any(m.needs_key for m in _modes(case.before)) and any(
        m.needs_key for m in _modes(case.after)
    )
    if not merged or not _stays_incremental(case) or not _differs(case, "primaryKey"):
        return None
    return "rows already in the table keep the old key: the same row may stand twice"


def _object_name_changes(case: StreamCase) -> str | None:
    if not _stays_incremental(case) or not _differs(case, "destinationObjectName"):
        return None
    return "history stays in the old table; only new rows reach the new one"


def _protections(form: Mapping[str, Json] | None) -> list[tuple[str, str]]:
    mappers = (form or {}).get("mappers") or []
    return [_protection(mapper) for mapper in mappers if mapper["type"] in _PROTECTING]


def _protection(mapper: Mapping[str, Json]) -> tuple[str, str]:
    """What a mapper protects: a hash or a filter of a field; for rows, exactly these conditions."""
    if mapper["type"] == "row-filtering":
        return "row-filtering", str(mapper.get("conditions"))
    return str(mapper["type"]), str(mapper.get("targetField"))


def _mapper_goes(case: StreamCase) -> str | None:
    if case.before is None or case.after is None:
        return None
    kept = _protections(case.after)
    gone = [protection for protection in _protections(case.before) if protection not in kept]
    if not gone:
        return None
    fields = sorted(
        {f'column "{at}" is no longer {_PAST[kind]}' for kind, at in gone if kind in _PAST}
    )
    rows = ["rows that were filtered out are written"] if len(fields) < len(set(gone)) else []
    return "; ".join(fields + rows)


_PAST = {"hashing": "hashed", "encryption": "encrypted", "field-filtering": "left out"}


def _selection_widens(case: StreamCase) -> str | None:
    if case.before is None or case.after is None:
        return None
    old, new = case.before.get("columns", "all"), case.after.get("columns", "all")
    if old in ("all", new):
        return None
    if isinstance(new, Mapping):
        left_out = ", ".join(new["except"])
        return f"every column of the new source but {left_out} is written, whatever it has"
    if new == "all" or not isinstance(old, list):
        return "every column is written, also those that were left out"
    added = sorted(set(new) - set(old))
    return f"newly written: {', '.join(added)}" if added else None


def _selected_without_protection(case: StreamCase) -> str | None:
    if (
        case.before is not None
        or case.after is None
        or not case.was_protected
        or case.states_protection
    ):
        return None
    return "this connection hashes, filters or selects columns; git states neither mappers nor columns here"


def _deselected(case: StreamCase) -> str | None:
    return (
        "no longer synced; its table stays as it is" if case.after is None and case.before else None
    )


STREAM_RULES: Final = (
    Rule(
        "table-replaced",
        "overwrites-table",
        "design §5",
        _when(
            "rows that the source no longer holds are gone from the table",
            lambda old, new: old.destination in _HELD and new.destination in _REPLACING,
        ),
    ),
    Rule(
        "state-deleted",
        "state-loss",
        "PUB-T 3",
        _when(
            "the saved position is deleted; every sync reads the whole table",
            lambda old, new: old.incremental and not new.incremental,
        ),
    ),
    Rule(
        "read-again-into-append",
        "duplicates",
        "design §5",
        _when(
            "the next sync reads everything and appends it to what is there",
            lambda old, new: (
                new.destination == "append" and not (old.incremental and new.incremental)
            ),
        ),
    ),
    Rule(
        "merge-changes",
        "inconsistent",
        "PUB-T 38",
        _when(
            "the saved position stays: old rows are not read again under the new mode",
            lambda old, new: (
                old.incremental and new.incremental and old.destination != new.destination
            ),
        ),
    ),
    Rule("cursor-changes", "inconsistent", "PUB-T 38", _cursor_changes),
    Rule("key-changes", "inconsistent", "PUB-T 38", _key_changes),
    Rule("table-renamed", "inconsistent", "design §5", _object_name_changes),
    Rule("mapper-goes", "pii-exposure", "PUB-T 4", _mapper_goes),
    Rule("selection-widens", "pii-exposure", "PUB-T 4", _selection_widens),
    Rule("selected-unprotected", "pii-exposure", "design §5", _selected_without_protection),
    Rule("deselected", "stops-data", "PUB-T 4", _deselected),
)


def _tables_move(case: ConnectionCase) -> str | None:
    moved = [
        name
        for name in ("destinationNamespace", "prefix")
        if case.before.get(name) != case.after.get(name)
    ]
    if not moved or not staying_incremental(case.before, case.after):
        return None
    return f"{' and '.join(moved)} changes: history stays in the old tables, only new rows reach the new ones"


def staying_incremental(before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[str, ...]:
    """Labels of streams that keep their saved position: selected and incremental before and after."""
    old: Mapping[StreamKey, Json] = before.get("streams") or {}
    new: Mapping[StreamKey, Json] = after.get("streams") or {}
    return tuple(
        stream_label(key)
        for key in sorted(old)
        if _stays_incremental(StreamCase(old[key], new.get(key)))
    )


def _reactivated(case: ConnectionCase) -> str | None:
    turned_on = case.before.get("status") == "inactive" and case.after.get("status") == "active"
    return "inactive -> active" if turned_on else None


def _deactivated(case: ConnectionCase) -> str | None:
    turned_off = case.before.get("status") == "active" and case.after.get("status") == "inactive"
    return "no stream of it is synced any more" if turned_off else None


def _schedule_shifts(case: ConnectionCase) -> str | None:
    schedule = case.schedule
    if not isinstance(schedule, Schedule) or case.before.get("schedule") == case.after.get(
        "schedule"
    ):
        return None
    can = case.capabilities
    if schedule.every is not None and not can.writes_interval_schedules:
        problem = "the public API writes no intervals"
    elif canonical_timezone(schedule.timezone) != "UTC" and not can.writes_time_zones:
        problem = f"the public API stores every cron as UTC, not {schedule.timezone}"
    else:
        return None
    equal = equal_utc_cron(schedule)
    same = f'the same in UTC: {{cron: "{equal}"}}' if equal else "write it as a cron in UTC"
    return f"{problem}; {same}; or use the Configuration API, which writes it as it is"


def _sync_starts(case: ConnectionCase) -> str | None:
    """An interval counts from the last start: never, or long ago, is now. Crons wait for their time."""
    after, before = case.after, case.before
    schedule = after.get("schedule")
    if after.get("status") != "active" or not isinstance(schedule, Mapping):
        return None
    shifts = before.get("schedule") != schedule and not case.capabilities.writes_interval_schedules
    if "every" not in schedule or shifts:
        return None
    if not before:
        return "a new connection with an interval reads everything at once"
    if before.get("status") != "active":
        return "it was inactive for longer than its interval, or never ran"
    if before.get("schedule") != schedule:
        return "if its last sync is longer ago than the new interval"
    return None


def _streams_written(case: ConnectionCase) -> str | None:
    """Streams are written all together: one that changes takes the newest schema of the others along."""
    return "" if case.before.get("streams") != case.after.get("streams") else None


SCHEDULE_RULE: Final = Rule(
    "unwritable-schedule", "schedule-shift", "PUB-T 13", _schedule_shifts, frozenset({"public"})
)

NEW_CONNECTION_RULES: Final = (
    SCHEDULE_RULE,
    Rule("interval-is-due", "starts-sync", "CFG-T 24", _sync_starts),
)
"""What can be said of a connection without an earlier one."""

CONNECTION_RULES: Final = (
    Rule("tables-move", "inconsistent", "design §5", _tables_move),
    Rule("reactivated", "reactivate", "PUB-T 22", _reactivated),
    Rule("deactivated", "stops-data", "design §5", _deactivated),
    Rule("schema-accepted", "accepts-schema", "PUB-T 30", _streams_written),
    *NEW_CONNECTION_RULES,
)

ALSO_ON_REPLACE: Final = frozenset({"overwrites-table", "pii-exposure", "reactivate", "stops-data"})
"""What a change does to data also when the connection is made anew; state and its consequences go anyway."""


def read_again(after: Mapping[str, Json]) -> Iterator[Effect]:
    """A new connection has no saved positions: what appends to the tables that are there does it again."""
    streams: Mapping[StreamKey, Json] = after.get("streams") or {}
    appending = [
        stream_label(key)
        for key in sorted(streams)
        if any(mode.destination == "append" for mode in _modes(streams[key]))
    ]
    if appending:
        text = "the new connection reads everything and appends it to what is there"
        yield Effect("duplicates", "read-again-into-append", tuple(appending), (text,))


def _configuration_moves(case: ActorCase) -> str | None:
    if not case.configured or not case.incremental:
        return None
    return f"{', '.join(case.configured)} changes under saved positions: history may stay elsewhere"


def _secrets_leave(case: ActorCase) -> str | None:
    return f"only the server knows {', '.join(case.lost)}" if case.lost else None


def _cache_expires(case: ActorCase) -> str | None:
    return "" if case.rewritten and case.kind == "source" else None


ACTOR_RULES: Final = (
    Rule("configuration-moves", "inconsistent", "design §5", _configuration_moves),
    Rule("secret-leaves", "secret-loss", "PUB-T 11", _secrets_leave),
    Rule("cache-expires", "rediscover", "PUB-T 29", _cache_expires),
)


def stream_effects(
    cases: Mapping[StreamKey, StreamCase], capabilities: Capabilities
) -> Iterator[Effect]:
    """Effects of a connection's streams: one Effect a rule and saying, with the streams it holds for."""
    for rule in STREAM_RULES:
        if capabilities.api not in rule.apis:
            continue
        by_text: dict[str, list[str]] = {}
        for key in sorted(cases):
            text = rule.applies(cases[key])
            if text is not None:
                by_text.setdefault(text, []).append(stream_label(key))
        for text, streams in sorted(by_text.items()):
            yield Effect(rule.effect, rule.name, tuple(streams), (text,) if text else ())


def object_effects(
    rules: tuple[Rule, ...], case: ConnectionCase | ActorCase, streams: tuple[str, ...], api: str
) -> Iterator[Effect]:
    """Effects of an object as a whole; `streams` are those an `inconsistent` one concerns."""
    for rule in rules:
        text = rule.applies(case) if api in rule.apis else None
        if text is not None:
            concerned = streams if rule.effect == "inconsistent" else ()
            yield Effect(rule.effect, rule.name, concerned, (text,) if text else ())
