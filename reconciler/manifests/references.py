"""The grammar of `${scheme:ref[:-default][|cast]}`, and where in a manifest each scheme may stand.

Takes text apart and knows no values; messages never quote the text, which may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.connector import closest, escape
from reconciler.core.model import Json

CASTS: Final = ("bool", "int", "json")
SCHEMES: Final = ("env", "file", "keep", "var")
LITERAL: Final = "if no reference is meant, write $${ for a literal ${"

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")


class BadReference(Exception):
    """A reference that can't be understood or resolved. No text of it is a value."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Reference:
    scheme: str
    name: str = ""
    default: str | None = None
    cast: str = ""

    @property
    def label(self) -> str:
        """As git writes it, its default left out: safe to show."""
        if self.scheme == "keep":
            return "${keep}"
        return self._as_written("")

    @property
    def stated(self) -> str:
        """As git writes it, with its default: never shown."""
        return self._as_written("" if self.default is None else f":-{self.default}")

    def _as_written(self, default: str) -> str:
        cast = f"|{self.cast}" if self.cast else ""
        return f"${{{self.scheme}:{self.name}{default}{cast}}}"


@dataclass(frozen=True, slots=True)
class Literal:
    """Text between references: as it is meant, and as git writes it."""

    text: str
    written: str


def split(text: str) -> tuple[Literal | Reference, ...]:
    """Raises BadReference. `${NAME}` without a colon is Airbyte's and stays text."""
    parts: list[Literal | Reference] = []
    start = 0
    for token in _TOKEN.finditer(text):
        written = token.group()
        part = Literal("${", written) if written == "$${" else _reference(token)
        if part is None:
            continue
        if token.start() > start:
            parts.append(_same(text[start : token.start()]))
        parts.append(part)
        start = token.end()
    if start < len(text):
        parts.append(_same(text[start:]))
    return tuple(parts)


def _same(text: str) -> Literal:
    return Literal(text, text)


def _reference(token: re.Match[str]) -> Reference | None:
    body, closed = token.groups()
    if not closed:
        raise BadReference(
            "reference-syntax",
            "a ${ that no } closes; a reference can't hold { or }",
            f"close it; {LITERAL}",
        )
    scheme, colon, rest = body.partition(":")
    if body == "keep":
        return Reference("keep")
    if not colon:
        _refuse_lookalike(body)
        return None
    if scheme not in SCHEMES or scheme == "keep":
        guess = closest(scheme.lower(), SCHEMES)
        forms = "${env:…}, ${file:…}, ${var:…} and ${keep}"
        raise BadReference(
            "reference-unknown-scheme",
            f"a reference of an unknown scheme; there are {forms}",
            (f"did you mean {guess}? " if guess else "") + LITERAL,
        )
    return _with_parts(scheme, rest)


def _with_parts(scheme: str, rest: str) -> Reference:
    rest, bar, cast = rest.rpartition("|") if "|" in rest else (rest, "", "")
    if bar and cast not in CASTS:
        raise BadReference(
            "reference-syntax",
            f"a reference with an unknown cast; there are {', '.join(CASTS)}",
            "correct what follows the |; a default can't hold a |",
        )
    name, dash, default = rest.partition(":-")
    if not name:
        raise BadReference(
            "reference-syntax",
            f"a {scheme} reference that names nothing",
            f"write ${{{scheme}:NAME}}; {LITERAL}",
        )
    return Reference(scheme, name, default if dash else None, cast)


def _refuse_lookalike(body: str) -> None:
    """Airbyte's own names are in capitals; `${Keep}` would be sent as a password."""
    if body.isupper() and body.lower() not in SCHEMES:
        return
    guess = closest(body.lower(), SCHEMES)
    if guess:
        meant = "${keep}" if guess == "keep" else f"${{{guess}:NAME}}"
        raise BadReference(
            "reference-syntax",
            "a reference that is not complete",
            f"did you mean {meant}? {LITERAL}",
        )


Path = Sequence[str | int]


def walk(
    node: Json, path: list[str | int], on_text: Callable[[str, list[str | int]], Json]
) -> Json:
    """`node` with each text that may hold a reference replaced; parts without any are shared, not copied."""
    if isinstance(node, str):
        return on_text(node, path) if "${" in node else node
    if isinstance(node, dict):
        entries: Iterator[tuple[str | int, Json]] = iter(node.items())
    elif isinstance(node, list):
        entries = iter(enumerate(node))
    else:
        return node
    result = node
    for key, value in entries:
        if value.__class__ is str and "${" not in value:
            continue
        path.append(key)
        replaced = walk(value, path, on_text)
        path.pop()
        if replaced is not value:
            result = node.copy() if result is node else result
            result[key] = replaced
    return result


def pointer(path: Path) -> str:
    return "".join(f"/{escape(str(part))}" for part in path)


def misplaced(data: Json) -> tuple[str, ...]:
    """Pointers of a manifest's or project's values outside of spec that hold a reference."""
    found: list[str] = []

    def on_text(text: str, path: list[str | int]) -> str:
        try:
            parts = split(text)
        except BadReference:
            found.append(pointer(path))
            return text
        if any(isinstance(part, Reference) for part in parts):
            found.append(pointer(path))
        return text

    if isinstance(data, dict):
        walk({key: value for key, value in data.items() if key != "spec"}, [], on_text)
    return tuple(found)


def takes_secret(path: Path) -> bool:
    """Whether env and file may stand here: in a configuration or a mapper's arguments."""
    argument = _mapper_argument(path)
    return tuple(path[:2]) == ("spec", "configuration") or argument not in ((), ("type",))


def takes_keep(path: Path) -> bool:
    return tuple(path[:2]) == ("spec", "configuration") or _mapper_argument(path) == ("key",)


def _mapper_argument(path: Path) -> tuple[str | int, ...]:
    """The path below a mapper; empty where the path leads to none."""
    match tuple(path):
        case ("spec", "streams", _, "mappers", _, *rest):
            return tuple(rest)
        case ("spec", "streamDefaults", "mappers", _, *rest):
            return tuple(rest)
    return ()
