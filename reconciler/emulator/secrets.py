"""Where a configuration's secrets live, how they are masked, kept and versioned (PUB §3.4, §3.5).

A stored configuration holds `{"_secret": coordinate}` at each secret path; the values are rows of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.core.connector import secret_pointers, unescape
from reconciler.core.model import MASK, Json
from reconciler.emulator import rows, schema
from reconciler.emulator.instance import Instance

Spec = Mapping[str, Json]

COORDINATE_PREFIX: Final = "secret_coordinate::"
_REFERENCE: Final = "_secret"
_PLACEHOLDER: Final = "secret_placeholder"
_COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")
_VERSION = re.compile(r"_v(\d+)$")


def reference(coordinate: str) -> dict[str, str]:
    return {_REFERENCE: coordinate}


def coordinate_of(node: Json) -> str | None:
    """The coordinate, if the node stands for a stored secret."""
    if isinstance(node, Mapping) and set(node) == {_REFERENCE}:
        return str(node[_REFERENCE])
    return None


# --- Reading ---------------------------------------------------------------------------------


def masked(spec: Spec | None, stored: Json) -> Json:
    """Ten asterisks at every path that the spec marks, and wherever a secret is stored."""
    shown = _each(stored, lambda node: node if coordinate_of(node) is None else MASK)
    for pointer in _marked(spec, stored):
        shown = _with(shown, pointer, MASK)
    return shown


def with_coordinates(spec: Spec | None, stored: Json) -> Json:
    """As `includeSecretCoordinates` shows it: where a secret is kept instead of the mask."""
    shown = masked(spec, stored)
    for pointer in _marked(spec, stored):
        coordinate = coordinate_of(_at(stored, pointer))
        if coordinate is not None:
            shown = _with(shown, pointer, COORDINATE_PREFIX + coordinate)
    return shown


def with_placeholders(stored: Json) -> Json:
    """What an update is validated with: the server doesn't fetch secrets for that (PUB §3.3)."""
    return _each(stored, lambda node: node if coordinate_of(node) is None else _PLACEHOLDER)


# --- Writing ---------------------------------------------------------------------------------


def merged(stored: Json, sent: Json) -> Json:
    """PATCH: objects recursively; arrays, scalars and null replaced; an object is never replaced by
    anything but a secret's new value (PUB-T 8)."""
    if not _is_object(stored):
        return sent
    if not _is_object(sent):
        return stored
    result = dict(stored)
    for key, value in sent.items():
        known = result.get(key)
        result[key] = merged(known, value) if _is_object(known) else value
    return result


def restored(spec: Spec, stored: Json, sent: Json) -> Json:
    """PUT: the mask stands for the stored secret, as far as the server looks (PUB §3.4).

    Not inside arrays; in a combination only in branches that validate; a level that has a combination
    gets nothing but that. A mask that isn't restored stays, and so becomes the secret.
    """
    combination = _combination(spec)
    if combination is not None:
        for branch in combination:
            if schema.is_valid(branch, with_placeholders(sent)):
                sent = restored(branch, stored, sent)
        return sent
    if not (_is_object(stored) and _is_object(sent)):
        return sent
    result = dict(sent)
    for key, field in (spec.get("properties") or {}).items():
        if key not in stored or key not in result:
            continue
        if field.get("airbyte_secret") is True:
            if result[key] == MASK:
                result[key] = stored[key]
        elif _combination(field) is not None or "properties" in field:
            result[key] = restored(field, stored[key], result[key])
    return result


def kept(
    instance: Instance, workspace_id: str, spec: Spec | None, before: Json, after: Json
) -> Json:
    """Puts every raw secret of `after` into the store and its coordinate in its place.

    Each raw value gets a new version, an equal one too (PUB §3.5); what is no longer referred to goes.
    """
    result = after
    for pointer in sorted(_marked(spec, after)):
        value = _at(after, pointer)
        if value is None or coordinate_of(value) is not None:
            continue
        if isinstance(value, str) and value.startswith(COORDINATE_PREFIX):
            result = _with(result, pointer, reference(value.removeprefix(COORDINATE_PREFIX)))
            continue
        earlier = coordinate_of(_at(before, pointer))
        coordinate = put(instance, workspace_id, value, earlier)
        result = _with(result, pointer, reference(coordinate))
    drop(instance, _coordinates(before) - _coordinates(result))
    return result


def put(instance: Instance, workspace_id: str, value: Json, earlier: str | None) -> str:
    """Stores a value under a new coordinate, the next version of `earlier` if there is one."""
    version = _VERSION.search(earlier) if earlier else None
    if earlier and version:
        coordinate = f"{earlier[: version.start()]}_v{int(version[1]) + 1}"
    else:
        coordinate = f"airbyte_workspace_{workspace_id}_secret_{instance.new_id()}_v1"
    instance.store.put(rows.Secret(coordinate, workspace_id, value))
    instance.record("secret_written", coordinate=coordinate)
    return coordinate


def drop(instance: Instance, coordinates: set[str]) -> None:
    for coordinate in sorted(coordinates):
        if instance.store.delete(rows.Secret, "id = ?", (coordinate,)):
            instance.record("secret_deleted", coordinate=coordinate)


def drop_all(instance: Instance, stored: Json) -> None:
    drop(instance, _coordinates(stored))


# --- Trees -----------------------------------------------------------------------------------


def _marked(spec: Spec | None, value: Json) -> frozenset[str]:
    # Without either key the server looks no further and masks nothing (PUB-T 10).
    if spec is None or not (spec.get("properties") or spec.get("oneOf")):
        return frozenset()
    return secret_pointers(spec, value)


def _combination(spec: Spec) -> list[Spec] | None:
    for key in _COMBINATIONS:
        branches = spec.get(key)
        if isinstance(branches, list):
            return branches
    return None


def _is_object(node: Json) -> bool:
    """An object in the caller's sense: a stored secret is a scalar to whoever writes."""
    return isinstance(node, Mapping) and coordinate_of(node) is None


def _each(node: Json, change: Callable[[Json], Json]) -> Json:
    changed = change(node)
    if changed is not node:
        return changed
    if isinstance(node, Mapping):
        return {key: _each(value, change) for key, value in node.items()}
    if isinstance(node, list):
        return [_each(value, change) for value in node]
    return node


def _coordinates(node: Json) -> set[str]:
    found: set[str] = set()

    def note(part: Json) -> Json:
        coordinate = coordinate_of(part)
        if coordinate is not None:
            found.add(coordinate)
        return part

    _each(node, note)
    return found


def _tokens(pointer: str) -> list[str]:
    return [unescape(token) for token in pointer.split("/")[1:]]


def _at(node: Json, pointer: str) -> Json:
    for token in _tokens(pointer):
        if isinstance(node, Mapping):
            node = node.get(token)
        elif isinstance(node, list) and token.isdigit() and int(token) < len(node):
            node = node[int(token)]
        else:
            return None
    return node


def _with(node: Json, pointer: str, value: Json) -> Json:
    """A copy of the tree in which the node at the pointer, which must exist, is `value`."""
    return _set(node, _tokens(pointer), value)


def _set(node: Json, tokens: list[str], value: Json) -> Json:
    if not tokens:
        return value
    copy: Any = dict(node) if isinstance(node, Mapping) else list(node)
    key: Any = tokens[0] if isinstance(copy, dict) else int(tokens[0])
    copy[key] = _set(copy[key], tokens[1:], value)
    return copy
