"""The state of one run, and what every step does: read again before a write, check, read back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import anyio

from reconciler.backends.protocol import Backend
from reconciler.core.catalog import check_catalog, resolve_columns
from reconciler.core.diagnostics import ApiError, NotAsReviewed, ReconcilerError, Severity
from reconciler.core.drafts import ignored_by_server
from reconciler.core.events import Event, Failed, Skipped, Started
from reconciler.core.model import Address, Connection, Live, LiveObject, Ref, Spec
from reconciler.core.normalize import naming_for
from reconciler.core.planning import Planned, Step, fingerprint
from reconciler.executor.journal import Journal

PARALLEL: Final = 4
PARALLEL_SLOW: Final = 2
"""The public API runs on five threads; slow calls hold one for minutes (PUB-T 39)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds the server is looked at after a lost answer. A slow call may end long after a
    proxy gave up on it: ten minutes is how long one may take (PUB-T 39)."""

    quick: float = 30.0
    slow: float = 600.0


@dataclass(slots=True)
class Run:
    """The state of one run: live ids of everything that exists so far, and what failed.

    `seen`: ids that were there before a write or were made by this run; `appeared`: objects that the plan
    did not know. `written`: changes of which something was written before they were done; `half_done`:
    actors whose replacement stands beside the old one; `gone`: what each change has deleted so far.
    `testing`: takes secrets out of what connectors say when their connections are tested, None where they
    are not; `unfit`: (kind, id) → what is wrong. `made_tags`: those that were made, or may have been.
    """

    planned: Planned
    live: Live
    backend: Backend
    emit: Callable[[Event], None]
    stopping: Callable[[], bool]
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    patience: Patience
    slots: anyio.CapacityLimiter
    slow: anyio.CapacityLimiter
    ids: dict[Address, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    appeared: tuple[LiveObject, ...] = ()
    events: list[Event] = field(default_factory=list)
    broken: dict[Address, str] = field(default_factory=dict)
    missing_tags: dict[str, ReconcilerError] = field(default_factory=dict)
    written: set[Address] = field(default_factory=set)
    half_done: set[Address] = field(default_factory=set)
    gone: dict[Address, tuple[str, ...]] = field(default_factory=dict)
    began: dict[Address, float] = field(default_factory=dict)
    notes: dict[Address, str] = field(default_factory=dict)
    bugs: list[Exception] = field(default_factory=list)
    unfit: dict[tuple[str, str], str] = field(default_factory=dict)
    testing: Callable[[str], str] | None = None
    journal: Journal = field(default_factory=Journal)
    made_tags: list[str] = field(default_factory=list)
    given_up: bool = False

    def say(self, event: Event) -> None:
        if not isinstance(event, Started):
            self.events.append(event)
        if isinstance(event, Failed):
            self.broken[event.change.address] = "failed"
        if isinstance(event, Skipped):
            self.broken[event.change.address] = "was skipped"
        self.emit(event)

    def deleted(self, address: Address, *objects: LiveObject) -> None:
        """On the way to what the change is for, and told where it does not get there."""
        names = (f"{found.kind} {found.spec.name!r} ({found.id})" for found in objects)
        self.gone[address] = (*self.gone.get(address, ()), *names)


def refuse_missing_tags(run: Run, spec: Spec) -> None:
    for tag in spec.tags if isinstance(spec, Connection) and isinstance(spec.tags, tuple) else ():
        if tag in run.missing_tags:
            problem = run.missing_tags[tag]
            raise ApiError(
                f"its tag {tag!r} could not be made: {problem.message}", hint=problem.hint
            )


async def unmoved(run: Run, step: Step) -> LiveObject:
    """The object, read again: what moved since the plan is not overwritten (design §6.2)."""
    assert step.live is not None  # noqa: S101 - updates and deletes have a live object
    return await as_planned(run, step.live, "it")


async def as_planned(run: Run, planned: LiveObject, called: str = "") -> LiveObject:
    """What the plan knew, read again. `called`: in messages."""
    called = called or f"{planned.spec.name!r} ({planned.id})"
    current = await run.backend.read(planned.kind, planned.id)
    if current is None:
        raise NotAsReviewed(
            f"{called} was deleted in Airbyte since the plan was made", hint="plan again"
        )
    if fingerprint(current) != fingerprint(planned):
        raise NotAsReviewed(
            f"{called} was changed in Airbyte since the plan was made", hint="plan again"
        )
    return current


def with_ids(run: Run, spec: Connection) -> Connection:
    return replace(
        spec, source=_resolved(run, spec.source), destination=_resolved(run, spec.destination)
    )


def _resolved(run: Run, ref: Ref) -> Ref:
    return Ref(id=run.ids[ref.address]) if ref.address is not None else ref


def ignored(run: Run, step: Step, asked: Spec | None, answer: LiveObject) -> tuple[str, ...]:
    """Pointers of what was asked and can be seen not to be there."""
    claimed: Mapping[tuple[str, str], Address] = {
        (address.kind, object_id): address for address, object_id in run.ids.items()
    }
    return ignored_by_server(step.resource, asked, answer, naming_for(claimed), run.live)


def read_back(run: Run, step: Step, sent: Spec | None, answer: LiveObject) -> str:
    """What the server ignored of what was asked is an error, not a warning (design §6.8)."""
    listed = ", ".join(ignored(run, step, sent, answer))
    return f"written, but Airbyte's answer does not hold what was asked: {listed}" if listed else ""


async def checked(run: Run, pair: Connection, spec: Connection) -> Connection:
    """Warms the server's discovery, so that the write itself is quick, and checks the streams against it
    (validation stage 6). `pair` holds the live ids. Raises ApiError with every problem."""
    offered = await run.backend.discover(str(pair.source.id), str(pair.destination.id))
    resolved = resolve_columns(spec, offered)
    problems = [f for f in check_catalog(resolved, offered) if f.severity is Severity.ERROR]
    if problems:
        raise ApiError(
            "; ".join(problem.message for problem in problems),
            hint="; ".join(dict.fromkeys(problem.hint for problem in problems if problem.hint)),
        )
    return resolved
