"""Every field of one resource: what git says and where, what is live, and whose it is.

For people on call and for reports of a difference that will not go away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from reconciler.core import redact
from reconciler.core.claim import Claims, resolve_refs
from reconciler.core.connector import find_connector
from reconciler.core.diagnostics import Span
from reconciler.core.diff import Settling, json_equal, settle
from reconciler.core.drafts.forms import Forms, settled_forms
from reconciler.core.kinds import KINDS, is_stated
from reconciler.core.lookalikes import hidden_pointers
from reconciler.core.merge import counterpart_of, merge_connection
from reconciler.core.model import (
    UNSET,
    Connection,
    Destination,
    Json,
    Live,
    Resource,
    Source,
    Stream,
    Unset,
)
from reconciler.core.normalize import naming_for, stream_key, stream_label
from reconciler.core.places import place_of

Standing = Literal["same", "differs", "not stated", "not comparable", "missing", "not readable"]


@dataclass(frozen=True, slots=True)
class Row:
    """One field. `git` is UNSET where git is silent, `live` where nothing is live."""

    field: str
    git: Json | Unset
    live: Json | Unset
    standing: Standing
    span: Span | None


def explain_resource(resource: Resource, live: Live, claims: Claims, api: str) -> tuple[Row, ...]:
    """In the order of the kind's fields. Nothing in it is secret. What only the other `api` has is not
    readable, which is not the same as not there."""
    if isinstance(resource.spec, Connection):
        return tuple(_connection_rows(resource, live, claims, api))
    if isinstance(resource.spec, Source | Destination):
        return tuple(_actor_rows(resource, resource.spec, live, claims))
    return ()


def _actor_rows(
    resource: Resource, spec: Source | Destination, live: Live, claims: Claims
) -> Iterator[Row]:
    found = claims.live.get(resource.address)
    current = found.spec if found else None
    definitions = find_connector(spec.connector, resource.address.kind, live.definitions)
    schema = definitions[0].spec if len(definitions) == 1 else None
    connector = definitions[0].id if len(definitions) == 1 else spec.connector
    was = current if isinstance(current, Source | Destination) else None
    yield _row(resource, "/name", spec.name, was.name if was else UNSET)
    yield _row(resource, "/connector", connector, was.connector if was else UNSET)
    ours = redact.seal(spec.configuration, hidden_pointers(schema, spec.configuration))
    theirs = (
        redact.seal(was.configuration, hidden_pointers(schema, was.configuration)) if was else {}
    )
    notes = Settling(hidden=redact.secret_texts([ours]))
    before, after = settle(ours, theirs, notes, "/configuration")
    git, there = dict(redact.leaves(after)), dict(redact.leaves(before))
    for pointer in notes.broken_keeps:  # settled as if they were kept
        at = pointer.removeprefix("/configuration")
        there[at] = redact.token(redact.HIDDEN) if _holds(theirs, at) else UNSET
    for at in sorted({*git, *there} - {""}):
        pointer = f"/configuration{at}"
        yield _row(
            resource,
            pointer,
            git.get(at, UNSET),
            there.get(at, UNSET),
            hidden=pointer in notes.uncompared,
        )


def _holds(configuration: Json, pointer: str) -> bool:
    return any(f"{at}/".startswith(f"{pointer}/") for at, _ in redact.leaves(configuration))


def _connection_rows(resource: Resource, live: Live, claims: Claims, api: str) -> Iterator[Row]:
    desired, _ = resolve_refs(resource, live, claims)
    assert isinstance(desired, Connection)  # noqa: S101 - see explain_resource
    found = claims.live.get(resource.address)
    current = found.spec if found and isinstance(found.spec, Connection) else None
    forms = settled_forms(
        merge_connection(desired, current), current, naming_for(claims.address_of)
    )
    for name in KINDS["connection"].fields:
        if name == "streams":
            continue
        stated = is_stated(desired, "connection", name)
        git, there = _sides(name, forms.after, forms.before, stated=stated)
        row = _row(resource, f"/{name}", git, there)
        unreadable = KINDS["connection"].only_in.get(name, api) != api
        yield replace(row, live=UNSET, standing="not readable") if unreadable else row
    yield from _stream_rows(resource, desired, current, forms)


def _stream_rows(
    resource: Resource, desired: Connection, current: Connection | None, forms: Forms
) -> Iterator[Row]:
    old: Mapping[tuple[str, str], Json] = forms.before.get("streams") or {}
    new: Mapping[tuple[str, str], Json] = forms.after.get("streams") or {}
    for key in sorted({*old, *new}):
        own = _own(desired, current, key)
        was, becomes = old.get(key, {}), new.get(key, {}) if own else {}
        unsaid = ("includeFiles",) if own is not None and _states(own, "includeFiles") else ()
        for name in dict.fromkeys((*becomes, *was, *unsaid)):
            stated = own is not None and _states(own, name)
            git, there = _sides(name, becomes, was, stated=stated)
            pointer = f"/streams[{stream_label(key)}]/{name}"
            row = _row(resource, pointer, git, there)
            if name == "mappers" and own is not None:
                row = _with_keys(row, forms, desired, own)
            yield row


def _with_keys(row: Row, forms: Forms, desired: Connection, own: Stream) -> Row:
    """Mappers are one field; a key that the server hides, or has not, is settled as if it were the same."""
    if row.standing != "same":
        return row
    index = desired.streams.index(own) if isinstance(desired.streams, tuple) else 0
    if any(at.startswith(f"/streams/{index}/mappers/") for at in forms.broken_keeps):
        return replace(row, standing="differs")
    hidden = any(at.startswith(f"{row.field}/") for at, _ in forms.uncompared)
    return replace(row, standing="not comparable") if hidden else row


def _own(desired: Connection, current: Connection | None, key: tuple[str, str]) -> Stream | None:
    """The stream of git's that means this one."""
    live = current.streams if current is not None and isinstance(current.streams, tuple) else ()
    for stream in desired.streams if isinstance(desired.streams, tuple) else ():
        there = counterpart_of(stream, [other for other in live if other.name == stream.name])
        if stream_key(there or stream) == key:
            return stream
    return None


def _sides(
    name: str, after: Mapping[str, Json], before: Mapping[str, Json], *, stated: bool
) -> tuple[Json | Unset, Json | Unset]:
    """git's and live's; a canonical form without fields is of something that is not there."""
    if not stated:
        return UNSET, before.get(name, UNSET)
    cleared = _CLEARED.get(name, UNSET)
    return after.get(name, cleared), before.get(name, cleared) if before else UNSET


_CLEARED: Final[Mapping[str, Json]] = {"includeFiles": False, "resourceRequirements": {}}
"""What the canonical forms leave out, and git may state all the same."""

_STREAM_FIELDS = {
    "syncMode": "sync_mode",
    "cursorField": "cursor_field",
    "primaryKey": "primary_key",
    "columns": "columns",
    "mappers": "mappers",
    "includeFiles": "include_files",
    "destinationObjectName": "destination_object_name",
}


def _states(stream: Stream, name: str) -> bool:
    return getattr(stream, _STREAM_FIELDS[name]) is not UNSET


def _row(
    resource: Resource, pointer: str, git: Json | Unset, live: Json | Unset, *, hidden: bool = False
) -> Row:
    row = Row(pointer, _shown(git), _shown(live), "same", None)
    if git is not UNSET:
        row = replace(row, span=place_of(resource, pointer))
    if git is UNSET:
        return replace(row, standing="not stated")
    if live is UNSET:
        return replace(row, standing="missing")
    if hidden:
        return replace(row, standing="not comparable")
    return row if json_equal(git, live) else replace(row, standing="differs")


def _shown(value: Json | Unset) -> Json | Unset:
    return value if value is UNSET else redact.shown(value)
