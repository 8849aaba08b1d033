"""Misbehaviour on demand: rules that say which requests go wrong, when, and how.

Knows nothing of HTTP frameworks or of Airbyte; chaos_syntax.py reads rules, turbulence.py does what they say.
"""

from __future__ import annotations

import fnmatch
import random
from dataclasses import dataclass, field
from typing import Final, Literal

BODIES: Final = (
    "error-id",
    "problem",
    "known",
    "framework",
    "rate-limit",
    "html",
    "empty",
)
"""Forms of an answer that failed: the five of PUB §8, a proxy's own page, and nothing."""
ORDERS: Final = ("shuffle", "repeat", "hide")


@dataclass(frozen=True, slots=True)
class Delay:
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """`after`: the request is carried out, and its own answer lost."""

    status: int
    body: str
    after: bool = False
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """The connection ends before the request is carried out, after that, or in the middle of the answer."""

    when: Literal["before", "after", "midway"]


@dataclass(frozen=True, slots=True)
class Late:
    """A proxy answers at once; the request is carried out when `requests` more have been answered, or
    before the first one that comes `seconds` later, or (both None) when the emulator is told to."""

    requests: int | None
    status: int = 504
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer ever comes, so that the client gives up by its own time limit. `after`: the request is
    carried out all the same."""

    after: bool


@dataclass(frozen=True, slots=True)
class ExpireTokens:
    """All tokens issued so far are void, that of this request included."""


@dataclass(frozen=True, slots=True)
class FailDiscover:
    """A live discover of this request fails; one from the cache doesn't run at all (PUB §5)."""

    message: str


@dataclass(frozen=True, slots=True)
class Disorder:
    """How a list may come without an order of its own: shuffled anew each time, the last row of the page
    before repeated, or the first row of the page lost (PUB-T 24)."""

    order: str
    seed: int = 0


Fault = Delay | Answer | Break | Late | Hang | ExpireTokens | FailDiscover | Disorder


@dataclass(frozen=True, slots=True)
class Rule:
    """`text` is what it was read from. At most one of `times`, `every`, `at` and `since` is given."""

    text: str
    method: str
    path: str
    fault: Fault
    times: int | None = None
    every: int | None = None
    at: tuple[int, ...] = ()
    since: int | None = None

    def matches(self, method: str, paths: tuple[str, ...]) -> bool:
        return fnmatch.fnmatchcase(method, self.method) and any(
            fnmatch.fnmatchcase(path, self.path) for path in paths
        )

    def is_due(self, number: int) -> bool:
        """Whether the rule strikes the so many-th request that matches it, counted from 1."""
        if self.times is not None:
            return number <= self.times
        if self.every is not None:
            return number % self.every == 0
        if self.since is not None:
            return number >= self.since
        return number in self.at if self.at else True


@dataclass(slots=True)
class Counted:
    """A rule in force, and how often it matched and fired."""

    rule: Rule
    matched: int = 0
    fired: int = 0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        seed = self.rule.fault.seed if isinstance(self.rule.fault, Disorder) else 0
        self.random = random.Random(seed)  # noqa: S311 - shuffles rows, guards nothing

    def strikes(self, method: str, paths: tuple[str, ...]) -> bool:
        """Counts the request if it matches."""
        if not self.rule.matches(method, paths):
            return False
        self.matched += 1
        return self.rule.is_due(self.matched)
