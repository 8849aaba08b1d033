"""What went wrong with a request, as the one error to raise: which class, one line, a next step.

Pure. Whether the request is sent again is not decided here.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from reconciler.core.diagnostics import ApiError, AuthFailed, OutcomeUnknown, Unreachable
from reconciler.transport import retry
from reconciler.transport.answers import Answer, Redact, is_unrouted, reason, safe

_ASKED = (
    "it asks for username and password, as Airbyte up to 0.63 does, which knows nothing else: state "
    "them as auth"
)
_NO_TOKENS = "Airbyte up to 0.63 knows no client credentials, only username and password"
_LONGEST_PATH = 200
_LOOK_FIRST = "look at the server before sending it again: it may have been done"


@dataclass(frozen=True, slots=True)
class Failures:
    """The errors of one request. `meaning` is the method that would say what it does; `credentials` is how
    they are called, empty where there are none."""

    method: str
    path: str
    meaning: str
    base_url: str
    credentials: str
    redact: Redact

    @property
    def request(self) -> str:
        """Ids come from servers: one may be of any length."""
        long = len(self.path) > _LONGEST_PATH
        return f"{self.method} {self.path[:_LONGEST_PATH]}{'…' if long else ''}"

    @property
    def is_write(self) -> bool:
        return self.meaning != "GET"

    def answered(self, answer: Answer) -> ApiError:
        """For an answer that is not a success. A 404 is ApiError where the resource is unknown, and
        Unreachable where the path is."""
        if answer.redirect:
            return self._redirected(answer)
        message = f"{self.request}: {reason(answer, self.redact)}"
        hint = self._hint(answer)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return AuthFailed(message, hint=hint, status=answer.status)
        if is_unrouted(answer):
            return Unreachable(message, hint=hint, status=answer.status)
        if answer.status in retry.GATEWAY:
            if self.is_write:
                return self.unknown(message, answer.status)
            return Unreachable(message, hint=hint, status=answer.status)
        return ApiError(message, hint=hint, status=answer.status)

    def no_address(self) -> ApiError:
        return ApiError(
            f"{self.request}: no address can be made of this, and nothing was sent",
            hint="one of the server's ids is none",
        )

    def unknown(self, message: str, status: int = 0) -> OutcomeUnknown:
        return OutcomeUnknown(message, hint=_LOOK_FIRST, status=status)

    def unusable(self, why: str) -> ApiError:
        """For a success whose body can't be used: a write may have been done all the same."""
        message = f"{self.request}: {safe(why, self.redact)}"
        if self.is_write:
            return self.unknown(message)
        return Unreachable(message, hint=self._is_this_the_api())

    def lost(self, error: httpx.TransportError) -> ApiError:
        """For a request that may have arrived and whose answer didn't."""
        message = f"{self.request}: {self._what_broke(error)}"
        if self.is_write:
            return self.unknown(message)
        hint = "the server is slow or went away; try again" if timed_out(error) else "try again"
        return Unreachable(message, hint=hint)

    def not_sent(self, error: httpx.TransportError) -> Unreachable:
        return Unreachable(
            f"{self.request}: no connection to {self.base_url}: {self._what_broke(error)}",
            hint=_connect_hint(error),
        )

    def token_refused(self, answer: Answer) -> Exception:
        """For any answer of the token endpoint but a success (PUB §1)."""
        if answer.redirect:
            return self._redirected(answer)
        message = f"no access token: {self.request}: {reason(answer, self.redact)}"
        busy = answer.status == retry.TOO_MANY or answer.status in retry.GATEWAY
        if busy or answer.status >= retry.SERVER_ERROR:
            hint = "the server is busy or down; try again"
            if not busy:
                hint = (
                    "some servers answer 500 to wrong client credentials: "
                    f"check {self.credentials}, then the server's log"
                )
            refused = Unreachable(message, hint=hint, status=answer.status)
            return retry.TryAgain(refused, retry.retry_after(answer))
        hint = f"check {self.credentials}: were they made on this server?"
        if _asks_for_password(answer):
            hint = _ASKED
        elif is_unrouted(answer):
            hint = f"{_NO_TOKENS}; if it is newer: {self._is_this_the_api()}"
        return AuthFailed(message, hint=hint, status=answer.status)

    def no_token(self, why: str) -> Unreachable:
        message = f"no access token: {self.request}: {safe(why, self.redact)}"
        return Unreachable(message, hint=self._is_this_the_api())

    def _redirected(self, answer: Answer) -> Unreachable:
        return Unreachable(
            f"{self.request}: {answer.status}: the server points to {answer.where_to}; "
            "redirects are not followed",
            hint="if that is Airbyte's own address, make it the target's url; "
            "a login proxy wants its own credentials in auth.headers",
            status=answer.status,
        )

    def _hint(self, answer: Answer) -> str:
        status = answer.status
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return self._credentials_hint(answer)
        if is_unrouted(answer):
            return self._is_this_the_api()
        if status == retry.TOO_MANY:
            return "the server wants fewer calls: lower --parallelism or try later"
        if status in retry.GATEWAY:
            return "something in front of Airbyte answered; is the server up?"
        if status >= retry.SERVER_ERROR:
            return "the server's log has the reason"
        return ""

    def _credentials_hint(self, answer: Answer) -> str:
        if not self.credentials:
            return "this server wants credentials: state them as auth in the target"
        if _asks_for_password(answer) and not self.credentials.startswith("the username"):
            return _ASKED
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return f"check {self.credentials}: wrong, expired or made on another server"
        return (
            f"{self.credentials} may not do this, or the id is unknown to the server "
            "(it answers both in the same way)"
        )

    def _is_this_the_api(self) -> str:
        return (
            f"is {self.base_url} the API's base path? Self-managed servers have the public API at "
            "/api/public/v1 and the Configuration API at /api/v1, the cloud is https://api.airbyte.com/v1"
        )

    def _what_broke(self, error: httpx.TransportError) -> str:
        if timed_out(error):
            return "no answer in time"
        return safe(str(error), self.redact, 300) or type(error).__name__


def _asks_for_password(answer: Answer) -> bool:
    """As the proxy of Airbyte up to 0.63 does, whatever was sent (CFG §1)."""
    scheme = answer.headers.get("www-authenticate", "").lower()
    return answer.status == HTTPStatus.UNAUTHORIZED and scheme.startswith("basic")


def timed_out(error: httpx.TransportError) -> bool:
    return isinstance(error, httpx.TimeoutException)


def may_recover(error: httpx.TransportError) -> bool:
    """Whether another attempt to connect could end differently."""
    settled = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
    return not (isinstance(error, settled) or _has_cause(error, ssl.SSLCertVerificationError))


def _connect_hint(error: httpx.TransportError) -> str:
    if _has_cause(error, ssl.SSLCertVerificationError):
        return "the certificate is not trusted here; SSL_CERT_FILE names the authorities to trust"
    if _has_cause(error, socket.gaierror):
        return "is the host name right?"
    if isinstance(error, httpx.ProxyError):
        return "a proxy from HTTP_PROXY or HTTPS_PROXY refused; NO_PROXY names exceptions"
    return "is the server running, and is the port right?"


def _has_cause(error: BaseException, kind: type[BaseException]) -> bool:
    return any(isinstance(cause, kind) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
