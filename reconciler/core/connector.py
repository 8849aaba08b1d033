"""Connector definitions: reading their file form, finding one by name, and where their secrets are.

A pure reading of connectionSpecification; validation against it happens in core.configuration.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from jsonschema import Draft7Validator

from reconciler.core.model import ConnectorDefinition, Json, Secret
from reconciler.core.specification import usable

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
        spec=usable(data.get("connectionSpecification")),
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


def with_specs(
    served: Iterable[ConnectorDefinition], known: Iterable[ConnectorDefinition]
) -> tuple[ConnectorDefinition, ...]:
    """The server's definitions with the specs known from elsewhere: by id, else by docker repository."""
    by_id = {(d.kind, d.id): d.spec for d in known}
    by_repository = {(d.kind, d.docker_repository): d.spec for d in known if d.docker_repository}
    return tuple(
        d
        if d.spec is not None
        else replace(
            d, spec=by_id.get((d.kind, d.id), by_repository.get((d.kind, d.docker_repository)))
        )
        for d in served
    )


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


def described_pointers(spec: Mapping[str, Json] | None, value: Json) -> frozenset[str]:
    """JSON pointers of the parts of `value` that the spec describes in any of its forms. Of the others nobody
    can tell whether they are secret."""
    return frozenset() if spec is None else frozenset(_described(spec, value, ""))


def _described(spec: Mapping[str, Json], value: Json, pointer: str) -> Iterator[str]:
    yield pointer
    for schema, part, at in _parts(spec, value, pointer):
        if isinstance(schema, Mapping):
            yield from _described(schema, part, at)


def _secrets(spec: Mapping[str, Json], value: Json, pointer: str) -> Iterator[str]:
    if "airbyte_secret" in spec:
        yield pointer
        return
    for schema, part, at in _parts(spec, value, pointer):
        if isinstance(schema, Mapping):
            yield from _secrets(schema, part, at)


def _parts(spec: Mapping[str, Json], value: Json, pointer: str) -> Iterator[tuple[Json, Json, str]]:
    """(schema, value, pointer) of everything that the schema describes of the value, one level."""
    for combination in _COMBINATIONS:
        for branch in spec.get(combination) or ():
            yield branch, value, pointer
    if isinstance(value, Mapping):
        for key, child in (spec.get("properties") or {}).items():
            if key in value:
                yield child, value[key], f"{pointer}/{escape(key)}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value):
            yield spec.get("items"), item, f"{pointer}/{index}"


def escape(key: str) -> str:
    """One reference token of a JSON pointer (RFC 6901)."""
    if "~" not in key and "/" not in key:
        return key
    return key.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def fitting_branches(spec: Mapping[str, Json], value: Json) -> list[Mapping[str, Json]]:
    """The schemas that describe `value` at this level: the branches of its combinations that it
    validates against, and the level itself where it has properties of its own."""
    branches: list[Mapping[str, Json]] = [
        branch
        for combination in _COMBINATIONS
        for branch in spec.get(combination) or ()
        if Draft7Validator(branch).is_valid(value)
    ]
    deeper = [fit for branch in branches for fit in fitting_branches(branch, value)]
    return deeper + ([spec] if "properties" in spec else [])


def constants(branch: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """The keys by which Airbyte tells the forms of a oneOf apart, each with this form's value."""
    for name, child in (branch.get("properties") or {}).items():
        if "const" in child:
            yield name, child["const"]
        elif len(child.get("enum") or ()) == 1:
            yield name, child["enum"][0]


def same_form(
    spec: Mapping[str, Json] | None, ours: Json, theirs: Json, path: Sequence[str]
) -> bool:
    """Whether two configurations take the same form of each combination on the way to `path`, as far
    as the forms' constants tell: a secret of one form is not that of another."""
    schemas = [spec or {}]
    for key in (*path, None):
        branches = [b for schema in schemas for b in _branches(schema)]
        names = {name for branch in branches for name, _ in constants(branch)}
        if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
            return True
        if any(_value(ours.get(name)) != _value(theirs.get(name)) for name in names):
            return False
        levels = [schema.get("properties") or {} for schema in (*schemas, *branches)]
        schemas = [level[key] for level in levels if isinstance(level.get(key), Mapping)]
        ours, theirs = ours.get(key), theirs.get(key)
    return True


def _value(leaf: Json) -> Json:
    return leaf.value if isinstance(leaf, Secret) else leaf


def _branches(spec: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    for combination in _COMBINATIONS:
        for branch in spec.get(combination) or ():
            yield branch
            yield from _branches(branch)


def scalar_defaults(
    spec: Mapping[str, Json] | None, value: Json, pointer: str = ""
) -> dict[str, Json]:
    """Pointer → the spec's own default for every key of `value` that has a valid scalar one.

    Airbyte's UI writes such defaults and the server never does (PUB-T 33), so that a live key that
    equals one means the same as an absent key.
    """
    found: dict[str, Json] = {}
    if spec is None or not isinstance(value, Mapping):
        return found
    for schema in fitting_branches(spec, value):
        for key, child in schema["properties"].items():
            if key not in value:
                continue
            at = f"{pointer}/{escape(key)}"
            default = child.get("default")
            scalar = isinstance(default, str | int | float | bool)
            if scalar and Draft7Validator(child).is_valid(default):
                found[at] = default
            found.update(scalar_defaults(child, value[key], at))
    return found


def mask_is_restored(spec: Mapping[str, Json] | None, value: Json, path: Sequence[str]) -> bool:
    """Whether the server puts the stored secret back where a PUT holds the mask (PUB §3.4).

    Only proven cases count: the field is marked `airbyte_secret: true`, it is reached through objects
    alone, and each combination on the way fits through exactly the branch that knows the field and
    has no properties beside it.
    """
    if spec is None:
        return False
    if not path:
        return spec.get("airbyte_secret") is True
    if not isinstance(value, Mapping) or path[0] not in value:
        return False
    combined = [combination for combination in _COMBINATIONS if combination in spec]
    if not combined:
        child = (spec.get("properties") or {}).get(path[0])
        return isinstance(child, Mapping) and mask_is_restored(child, value[path[0]], path[1:])
    return len(combined) == 1 and any(
        mask_is_restored(branch, value, path)
        for branch in spec[combined[0]]
        if Draft7Validator(branch).is_valid(value)
    )
