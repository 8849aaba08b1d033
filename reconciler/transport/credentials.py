"""The credentials of a target as request headers: the only place where their secrets are unwrapped.

Knows no HTTP client: a new token is fetched by whoever is given.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import anyio

from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.model import UNSET, Json, Secret
from reconciler.core.redact import SHORTEST_HIDDEN, redactor
from reconciler.core.target import Auth
from reconciler.transport.answers import Redact

DEFAULT_LIFETIME: Final = 180.0
"""Seconds, where the server doesn't say: servers up to 0.63 issue tokens for three minutes (PUB §1)."""
_LONGEST_LIFETIME: Final = 86_400.0
_SECRET: Final = frozenset({"clientSecret", "token", "password"})
_MARGIN: Final = 30.0
"""Seconds before expiry at which a token is no longer used, at most a fifth of its life."""


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    use_until: float
    """On the clock of the TokenSource."""


def read_token(body: Json, now: float) -> Token | None:
    """The token endpoint's answer; None where it holds no token."""
    value = body.get("access_token") if isinstance(body, Mapping) else None
    if not (isinstance(value, str) and value and value.isascii() and value.isprintable()):
        return None
    lifetime = DEFAULT_LIFETIME
    try:
        stated = float(body.get("expires_in"))
        if 0 < stated < float("inf"):
            lifetime = min(stated, _LONGEST_LIFETIME)
    except (TypeError, ValueError, OverflowError):
        pass  # absent or no number: the default is what old servers mean
    return Token(value, now + lifetime - min(_MARGIN, lifetime / 5))


class TokenSource:
    """Client credentials: holds one token, refreshes it before it expires, one refresh at a time."""

    def __init__(self, fetch: Callable[[], Awaitable[Token]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = anyio.Lock()
        self._token: Token | None = None
        self._issued: dict[str, Redact] = {}

    async def token(self, rejected: str | None = None) -> str:
        """A token that is valid for now and is not the one the server just `rejected`."""
        async with self._lock:
            held = self._token
            if held is None or held.value == rejected or self._clock() >= held.use_until:
                self._token = None
                held = await self._fetch()
                self._token = held
                self._issued.setdefault(held.value, redactor([held.value]))
            return held.value

    def redact(self, text: str) -> str:
        """Without any token of this run: a server may quote the one that it just refused."""
        for redact in self._issued.values():
            text = redact(text)
        return text


@dataclass(frozen=True, slots=True)
class Credentials:
    """`headers` go with every request to the base's origin; `client` asks for a token besides."""

    headers: Mapping[str, str] = field(repr=False)
    client: tuple[str, str] | None = field(repr=False)
    description: str
    redact: Redact = field(repr=False)
    """Takes the credentials' own secrets out of a text."""

    def bearing(self, token: str) -> dict[str, str]:
        return _with_authorization(self.headers, f"Bearer {token}")

    @property
    def token_request(self) -> dict[str, str]:
        """`grant-type` is what the server's schema has, `grant_type` what the standard has (PUB §1)."""
        client_id, client_secret = self.client or ("", "")
        return {
            "client_id": client_id,
            "client_secret": client_secret,
            "grant-type": "client_credentials",
            "grant_type": "client_credentials",
        }


def prepare(auth: Auth) -> Credentials:
    """Unwraps and checks. Raises ReconcilerError naming the part that is missing or can't be sent."""
    stated = {name: value for name, value in _parts(auth).items() if value is not None}
    parts = {name: _text(name, value) for name, value in stated.items()}
    headers = {name: _text(f"headers.{name}", value) for name, value in auth.headers.items()}
    secrets = {
        text for name, text in parts.items() if name in _SECRET or isinstance(stated[name], Secret)
    }
    secrets |= {headers[name] for name, value in auth.headers.items() if isinstance(value, Secret)}
    client = None
    if "clientId" in parts or "clientSecret" in parts:
        client = _pair(parts, "clientId", "clientSecret")
    elif "token" in parts:
        headers = _with_authorization(headers, f"Bearer {parts['token']}")
    elif "username" in parts or "password" in parts:
        pair = ":".join(_pair(parts, "username", "password"))
        encoded = base64.b64encode(pair.encode()).decode()
        secrets.add(encoded)
        headers = _with_authorization(headers, f"Basic {encoded}")
    known = [text for text in secrets if len(text) >= SHORTEST_HIDDEN]
    return Credentials(headers, client, _describe(auth), redactor(known))


def _parts(auth: Auth) -> dict[str, str | Secret | None]:
    """By the name each has in a project file."""
    return {
        "clientId": auth.client_id,
        "clientSecret": auth.client_secret,
        "token": auth.token,
        "username": auth.username,
        "password": auth.password,
    }


def _with_authorization(headers: Mapping[str, str], value: str) -> dict[str, str]:
    kept = {name: text for name, text in headers.items() if name.lower() != "authorization"}
    return {**kept, "Authorization": value}


def _pair(parts: Mapping[str, str], first: str, second: str) -> tuple[str, str]:
    for name in (first, second):
        if name not in parts:
            raise ReconcilerError(
                f"auth.{name} is missing", hint=f"{first} and {second} go together"
            )
    return parts[first], parts[second]


def _text(name: str, value: str | Secret) -> str:
    """Never quotes the value: a header that can't be sent is reported by its name."""
    label = f"auth.{name}" + (f" ({value.label})" if isinstance(value, Secret) else "")
    raw = value.value if isinstance(value, Secret) else value
    if raw is UNSET or raw is None or raw == "":
        raise ReconcilerError(f"{label} has no value", hint="set it before running this command")
    text = str(raw)
    if name not in ("username", "password") and not (text.isascii() and text.isprintable()):
        raise ReconcilerError(
            f"{label} holds a line break or a character that can't stand in a header",
            hint="a file that ends in a newline is the usual cause",
        )
    return text


def _describe(auth: Auth) -> str:
    """What an error calls the credentials: labels of secrets, never values."""
    for kind, value in (
        ("the client credentials", auth.client_id),
        ("the client credentials", auth.client_secret),
        ("the token", auth.token),
        ("the username and password", auth.username or auth.password),
    ):
        if value is not None:
            return f"{kind} {value.label}" if isinstance(value, Secret) else kind
    return "the auth headers" if auth.headers else ""
