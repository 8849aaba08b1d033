"""The forms in which a secret may come back in foreign text: as JSON, a URL, HTML or base64 write it.

Pure. Servers and connectors quote what they were sent in messages of their own, encoded once or twice.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Final
from unicodedata import category

from reconciler.core.model import Json

LONGEST_PLAIN: Final = 16
"""From this length on a line, or a value of a JSON document, that is a part of a secret counts as one."""
SHORTEST_BEGINNING: Final = 8
LONG_BEGINNING: Final = 12

_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Co", "Cs"})
_SHORT_ESCAPES: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_NAMED: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_RUNS: Final = re.compile(r"\s{2,}|.", re.DOTALL)
_BOUNDARY: Final = re.compile(r"-{5}[A-Z0-9 ]+-{5}")


def parts(secret: str) -> Iterator[str]:
    """Long lines of a secret that has several, such as a key, and long texts of one that is a JSON document,
    such as a service account: whoever reads it complains about one of them."""
    lines = [line.strip() for line in secret.splitlines()] if "\n" in secret else []
    for text in (*lines, *_texts(_document(secret))):
        if len(text) >= LONGEST_PLAIN and not _BOUNDARY.fullmatch(text):
            yield text


def _document(secret: str) -> Json:
    if not secret.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(secret)
    except (ValueError, RecursionError):
        return None


def _texts(node: Json) -> Iterator[str]:
    if isinstance(node, str):
        yield node
        if "\n" in node:
            yield from parts(node)
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _texts(child)


def visible(text: str) -> str:
    """Without the characters that nobody sees, and what a terminal takes for commands: whoever shows a text
    strips these, and may find a secret then that they stood in."""
    return "".join(c for c in _ANSI.sub("", text) if c.isspace() or category(c) not in _INVISIBLE)


def base64_forms(secret: str) -> Iterator[str]:
    """What is certain to stand in the base64 of any text that holds it, wherever in that text it is: in a
    Basic header it follows a user's name."""
    raw = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            written = encode(b"\0" * before + raw).decode()
            yield written[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]


def pattern(secret: str) -> re.Pattern[str]:
    """Finds it however its characters are escaped, each by itself: JSON (also twice), URL, HTML, and with its
    blanks and line breaks as any others. Letters and digits are escaped by nobody."""
    return re.compile("".join(_any_run(run) for run in _RUNS.findall(secret)))


def _any_run(run: str) -> str:
    """Blanks that follow each other may come as others, and as fewer."""
    if len(run) == 1:
        return _any_form(run)
    return f"(?:{'|'.join(map(_any_form, sorted({*run, ' '})))})+"


def without_beginnings(text: str, secret: str, hidden: str) -> str:
    """The text without what whoever shortened it left of the secret: of its beginning, twelve characters
    anywhere, or eight that the text ends with."""
    kept, at = [], 0
    for found in _beginning(secret[:SHORTEST_BEGINNING]).finditer(text):
        count, end = _follow(text, found.end(), secret[SHORTEST_BEGINNING:])
        long = count + SHORTEST_BEGINNING >= LONG_BEGINNING
        if found.start() >= at and (long or end + SHORTEST_BEGINNING >= len(text)):
            kept += [text[at : found.start()], hidden]
            at = end
    return "".join([*kept, text[at:]])


def _follow(text: str, at: int, rest: str) -> tuple[int, int]:
    """How many characters of `rest` follow at a place of the text, and where they end."""
    for count, character in enumerate(rest):
        found = _one(character).match(text, at)
        if found is None:
            return count, at
        at = found.end()
    return len(rest), at


@cache
def _one(character: str) -> re.Pattern[str]:
    return re.compile(_any_form(character))


def _beginning(characters: str) -> re.Pattern[str]:
    return re.compile("".join(map(_any_form, characters)))


def _any_form(character: str) -> str:
    literal = re.escape(character)
    if character.isascii() and character.isalnum():
        return literal
    forms = [literal, *_percent(character), *_unicode(character), *_entities(character)]
    if character in _SHORT_ESCAPES:
        forms.append(rf"\\+{_SHORT_ESCAPES[character]}")
    elif character == "\\":
        forms.append(r"\\+")
    else:
        forms.append(rf"\\+{literal}")
    if character == " ":
        forms.append(r"\+")
    if character.isspace():
        forms.append(r"\s+")
    return f"(?:{'|'.join(sorted(set(forms), key=lambda form: (-len(form), form)))})"


def _percent(character: str) -> Iterator[str]:
    """Once and twice."""
    for sign in ("%", "%25"):
        encoded = character.encode("utf-8", "surrogatepass")
        yield f"(?i:{''.join(f'{sign}{byte:02x}' for byte in encoded)})"


def _unicode(character: str) -> Iterator[str]:
    """As JSON has it, and as Python has it."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    codes = (units[at : at + 4] for at in range(0, len(units), 4))
    escaped = "".join(rf"\\+u{code}" for code in codes)
    yield f"(?i:{escaped}|\\\\+x{ord(character):02x}|\\\\+U{ord(character):08x})"


def _entities(character: str) -> Iterator[str]:
    code = ord(character)
    yield f"(?i:&#0*{code};|&#x0*{code:x};)"
    if character in _NAMED:
        yield f"(?:&(?:amp;)?{_NAMED[character]};)"
