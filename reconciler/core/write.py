"""What exactly is sent for an update, or why it can't be (design §6.4).

Whole where every secret is at hand; minimal where one is kept; never a mask in a merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.core import redact
from reconciler.core.connector import escape, mask_is_restored, unescape
from reconciler.core.diff import FieldChange
from reconciler.core.kinds import KINDS
from reconciler.core.model import (
    KEEP,
    MASK,
    UNSET,
    Connection,
    ConnectorDefinition,
    Destination,
    Json,
    Secret,
    Source,
    Stream,
    Update,
    is_mask,
)
from reconciler.core.normalize import stream_key

_CONFIGURATION = "/configuration"


def connection_update(merged: Connection, fields: Iterable[FieldChange]) -> Update | str:
    """Only the changed top-level fields; streams, if one changed, complete. A str: why there is no write."""
    changed = {field.pointer.split("/")[1].split("[")[0] for field in fields}
    problem = None
    if "streams" in changed:
        problem = _nameless_mode(merged)
    if problem is not None:
        return problem
    table = KINDS["connection"].fields
    return Update(merged, frozenset(table[name] for name in changed))


def new_connection_problems(merged: Connection) -> tuple[str, ...]:
    """Why a connection can't be written as a new one."""
    problem = _nameless_mode(merged)
    return tuple(text for text in (problem, _keys_that_stay_behind(merged)) if text is not None)


def _keys_that_stay_behind(merged: Connection) -> str | None:
    """A new connection has no mapper of which Airbyte could keep the key (PUB-T 18)."""
    for stream in _in_order(merged):
        for mapper in stream.mappers if isinstance(stream.mappers, tuple) else ():
            if any(leaf is KEEP or is_mask(leaf) for _, leaf in redact.leaves(mapper.config)):
                return (
                    f"stream {stream.name!r}: a new connection needs its encryption key, "
                    "which only Airbyte knows: set it from ${env:…}"
                )
    return None


def _in_order(merged: Connection) -> list[Stream]:
    """So that the same streams are named in whatever order they stand."""
    return sorted(merged.streams, key=stream_key) if isinstance(merged.streams, tuple) else []


def _nameless_mode(merged: Connection) -> str | None:
    for stream in _in_order(merged):
        if stream.sync_mode is None:
            return (
                f"stream {stream.name!r} has a sync mode that this API can't name; "
                "writing the list would reset it: state the stream and its mode"
            )
    return None


def unset_secrets(value: Json) -> tuple[str, ...]:
    """Labels of secrets that are to be sent and that this run does not have."""
    found = {
        leaf.label
        for _, leaf in redact.leaves(value)
        if isinstance(leaf, Secret) and not leaf.known
    }
    return tuple(sorted(found))


def actor_update(
    desired: Source | Destination,
    live: Source | Destination,
    fields: tuple[FieldChange, ...],
    definition: ConnectorDefinition | None,
    ignored: frozenset[str],
) -> Update | str:
    """The write that makes `live` what `desired` says. A str: why there is none that is safe."""
    configured = tuple(field for field in fields if field.pointer.startswith(_CONFIGURATION))
    if not configured:
        return Update(desired, frozenset({"name"}))
    wanted = _with_ignored(desired.configuration, live.configuration, ignored)
    kept = sorted(at for at, leaf in redact.leaves(wanted) if leaf is KEEP)
    servers_own = sorted(
        at for at, leaf in redact.leaves(live.configuration) if is_mask(leaf) and leaf != MASK
    )
    sent = frozenset(
        {"name", "configuration"} if len(configured) < len(fields) else {"configuration"}
    )
    if not kept and not servers_own:
        return _whole(desired, wanted)
    partial = _partial(configured, desired.configuration)
    if partial is not None:
        return Update(replace(desired, configuration=partial), sent)
    if servers_own:
        return (
            f"only a full write could do this, and it would drop {servers_own[0]}, the server's own"
        )
    masked = _masked(wanted)
    unproven = [
        at
        for at in kept
        if definition is None
        or not mask_is_restored(definition.spec, masked, [unescape(t) for t in at.split("/")[1:]])
    ]
    if unproven:
        return (
            "only a full write could do this, and nothing proves that Airbyte would restore "
            f"{_CONFIGURATION}{unproven[0]} (${{keep}}): set it from ${{env:…}}"
        )
    return _whole(desired, wanted)


def _whole(desired: Source | Destination, configuration: Json) -> Update:
    spec = replace(desired, configuration=configuration)
    return Update(spec, frozenset({"name", "configuration"}), whole=True)


def _with_ignored(desired: Json, live: Json, ignored: frozenset[str], pointer: str = "") -> Json:
    """The desired tree with the live value at each ignored pointer; a masked one there is kept."""
    if f"{_CONFIGURATION}{pointer}" in ignored:
        return _masks_kept(live)
    if isinstance(desired, list) and isinstance(live, list) and len(desired) == len(live):
        pairs = enumerate(zip(desired, live, strict=True))
        return [_with_ignored(ours, was, ignored, f"{pointer}/{i}") for i, (ours, was) in pairs]
    if not (isinstance(desired, Mapping) and isinstance(live, Mapping)):
        return desired
    merged = {}
    for key in (*desired, *(key for key in live if key not in desired)):
        at = f"{pointer}/{escape(key)}"
        if key in desired:
            merged[key] = _with_ignored(desired[key], live.get(key), ignored, at)
            if key not in live and f"{_CONFIGURATION}{at}" in ignored:
                del merged[key]
        elif f"{_CONFIGURATION}{at}" in ignored:
            merged[key] = _masks_kept(live[key])
    return merged


def _masks_kept(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _masks_kept(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_masks_kept(child) for child in value]
    return KEEP if is_mask(value) else value


def _masked(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _masked(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(child) for child in value]
    return MASK if value is KEEP else value.value if isinstance(value, Secret) else value


def _partial(
    configured: Iterable[FieldChange], desired: Mapping[str, Json]
) -> dict[str, Json] | None:
    """The minimal tree to merge into the stored one, or None where a merge can't do it: a merge
    removes no key, ignores a scalar over an object, and may hold no mask (PUB §3.4)."""
    partial: dict[str, Any] = {}
    for field in configured:
        path = [unescape(token) for token in field.pointer.split("/")[2:]]
        if field.after is UNSET or not path:
            return None
        value = _at(desired, path)
        if isinstance(field.before, Mapping) and not isinstance(value, Mapping):
            return None
        if any(leaf is KEEP for _, leaf in redact.leaves(value)):
            return None
        node = partial
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = value
    return partial


def _at(tree: Json, path: list[str]) -> Json:
    for key in path:
        tree = tree[key]
    return tree
