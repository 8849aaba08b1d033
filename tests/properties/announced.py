"""What happened to the data, against what a plan announced. The rules are told again here from what is
stored before and after, in the words of design §5: nothing is taken from the product but the plan.

Each violation is a line; none is what every law wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.model import Address
from reconciler.core.plan import Change, Plan
from reconciler.emulator import rows
from tests.properties.features import event
from tests.properties.stored import Actor, Connection, Stored, label
from tests.properties.worlds import World

HELD = {"append", "append_dedup", "update", "soft_delete"}
REPLACING = {"overwrite", "overwrite_dedup"}
MERGING = {"append_dedup", "update", "soft_delete"}
PROTECTING = {"hashing", "encryption", "field-filtering", "row-filtering"}


@dataclass(frozen=True)
class Course:
    """One apply. `named`: ids of connections whose deletion was accepted by name."""

    plan: Plan
    world: World
    before: Stored
    after: Stored
    events: Iterable[rows.Event]
    named: frozenset[str] = frozenset()

    def _manifest(self, kind: str, name: str) -> dict[str, Any]:
        found = (m for m in self.world.manifests if m["kind"].lower() == kind)
        return next((m for m in found if m["metadata"]["name"] == name), {})

    def source_of(self, connection: Address) -> str:
        """By the name of its manifest."""
        return str(self._manifest("connection", connection.name).get("spec", {}).get("source"))

    def names_of(self, source: str) -> set[str]:
        """What it is called in Airbyte, before and after; one that takes its place says whose."""
        manifest = self._manifest("source", source)
        if not manifest:
            return set()
        pinned = self.before.actors.get(manifest["metadata"].get("ids", {}).get("local"))
        names = {manifest["spec"]["name"], *manifest["metadata"].get("previousNames", ())}
        names |= {pinned.name} if pinned else set()
        return names | {
            f"{n} (reconciler: replaces {i})" for n in names for i in self.before.actors
        }

    def change_of(self, live_id: str) -> Change | None:
        return next((c for c in self.plan.changes if c.live_id == live_id), None)

    def maker_of(self, found: Actor | Connection, kind: str) -> Change | None:
        """What announced a new object."""
        return next(
            (
                c
                for c in self.plan.changes
                if c.address.kind == kind
                and c.name == found.name
                and c.action in ("create", "replace")
            ),
            None,
        )


def unannounced(course: Course) -> list[str]:
    return sorted({*_objects(course), *_effects(course), *_events(course)})


ASKED_FOR = frozenset(
    {
        *("replace", "delete", "overwrites-table", "state-loss", "duplicates"),
        *("inconsistent", "pii-exposure", "secret-loss", "reactivate", "adopt"),
    }
)
"""What needs somebody's consent, as the table of design §5 has it."""


def unasked(plan: Plan) -> list[str]:
    """What a plan would do without consent while nobody gave one; `state: absent` is one for its address."""
    return [
        f"{change.address}: {effect.name} ({effect.rule}) would be done unasked"
        for change in plan.changes
        for effect in change.effects
        if effect.name in ASKED_FOR
        and not effect.blocks
        and not (effect.accepted == "state: absent" and change.action == "delete")
    ]


def _says(change: Change | None, effect: str, stream: str = "") -> bool:
    """Whether a change announces an effect, for the stream where one is given."""
    return change is not None and any(
        e.name == effect and (not stream or not e.streams or _named(stream, e.streams))
        for e in change.effects
    )


def _named(stream: str, labels: Iterable[str]) -> bool:
    """A stream that git gives no namespace is announced without one."""
    return stream in labels or stream.rpartition(".")[2] in labels


# --- Objects and fields ----------------------------------------------------------------------


def _objects(course: Course) -> Iterator[str]:
    for live_id, actor in {**course.before.actors, **course.before.connections}.items():
        change = course.change_of(live_id)
        now = course.after.actors.get(live_id) or course.after.connections.get(live_id)
        if now is None:
            event("happened: an object is gone")
            goes = change is not None and change.action in ("delete", "replace")
            if not goes and live_id not in course.named:
                yield f"{actor.name}: is gone, and nothing said so"
        elif now != actor:
            event("happened: an object was changed")
            if change is None or change.action != "update":
                yield f"{actor.name}: was written, and nothing said so"
            else:
                yield from _fields(course, change, actor, now)
    for kind, found in _new(course):
        event("happened: an object was made")
        if course.maker_of(found, kind) is None:
            yield f"{found.name}: was made, and nothing said so"


def _new(course: Course) -> Iterator[tuple[str, Any]]:
    for found in course.after.actors.values():
        if found.id not in course.before.actors:
            yield found.kind, found
    for made in course.after.connections.values():
        if made.id not in course.before.connections:
            yield "connection", made


def _fields(course: Course, change: Change, before: Any, after: Any) -> Iterator[str]:
    said = {field.pointer for field in change.fields}
    if isinstance(before, Actor):
        if before.name != after.name and "/name" not in said:
            yield f"{change.address}: was renamed, and nothing said so"
        unseen = {s.pointer for s in course.plan.not_covered.secrets if s.address == change.address}
        for at in sorted({*before.leaves, *after.leaves}):
            pointer = f"/configuration{at}"
            told = any(pointer == p or pointer.startswith(f"{p}/") for p in said | unseen)
            if before.leaves.get(at) != after.leaves.get(at) and not told:
                yield f"{change.address}{pointer}: changed, and nothing said so"
        return
    for name, value in before.fields.items():
        if after.fields[name] != value and f"/{name}" not in said:
            yield f"{change.address}/{name}: changed, and nothing said so"
    for stream in sorted({*before.streams, *after.streams}):
        yield from _stream_fields(
            change, stream, before.streams.get(stream), after.streams.get(stream)
        )


def _stream_fields(
    change: Change, stream: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[str]:
    said = {f.pointer.rpartition("]")[2] for f in change.fields if _named(stream, [f.stream])}
    if before is None or after is None:
        if before is not after and "" not in said:
            yield f"{change.address} {stream}: came or went, and nothing said so"
        return
    for name, value in before.items():
        if name == "cursorField" and not _both(before, after, _incremental):
            continue
        if name == "primaryKey" and not _both(before, after, _keyed):
            continue
        if after[name] != value and f"/{name}" not in said:
            yield f"{change.address} {stream}/{name}: changed, and nothing said so"


# --- Effects ---------------------------------------------------------------------------------


def _incremental(stream: Mapping[str, Any]) -> bool:
    return bool(stream["syncMode"][0] == "incremental")


def _keyed(stream: Mapping[str, Any]) -> bool:
    return _incremental(stream) or stream["syncMode"][1] in MERGING | {"overwrite_dedup"}


def _both(before: Any, after: Any, holds: Callable[[Any], bool]) -> bool:
    return holds(before) and holds(after)


def _effects(course: Course) -> Iterator[str]:
    for change, effect, stream in _owed(course):
        event(f"happened: {effect}")
        if not _says(change, effect, stream):
            where = change.address if change else "no change"
            yield f"{where} {stream}: {effect}, and nothing said so"


def _owed(course: Course) -> Iterator[tuple[Change | None, str, str]]:
    """(change, effect, stream) of all that happened to data."""
    for live_id, before in course.before.connections.items():
        change = course.change_of(live_id)
        after = course.after.connections.get(live_id)
        if after is None and change is not None and change.action == "replace":
            after = _taking_its_place(course, change)
            yield change, "replace", ""
        if after is None:
            if live_id not in course.named:
                yield change, "delete", ""
            continue
        same = after.id == live_id
        yield from ((change, e, s) for e, s in _of_connection(before, after, same=same))
        for stream in sorted({*before.streams} & {*after.streams}):
            pair = before.streams[stream], after.streams[stream]
            yield from ((change, e, stream) for e in _of_stream(*pair, same=same))
            if not same and before.destination == after.destination:
                yield from ((change, e, stream) for e in _read_again(pair[1]))
        for stream in sorted({*before.streams} - {*after.streams}):
            yield change, "stops-data", stream
    for found in course.after.connections.values():
        if found.id not in course.before.connections and _has_interval(found):
            yield course.maker_of(found, "connection"), "starts-sync", ""
    yield from _owed_of_actors(course)


def _taking_its_place(course: Course, change: Change) -> Connection | None:
    made = (c for kind, c in _new(course) if kind == "connection" and c.name == change.name)
    return next(made, None)


def _read_again(stream: Mapping[str, Any]) -> Iterator[str]:
    if stream["syncMode"][1] == "append":
        yield "duplicates"


def _has_interval(connection: Connection) -> bool:
    active = connection.fields["status"] == "active"
    return active and connection.fields["schedule"]["type"] == "basic"


def _of_connection(
    before: Connection, after: Connection, *, same: bool
) -> Iterator[tuple[str, str]]:
    was, becomes = before.fields["status"], after.fields["status"]
    if (was, becomes) == ("inactive", "active"):
        yield "reactivate", ""
    if (was, becomes) == ("active", "inactive"):
        yield "stops-data", ""
    moved = any(before.fields[n] != after.fields[n] for n in ("destinationNamespace", "prefix"))
    for stream in sorted(before.incremental & after.incremental) if moved and same else ():
        yield "inconsistent", stream
    newly_due = was != becomes or before.fields["schedule"] != after.fields["schedule"]
    if same and newly_due and _has_interval(after):
        yield "starts-sync", ""


def _of_stream(before: Mapping[str, Any], after: Mapping[str, Any], *, same: bool) -> Iterator[str]:
    """`same`: it is still the same connection; else its saved positions go with the old one."""
    old, new = before["syncMode"], after["syncMode"]
    stays = _both(before, after, _incremental)
    if old[1] in HELD and new[1] in REPLACING:
        yield "overwrites-table"
    if same and _incremental(before) and not _incremental(after):
        yield "state-loss"
    if same and old != new and new[1] == "append" and not stays:
        yield "duplicates"
    if same and stays and (old[1] != new[1] or before["cursorField"] != after["cursorField"]):
        yield "inconsistent"
    merged = old[1] in MERGING and new[1] in MERGING
    if same and stays and merged and before["primaryKey"] != after["primaryKey"]:
        yield "inconsistent"
    if _exposes(before, after):
        yield "pii-exposure"


def _exposes(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    kept = [_protection(m) for m in after["mappers"]]
    if any(_protection(m) not in kept for m in before["mappers"] if m["type"] in PROTECTING):
        return True
    if before["columns"] is None:
        return False
    return after["columns"] is None or not set(after["columns"]) <= set(before["columns"])


def _protection(mapper: Mapping[str, Any]) -> Any:
    if mapper["type"] == "row-filtering":
        return mapper
    return mapper["type"], mapper.get("/targetField")


def _owed_of_actors(course: Course) -> Iterator[tuple[Change | None, str, str]]:
    for live_id, before in course.before.actors.items():
        change, after = course.change_of(live_id), course.after.actors.get(live_id)
        if after is None:
            replaced = change is not None and change.action == "replace"
            yield change, "replace" if replaced else "delete", ""
            continue
        if before.stored != after.stored and before.kind == "source":
            yield change, "rediscover", ""
        if before.secrets() - after.secrets():
            yield change, "secret-loss", ""
        shown = [_without_secrets(actor) for actor in (before, after)]
        if shown[0] == shown[1]:
            continue
        for user in course.before.on(live_id):
            now = course.after.connections.get(user.id)
            for stream in sorted(user.incremental & now.incremental) if now else ():
                yield change, "inconsistent", stream


def _without_secrets(actor: Actor) -> dict[str, Any]:
    return {at: value for at, value in actor.leaves.items() if not isinstance(value, tuple)}


# --- The log ---------------------------------------------------------------------------------


def _events(course: Course) -> Iterator[str]:
    for logged in course.events:
        event(f"logged: {logged.kind}")
        check = _CHECKS.get(logged.kind)
        if check is None:
            yield f"{logged.kind} {logged.detail}: nothing may do this"
        elif not check(course, logged.detail):
            yield f"{logged.kind} {logged.detail}: nothing said so"


def _state_deleted(course: Course, detail: Mapping[str, Any]) -> bool:
    live_id = detail["connectionId"]
    change = course.change_of(live_id)
    if detail["because"] == "source sync mode changed":
        return _says(change, "state-loss", label(detail["namespace"], detail["stream"]))
    if detail["because"] != "connection deleted":
        return False
    return _goes(course, live_id)


def _goes(course: Course, live_id: str) -> bool:
    change = course.change_of(live_id)
    announced = _says(change, "delete") or _says(change, "replace")
    return announced or live_id in course.named


def _cascade(course: Course, detail: Mapping[str, Any]) -> bool:
    """Only what somebody named: whatever the plan deletes it deletes by itself."""
    return detail["connectionId"] in course.named


def _discovered(course: Course, detail: Mapping[str, Any]) -> bool:
    """For a connection that is written, or a source that is: nobody else's source is asked."""
    written = {change.address for change in course.plan.changes}
    asking = {course.source_of(address) for address in written if address.kind == "connection"}
    asking |= {address.name for address in written if address.kind == "source"}
    return any(detail["name"] in course.names_of(name) for name in asking)


def _refreshed(course: Course, detail: Mapping[str, Any]) -> bool:
    stream = label(detail["namespace"], detail["stream"])
    return _says(course.change_of(detail["connectionId"]), "accepts-schema", stream)


def _secret(course: Course, detail: Mapping[str, Any]) -> bool:
    """Of an object that changes; whose it is says the comparison of what is stored."""
    return bool(course.plan.changes)


def _started(course: Course, detail: Mapping[str, Any]) -> bool:
    """A sync that an interval makes due at once (CFG-T 24)."""
    live_id = detail["connectionId"]
    made = course.after.connections.get(live_id)
    change = course.change_of(live_id) or (made and course.maker_of(made, "connection"))
    return detail["jobType"] == "sync" and _says(change or None, "starts-sync")


_CHECKS: Mapping[str, Callable[[Course, Mapping[str, Any]], bool]] = {
    "state_deleted": _state_deleted,
    "cascade_deleted": _cascade,
    "discover_ran": _discovered,
    "schema_refreshed": _refreshed,
    "secret_written": _secret,
    "secret_deleted": _secret,
    "job_started": _started,
}
"""Of every other kind none may happen: erased data, connections that are switched off, connection tests."""
