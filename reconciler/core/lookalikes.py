"""What looks like a secret where no specification says what is one: by its key, and by its form.

A guess, for what is shown and warned of alone. What a server hides, and what a change does, is never decided
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from reconciler.core import redact
from reconciler.core.connector import described_pointers, escape, secret_pointers
from reconciler.core.model import KEEP, Json, Secret, is_mask

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+")

_SECRET_WORDS: Final = frozenset(
    {
        "authorization", "bearer", "cert", "certificate", "cookie", "hmac", "jwt", "pass",
        "passcode", "passphrase", "passwd", "password", "pat", "pwd", "secret", "signature", "token",
    }
)  # fmt: skip
_SECRET_PAIRS: Final = frozenset(
    {("connection", "string"), ("jaas", "config"), ("service", "account")}
)
_HOLDER: Final = "credential"
"""A text of that name is a secret; a mapping of that name usually holds a user's name as well."""
_PLAIN_KEYS: Final = frozenset(
    {
        "business", "clustering", "composite", "cursor", "dedup", "dedupe", "deduplication",
        "distribution", "document", "foreign", "index", "join", "merge", "natural", "object",
        "partition", "partitioning", "primary", "routing", "row", "sort", "sorting", "surrogate",
        "unique",
    }
)  # fmt: skip
"""What keys of tables, and not of doors, are called."""
_ABOUT_IT: Final = frozenset(
    {
        "count", "date", "endpoint", "expiry", "length", "limit", "method", "mode", "name", "path",
        "ttl", "type", "uri", "url", "version",
    }
)  # fmt: skip
"""Inside a mapping that is called like a secret: `password: {type: …, value: …}`."""
_ABOUT: Final = _ABOUT_IT | frozenset(
    {
        "age", "algorithm", "arn", "audience", "column", "duration", "encoding", "expiration", "field",
        "filename", "format", "interval", "issuer", "kind", "lifetime", "location", "manager", "policy",
        "prefix", "scope", "size", "timeout", "verification",
    }
)  # fmt: skip
"""As the last word: `token_url` says something about a secret, and is none. Not what systems and people are
called by (`host`, `email`): `passwords: {host: …}` holds one."""
_ABOUT_PAIRS: Final = frozenset({("expire", "at"), ("expire", "in")})
_SENT_IN_HEADERS: Final = frozenset({"authorization", "bearer", "cookie"})
"""A header of that name holds a secret; `token_header` is the name of a header."""

_MEASURES: Final = frozenset({"max", "min", "num", "use"})
"""As the first word: so is `max_tokens`."""
_WRITTEN_AS: Final = frozenset({"base64", "id", "json"})
"""As the last word, how a secret is written, or the less secret part of a pair."""

_FORMS: Final = (
    re.compile(r"-----BEGIN [A-Z ]*-----"),
    re.compile(r"[A-Za-z][A-Za-z0-9+.:-]*://[^/\s:@]*:[^/\s@]+@"),
)
"""A key or certificate in PEM; an address with a password in it."""
_ASSIGNED = re.compile(r"""([\w-]+)["']?\s*[=:]\s*[^\s&;,]""")
"""The name that a text gives to what follows it."""
_LAST_NAME = re.compile(r"[:/]([^:/|}]*)(?=:-|\||\})")
"""`NAME` of `${env:NAME:-default|cast}`, `pw` of `${file:keys/pw}`."""
_HEADER = re.compile(r"[A-Za-z]+(-[A-Za-z]+)*")
"""What a header may be called. Of what is made by chance few have no digit."""


def hidden_pointers(spec: Mapping[str, Json] | None, value: Json) -> frozenset[str]:
    """JSON pointers of what must not be shown: what the spec calls secret, and what looks like it where the
    spec says nothing."""
    return secret_pointers(spec, value) | looking_secret(spec, value)


def looking_secret(spec: Mapping[str, Json] | None, value: Json) -> frozenset[str]:
    """Of leaves that the spec does not describe, or of all where there is none."""
    described = described_pointers(spec, value)
    return frozenset(at for at in _looking(value, "", named=False) if at not in described)


def brings_secret(stated: str, value: Json) -> bool:
    """Whether a text with references is, or holds, something that it calls a secret, or that is referred to
    as one: `ssl=on&password=${env:PW}`, `${env:DB_PASSWORD}`. `value`: what it comes to, if that is known."""
    texts = [stated, value] if isinstance(value, str) else [stated]
    names = [name for text in texts for name in _ASSIGNED.findall(text)]
    names += [_LAST_NAME.findall(found)[0] for found in redact.references(stated)]
    return any(map(_has_secret_form, texts)) or any(_is_secret_name(_words(n)) for n in names)


def _looking(value: Json, pointer: str, *, named: bool) -> Iterator[str]:
    """`named`: it stands, at any depth, under a key that a secret would have."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            words = _words(key)
            secret = _is_secret_name(words) and not _names_a_header(key, words, child)
            below = secret or (named and _ABOUT_IT.isdisjoint(words[-1:]))
            holds_it = _thing(words) == _HOLDER and not isinstance(child, Mapping)
            yield from _looking(child, f"{pointer}/{escape(key)}", named=below or holds_it)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, child in enumerate(value):
            yield from _looking(child, f"{pointer}/{index}", named=named)
    elif _may_hide(value) and (named or _has_secret_form(value)):
        yield pointer


def _may_hide(value: Json) -> bool:
    if isinstance(value, Secret) or value is KEEP:
        return True
    return value not in ("", None) and not isinstance(value, bool) and not is_mask(value)


def _has_secret_form(value: Json) -> bool:
    return isinstance(value, str) and any(form.search(value) for form in _FORMS)


def _words(key: str) -> tuple[str, ...]:
    """`apiKey`, `api_key` and `API-KEY` alike, in the singular."""
    words = [word.lower() for word in _WORD.findall(key)]
    return tuple(word if word.endswith(("ss", "aas")) else word.removesuffix("s") for word in words)


def _is_secret_name(words: tuple[str, ...]) -> bool:
    if not words or _is_about(words) or words[0] in _MEASURES:
        return False
    pairs = pairwise(words)
    return (
        not _SECRET_WORDS.isdisjoint(words)
        or not _SECRET_PAIRS.isdisjoint(pairs)
        or (_thing(words).endswith("key") and _PLAIN_KEYS.isdisjoint(_before_thing(words)))
    )


def _is_about(words: tuple[str, ...]) -> bool:
    return not _ABOUT.isdisjoint(words[-1:]) or words[-2:] in _ABOUT_PAIRS


def _names_a_header(key: str, words: tuple[str, ...], value: Json) -> bool:
    """Of several, as in `token_headers`, the values are stated as well."""
    named = key.lower().endswith("header") and _SENT_IN_HEADERS.isdisjoint(words)
    return named and isinstance(value, str) and _HEADER.fullmatch(value) is not None


def _thing(words: tuple[str, ...]) -> str:
    return "".join(_without_form(words)[-1:])


def _before_thing(words: tuple[str, ...]) -> tuple[str, ...]:
    return _without_form(words)[-2:-1]


def _without_form(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[:-1] if len(words) > 1 and words[-1] in _WRITTEN_AS else words
