"""What this branch changes, told from what was different before it (design §7, `--since`).

Compares three plain values: the plan of the old manifests, the plan of the new ones, and live.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.core.claim import Claims, problem
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.diff import FieldChange, json_equal
from reconciler.core.kinds import KINDS, is_stated
from reconciler.core.merge import counterpart_of
from reconciler.core.model import (
    ALL_COLUMNS,
    UNSET,
    Connection,
    Desired,
    Resource,
    Stream,
)
from reconciler.core.normalize import stream_key, stream_label
from reconciler.core.plan import Change, Plan

_STREAM_FIELDS: Mapping[str, str] = {
    "cursorField": "cursor_field",
    "primaryKey": "primary_key",
    "columns": "columns",
    "mappers": "mappers",
}


def tell_why(plan: Plan, old: Plan) -> Plan:
    """Each field with who changed it: `git` (this branch), `live` (different before it), or both."""
    before = {change.address: _by_pointer(change) for change in old.changes}
    return replace(
        plan,
        changes=tuple(
            _with_whys(change, before.get(change.address, {})) for change in plan.changes
        ),
    )


def _by_pointer(change: Change) -> dict[str, FieldChange]:
    return {field.pointer: field for field in change.fields}


def _with_whys(change: Change, old: Mapping[str, FieldChange]) -> Change:
    return replace(change, fields=tuple(_with_why(field, old) for field in change.fields))


def _with_why(field: FieldChange, old: Mapping[str, FieldChange]) -> FieldChange:
    """The old manifests agreed with live here: this branch it is. They wanted the same: live it is."""
    earlier = old.get(field.pointer)
    if earlier is None:
        return replace(field, why="git")
    same = field.secret or json_equal(earlier.after, field.after)
    return replace(field, why="live" if same else "both")


def released(old: Desired, new: Desired, claims: Claims) -> tuple[Diagnostic, ...]:
    """Values that left git while they stay live, and manifests that are gone."""
    found: list[Diagnostic] = []
    for address, resource in new.resources.items():
        before = old.resources.get(address)
        if before is not None:
            found += _released_fields(before, resource, claims)
    found += [
        Diagnostic(
            code="manifest-removed",
            message=f"{address} left git; it stays in Airbyte, and nothing here watches it any more",
            hint="to delete it, put the manifest back with state: absent and a reason",
            severity=Severity.WARNING,
            address=str(address),
        )
        for address, before in old.resources.items()
        if address not in new.resources and before.spec is not None
    ]
    return tuple(found)


def _released_fields(before: Resource, after: Resource, claims: Claims) -> Iterator[Diagnostic]:
    live = claims.live.get(after.address)
    old, new = before.spec, after.spec
    if live is None or not isinstance(old, Connection) or not isinstance(new, Connection):
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
    for name, attribute in _STREAM_FIELDS.items():
        was, becomes, there = (getattr(side, attribute) for side in (old, new, live))
        if was is not UNSET and becomes is UNSET and there not in (UNSET, (), ALL_COLUMNS):
            yield name


_CLEARED = {
    "mappers": "mappers: []",
    "columns": "columns: all",
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
