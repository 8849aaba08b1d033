"""Validation stage 6: a connection's streams against what its source offers.

Works on the merged connection (git laid over live) and discovered streams; asks no server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.connector import closest
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.model import (
    SYNC_MODES,
    UNSET,
    Columns,
    Connection,
    DiscoveredStream,
    Json,
    Mapper,
    Resource,
    Stream,
)
from reconciler.core.normalize import stream_key, stream_label

MOST_FIELDS: Final = 20_000
"""A connection holds at most this many fields (Airbyte's documented limit)."""

_UNCHECKED_MODES: Final = frozenset({"full_refresh_overwrite", "full_refresh_overwrite_deduped"})
"""The server accepts these even where /streams does not list them (PUB-T 36): a warning, no error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`index`: which stream of the connection; None for the connection. `field`: of the stream."""

    code: str
    message: str
    hint: str = ""
    index: int | None = None
    field: str = ""
    severity: Severity = Severity.ERROR


def check_catalog(
    connection: Connection, offered: tuple[DiscoveredStream, ...]
) -> tuple[Finding, ...]:
    """Everything about the streams that the source or the server would reject or silently change."""
    by_name = _by_name(offered)
    found: list[Finding] = []
    fields = 0
    for index, stream in enumerate(_streams(connection)):
        match = match_stream(stream, by_name.get(stream.name, []))
        if isinstance(match, DiscoveredStream):
            problems = _check_stream(stream, match)
            fields += _selected_fields(stream, match)
        else:
            problems = iter([_not_offered(stream, match, by_name)])
        found += [replace(problem, index=index) for problem in problems]
    if fields > MOST_FIELDS:
        found.append(
            Finding(
                "too-many-fields",
                f"{fields} fields are selected; Airbyte takes at most {MOST_FIELDS} in one connection",
                "select columns, or split the connection",
            )
        )
    return tuple(found)


def as_diagnostics(resource: Resource, findings: Iterable[Finding]) -> tuple[Diagnostic, ...]:
    """With the place of each in the manifest; streams that live alone has stand at the list."""
    stated = getattr(resource.spec, "streams", ())
    count = len(stated) if isinstance(stated, tuple) else 0
    made = []
    for found in findings:
        pointer = "/spec/streams"
        if found.index is not None and found.index < count:
            pointer += f"/{found.index}" + (f"/{found.field}" if found.field else "")
        made.append(
            Diagnostic(
                code=found.code,
                message=found.message,
                hint=found.hint,
                severity=found.severity,
                span=resource.locate(pointer),
                address=str(resource.address),
                pointer=pointer,
            )
        )
    return tuple(made)


def resolve_columns(connection: Connection, offered: tuple[DiscoveredStream, ...]) -> Connection:
    """The connection with `columns: {except: …}` turned into the columns that remain. What a plan has fixed
    stays as it was shown, and so does what names a column there is not: a misspelt exclusion would select
    what it is to leave out."""
    by_name = _by_name(offered)
    if not isinstance(connection.streams, tuple):
        return connection
    resolved = [_resolved(stream, by_name) for stream in connection.streams]
    return replace(connection, streams=tuple(resolved))


def _resolved(stream: Stream, by_name: Mapping[str, list[DiscoveredStream]]) -> Stream:
    match = match_stream(stream, by_name.get(stream.name, []))
    if not isinstance(match, DiscoveredStream) or not excludes(stream):
        return stream
    names = _remaining(stream, match)
    assert isinstance(stream.columns, Columns)  # noqa: S101 - it excludes some
    return replace(stream, columns=replace(stream.columns, names=names)) if names else stream


def _remaining(stream: Stream, offered: DiscoveredStream) -> tuple[str, ...]:
    """The columns that `except` leaves; empty where it can't be resolved."""
    excluding = stream.columns.excluding if isinstance(stream.columns, Columns) else ()
    known = _top_level(offered)
    return tuple(sorted(known.difference(excluding))) if known.issuperset(excluding or {""}) else ()


def excludes(stream: Stream) -> bool:
    """Whether a discovery has to say which columns are meant."""
    columns = stream.columns
    return isinstance(columns, Columns) and columns.names is None and bool(columns.excluding)


def match_stream(
    stream: Stream, same_name: list[DiscoveredStream]
) -> DiscoveredStream | tuple[DiscoveredStream, ...]:
    """The offered stream that is meant, or the candidates where none or several are."""
    if stream.namespace is UNSET:
        return same_name[0] if len(same_name) == 1 else tuple(same_name)
    exact = [found for found in same_name if found.namespace == stream.namespace]
    return exact[0] if exact else tuple(same_name)


def _by_name(offered: tuple[DiscoveredStream, ...]) -> dict[str, list[DiscoveredStream]]:
    found: dict[str, list[DiscoveredStream]] = {}
    for stream in offered:
        found.setdefault(stream.name, []).append(stream)
    return found


def _streams(connection: Connection) -> tuple[Stream, ...]:
    return connection.streams if isinstance(connection.streams, tuple) else ()


def _top_level(offered: DiscoveredStream) -> set[str]:
    return {path[0] for path in offered.fields if path}


def _selected_fields(stream: Stream, offered: DiscoveredStream) -> int:
    names = stream.columns.names if isinstance(stream.columns, Columns) else None
    return sum(1 for path in offered.fields if names is None or path[0] in names)


def _not_offered(
    stream: Stream, candidates: tuple[DiscoveredStream, ...], by_name: Iterable[str]
) -> Finding:
    namespaces = ", ".join(sorted(found.namespace or "(none)" for found in candidates))
    if stream.namespace is UNSET and candidates:
        return Finding(
            "ambiguous-namespace",
            f"the source has {len(candidates)} streams {stream.name!r}, in: {namespaces}",
            "say which with namespace",
        )
    if len(candidates) == 1:
        return Finding(
            "wrong-namespace",
            f"the source has stream {stream.name!r} in namespace {namespaces} only: Airbyte would ignore "
            "the one that is written here (PUB-T 17)",
            f"write namespace: {namespaces}"
            if candidates[0].namespace
            else "write namespace: null",
            field="namespace",
        )
    guess = closest(stream.name, by_name)
    where = f"; there it is in: {namespaces}" if candidates else ""
    return Finding(
        "unknown-stream",
        f"the source offers no stream {stream.name!r}{where}",
        f"did you mean {guess!r}?"
        if guess and not candidates
        else "check the source's permissions",
        field="name",
    )


def _check_stream(stream: Stream, offered: DiscoveredStream) -> Iterator[Finding]:
    mode = SYNC_MODES.get(stream.sync_mode or "")
    if mode is not None:
        if offered.sync_modes and mode.name not in offered.sync_modes:
            soft = mode.name in _UNCHECKED_MODES
            yield Finding(
                "unsupported-sync-mode",
                f"stream {_label(stream)!r}: this source and destination don't support {mode.name}",
                f"supported: {', '.join(offered.sync_modes)}",
                field="syncMode",
                severity=Severity.WARNING if soft else Severity.ERROR,
            )
        if mode.uses_cursor:
            yield from _check_cursor(stream, offered)
        if mode.uses_key:
            yield from _check_key(stream, offered, needed=mode.needs_key)
    if offered.fields:
        yield from _check_columns(stream, _top_level(offered))
    if excludes(stream) and not _remaining(stream, offered):
        yield Finding(
            "columns-unresolved",
            f"stream {_label(stream)!r}: {{except: …}} does not leave columns that are known",
            "mend what it names, or list the columns",
            field="columns",
        )


def _check_cursor(stream: Stream, offered: DiscoveredStream) -> Iterator[Finding]:
    """Live data may say that there is no cursor, which is not to name one."""
    default = offered.default_cursor_field
    if not stream.cursor_field:
        if not default and not offered.source_defined_cursor:
            yield Finding(
                "cursor-missing",
                f"stream {_label(stream)!r} is incremental and the source has no cursor of its own",
                "name a column that grows: cursorField: updated_at",
            )
    elif offered.source_defined_cursor and stream.cursor_field != default:
        own = ".".join(default) or "one of its own making"
        yield Finding(
            "cursor-source-defined",
            f"the source defines the cursor of {stream.name!r} itself ({own})",
            "leave cursorField out",
            field="cursorField",
        )


def _check_key(stream: Stream, offered: DiscoveredStream, *, needed: bool) -> Iterator[Finding]:
    own = offered.source_defined_primary_key
    if not stream.primary_key:
        if needed and not own:
            yield Finding(
                "key-missing",
                f"stream {_label(stream)!r} is merged by key, and the source defines none",
                "name it: primaryKey: id",
            )
    elif own and stream.primary_key != own:
        listed = ", ".join(".".join(path) for path in own)
        yield Finding(
            "key-source-defined",
            f"the source defines the key of {stream.name!r} itself ({listed}), in this order",
            "leave primaryKey out",
            field="primaryKey",
        )


def _check_columns(stream: Stream, known: set[str]) -> Iterator[Finding]:
    selected, needing = _selected(stream, known), _needing(stream)
    for field, column in _named_columns(stream):
        if column not in known:
            yield _unknown_column(stream, column, known, field)
        elif field in needing and column not in selected:
            yield _unselected_column(stream, column, needing[field])
    left = set(selected)
    for mapper in stream.mappers if isinstance(stream.mappers, tuple) else ():
        for column in sorted(_read_by(mapper) - left):
            if column in known - selected:
                yield _unselected_column(stream, column, "a mapper")
            else:
                yield _unknown_column(stream, column, left, "mappers")
        left = (left - _used_up_by(mapper)) | _made_by(mapper)


def _selected(stream: Stream, known: set[str]) -> set[str]:
    if not isinstance(stream.columns, Columns):
        return known
    if stream.columns.names is not None:
        return known.intersection(stream.columns.names)
    return known.difference(stream.columns.excluding)


def _label(stream: Stream) -> str:
    return stream_label(stream_key(stream))


def _unknown_column(stream: Stream, column: str, known: set[str], field: str) -> Finding:
    guess = closest(column, known)
    where = " at this place in its mappers" if field == "mappers" else ""
    return Finding(
        "unknown-column",
        f"stream {_label(stream)!r} has no column {column!r}{where}",
        f"did you mean {guess!r}?" if guess else f"it has: {', '.join(sorted(known)[:20])}",
        field=field,
    )


def _needing(stream: Stream) -> dict[str, str]:
    """The fields whose columns have to be selected: of a key only where rows are merged by it (PUB §4.3)."""
    mode = SYNC_MODES.get(stream.sync_mode or "")
    needing = {"cursorField": "its cursor"} if mode and mode.uses_cursor else {}
    return needing | ({"primaryKey": "its primary key"} if mode and mode.needs_key else {})


def _unselected_column(stream: Stream, column: str, needed_by: str) -> Finding:
    """What git states is judged without a source (parse); what it is silent about stays as it is live."""
    return Finding(
        "selection-misses-column",
        f"stream {_label(stream)!r}: the selected columns leave out {column!r}, which {needed_by} needs",
        f"select {column!r} too, or state the stream without what needs it",
        field="columns",
    )


def _named_columns(stream: Stream) -> Iterator[tuple[str, str]]:
    """Every column that the stream names and does not make itself, with the field that names it."""
    if isinstance(stream.columns, Columns):
        yield from (
            ("columns", name) for name in (*(stream.columns.names or ()), *stream.columns.excluding)
        )
    if isinstance(stream.cursor_field, tuple) and stream.cursor_field:
        yield "cursorField", stream.cursor_field[0]
    if isinstance(stream.primary_key, tuple):
        yield from (("primaryKey", path[0]) for path in stream.primary_key if path)


def _read_by(mapper: Mapper) -> set[str]:
    """As far as git says it in clear: a reference is not shown, and not judged."""
    read = {mapper.config.get(at) for at in ("targetField", "originalFieldName")}
    read |= set(_condition_fields(mapper.config.get("conditions")))
    return {name for name in read if isinstance(name, str)}


def _condition_fields(condition: object) -> Iterator[Json]:
    if isinstance(condition, Mapping):
        yield condition.get("fieldName")
        for child in condition.get("conditions") or ():
            yield from _condition_fields(child)


def _used_up_by(mapper: Mapper) -> set[str]:
    """Every mapper but a row filter puts something else in its column's place, or nothing."""
    used = {mapper.config.get(at) for at in ("targetField", "originalFieldName")}
    return {name for name in used if isinstance(name, str)}


def _made_by(mapper: Mapper) -> set[str]:
    config = mapper.config
    if "newFieldName" in config:
        return {str(config["newFieldName"])}
    if "fieldNameSuffix" in config:
        return {f"{config['targetField']}{config['fieldNameSuffix']}"}
    return set()
