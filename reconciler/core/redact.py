"""Nothing secret is shown: by path in what we build, by value only in foreign text.

Secrets become tokens before two trees are compared, so that no later step can show one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.core import echoes
from reconciler.core.connector import escape
from reconciler.core.model import KEEP, UNSET, Json, Secret, is_mask

HIDDEN: Final = "(secret)"
SHORTEST_HIDDEN: Final = 8
"""Shorter values are not searched for in foreign text: `postgres` is fair game, `5432` is not."""

_REFERENCE: Final = re.compile(r"\$\$\{|(\$\{(?:env|file|var):[^{}]*\})")

_TOKEN: Final = "\ue000"  # noqa: S105 - a marker, not a password
"""Marks a string in a settled tree as a stand-in for a secret (a private-use character)."""


def token(label: str) -> str:
    return f"{_TOKEN}{label}"


def is_token(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_TOKEN)


def holds_token(value: Json) -> bool:
    if isinstance(value, Mapping):
        return any(holds_token(child) for child in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(holds_token(child) for child in value)
    return is_token(value)


def tokens(value: Json) -> Json:
    """The tree with a token for each secret, kept or masked leaf."""
    if isinstance(value, Mapping):
        return {key: tokens(child) for key, child in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [tokens(child) for child in value]
    if isinstance(value, Secret):
        return token(value.label)
    if value is KEEP:
        return token(KEEP.value)
    return token(HIDDEN) if is_mask(value) else value


def shown(value: Json) -> Json:
    """A tree as it may be shown: secrets by their label, kept and masked ones as (secret)."""
    if isinstance(value, str):
        return HIDDEN if is_mask(value) else value.removeprefix(_TOKEN)
    if isinstance(value, Mapping):
        return {key: shown(child) for key, child in value.items()}
    if isinstance(value, Sequence):
        return [shown(child) for child in value]
    if isinstance(value, Secret):
        return value.label
    return KEEP.value if value is KEEP else value


def seal(value: Json, secrets: frozenset[str], pointer: str = "") -> Json:
    """The tree with every literal at a secret pointer wrapped, so that it is compared but never shown."""
    if pointer in secrets:
        return _sealed(value)
    if isinstance(value, Mapping):
        return {
            key: seal(child, secrets, f"{pointer}/{escape(key)}") for key, child in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [seal(child, secrets, f"{pointer}/{index}") for index, child in enumerate(value)]
    return value


def _sealed(value: Json) -> Json:
    """A container becomes one Secret, as the server masks it as one, unless a part of it is kept there."""
    if isinstance(value, Secret):
        return replace(value, label=references_only(value.label))
    if value is KEEP or is_mask(value):
        return value
    inner = [leaf for _, leaf in leaves(value)]
    if any(leaf is KEEP or is_mask(leaf) for leaf in inner):
        if isinstance(value, Mapping):
            return {key: _sealed(child) for key, child in value.items()}
        return [_sealed(child) for child in value]
    unknown = sorted({x.label for x in inner if isinstance(x, Secret) and not x.known})
    return Secret(", ".join(unknown), UNSET) if unknown else Secret(HIDDEN, reveal(value))


def references(text: str) -> list[str]:
    """`${env:NAME:-default|cast}` and the like, where they stand in what git writes; not `$${…}`."""
    return [found[1] for found in _REFERENCE.finditer(text) if found[1]]


def references_only(label: str) -> str:
    """The label of a value that is a secret as a whole: text around its references may be part of it."""
    kept, at = [], 0
    for found in _REFERENCE.finditer(label):
        if found[1]:
            kept += ["…" if found.start() > at else "", found[1]]
            at = found.end()
    return "".join([*kept, "…" if at < len(label) else ""])


def spread(secret: Secret) -> Json:
    """A secret that is a container as a container of secrets, one level."""
    value = secret.value
    if isinstance(value, Mapping):
        return {key: replace(secret, value=child) for key, child in value.items()}
    return [replace(secret, value=child) for child in value] if isinstance(value, list) else secret


def leaves(value: Json, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """Every leaf with its JSON pointer; empty containers count as leaves."""
    # Plain dicts and lists first: asking the abstract types costs four times as much, a million times.
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        yield pointer, value
    elif value and (kind is dict or isinstance(value, Mapping)):
        for key, child in value.items():
            yield from leaves(child, f"{pointer}/{escape(key)}")
    elif value and (kind is list or isinstance(value, Sequence)) and not isinstance(value, str):
        for index, child in enumerate(value):
            yield from leaves(child, f"{pointer}/{index}")
    else:
        yield pointer, value


def reveal(value: Json) -> Json:
    """The tree with each Secret replaced by its value, to be compared and never shown; UNSET: unknown."""
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, Mapping):
        return {key: reveal(child) for key, child in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [reveal(child) for child in value]
    return value


def secret_texts(trees: Iterable[Json]) -> frozenset[str]:
    """The values to search for in foreign text: strings of eight characters and more."""
    found: set[str] = set()
    for tree in trees:
        for _, leaf in leaves(tree):
            if isinstance(leaf, Secret):
                found.update(text for _, text in leaves(leaf.value) if isinstance(text, str))
                found.update(leaf.parts)
    return frozenset(text for text in found if len(text) >= SHORTEST_HIDDEN)


def redactor(texts: Iterable[str]) -> Callable[[str], str]:
    """A function that takes known secret values out of foreign text (errors, logs, tracebacks), whole and in
    their parts, also where they stand encoded: a key of several lines is echoed with escapes."""
    given = [text for text in dict.fromkeys(texts) if text]
    wanted = _longest_first({part for text in given for part in _shown_as(text)})
    # In each form, longest first; made when something goes wrong, which is seldom.
    written: list[str] = []
    patterns: list[re.Pattern[str]] = []

    def redact(text: str) -> str:
        if not text or not wanted:
            return text
        if not patterns:
            encoded = {form for secret in wanted for form in echoes.base64_forms(secret)}
            written.extend([*wanted, *_longest_first(encoded)])
            patterns.extend(map(echoes.pattern, written))
        for pattern in patterns:
            text = pattern.sub(HIDDEN, text)
        for secret in written:
            text = echoes.without_beginnings(text, secret, HIDDEN)
        return text

    return redact


def _shown_as(secret: str) -> Iterator[str]:
    """Whole, without what is stripped of a text before it is shown, and its parts."""
    yield secret
    yield secret.strip() or secret
    yield echoes.visible(secret).strip() or secret
    yield from echoes.parts(secret)


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: (-len(text), text))
