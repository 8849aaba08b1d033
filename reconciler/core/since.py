"""What this branch changes, told from what was different before it (design §7, `--since`).

Compares three plain values: the plan of the old manifests, the plan of the new ones, and live. A manifest
is the same one as before where it means the same live object, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.core.claim import Claims, problem
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.diff import FieldChange, json_equal
from reconciler.core.drafts.unstated import STREAM_FIELDS, silent_about
from reconciler.core.kinds import KINDS, is_stated
from reconciler.core.merge import counterpart_of
from reconciler.core.model import UNSET, Connection, Desired, LiveObject, Resource, Stream
from reconciler.core.normalize import stream_key, stream_label
from reconciler.core.plan import Change, Plan


def tell_why(plan: Plan, old: Plan) -> Plan:
    """Each field with who changed it: `git` (this branch), `live` (different before it), or both."""
    by_id = {(c.address.kind, c.live_id): c for c in old.changes if c.live_id}
    by_address = {c.address: c for c in old.changes}
    told = []
    for change in plan.changes:
        earlier = by_id.get((change.address.kind, change.live_id), by_address.get(change.address))
        told.append(_with_whys(change, _by_pointer(earlier) if earlier is not None else {}))
    return replace(plan, changes=tuple(told))


def _by_pointer(change: Change) -> dict[str, FieldChange]:
    return {field.pointer: field for field in change.fields}


def _with_whys(change: Change, old: Mapping[str, FieldChange]) -> Change:
    return replace(change, fields=tuple(_with_why(field, old) for field in change.fields))


def _with_why(field: FieldChange, old: Mapping[str, FieldChange]) -> FieldChange:
    """The old manifests agreed with live here: this branch it is. They wanted the same: live it is."""
    earlier = old.get(field.pointer)
    if earlier is None:
        return replace(field, why="git")
    same = json_equal(earlier.after, field.after)
    return replace(field, why="live" if same else "both")


def released(old: Desired, new: Desired, claims: Claims, earlier: Claims) -> tuple[Diagnostic, ...]:
    """Values that left git while they stay live, and manifests that are gone while their objects are not.

    `claims` is of the new manifests, `earlier` of the old ones.
    """
    meant = {_identified(found): old.resources[a] for a, found in earlier.live.items()}
    found: list[Diagnostic] = []
    for address, resource in new.resources.items():
        live = claims.live.get(address)
        if live is not None:
            before = meant.get(_identified(live), old.resources.get(address))
            found += _released_fields(before, resource, live)
    found += [
        Diagnostic(
            code="manifest-removed",
            message=f"{address} left git; it stays in Airbyte, and nothing here watches it any more",
            hint="to delete it, put the manifest back with state: absent and a reason",
            severity=Severity.WARNING,
            address=str(address),
        )
        for address, before in old.resources.items()
        if address not in new.resources
        and before.spec is not None
        and _stays_alone(earlier.live.get(address), claims, undecided=address in earlier.undecided)
    ]
    return tuple(found)


def _identified(live: LiveObject) -> tuple[str, str]:
    return live.kind, live.id


def _stays_alone(live: LiveObject | None, claims: Claims, *, undecided: bool) -> bool:
    """Whether an object is live that no manifest means any more; `undecided`: nobody can tell which."""
    return undecided if live is None else _identified(live) not in claims.address_of


def _released_fields(
    before: Resource | None, after: Resource, live: LiveObject
) -> Iterator[Diagnostic]:
    old, new = before.spec if before is not None else None, after.spec
    if not isinstance(old, Connection) or not isinstance(new, Connection):
        return
    current = live.spec
    assert isinstance(current, Connection)  # noqa: S101 - claims never cross kinds
    kind = after.address.kind
    for name in KINDS[kind].fields:
        if is_stated(old, kind, name) and not is_stated(new, kind, name):
            yield _left(after, "/spec", name, "")
    same_name: dict[str, list[Stream]] = {}
    for stream in _streams(current):
        same_name.setdefault(stream.name, []).append(stream)
    stated = {_identity(stream, same_name): stream for stream in _streams(old)}
    for index, stream in enumerate(_streams(new)):
        earlier = stated.get(_identity(stream, same_name))
        there = counterpart_of(stream, same_name.get(stream.name, []))
        if earlier is not None and there is not None:
            pointer = f"/spec/streams/{index}"
            for name in _left_of_stream(earlier, stream, there):
                yield _left(after, pointer, name, stream_label(stream_key(there)))


def _streams(connection: Connection) -> tuple[Stream, ...]:
    return connection.streams if isinstance(connection.streams, tuple) else ()


def _identity(stream: Stream, same_name: Mapping[str, list[Stream]]) -> tuple[str, str]:
    there = counterpart_of(stream, same_name.get(stream.name, []))
    return stream_key(there or stream)


def _left_of_stream(old: Stream, new: Stream, live: Stream) -> Iterable[str]:
    for name in silent_about(new, live):
        if getattr(old, STREAM_FIELDS[name]) is not UNSET:
            yield name


_CLEARED = {
    "mappers": "mappers: []",
    "columns": "columns: all",
    "includeFiles": "includeFiles: false",
    "prefix": 'prefix: ""',
    "tags": "tags: []",
    "schedule": "schedule: manual",
}


def _left(resource: Resource, pointer: str, name: str, stream: str) -> Diagnostic:
    where = f"stream {stream}: " if stream else ""
    clear = f"to remove it write {_CLEARED[name]}; " if name in _CLEARED else ""
    return _warning(
        resource,
        "released-value",
        pointer,
        f"{where}{name!r} left git, so that git no longer watches it; Airbyte keeps what it has",
        f"{clear}to keep it, put it back",
    )


def _warning(resource: Resource, code: str, pointer: str, message: str, hint: str) -> Diagnostic:
    return replace(problem(resource, code, pointer, message, hint), severity=Severity.WARNING)
