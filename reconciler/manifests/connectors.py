"""Connector definitions from files: a folder of them, or Airbyte's registry as one JSON file.

Reads what the target names; what a definition means is core.connector's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.core.connector import parse_definition
from reconciler.core.diagnostics import Diagnostic, Span, in_order
from reconciler.core.model import ConnectorDefinition, Json

_REGISTRY_KINDS: Final = (
    ("source", "sources", "sourceDefinitionId"),
    ("destination", "destinations", "destinationDefinitionId"),
)


def load_connectors(
    path: str | Path,
) -> tuple[tuple[ConnectorDefinition, ...], tuple[Diagnostic, ...]]:
    """Definitions sorted by kind, name and id; what can't be read is in the diagnostics."""
    place = Path(path)
    definitions: list[ConnectorDefinition] = []
    found: list[Diagnostic] = []
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    if not files:
        found.append(_problem(place, "the folder holds no connector file (*.json)"))
    for file in files:
        try:
            definitions += _definitions(json.loads(file.read_bytes()))
        except OSError as error:
            found.append(_problem(file, f"can't be read: {error.strerror}"))
        except json.JSONDecodeError as error:
            found.append(_problem(file, "not JSON", error.lineno, error.colno))
        except (AttributeError, KeyError, TypeError, ValueError):
            found.append(_problem(file, "not a connector definition, nor Airbyte's registry"))
    return (
        tuple(sorted(definitions, key=lambda d: (d.kind, d.name, d.id))),
        in_order(found),
    )


def _definitions(data: Json) -> Iterator[ConnectorDefinition]:
    if "definitionId" in data:
        yield parse_definition(data)
        return
    entries = [
        (kind, entry, entry[id_key])
        for kind, key, id_key in _REGISTRY_KINDS
        for entry in data.get(key, ())
    ]
    if not entries:
        raise ValueError("neither form")
    for kind, entry, definition_id in entries:
        yield parse_definition(
            {
                **entry,
                "type": kind,
                "definitionId": definition_id,
                "connectionSpecification": _specification(entry),
            }
        )


def _specification(entry: Mapping[str, Json]) -> Json:
    return (entry.get("spec") or {}).get("connectionSpecification")


def _problem(file: Path, message: str, line: int = 1, column: int = 1) -> Diagnostic:
    return Diagnostic(
        code="connector-file-invalid",
        message=message,
        hint="`connectors` names a folder of connector files, or Airbyte's registry JSON",
        span=Span(str(file), line, column),
    )
