"""The streams of a connection as a script states them, in Airbyte's own form, to the model: read strictly,
and held against what the source offers, as the Configuration API checks nothing (CFG §5.5).

Values in, values out; asks no server. Manifests are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.core.catalog import check_catalog
from reconciler.core.connector import closest
from reconciler.core.diagnostics import ReconcilerError, Severity
from reconciler.core.model import SYNC_MODES, UNSET, Connection, DiscoveredStream, Stream, SyncMode
from reconciler.core.normalize import stream_key, stream_label

_WRITTEN: Final = ("syncMode", "destinationSyncMode", "cursorField", "primaryKey", "selected")
_COMPUTED: Final = frozenset({"aliasName", "suggested", "generationId", "minimumGenerationId"})
"""What a discovery says besides, and no connection is asked for."""
_FORM: Final = '{"stream": {"name": …}, "config": {"syncMode": …, "destinationSyncMode": …}}'


def streams_of(entries: Sequence[Mapping[str, Any]]) -> tuple[Stream, ...]:
    """The selected ones. Raises ReconcilerError for what can't be meant."""
    if isinstance(entries, str | Mapping) or not isinstance(entries, Iterable):
        raise ReconcilerError("streams is no list", hint=f"each entry: {_FORM}")
    found: dict[tuple[str, str], Stream] = {}
    for index, entry in enumerate(entries):
        stream, config = _part(entry, "stream", index), _part(entry, "config", index)
        if not _flag(config.get("selected"), index):
            continue
        read = _stream(stream, config, index)
        if stream_key(read) in found:
            raise ReconcilerError(
                f"streams[{index}]: {stream_label(stream_key(read))} is listed twice",
                hint="remove one",
            )
        found[stream_key(read)] = read
    return tuple(found.values())


def refuse_mistakes(spec: Connection, offered: tuple[DiscoveredStream, ...]) -> None:
    """Raises ReconcilerError for streams that the source doesn't offer so, all in one; the first is the
    hint's."""
    wrong = [f for f in check_catalog(spec, offered) if f.severity is Severity.ERROR]
    if wrong:
        message = "; ".join(dict.fromkeys(finding.message for finding in wrong))
        raise ReconcilerError(message, hint=f"nothing was sent; {wrong[0].hint}")


def _part(entry: Any, name: str, index: int) -> Mapping[str, Any]:
    part = entry.get(name) if isinstance(entry, Mapping) else None
    if isinstance(part, Mapping):
        return part
    raise ReconcilerError(f"streams[{index}] has no {name}", hint=f"its form: {_FORM}")


def _flag(value: Any, index: int) -> bool:
    if value is None or isinstance(value, bool):
        return value is not False
    raise ReconcilerError(
        f"streams[{index}]: selected is neither True nor False", hint="leave it out: it is selected"
    )


def _stream(stream: Mapping[str, Any], config: Mapping[str, Any], index: int) -> Stream:
    name, namespace = stream.get("name"), stream.get("namespace", UNSET)
    if not (isinstance(name, str) and name):
        raise ReconcilerError(f"streams[{index}]: the stream has no name", hint=f"form: {_FORM}")
    if not (namespace is UNSET or namespace is None or isinstance(namespace, str)):
        raise ReconcilerError(
            f"stream {name}: its namespace is no text", hint="None where the source has none"
        )
    _refuse_unwritten(name, config)
    mode = _mode(name, config)
    cursor = _cursor(name, config.get("cursorField"))
    key = _key(name, config.get("primaryKey"))
    return Stream(
        name,
        namespace=namespace,
        sync_mode=mode.name,
        cursor_field=cursor if cursor and mode.uses_cursor else UNSET,
        primary_key=key if key and mode.uses_key else UNSET,
    )


def _refuse_unwritten(name: str, config: Mapping[str, Any]) -> None:
    """What is stated and not written would be a promise: columns in clear, a misspelt cursor."""
    for field, value in config.items():
        if field in _WRITTEN or field in _COMPUTED or value in (None, False, [], {}):
            continue
        guess = closest(str(field), _WRITTEN)
        raise ReconcilerError(
            f"stream {name}: this client doesn't write {field}",
            hint=f"did you mean {guess}?" if guess else "state the connection in a manifest",
        )


def _mode(name: str, config: Mapping[str, Any]) -> SyncMode:
    pair = (config.get("syncMode"), config.get("destinationSyncMode"))
    for mode in SYNC_MODES.values():
        if (mode.source, mode.destination) == pair:
            return mode
    known = ", ".join(f"{mode.source} | {mode.destination}" for mode in SYNC_MODES.values())
    raise ReconcilerError(f"stream {name}: no sync mode is {pair[0]} | {pair[1]}", hint=known)


def _cursor(name: str, value: Any) -> tuple[str, ...]:
    """A column, or the path to a nested one."""
    if value is None:
        return ()
    return _path(f"stream {name}: cursorField", value)


def _key(name: str, value: Any) -> tuple[tuple[str, ...], ...]:
    """A column, a list of columns, or a list of paths."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (_path(f"stream {name}: primaryKey", value),)
    if not isinstance(value, list | tuple):
        raise ReconcilerError(
            f"stream {name}: primaryKey is no list", hint='like ["id"], or [["id"]]'
        )
    return tuple(_path(f"stream {name}: primaryKey", part) for part in value)


def _path(what: str, value: Any) -> tuple[str, ...]:
    parts = (value,) if isinstance(value, str) else value
    if isinstance(parts, list | tuple) and all(isinstance(p, str) and p for p in parts):
        return tuple(parts)
    raise ReconcilerError(f"{what} names no column", hint='like "id", or ["id"]')
