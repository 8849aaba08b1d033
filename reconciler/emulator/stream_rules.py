"""What the public API makes of the streams in a request: its checks in their order, and its defaults.

The Configuration API stores what it is sent and checks none of this (CFG §5.5), so this stands apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.model import SYNC_MODES, Json, SyncMode
from reconciler.emulator import catalog
from reconciler.emulator.catalog import ConfiguredStream, Descriptor
from reconciler.emulator.problems import Problem, bad_request

_OVERWRITE = SYNC_MODES["full_refresh_overwrite"]
_CHECKS_CURSOR = ("incremental_append", "incremental_deduped_history")
_CHECKS_KEY = ("incremental_deduped_history", "full_refresh_update", "incremental_update")
_SELECTS_KEY = ("full_refresh_overwrite_deduped", *_CHECKS_KEY)


@dataclass(frozen=True, slots=True)
class Choice:
    """One stream of a request; None is what the request leaves out."""

    name: str
    namespace: str | None = None
    mode: SyncMode | None = None
    cursor_field: list[str] | None = None
    primary_key: list[list[str]] | None = None
    selected_fields: list[list[str]] | None = None
    mappers: list[Json] | None = None
    include_files: bool | None = None
    destination_object_name: str | None = None


def configure(
    choices: Sequence[Choice],
    discovered: Sequence[Descriptor],
    destination_modes: Sequence[str],
    *,
    moves_files: bool,
) -> list[tuple[ConfiguredStream, Descriptor]]:
    """The streams to store, in request order, each with its schema. Raises Problem (PUB §4.3).

    Nothing comes from an earlier configuration: what a choice leaves out is the source's default.
    """
    matched: list[tuple[Choice, Descriptor]] = []
    seen: set[tuple[str | None, str]] = set()
    for choice in choices:
        stream = _match(choice, discovered)
        if (choice.namespace, choice.name) in seen:
            raise bad_request(
                f"Duplicate stream found in configuration for stream name [{choice.name}]"
                f" in namespace [{_text(choice.namespace)}]."
            )
        seen.add((choice.namespace, choice.name))
        _check_selection(choice, stream)
        matched.append((choice, stream))
    for choice, stream in matched:
        _check_mode(choice, stream, destination_modes)
        if choice.include_files and not moves_files:
            raise Problem("file-transfer-unsupported", {"streamName": choice.name})
        if choice.include_files and not stream.get("is_file_based"):
            raise Problem("file-transfer-unsupported-by-stream", {"streamName": choice.name})
    return [_configured(choice, stream) for choice, stream in matched]


def defaults(
    discovered: Sequence[Descriptor], suggested: frozenset[str]
) -> list[tuple[ConfiguredStream, Descriptor]]:
    """What a create without streams selects: usually nothing (PUB-T 19)."""
    return [
        _configured(Choice(stream["name"], stream.get("namespace")), stream)
        for stream in discovered
        if catalog.selected_by_default(stream, len(discovered), suggested)
    ]


def _match(choice: Choice, discovered: Sequence[Descriptor]) -> Descriptor:
    """The namespace counts only where several streams have the name (PUB-T 17)."""
    named = [stream for stream in discovered if stream["name"] == choice.name]
    if len(named) == 1:
        return named[0]
    exact = [stream for stream in named if stream.get("namespace") == choice.namespace]
    where = f"with name [{choice.name}] and namespace [{_text(choice.namespace)}]"
    if not exact:
        raise bad_request(
            f"No streams found {where}. Please call the streams endpoint to see what the source offers."
        )
    if len(exact) > 1:
        raise bad_request(f"Multiple streams found {where}")
    return exact[0]


def _text(namespace: str | None) -> str:
    return "null" if namespace is None else namespace


# --- Field selection -------------------------------------------------------------------------


def _check_selection(choice: Choice, stream: Descriptor) -> None:
    if choice.selected_fields is None:
        return
    columns = catalog.columns(stream)
    names = [path[0] for path in choice.selected_fields if path]
    valid = f"The list of valid field names includes: {sorted(columns)}."
    if not choice.selected_fields:
        raise bad_request(f"No fields selected for stream {choice.name}. {valid}")
    if not all(choice.selected_fields):
        raise bad_request(f"Selected field path cannot be empty for stream: {choice.name}.")
    if any(len(path) > 1 for path in choice.selected_fields):
        raise bad_request(f"Nested field selection not supported for stream {choice.name}.")
    if len(set(names)) != len(names):
        raise bad_request(f"Duplicate fields selected in configuration for stream {choice.name}.")
    unknown = sorted(set(names) - set(columns))
    if unknown:
        raise bad_request(
            f"Invalid fields selected in configuration for stream {choice.name}: {unknown}. {valid}"
        )
    mode = choice.mode or _OVERWRITE
    key = {path[0] for path in _key(choice, stream) if path}
    if mode.name in _SELECTS_KEY and not key <= set(names):
        raise bad_request(
            f"Primary key fields are not selected properly for stream: {choice.name}."
            f" Select all of: {sorted(key)}."
        )
    cursor = _cursor(choice, stream)
    if mode.incremental and cursor and cursor[0] not in names:
        raise bad_request(
            f"Cursor field is not selected properly for stream: {choice.name}. Select: {cursor[0]}."
        )


# --- Modes, cursors and keys -----------------------------------------------------------------


def _check_mode(choice: Choice, stream: Descriptor, destination_modes: Sequence[str]) -> None:
    # Overwrite is taken on trust, whatever source and destination can do (PUB-T 36).
    if choice.mode is None or choice.mode is _OVERWRITE:
        return
    valid = catalog.mode_names(stream, destination_modes)
    if choice.mode.name not in valid:
        raise bad_request(
            f"Cannot set sync mode to {choice.mode.name} for stream {choice.name}."
            f" Valid sync modes are: [{', '.join(valid)}]"
        )
    if choice.mode.name in _CHECKS_CURSOR:
        _check_cursor(choice, stream)
    if choice.mode.name in _CHECKS_KEY:
        _check_key(choice, stream)


def _check_cursor(choice: Choice, stream: Descriptor) -> None:
    default: list[str] = stream["default_cursor_field"]
    if stream["source_defined_cursor"]:
        if choice.cursor_field and choice.cursor_field != default:
            raise bad_request(
                f"Cursor Field {_listed(choice.cursor_field)} is already defined by source"
                f" for stream: {choice.name}. Leave the cursor field out."
            )
    elif choice.cursor_field:
        if not catalog.has_field(stream, choice.cursor_field):
            raise bad_request(f"Invalid cursor field for stream: {choice.name}.")
    elif not default:
        raise bad_request(f"No default cursor field for stream: {choice.name}. Please name one.")


def _check_key(choice: Choice, stream: Descriptor) -> None:
    defined: list[list[str]] = stream["source_defined_primary_key"]
    if defined and choice.primary_key and choice.primary_key != defined:
        raise bad_request(
            f"Primary key for stream: {choice.name} is already pre-defined."
            f" Leave it out or give it as {_listed([_listed(path) for path in defined])}."
        )
    if not defined and not choice.primary_key:
        raise bad_request(f"No default primary key for stream: {choice.name}. Please name one.")
    if not all(catalog.has_field(stream, path) for path in choice.primary_key or ()):
        raise bad_request(f"Invalid primary key for stream: {choice.name}.")
    parts = [tuple(path) for path in choice.primary_key or ()]
    if len(set(parts)) != len(parts):
        raise bad_request(f"Duplicate primary key detected for stream: {choice.name}.")


def _listed(parts: Sequence[str]) -> str:
    return f"[{', '.join(parts)}]"


# --- What is stored --------------------------------------------------------------------------


def _cursor(choice: Choice, stream: Descriptor) -> list[str]:
    """The source's own unless the mode reads one and the source leaves it open (PUB-T 16)."""
    default: list[str] = stream["default_cursor_field"]
    if choice.mode is None or not choice.mode.uses_cursor or stream["source_defined_cursor"]:
        return default
    return choice.cursor_field or default


def _key(choice: Choice, stream: Descriptor) -> list[list[str]]:
    defined: list[list[str]] = stream["source_defined_primary_key"]
    if defined or choice.mode is None or not choice.mode.uses_key:
        return defined
    return choice.primary_key or []


def _configured(choice: Choice, stream: Descriptor) -> tuple[ConfiguredStream, Descriptor]:
    mode = choice.mode or _OVERWRITE
    selected = None
    if choice.selected_fields is not None:
        wanted = {path[0] for path in choice.selected_fields}
        selected = [name for name in catalog.columns(stream) if name in wanted]
    configured = ConfiguredStream(
        name=stream["name"],
        namespace=stream.get("namespace"),
        sync_mode=mode.source,
        destination_sync_mode=mode.destination,
        cursor_field=_cursor(choice, stream),
        primary_key=_key(choice, stream),
        selected_fields=selected,
        mappers=list(choice.mappers or ()),
        include_files=bool(choice.include_files),
        destination_object_name=choice.destination_object_name,
    )
    return configured, stream
