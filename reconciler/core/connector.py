"""Connector definitions: reading their file form, finding one by name, and where their secrets are.

A pure reading of connectionSpecification; validation against it happens in core.validate.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from reconciler.core.model import ConnectorDefinition, Json

_COMBINATIONS = ("oneOf", "anyOf", "allOf")


def parse_definition(data: Mapping[str, Json]) -> ConnectorDefinition:
    """Reads one definition in the form of a connector file (definitionId, name, type, dockerRepository,
    dockerImageTag, connectionSpecification). Raises KeyError or ValueError where it is none."""
    kind: Literal["source", "destination"]
    if data["type"] == "source":
        kind = "source"
    elif data["type"] == "destination":
        kind = "destination"
    else:
        raise ValueError(f"type is neither source nor destination: {data['type']!r}")
    return ConnectorDefinition(
        kind=kind,
        id=str(data["definitionId"]),
        name=str(data["name"]),
        docker_repository=str(data["dockerRepository"]),
        docker_tag=str(data.get("dockerImageTag", "")),
        spec=data.get("connectionSpecification"),
    )


def find_connector(
    reference: str, kind: str, definitions: Iterable[ConnectorDefinition]
) -> tuple[ConnectorDefinition, ...]:
    """All definitions that `reference` may mean: by id, else by docker repository, else by short
    name, else by display name without regard to case (PUB §6). One is a match; several are ambiguous."""
    candidates = [d for d in definitions if d.kind == kind]
    wanted = reference.lower()
    for matches in (
        [d for d in candidates if d.id.lower() == wanted],
        [d for d in candidates if d.docker_repository.lower() == wanted],
        [d for d in candidates if d.short_name.lower() == wanted],
        [d for d in candidates if d.name.lower() == wanted],
    ):
        if matches:
            return tuple(matches)
    return ()


def closest(word: str, candidates: Iterable[str]) -> str:
    """The candidate a misspelling most likely meant, or an empty string."""
    found = difflib.get_close_matches(word, sorted(set(candidates)), n=1, cutoff=0.6)
    return found[0] if found else ""


def secret_pointers(spec: Mapping[str, Json] | None, value: Json) -> frozenset[str]:
    """JSON pointers of the values in `value` that the spec marks `airbyte_secret`.

    The key's presence counts, not its value (PUB §3.5). All branches of a combination count: a secret
    must not be shown because a configuration fits the wrong branch.
    """
    if spec is None:
        return frozenset()
    return frozenset(_secrets(spec, value, ""))


def _secrets(spec: Mapping[str, Json], value: Json, pointer: str) -> Iterator[str]:
    if "airbyte_secret" in spec:
        yield pointer
        return
    for combination in _COMBINATIONS:
        for branch in spec.get(combination) or ():
            yield from _secrets(branch, value, pointer)
    if isinstance(value, Mapping):
        for key, child in (spec.get("properties") or {}).items():
            if key in value:
                yield from _secrets(child, value[key], f"{pointer}/{escape(key)}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        items = spec.get("items")
        if isinstance(items, Mapping):
            for index, item in enumerate(value):
                yield from _secrets(items, item, f"{pointer}/{index}")


def escape(key: str) -> str:
    """One reference token of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
