"""YAML text to plain data, with the position of every node in eight bytes.

Builds data straight from the parser's events (libyaml's where it is there): no node tree is kept, and a
position is looked up only when somebody asks. Knows nothing of what a manifest means.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.core.connector import unescape
from reconciler.core.diagnostics import Diagnostic, Span
from reconciler.core.model import Json
from reconciler.manifests.scalars import NotAScalar, plain, tagged
from reconciler.manifests.syntax import Stop, syntax_error

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_ALIASED: Final = 100_000
"""How many nodes the aliases of one file may stand for (the billion-laughs bound)."""

_MERGE: Final = object()
_MISSING: Final = object()
_REFUSED: Final = object()
_MEMO_TEXT = 64
_LONGEST_NAME: Final = 100
# Control characters, and the line breaks of YAML 1.1 that JSON and YAML 1.2 take for text
_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Parsed:
    """One YAML document. `positions` holds line << 32 | column, from 0, of each node in the order of a walk
    through `data`: a mapping itself, then key and value by turns; a list itself, then its items."""

    file: str
    data: Json
    positions: array[int] = field(repr=False)
    may_refer: bool = True
    """False where no value of the file can hold `${`."""
    _children: dict[int, dict[str, int]] = field(default_factory=dict, repr=False, compare=False)

    def locate(self, pointer: str, *, key: bool = False) -> Span:
        """The place of the node at a JSON pointer, or of its nearest existing parent; with `key` that of
        its key."""
        at, node = 0, self.data
        tokens = pointer.split("/")[1:]
        for depth, token in enumerate(tokens, start=1):
            name = unescape(token)
            child = self._children_of(at, node).get(name)
            if child is None:
                break
            in_mapping = isinstance(node, dict)
            if key and in_mapping and depth == len(tokens):
                at = child - 1
                break
            at, node = child, node[name] if in_mapping else node[int(name)]
        packed = self.positions[at]
        return Span(self.file, (packed >> 32) + 1, (packed & 0xFFFFFFFF) + 1)

    def _children_of(self, at: int, node: Json) -> dict[str, int]:
        known = self._children.get(at)
        if known is None:
            known = self._children[at] = dict(_offsets(at, node))
        return known


def _offsets(at: int, node: Json) -> Iterator[tuple[str, int]]:
    at += 1
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, at + 1
            at += 1 + _size(value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield str(index), at
            at += _size(value)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _size(node: Json) -> int:
    if isinstance(node, dict):
        return 1 + len(node) + sum(map(_size, node.values()))
    if isinstance(node, list):
        return 1 + sum(map(_size, node))
    return 1


def parse(
    content: bytes, file: str, *, loader: Any = _LOADER
) -> tuple[tuple[Parsed, ...], tuple[Diagnostic, ...]]:
    """All documents of a file that hold something, and what is wrong with the others. After a syntax error
    nothing more of the file is read; a document with any error is left out."""
    builder: _Builder | None = None
    text = ""
    try:
        text = _decode(content, file)
        builder = _Builder(loader(text).get_event, file, may_refer="${" in text or "\\" in text)
        for _ in builder.documents():
            pass
    except Stop as stop:
        stopped: tuple[Diagnostic, ...] = (stop.diagnostic,)
    except yaml.MarkedYAMLError as error:
        stopped = (syntax_error(error, text, file),)
    else:
        stopped = ()
    if builder is None:
        return (), stopped
    return tuple(builder.finished), (*builder.problems, *stopped)


def _decode(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        raise Stop(
            "yaml-limit",
            f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB",
            "split it; each file may hold several documents, and a project any number of files",
            Span(file, 1, 1),
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Stop(
            "yaml-syntax",
            "the file is not UTF-8 text",
            "save it as UTF-8",
            _place(content[: error.start].decode("utf-8", "replace"), file),
        ) from None
    if found := _UNPRINTABLE.search(text):
        raise Stop(
            "yaml-syntax",
            f"the character U+{ord(found.group()):04X} can't stand here",
            "remove it, or write it as an escape inside double quotes",
            _place(text[: found.start()], file),
        )
    return text


def _place(before: str, file: str) -> Span:
    return Span(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Builder:
    """The state of reading one file's events; recursion follows the nesting of the document."""

    def __init__(self, next_event: Callable[[], Any], file: str, *, may_refer: bool) -> None:
        self.finished: list[Parsed] = []
        self.problems: list[Diagnostic] = []
        self._next = next_event
        self._file = file
        self._may_refer = may_refer
        self._positions: array[int] = array("Q")
        self._anchors: dict[str, tuple[Json, array[int]] | None] = {}
        self._aliased = 0
        self._memo: dict[str, Json] = {}

    def documents(self) -> Iterator[None]:
        while not isinstance(event := self._next(), StreamEndEvent):
            if not isinstance(event, DocumentStartEvent):
                continue
            self._positions, self._anchors = array("Q"), {}
            before = len(self.problems)
            data = self._node(self._next(), 0)
            if data is not None and len(self.problems) == before:
                self.finished.append(
                    Parsed(self._file, data, self._positions, may_refer=self._may_refer)
                )
            yield

    def _node(self, event: Any, depth: int) -> Json:
        kind = type(event)
        mark = event.start_mark
        start = len(self._positions)
        self._positions.append(mark.line << 32 | mark.column)
        if kind is AliasEvent:
            return self._alias(event)
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None
        if kind is ScalarEvent:
            value = self._scalar(event)
        elif depth >= MAX_DEPTH:
            raise self._stop(
                event,
                "yaml-limit",
                f"nested more than {MAX_DEPTH} levels deep",
                "flatten the document",
            )
        elif kind is MappingStartEvent:
            self._check_tag(event, "map")
            value = self._mapping(start, depth + 1)
        else:
            self._check_tag(event, "seq")
            value = self._sequence(depth + 1)
        if anchor is not None:
            self._anchors[anchor] = (value, self._positions[start:])
        return value

    def _sequence(self, depth: int) -> list[Json]:
        items = []
        while type(event := self._next()) is not SequenceEndEvent:
            items.append(self._node(event, depth))
        return items

    def _mapping(self, start: int, depth: int) -> dict[str, Json]:
        result: dict[Any, Json] = {}
        following, node = self._next, self._node
        while type(event := following()) is not MappingEndEvent:
            before = len(self._positions)
            key = node(event, depth)
            if type(key) is not str or key == "<<" or key in result:
                key = self._unusual_key(event, start, result, key)
            value = node(following(), depth)
            if key is _REFUSED:
                del self._positions[before:]
            else:
                result[key] = value
        return self._merged(start, result) if _MERGE in result else result

    def _scalar(self, event: Any) -> Json:
        text = event.value
        if event.tag is None:
            if event.style:
                return text
            value = self._memo.get(text, _MISSING)
            if value is not _MISSING:
                return value
        try:
            value = plain(text) if event.tag is None else tagged(event.tag, text)
        except NotAScalar as refused:
            self._problem(event, "yaml-unsupported", refused.message, refused.hint)
            return text
        if event.tag is None and len(text) <= _MEMO_TEXT:
            self._memo[text] = value
        return value

    def _alias(self, event: Any) -> Json:
        if event.anchor not in self._anchors:
            raise self._stop(
                event,
                "yaml-alias",
                f"the alias *{_shortened(event.anchor)} has no anchor before it",
                "define it with & earlier in the same document, or quote the text if no alias is meant",
            )
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise self._stop(
                event,
                "yaml-alias",
                f"the alias *{_shortened(event.anchor)} stands inside what it names, so it never ends",
                "write the value out",
            )
        value, positions = anchored
        self._aliased += len(positions)
        if self._aliased > MAX_ALIASED:
            raise self._stop(
                event,
                "yaml-alias",
                f"the aliases of this file stand for more than {MAX_ALIASED:,} values",
                "write the values out, or use fewer aliases of aliases",
            )
        self._positions.extend(positions[1:])
        return value

    def _merged(self, start: int, result: dict[Any, Json]) -> dict[str, Json]:
        """Own keys first, then those of `<<` that are not overridden; positions follow the same order."""
        order, own = array("Q", [self._positions[start]]), {}
        merged: list[tuple[str, Json, array[int]]] = []
        at = start + 1
        for key, value in result.items():
            end = at + 1 + _size(value)
            if key is _MERGE:
                merged = list(self._merge_entries(at + 1, value))
            else:
                own[key] = value
                order.extend(self._positions[at:end])
            at = end
        for key, value, positions in merged:
            if key not in own:
                own[key] = value
                order.extend(positions)
        del self._positions[start:]
        self._positions.extend(order)
        return own

    def _merge_entries(self, at: int, value: Json) -> Iterator[tuple[str, Json, array[int]]]:
        if isinstance(value, list):
            for child, item in zip(dict(_offsets(at, value)).values(), value, strict=True):
                yield from self._merge_entries(child, item)
        elif isinstance(value, dict):
            for key, child in _offsets(at, value):
                yield key, value[key], self._positions[child - 1 : child + _size(value[key])]
        else:
            self.problems.append(
                Diagnostic(
                    code="yaml-unsupported",
                    message="<< can merge only a mapping or a list of mappings",
                    hint='name an anchored mapping, or quote the key: "<<"',
                    span=self._span(at),
                )
            )

    def _check_tag(self, event: Any, allowed: str) -> None:
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{allowed}"):
            self._problem(
                event,
                "yaml-unsupported",
                "a tag (!…) that manifests do not know",
                "remove the tag: values are text, numbers, true, false, null, lists and mappings",
            )

    def _unusual_key(self, event: Any, start: int, result: dict[Any, Json], key: Json) -> Any:
        """The key to store under, or _REFUSED after saying why."""
        if type(key) is not str:
            self._problem(
                event,
                "yaml-unsupported",
                "a key that is not text",
                "put the key in quotes; lists and mappings can't be keys",
            )
            return _REFUSED
        merges = key == "<<" and type(event) is ScalarEvent and not event.style and not event.tag
        stored = _MERGE if merges else key
        if stored not in result:
            return stored
        at = start + 1
        for known, value in result.items():
            if known == stored:
                break
            at += 1 + _size(value)
        first = self._span(at)
        self._problem(
            event,
            "yaml-duplicate-key",
            f"the key {_shortened(key)!r} stands twice in one mapping; first at line {first.line}, "
            f"column {first.column}",
            "keep one of the two",
        )
        return _REFUSED

    def _span(self, at: int) -> Span:
        packed = self._positions[at]
        return Span(self._file, (packed >> 32) + 1, (packed & 0xFFFFFFFF) + 1)

    def _problem(self, event: Any, code: str, message: str, hint: str) -> None:
        self.problems.append(self._stop(event, code, message, hint).diagnostic)

    def _stop(self, event: Any, code: str, message: str, hint: str) -> Stop:
        mark = event.start_mark
        return Stop(code, message, hint, Span(self._file, mark.line + 1, mark.column + 1))
