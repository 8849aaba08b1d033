"""JSON Schema as the server applies it, with messages in networknt's style (PUB §3.3).

Knows nothing of secrets: what is validated is what the caller passes. No message quotes a value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator, ValidationError
from jsonschema.validators import validator_for

from reconciler.core.model import Json
from reconciler.emulator import formats
from reconciler.emulator.problems import InvalidConfiguration

_ASSERT_FORMATS: Final = (Draft4Validator, Draft6Validator, Draft7Validator)

_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (dict, "object"),
    (list, "array"),
)


def validate(schema: Mapping[str, Json], value: Json) -> None:
    """Raises InvalidConfiguration with every violation in one text, as the server words it."""
    messages = list(dict.fromkeys(_messages(_validator(schema).iter_errors(value))))
    if messages:
        raise InvalidConfiguration(
            "json schema validation failed when comparing the data to the json schema."
            f" \nErrors: {', '.join(messages)} ",
            schema,
        )


def is_valid(schema: Mapping[str, Json], value: Json) -> bool:
    return bool(_validator(schema).is_valid(value))


def _validator(schema: Mapping[str, Json]) -> Any:
    validator = validator_for(schema, default=Draft7Validator)
    checker = formats.CHECKER if validator in _ASSERT_FORMATS else None
    return validator(schema, format_checker=checker)


def _messages(errors: Iterable[ValidationError]) -> Iterator[str]:
    for error in sorted(errors, key=lambda e: (e.json_path, str(e.validator))):
        yield f"{_path(error)}: {_text(error)}"
        if error.validator in ("oneOf", "anyOf"):
            yield from _messages(error.context or ())


def _path(error: ValidationError) -> str:
    path = "$"
    for part in error.absolute_path:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path


def _text(error: ValidationError) -> str:
    word = _WORDS.get(str(error.validator))
    return word(error) if word else f"does not satisfy '{error.validator}'"


def _rule(error: ValidationError) -> Any:
    return error.validator_value


def _value(error: ValidationError) -> Any:
    return error.instance


def _required(error: ValidationError) -> str:
    # One error a property, but the error names it only in its text: the first missing one that the
    # text ends on is it.
    missing = [key for key in _rule(error) if key not in _value(error)]
    named = [key for key in missing if error.message.startswith(f"{key!r} ")]
    return f"required property '{(named or missing)[0]}' not found"


def _type(error: ValidationError) -> str:
    expected = _rule(error)
    wanted = expected if isinstance(expected, str) else f"[{', '.join(expected)}]"
    return f"{_type_name(_value(error))} found, {wanted} expected"


def _type_name(value: Json) -> str:
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


def _one_of(error: ValidationError) -> str:
    branches = _rule(error)
    valid = sum(1 for branch in branches if is_valid(branch, _value(error)))
    return f"must be valid to one and only one schema, but {valid} are valid"


def _additional(error: ValidationError) -> str:
    known = error.schema.get("properties") or {} if isinstance(error.schema, dict) else {}
    extra = sorted(key for key in _value(error) if key not in known)
    return (
        f"property '{extra[0] if extra else '?'}' is not defined in the schema"
        " and the schema does not allow additional properties"
    )


def _enum(error: ValidationError) -> str:
    return f"does not have a value in the enumeration {json.dumps(_rule(error))}"


def _format(error: ValidationError) -> str:
    name = str(_rule(error))
    return f"does not match the {name} pattern {formats.EXPECTED[name]}"


_WORDS: Final[Mapping[str, Callable[[ValidationError], str]]] = {
    "required": _required,
    "type": _type,
    "oneOf": _one_of,
    "additionalProperties": _additional,
    "enum": _enum,
    "format": _format,
    "const": lambda e: f"must be the constant value '{_rule(e)}'",
    "pattern": lambda e: f"does not match the regex pattern {_rule(e)}",
    "minimum": lambda e: f"must have a minimum value of {_rule(e)}",
    "maximum": lambda e: f"must have a maximum value of {_rule(e)}",
    "minLength": lambda e: f"must be at least {_rule(e)} characters long",
    "maxLength": lambda e: f"must be at most {_rule(e)} characters long",
    "minItems": lambda e: f"must have at least {_rule(e)} items but found {len(_value(e))}",
    "maxItems": lambda e: f"must have at most {_rule(e)} items but found {len(_value(e))}",
    "uniqueItems": lambda _: "must have only unique items in the array",
    "not": lambda _: "must not be valid to the schema",
}
