"""Mappers of a stream: whether they fit its columns, their ids, and the keys they encrypt with (PUB §4.3).

A stored mapper is {id, type, config}; knows nothing of either API's wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.core.model import MASK, Json
from reconciler.emulator import schema, secrets
from reconciler.emulator.catalog import ConfiguredStream
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Problem

Mapper = Mapping[str, Json]

HASH_METHODS: Final = ("MD2", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512")


def _object(**properties: Json) -> dict[str, Json]:
    return {"type": "object", "required": sorted(properties), "properties": properties}


_TEXT: Final = {"type": "string"}
_CONDITION: Final = {
    "oneOf": [
        _object(type={"const": "EQUAL"}, fieldName=_TEXT, comparisonValue=_TEXT),
        _object(
            type={"const": "NOT"},
            conditions={
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/definitions/condition"},
            },
        ),
    ]
}
_FORMS: Final[Mapping[str, Json]] = {
    "hashing": _object(
        targetField=_TEXT, method={"enum": list(HASH_METHODS)}, fieldNameSuffix=_TEXT
    ),
    "field-filtering": _object(targetField=_TEXT),
    "field-renaming": _object(originalFieldName=_TEXT, newFieldName=_TEXT),
    "row-filtering": {
        **_object(conditions={"$ref": "#/definitions/condition"}),
        "definitions": {"condition": _CONDITION},
    },
    "encryption": {
        "oneOf": [
            _object(
                algorithm={"const": "AES"},
                targetField=_TEXT,
                fieldNameSuffix=_TEXT,
                key=_TEXT,
                mode={"enum": ["CBC", "CFB", "OFB", "CTR", "GCM", "ECB"]},
                padding={"enum": ["NoPadding", "PKCS5Padding"]},
            ),
            _object(
                algorithm={"const": "RSA"},
                targetField=_TEXT,
                fieldNameSuffix=_TEXT,
                publicKey=_TEXT,
            ),
        ]
    },
}

TYPES: Final = frozenset(_FORMS)


def check(streams: Sequence[tuple[ConfiguredStream, Sequence[str]]]) -> None:
    """Each stream with its selected columns. Raises one Problem with all errors."""
    errors = [
        {
            "stream": stream.name,
            "error": error,
            "mapper": {"id": mapper.get("id"), "type": mapper["type"]},
        }
        for stream, columns in streams
        for mapper, error in _faults(stream.mappers, columns)
    ]
    if errors:
        raise Problem("mapper-invalid", {"errors": errors})


def _faults(mappers: Sequence[Mapper], columns: Sequence[str]) -> Iterator[tuple[Mapper, str]]:
    """Each mapper sees the columns that those before it leave."""
    present = set(columns)
    for mapper in mappers:
        if mapper["type"] not in _FORMS:
            yield mapper, "MISSING_MAPPER"
            continue
        if not schema.is_valid(_FORMS[mapper["type"]], mapper["config"]):
            yield mapper, "INVALID_MAPPER_CONFIG"
            continue
        reads, removes, adds = _touches(mapper)
        if not reads <= present:
            yield mapper, "FIELD_NOT_FOUND"
        elif adds & (present - removes):
            yield mapper, "FIELD_ALREADY_EXISTS"
        else:
            present = (present - removes) | adds


def _touches(mapper: Mapper) -> tuple[set[str], set[str], set[str]]:
    """The columns that a valid mapper reads, removes and adds."""
    config = mapper["config"]
    if mapper["type"] == "row-filtering":
        return set(_compared(config["conditions"])), set(), set()
    if mapper["type"] == "field-renaming":
        before = {config["originalFieldName"]}
        return before, before, {config["newFieldName"]}
    target = {config["targetField"]}
    if mapper["type"] == "field-filtering":
        return target, target, set()
    return target, target, {config["targetField"] + config["fieldNameSuffix"]}


def _compared(condition: Mapping[str, Json]) -> Iterator[str]:
    if condition["type"] == "EQUAL":
        yield condition["fieldName"]
    else:
        for part in condition["conditions"]:
            yield from _compared(part)


def mapped(columns: Mapping[str, Json], mappers: Sequence[Mapper]) -> dict[str, Json]:
    """What arrives of a stream's columns once valid mappers are through with them."""
    left = dict(columns)
    for mapper in mappers:
        _, removes, adds = _touches(mapper)
        gone = {name: left.pop(name) for name in sorted(removes) if name in left}
        for name in sorted(adds):
            renamed = mapper["type"] == "field-renaming" and gone
            left[name] = next(iter(gone.values())) if renamed else {"type": "string"}
    return left


# --- Ids and keys ----------------------------------------------------------------------------


def ensure_keys_known(before: Sequence[Mapper], after: Sequence[Mapper]) -> None:
    """A masked key is the stored one of the mapper with the same id; there being none is a Problem."""
    for mapper in after:
        if mapper["config"].get("key") == MASK and _stored_key(before, mapper) is None:
            raise Problem("mapper-secret-not-found", {"mapperId": mapper.get("id")})


def kept(
    instance: Instance, workspace_id: str, before: Sequence[Mapper], after: Sequence[Mapper]
) -> list[Mapper]:
    """Gives ids to those without one and puts raw keys into the store; masks must be known."""
    result: list[Mapper] = []
    for mapper in after:
        config = dict(mapper["config"])
        if isinstance(config.get("key"), str):
            coordinate = _stored_key(before, mapper)
            if config["key"] != MASK or coordinate is None:
                coordinate = secrets.put(instance, workspace_id, config["key"], coordinate)
            config["key"] = secrets.reference(coordinate)
        identity = mapper.get("id") or instance.new_id()
        result.append({"id": identity, "type": mapper["type"], "config": config})
    return result


def _stored_key(before: Sequence[Mapper], mapper: Mapper) -> str | None:
    for earlier in before:
        if earlier["id"] == mapper.get("id"):
            return secrets.coordinate_of(earlier["config"].get("key"))
    return None


def shown(mapper: Mapper) -> Json:
    """The configuration as it is read: the key masked."""
    return secrets.masked(None, mapper["config"])
