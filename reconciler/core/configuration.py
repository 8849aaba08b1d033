"""Validation stage 5: a configuration against its connector's specification.

Values are never quoted, for any of them may be a secret; what only the server or another environment
knows is not checked. Unknown keys are a warning, because real specs accept them silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from jsonschema import Draft7Validator

from reconciler.core import redact
from reconciler.core.connector import (
    closest,
    constants,
    escape,
    find_connector,
    fitting_branches,
    secret_pointers,
)
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.lookalikes import looking_secret
from reconciler.core.model import (
    KEEP,
    ConnectorDefinition,
    Destination,
    Json,
    Resource,
    Secret,
    Source,
    is_mask,
)

_STAND_IN: Final = "stand-in for a value that is not known here"
_REFERENCE_HINT: Final = "write ${env:NAME} or ${file:PATH}, or ${keep} for one the server has"
_PLAIN_WORDS: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing (null)",
}


def check_configuration(
    resource: Resource, definition: ConnectorDefinition
) -> tuple[Diagnostic, ...]:
    """Everything wrong with one actor's configuration; where the spec is not known, only what looks like a
    secret in clear."""
    spec, schema = resource.spec, definition.spec
    if not isinstance(spec, Source | Destination):
        return ()
    guessed = check_lookalikes(resource, definition.name, schema)
    if schema is None:
        return guessed
    value = _checkable(spec.configuration)
    unknown = {at for at, leaf in redact.leaves(spec.configuration) if _not_known(leaf)}
    found = [
        *_plaintext(spec.configuration, schema),
        *(p for p in _violations(schema, value) if not _about_unknown(p, unknown)),
        *_unknown_keys(schema, value, ""),
    ]
    told = (
        _diagnostic(
            resource,
            definition.name,
            problem,
            Severity.WARNING if problem[0] == "unknown-config-key" else Severity.ERROR,
        )
        for problem in dict.fromkeys(found)
    )
    return (*told, *guessed)


def check_lookalikes(
    resource: Resource, connector: str, schema: Mapping[str, Json] | None
) -> tuple[Diagnostic, ...]:
    """Literals that look like secrets where no spec says what they are: a guess, with a code of its own, so
    that a project may be strict about what is known."""
    if not isinstance(resource.spec, Source | Destination):
        return ()
    found = _lookalikes(resource.spec.configuration, schema)
    return tuple(_diagnostic(resource, connector, problem, Severity.WARNING) for problem in found)


def check_specified(
    resources: Iterable[Resource], definitions: Iterable[ConnectorDefinition]
) -> tuple[Diagnostic, ...]:
    """Connectors in use without a specification, once each: what is checked nowhere must not look checked.
    One that `definitions` don't have at all counts too."""
    known = tuple(definitions)
    told: dict[tuple[str, str], Diagnostic] = {}
    for resource in sorted(resources, key=lambda r: r.address):
        kind, spec = resource.address.kind, resource.spec
        if not isinstance(spec, Source | Destination):
            continue
        found = find_connector(spec.connector, kind, known)
        if len(found) > 1 or any(definition.spec is not None for definition in found):
            continue
        name = found[0].name if found else spec.connector
        told.setdefault((kind, name), _unspecified(resource, name))
    return tuple(told.values())


def _unspecified(resource: Resource, connector: str) -> Diagnostic:
    return Diagnostic(
        code="specification-unknown",
        message=f"{connector}: no specification of this connector is known, so that its configuration is "
        "not checked, and what of it is secret is guessed by its keys",
        hint="state `connectors` of the target: a folder of connector files, or Airbyte's registry as a "
        "file or URL",
        severity=Severity.WARNING,
        span=resource.locate("/spec/connector"),
        address=str(resource.address),
        pointer="/spec/connector",
    )


def _diagnostic(
    resource: Resource, connector: str, problem: _Problem, severity: Severity
) -> Diagnostic:
    code, pointer, message, hint = problem
    return Diagnostic(
        code=code,
        message=f"{connector}: {message}",
        hint=hint,
        severity=severity,
        span=resource.locate(f"/spec/configuration{pointer}"),
        address=str(resource.address),
        pointer=f"/spec/configuration{pointer}",
    )


_Problem = tuple[str, str, str, str]
"""(code, pointer, message, hint)."""


def _about_unknown(found: _Problem, unknown: set[str]) -> bool:
    """At a value that is not known here, or about forms, one of which that value may fit."""
    code, pointer, *_ = found
    below = code == "config-no-form" and any(at.startswith(f"{pointer}/") for at in unknown)
    return pointer in unknown or below


def _not_known(leaf: Json) -> bool:
    return leaf is KEEP or (isinstance(leaf, Secret) and not leaf.known)


def _checkable(value: Json) -> Json:
    """The tree with values for its secrets, and text in place of what is not known."""
    if isinstance(value, Mapping):
        return {key: _checkable(child) for key, child in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_checkable(child) for child in value]
    if _not_known(value):
        return _STAND_IN
    return value.value if isinstance(value, Secret) else value


def _plaintext(configuration: Json, schema: Mapping[str, Json]) -> Iterator[_Problem]:
    secrets = secret_pointers(schema, configuration)
    for pointer, leaf in redact.leaves(configuration):
        inside = any(pointer == at or pointer.startswith(f"{at}/") for at in secrets)
        if (
            inside
            and not isinstance(leaf, Secret)
            and leaf is not KEEP
            and leaf not in ("", None, {}, [])
            and not is_mask(leaf)  # told as mask-as-value, with the right next step
        ):
            yield (
                "plaintext-secret",
                pointer,
                f"{_words(pointer)} is a secret and stands in git in clear",
                _REFERENCE_HINT,
            )


def _lookalikes(configuration: Json, schema: Mapping[str, Json] | None) -> Iterator[_Problem]:
    looking = looking_secret(schema, configuration)
    for pointer, leaf in redact.leaves(configuration):
        if pointer in looking and not isinstance(leaf, Secret) and leaf is not KEEP:
            yield (
                "looks-like-a-secret",
                pointer,
                f"{_words(pointer)} looks like a secret and stands in git in clear",
                _REFERENCE_HINT,
            )


def _violations(schema: Mapping[str, Json], value: Json) -> Iterator[_Problem]:
    for error in Draft7Validator(schema).iter_errors(value):
        yield from _explained(error)


def _explained(error: Any) -> Iterator[_Problem]:
    at = "".join(f"/{escape(str(part))}" for part in error.absolute_path)
    if error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                pointer = f"{at}/{escape(key)}"
                text = f"{_words(pointer)} is missing"
                yield "config-missing-key", pointer, text, _describe(error.schema, key)
    elif error.validator in ("oneOf", "anyOf"):
        yield from _no_form_fits(error, at)
    elif error.validator == "type":
        yield "config-wrong-type", at, f"{_words(at)} must be {_types(error.validator_value)}", ""
    elif error.validator in ("enum", "const"):
        allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
        yield "config-wrong-value", at, f"{_words(at)} must be one of: {_listed(allowed)}", ""
    else:
        rule = f"{error.validator} {error.validator_value}"
        yield "config-wrong-value", at, f"{_words(at)} does not meet the spec's rule: {rule}", ""


def _no_form_fits(error: Any, at: str) -> Iterator[_Problem]:
    """Airbyte tells forms apart by a constant; the branch that has ours explains what is wrong."""
    branches = error.validator_value
    if error.instance is None or not isinstance(error.instance, Mapping):
        yield (
            "config-wrong-type",
            at,
            f"{_words(at)} must be a mapping in one of the spec's forms",
            "",
        )
        return
    known_by = [dict(constants(branch)) for branch in branches]
    names = sorted({name for known in known_by for name in known})
    for name in names:
        if name not in error.instance:
            continue
        chosen = [i for i, known in enumerate(known_by) if known.get(name) == error.instance[name]]
        if not chosen:
            allowed = [known[name] for known in known_by if name in known]
            text = f"{_words(f'{at}/{name}')} must be one of: {_listed(allowed)}"
            yield "config-wrong-value", f"{at}/{escape(name)}", text, ""
            return
        for child in (c for c in error.context if c.schema_path[0] in chosen):
            yield from _explained(child)
        return
    missing = f": say which by {' or '.join(names)}" if names else ""
    text = f"{_words(at)} fits none of the {len(branches)} forms of the spec{missing}"
    yield "config-no-form", at, text, ""


def _unknown_keys(schema: Mapping[str, Json], value: Json, pointer: str) -> Iterator[_Problem]:
    """Keys that no fitting form of the spec knows. Levels without a fitting form are left to the errors."""
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        for index, item in enumerate(value):
            yield from _unknown_keys(items, item, f"{pointer}/{index}")
    if not isinstance(value, Mapping):
        return
    fits = fitting_branches(schema, value)
    known: dict[str, list[Mapping[str, Json]]] = {}
    for fit in fits:
        for name, child in fit["properties"].items():
            known.setdefault(name, []).append(child)
    for key in value:
        at = f"{pointer}/{escape(key)}"
        if key in known:
            for child in known[key]:
                yield from _unknown_keys(child, value[key], at)
        elif known:
            guess = closest(key, known)
            hint = (
                f"did you mean {guess!r}?"
                if guess
                else "Airbyte stores it and the connector ignores it"
            )
            yield "unknown-config-key", at, f"the spec has no key {_words(at)}", hint


def _words(pointer: str) -> str:
    return pointer.removeprefix("/").replace("/", ".") or "the configuration"


def _types(expected: str | Sequence[str]) -> str:
    names = [expected] if isinstance(expected, str) else expected
    return " or ".join(_PLAIN_WORDS.get(name, name) for name in names)


def _listed(values: Iterable[Json]) -> str:
    return ", ".join(str(value) for value in values)


def _describe(schema: Mapping[str, Json], key: str) -> str:
    child = (schema.get("properties") or {}).get(key) or {}
    title = child.get("title")
    return (
        f"add it under spec.configuration: {title}" if title else "add it under spec.configuration"
    )
