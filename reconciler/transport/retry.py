"""Which requests may be sent again, and how long to wait: tables and one policy.

The rule that must never break: what means a POST or PATCH and may have reached the server is not repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import tenacity

from reconciler.core.diagnostics import ApiError
from reconciler.transport.answers import Answer

TOO_MANY: Final = 429
SERVER_ERROR: Final = 500
GATEWAY: Final = frozenset({408, 502, 503, 504, 520, 521, 522, 523, 524})
"""Answers of something between us and Airbyte; what became of the request is not known."""

REPEATABLE: Final = frozenset({"GET", "PUT", "DELETE"})
_LONGEST_RETRY_AFTER: Final = 60.0

NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


class TryAgain(Exception):
    """A signal to the policy, never seen outside: the error to raise when no attempt is left, and after how
    many seconds the server itself wants to be asked again."""

    def __init__(self, error: ApiError, after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after = after


def may_repeat(meaning: str, status: int, *, slow: bool) -> bool:
    """After this answer. 429 was not processed by the server, whatever it was to do (PUB §9). A slow GET's
    500 is the connector's answer, and asking again costs minutes (PUB §5)."""
    if status == TOO_MANY:
        return True
    if status == SERVER_ERROR:
        return meaning == "GET" and not slow
    return status in GATEWAY and meaning in REPEATABLE


def retry_after(answer: Answer) -> float | None:
    """Seconds the server asks for, capped. A date is ignored: our own backoff is as good."""
    text = answer.headers.get("retry-after", "").strip()
    return min(float(text), _LONGEST_RETRY_AFTER) if text.isdecimal() and text.isascii() else None


_BACKOFF: Final = tenacity.wait_exponential(multiplier=0.5, max=20) + tenacity.wait_random(0, 1)


def _wait(state: tenacity.RetryCallState) -> float:
    problem = state.outcome.exception() if state.outcome else None
    wished = problem.after if isinstance(problem, TryAgain) else None
    return max(_BACKOFF(state), wished or 0.0)


async def persistently(
    attempt: Callable[[], Awaitable[Answer]],
    *,
    attempts: int,
    sleep: Callable[[float], Awaitable[None]],
) -> Answer:
    """Runs `attempt` until it raises no TryAgain; raises the last one's error after `attempts`."""
    retrying = tenacity.AsyncRetrying(
        sleep=sleep,
        stop=tenacity.stop_after_attempt(attempts),
        wait=_wait,
        retry=tenacity.retry_if_exception_type(TryAgain),
        reraise=True,
    )
    try:
        return await retrying(attempt)
    except TryAgain as last:
        raise last.error from last.__cause__
