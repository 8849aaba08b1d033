"""Values as text for a terminal. Names and errors from a server are untrusted: no control character,
no escape sequence and no text direction override gets through, and nothing that a CI system would obey."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from reconciler.core.model import UNSET, Json, Unset

WIDEST: Final = 72
_BEFORE_THE_DIFFERENCE: Final = 16
_FIRST: Final = frozenset({"targetField", "originalFieldName"})
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_COMMAND: Final = re.compile(r"(?<!\S):(?=:)|#(?=#\[|#vso\[|#teamcity\[)")
"""`::error::` where a line could begin with it; `##[error]` and `##vso[…]`, which are obeyed anywhere."""


def clean(text: str) -> str:
    """One line without anything a terminal or a CI system would act on."""
    if not (text.isascii() and text.isprintable()):
        text = "".join("\ufffd" if unicodedata.category(c) in _UNSAFE else c for c in text)
    return _COMMAND.sub(r"\g<0> ", text)


def value_text(value: Json | Unset) -> str:
    """A short, readable form: lists and mappers as people write them, long text cut."""
    text = _text(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def value_texts(before: Json | Unset, after: Json | Unset) -> tuple[str, str]:
    """Two values of one field. Long ones are cut where they begin to differ, so that what changes is seen."""
    texts = _text(before), _text(after)
    if max(map(len, texts)) <= WIDEST:
        return texts
    pairs = enumerate(zip(*texts, strict=False))
    differs = next((at for at, (one, other) in pairs if one != other), min(map(len, texts)))
    begin = max(0, differs - _BEFORE_THE_DIFFERENCE)
    return _cut(texts[0], begin), _cut(texts[1], begin)


def _cut(text: str, begin: int) -> str:
    shown = f"…{text[begin + 1 :]}" if begin else text
    return shown if len(shown) <= WIDEST else f"{shown[: WIDEST - 1]}…"


def _text(value: Json | Unset) -> str:
    if value is UNSET or value is None:
        return "(none)"
    if isinstance(value, str):
        return clean(value) if value else '""'
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value) if value else "(none)"
    if isinstance(value, Mapping):
        return _mapping_text(value)
    return clean(json.dumps(value, ensure_ascii=False))


def _mapping_text(value: Mapping[str, Json]) -> str:
    if "type" in value and len(value) > 1:
        names = sorted(value, key=lambda name: (name not in _FIRST, name))
        arguments = ", ".join(_text(value[name]) for name in names if name != "type")
        return f"{_text(value['type'])}({arguments})"
    if list(value) in (["every"], ["format"]):
        return " ".join(f"{name} {_text(item)}" for name, item in value.items())
    if list(value) == ["except"]:
        return f"all except {_text(value['except'])}"
    if "cron" in value:
        return f"{_text(value['cron'])} {_text(value.get('timezone', 'UTC'))}"
    return clean(json.dumps(value, ensure_ascii=False, sort_keys=True))
