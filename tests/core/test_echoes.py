"""A secret in foreign text is hidden however whoever quotes it has encoded or shortened it."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.redact import HIDDEN, redactor
from reconciler.transport.answers import clean, safe

SECRET = "pä\"ss/w\\ord+with =&<'>%25\n second line of the secret here"
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with letters as they are": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "a URL's part": lambda text: quote(text, safe=""),
    "a URL's path": quote,
    "a form": quote_plus,
    "a URL in small letters": lambda text: quote(text, safe="").replace("%2B", "%2b"),
    "a URL in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "HTML": html.escape,
    "HTML in HTML": lambda text: html.escape(html.escape(text, quote=False), quote=False),
    "Python": lambda text: repr(text)[1:-1],
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "a Basic header": lambda text: b64encode(f"user:{text}".encode()).decode(),
    "base64 in a URL": lambda text: quote(b64encode(text.encode()).decode(), safe=""),
    "one line": lambda text: " ".join(text.split()),
    "Windows lines": lambda text: text.replace("\n", "\r\n"),
    "the beginning": lambda text: text[:15],
    "one of its lines": lambda text: text.split("\n ")[1],
}
_EDGES = 8
"""Characters that base64 may leave of what stands beside a secret, which say nothing of it."""


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    shown = redactor([SECRET])(f"before <<{FORMS[form](SECRET)}>> after")
    before, _, after = shown.partition(HIDDEN)
    assert HIDDEN in shown
    assert before.startswith("before <<")
    assert after.endswith(">> after")
    assert len(before) <= len("before <<") + _EDGES
    assert len(after) <= len(">> after") + _EDGES


@given(
    secret=st.text(min_size=8, max_size=60).filter(lambda text: len(text.strip()) >= 8),
    form=st.sampled_from(
        [FORMS[name] for name in ("plain", "JSON", "a URL's part", "HTML", "Python")]
    ),
)
def test_any_secret_is_hidden_whole(secret: str, form: Callable[[str], str]) -> None:
    assert redactor([secret])(f"[{form(secret)}]") == f"[{HIDDEN}]"


@given(secret=st.text(min_size=8, max_size=60).filter(lambda text: len(clean(text)) >= 8))
def test_any_secret_is_hidden_whole_where_it_is_shown_on_one_line(secret: str) -> None:
    """Its blanks at the ends may stay, and an escape at its end may take the bracket along."""
    before, *after = safe(f"[{secret}]", redactor([secret])).split(HIDDEN)
    assert before.strip() == "["
    assert [text.strip() for text in after] in (["]"], [""])


@pytest.mark.parametrize(
    "between", ["\x1b[1m", "\x1b]0;title\x07", "\u200b", "\x00", "\ufeff", "\u202e"]
)
def test_what_nobody_sees_hides_no_secret(between: str) -> None:
    for at in range(1, len(SECRET)):
        text = f"before {SECRET[:at]}{between}{SECRET[at:]} after"
        assert safe(text, redactor([SECRET])) == f"before {HIDDEN} after"


def test_a_key_is_hidden_to_its_last_line_on_one_line_too() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nlast+line/x=\n-----END PRIVATE KEY-----\n"
    assert redactor([key])(f"in {' '.join(key.split())}!") == f"in {HIDDEN}!"


def test_the_parts_of_a_document_are_hidden_by_themselves() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n"
    account = json.dumps({"type": "service_account", "private_key": key, "n": 1, "short": "abc"})
    redact = redactor([account])
    assert redact("bad line MIIEvQIBADANBgkqhkiG9w0 of it, abc") == f"bad line {HIDDEN} of it, abc"
    assert "MIIE" not in redact(key)


def test_a_beginning_is_hidden_from_twelve_characters_on_or_where_the_text_ends() -> None:
    redact = redactor(["correct-horse-battery"])
    assert redact("'correct-hor…' is wrong") == "'correct-hor…' is wrong"
    assert redact("'correct-hors…' is wrong, as is more") == f"'{HIDDEN}…' is wrong, as is more"
    assert redact("wrong: correct-…") == f"wrong: {HIDDEN}…"
    assert redact("a horse-battery") == "a horse-battery"
