"""Why data does not fit a schema, in words that never quote a value: what is expected, where, what next.

The words come from the schemas: `title` names what is expected, `examples` show it. Knows no files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from reconciler.core.connector import escape
from reconciler.core.model import Json
from reconciler.manifests.vocabulary import example, likely_key, likely_value

Error: TypeAlias = Any
"""A jsonschema ValidationError; its annotations allow Unset in each attribute, an iterated error has none."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`pointer` is where; with `at_key` its key is what is wrong, not its value."""

    code: str
    pointer: str
    message: str
    hint: str
    at_key: bool = False


def explain(kind: str, schema: Mapping[str, Any], data: Json) -> tuple[Problem, ...]:
    """Never empty: call it for data that does not fit."""
    explainer = _Explainer(kind, schema)
    found: dict[tuple[str, str, bool], Problem] = {}
    for error in Validator(schema).iter_errors(data):
        for problem in explainer.problems(error):
            found.setdefault((problem.pointer, problem.code, problem.at_key), problem)
    meant = {_sibling(p.pointer, p.hint) for p in found.values() if p.at_key}
    kept = [
        found[key]
        for key in sorted(found)
        if not (key[1] == "schema-missing-key" and key[0] in meant)
    ]
    return tuple(kept) or (_UNEXPLAINED,)


def _sibling(pointer: str, hint: str) -> str:
    """Where the key would stand that a misspelled one was meant to be: one cause is told once."""
    meant = hint.removeprefix("did you mean ").removesuffix("?").partition(":")[0]
    return f"{pointer.rsplit('/', 1)[0]}/{meant}"


def _pattern(
    _validator: object, pattern: str, instance: Json, _schema: object
) -> Iterator[ValidationError]:
    """As ECMA-262 has it: `$` is the end of the text, not the place before a last line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("the pattern does not match")


Validator: Final[Any] = validators.extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]

_UNEXPLAINED: Final = Problem(
    "schema-wrong-value",
    "",
    "the document does not fit its schema",
    "check it in an editor with manifest.schema.json",
)


class _Explainer:
    """One row a JSON Schema keyword; what has no row is told as a value that does not fit."""

    def __init__(self, kind: str, schema: Mapping[str, Any]) -> None:
        self._kind = kind
        self._definitions: Mapping[str, Any] = schema.get("$defs", {})
        self._keywords: Mapping[str, Callable[[Error], Iterable[Problem]]] = {
            "additionalProperties": self._unknown_keys,
            "required": self._missing_keys,
            "dependentRequired": self._missing_companions,
            "anyOf": self._choice,
            "oneOf": self._one_of_keys,
            "not": self._conflict,
        }

    def problems(self, error: Error) -> Iterable[Problem]:
        if "propertyNames" in error.relative_schema_path:
            return self._wrong_name(error)
        return self._keywords.get(str(error.validator), self._wrong_value)(error)

    def _unknown_keys(self, error: Error) -> Iterator[Problem]:
        if error.validator_value is not False:
            return
        known = sorted(error.schema.get("properties", {}))
        for key in sorted(set(error.instance) - set(known)):
            yield Problem(
                "schema-unknown-key",
                f"{_pointer(error)}/{escape(key)}",
                f"the key {key!r} is not known here",
                likely_key(key, known) or f"known here: {', '.join(known)}",
                at_key=True,
            )

    def _wrong_name(self, error: Error) -> Iterator[Problem]:
        yield Problem(
            "schema-wrong-value",
            f"{_pointer(error)}/{escape(str(error.instance))}",
            f"{_where(error)}: expected {self._words(error.schema)} as key",
            "rename the key",
            at_key=True,
        )

    def _missing_keys(self, error: Error) -> Iterator[Problem]:
        for key in error.validator_value:
            if key not in error.instance:
                yield self._missing(error, key, f"{_where(error)}: the key {key!r} is missing")

    def _missing_companions(self, error: Error) -> Iterator[Problem]:
        for key, others in sorted(error.validator_value.items()):
            for other in others:
                if key in error.instance and other not in error.instance:
                    yield self._missing(
                        error, other, f"{_where(error)}: {key!r} needs {other!r} beside it"
                    )

    def _missing(self, error: Error, key: str, message: str) -> Problem:
        shown = example(key, error.schema.get("properties", {}).get(key, {}), self._definitions)
        return Problem(
            "schema-missing-key", f"{_pointer(error)}/{escape(key)}", message, f"add it: {shown}"
        )

    def _one_of_keys(self, error: Error) -> Iterator[Problem]:
        keys = [key for branch in error.validator_value for key in branch.get("required", ())]
        yield Problem(
            "schema-conflict",
            _pointer(error),
            f"{_where(error)}: exactly one of the keys {_listed(keys, 'and')} must be here",
            "keep the one that is meant",
        )

    def _conflict(self, error: Error) -> Iterator[Problem]:
        yield Problem(
            "schema-conflict",
            _pointer(error),
            f"{_where(error)}: expected {self._words(error.schema)}",
            "keep the keys of one of them",
        )

    def _choice(self, error: Error) -> Iterator[Problem]:
        """Of the branches that the data's type fits, the only one explains; otherwise all are named."""
        branches: dict[int, list[Error]] = {}
        for child in error.context or ():
            branches.setdefault(int(child.relative_schema_path[0]), []).append(child)
        fitting = [
            errors
            for errors in branches.values()
            if not any(e.validator in _NO_MATCH and not e.relative_path for e in errors)
        ]
        if len(fitting) != 1:
            yield from self._wrong_value(error)
            return
        for child in fitting[0]:
            named = (
                child.relative_path or child.validator in self._keywords or "title" in child.schema
            )
            yield from self.problems(child) if named else self._wrong_value(error)

    def _wrong_value(self, error: Error) -> Iterator[Problem]:
        found = _type_of(error.instance)
        fits = found in self._types(error.schema)
        yield Problem(
            "schema-wrong-value" if fits else "schema-wrong-type",
            _pointer(error),
            f"{_where(error)}: expected {self._words(error.schema)}"
            + ("" if fits else f", found {_FOUND[found]}"),
            self._next_step(error, found),
        )

    def _next_step(self, error: Error, found: str) -> str:
        if isinstance(error.instance, str):
            likely = likely_value(error.instance, self._values(error.schema))
            if likely:
                return likely
        if error.instance == []:
            return "name at least one, or leave the key out to not state it"
        if error.instance is None:
            return "write a value, or leave the key out to not state it"
        if found in ("number", "boolean") and "string" in self._types(error.schema):
            return f"put it in quotes: YAML reads it as {_FOUND[found]}"
        return f"`reconciler schema {self._kind}` shows the format"

    def _branches(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The alternatives of a schema, references to definitions resolved, `${…}` left out."""
        target = schema.get("$ref", "")
        if target == "#/$defs/reference":
            return
        if target:
            yield from self._branches(self._definitions[target.rsplit("/", 1)[-1]])
        elif "anyOf" in schema:
            for branch in schema["anyOf"]:
                yield from self._branches(branch)
        else:
            yield schema

    def _types(self, schema: Mapping[str, Any]) -> set[str]:
        return {t for branch in self._branches(schema) for t in _types_of(branch)}

    def _values(self, schema: Mapping[str, Any]) -> list[str]:
        return [v for branch in self._branches(schema) for v in _values_of(branch)]

    def _words(self, schema: Mapping[str, Any]) -> str:
        if "title" in schema:
            return str(schema["title"])
        words = []
        for branch in self._branches(schema):
            if "title" in branch:
                words.append(branch["title"])
            elif values := _values_of(branch):
                words.extend(values)
            else:
                words.extend(_EXPECTED[t] for t in _types_of(branch))
        return _listed(words, "or")


# A branch with one of these against the value itself is not what the author meant to write.
_NO_MATCH: Final = frozenset({"type", "enum", "const", "pattern"})

_EXPECTED: Final = {
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_FOUND: Final = {**_EXPECTED, "boolean": "true or false", "null": "nothing (null)"}


def _type_of(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array"


def _types_of(branch: Mapping[str, Any]) -> list[str]:
    if "type" in branch:
        return ["number" if branch["type"] == "integer" else str(branch["type"])]
    return sorted({_type_of(value) for value in _allowed(branch)})


def _values_of(branch: Mapping[str, Any]) -> list[str]:
    return [value for value in _allowed(branch) if isinstance(value, str)]


def _allowed(branch: Mapping[str, Any]) -> list[Json]:
    return [branch["const"]] if "const" in branch else list(branch.get("enum", ()))


def _listed(words: Iterable[str], joint: str) -> str:
    known = list(dict.fromkeys(words))
    if len(known) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(known)
    return f"{', '.join(known[:-1])} {joint} {known[-1]}"


def _pointer(error: Error) -> str:
    return "".join(f"/{escape(str(part))}" for part in error.absolute_path)


def _where(error: Error) -> str:
    """`spec.streams[3].columns`, as people write it."""
    text = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    )
    return text.removeprefix(".") or "the document"
