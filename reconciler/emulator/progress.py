"""How far a job has come at a moment: worked out from when it began and what was planned for it.

Pure: it asks no clock and keeps nothing, so that the same moment always gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reconciler.core.model import Json

JobStatus = Literal["pending", "running", "incomplete", "failed", "succeeded", "cancelled"]

UNFINISHED: Final = ("pending", "running", "incomplete")
FINISHED: Final = ("failed", "succeeded", "cancelled")
WHOLE: Final = 1_000
"""Records of a stream that is read from its beginning."""
LATEST: Final = 100
"""Records of a stream that is read from its saved position."""
BYTES: Final = 250
"""Of one record."""
_FAILS_AFTER: Final = 0.5
"""The part of its time, and of its records, that an attempt reaches before it fails."""
_PAUSE: Final = 0.5
"""Before another attempt, as a part of an attempt's time."""


@dataclass(frozen=True, slots=True)
class StreamWork:
    """`records` is how many one whole attempt moves."""

    name: str
    namespace: str | None
    records: int

    @property
    def key(self) -> tuple[str | None, str]:
        return (self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Plan:
    """An attempt takes `seconds`, the first after `queued` seconds. One attempt fails with each of
    `failures`; then one succeeds where there were none or the job `recovers`."""

    streams: Sequence[StreamWork] = ()
    seconds: float = 0.0
    queued: float = 0.0
    failures: Sequence[str] = ()
    recovers: bool = False
    refresh_mode: str | None = None

    @property
    def outcomes(self) -> Sequence[str]:
        """Of each attempt the message it fails with, or nothing."""
        return (*self.failures, "") if self.recovers or not self.failures else self.failures


@dataclass(frozen=True, slots=True)
class Attempt:
    """`share` is the part of its records that it has moved; `failure` is why it failed."""

    status: Literal["running", "failed", "succeeded"]
    began: float
    ended: float | None
    share: float
    failure: str = ""
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """`since` is when it took on its status."""

    status: JobStatus
    since: float
    attempts: Sequence[Attempt]

    @property
    def began(self) -> float | None:
        return self.attempts[0].began if self.attempts else None


def at(plan: Plan, created: float, moment: float) -> Progress:
    attempts: list[Attempt] = []
    begins, ended = created + plan.queued, created
    for failure in plan.outcomes:
        if moment < begins:
            return Progress("incomplete" if attempts else "pending", ended, attempts)
        reaches = _FAILS_AFTER if failure else 1.0
        ends = begins + plan.seconds * reaches
        if moment < ends:
            share = (moment - begins) / plan.seconds
            return Progress("running", begins, [*attempts, Attempt("running", begins, None, share)])
        status: Literal["failed", "succeeded"] = "failed" if failure else "succeeded"
        attempts.append(Attempt(status, begins, ends, reaches, failure))
        begins, ended = ends + plan.seconds * _PAUSE, ends
    return Progress("failed" if attempts[-1].failure else "succeeded", ended, attempts)


def cancelled(plan: Plan, created: float, moment: float) -> Progress:
    """As far as it had come when somebody stopped it."""
    reached = at(plan, created, moment)
    stopped = [
        Attempt("failed", one.began, moment, one.share, "Cancelled by a user.", cancelled=True)
        if one.ended is None
        else one
        for one in reached.attempts
    ]
    return Progress("cancelled", moment, stopped)


def records(attempt: Attempt, stream: StreamWork) -> int:
    return int(attempt.share * stream.records)


def moved(plan: Plan, attempts: Sequence[Attempt]) -> int:
    """Records of all streams in these attempts together."""
    return sum(records(attempt, stream) for attempt in attempts for stream in plan.streams)


# --- As it is stored -------------------------------------------------------------------------


def to_json(plan: Plan) -> dict[str, Json]:
    return {
        "streams": [list(_values(stream)) for stream in plan.streams],
        "seconds": plan.seconds,
        "queued": plan.queued,
        "failures": list(plan.failures),
        "recovers": plan.recovers,
        "refresh_mode": plan.refresh_mode,
    }


def from_json(data: Mapping[str, Json]) -> Plan:
    """Of a job from before there were plans it is empty."""
    streams = [StreamWork(*values) for values in data.get("streams", ())]
    return Plan(**{**data, "streams": streams})


def _values(stream: StreamWork) -> Iterator[Json]:
    yield from (stream.name, stream.namespace, stream.records)
