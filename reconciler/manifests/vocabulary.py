"""What an author most likely meant: misspellings, and Airbyte's own words for what has another name here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.core.connector import closest

# Keys of Airbyte's APIs, of octavia and of Terraform's provider that have another name here.
_KEYS: Final[Mapping[str, str]] = {
    "configurations": "streams",
    "cronexpression": "cron",
    "cursor": "cursorField",
    "definitionid": "connector",
    "definitiontype": "connector",
    "destinationid": "destination: {id: …}",
    "dockerrepository": "connector",
    "fields": "columns",
    "key": "primaryKey",
    "mapperconfiguration": "the mapper's arguments beside its type",
    "backfill": "backfillPreference",
    "namespacedefinition": "destinationNamespace",
    "namespaceformat": "destinationNamespace: {format: …}",
    "nonbreakingchangespreference": "schemaChanges",
    "nonbreakingschemaupdatesbehavior": "schemaChanges",
    "scheduletype": "schedule",
    "selectedfields": "columns",
    "sourceid": "source: {id: …}",
    "syncmodes": "syncMode",
}

_VALUES: Final[Mapping[str, str]] = {
    "append": "incremental_append",
    "basic": "{every: …}",
    "cron": "{cron: …}",
    "custom_format": "{format: …}",
    "customformat": "{format: …}",
    "deprecated": "inactive",
    "disabled": "inactive",
    "enabled": "active",
    "full_refresh": "full_refresh_overwrite",
    "full_refresh_overwrite_dedup": "full_refresh_overwrite_deduped",
    "incremental": "incremental_append",
    "incremental_append_dedup": "incremental_deduped_history",
    "incremental_append_deduped": "incremental_deduped_history",
    "incremental_dedup": "incremental_deduped_history",
    "incremental_dedup_history": "incremental_deduped_history",
    "incremental_deduped": "incremental_deduped_history",
    "paused": "inactive",
    "propagate": "propagate_columns",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha512": "SHA-512",
}


def likely_key(key: str, known: Iterable[str]) -> str:
    """The hint for an unknown key, or an empty string."""
    by_plain = {_plain(name): name for name in known}
    meant = by_plain.get(_plain(key)) or _KEYS.get(_plain(key), "")
    if meant.split(":")[0] not in by_plain.values() and " " not in meant:
        meant = by_plain.get(closest(_plain(key), by_plain), "")
    return f"did you mean {meant}?" if meant else ""


def likely_value(value: str, allowed: Iterable[str]) -> str:
    """The hint for a value that is not allowed; it names an allowed one, never the value."""
    by_plain = {_plain(name): name for name in allowed}
    if not by_plain:
        return ""
    meant = _VALUES.get(value.lower().replace("-", "_")) or _VALUES.get(_plain(value), "")
    if meant not in by_plain.values() and not meant.startswith("{"):
        meant = by_plain.get(_plain(value)) or by_plain.get(closest(_plain(value), by_plain), "")
    return f"did you mean {meant}?" if meant else ""


def example(key: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """`key: value` as it could be written, from the schema's own examples."""
    target = schema.get("$ref", "").rsplit("/", 1)[-1]
    for place in (schema, definitions.get(target, {})):
        if place.get("examples"):
            return f"{key}: {_flow(place['examples'][0])}"
        if "const" in place:
            return f"{key}: {place['const']}"
    return f"{key}: …"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value) if value.startswith("$") else value
    return json.dumps(value)


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
