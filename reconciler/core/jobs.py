"""Running a connection and testing an actor: the words that both APIs share, what a selection means to
them, and what a run of them comes to.

Knows nothing of waiting, clocks or either wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from reconciler.core.again import Again, command
from reconciler.core.capabilities import API_NAMES, Capabilities
from reconciler.core.connector import closest
from reconciler.core.diagnostics import Diagnostic, ReconcilerError, Refused
from reconciler.core.model import Address, Connection, Consent, Resource
from reconciler.core.normalize import StreamKey, stream_label
from reconciler.core.select import Selection, matches
from reconciler.core.servers import at_api, is_bare, is_cloud
from reconciler.core.target import Target

JobKind: TypeAlias = Literal["sync", "refresh", "clear"]
"""`clear` is also what the APIs call `reset` and `reset_connection`."""

Operation: TypeAlias = Literal[
    "check", "discover", "sync", "refresh", "clear", "clear-streams", "cancel", "jobs"
]
"""What a capability names; `clear-streams` is to clear some streams and not the others."""

RefreshMode: TypeAlias = Literal["merge", "truncate"]
"""Whether the rows of earlier syncs stay in the table until the refresh replaced them, or go at its end."""

ENDED: Final = frozenset({"succeeded", "failed", "cancelled"})
"""Statuses that no job leaves. All others (pending, queued, running, incomplete, unknown ones) may change."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the server told it. `kind` may be a word this version doesn't know, and `status` too.

    `started` and `updated` are epoch seconds; `rows`, `size` (bytes) are None where the API does not say;
    `failure` is the server's own text; `streams`: those it was started for, where the server tells them.
    """

    id: str
    connection_id: str
    kind: str
    status: str
    started: float | None = None
    updated: float | None = None
    rows: int | None = None
    size: int | None = None
    failure: str = ""
    streams: frozenset[StreamKey] | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Check:
    """A connection test. `message` is the connector's own text, often empty on success (CFG §3)."""

    succeeded: bool
    message: str = ""


# --- What an API can't do --------------------------------------------------------------------

ONLY_CONFIG: Final[frozenset[Operation]] = frozenset({"check", "refresh", "clear-streams"})
"""What the public API has no request for (PUB §7)."""

_CALLED: Final[Mapping[str, str]] = {
    "check": "connection tests",
    "refresh": "refreshes",
    "clear-streams": "way to clear single streams",
}


def refuse_missing(capabilities: Capabilities, operation: Operation, target: Target) -> None:
    """Before anything is sent, where the API in use can't do what is asked."""
    if operation in capabilities.operations:
        return
    elsewhere = operation in ONLY_CONFIG and capabilities.api != "config"
    raise Refused(
        f"target {target.name}: the {API_NAMES.get(capabilities.api, capabilities.api)} has no "
        f"{called(operation)}",
        hint=_elsewhere(target.url) if elsewhere else "",
    )


def called(operation: Operation) -> str:
    """What an API has none of, where it can't do it."""
    return _CALLED.get(operation, f"way to {operation}")


def _elsewhere(url: str) -> str:
    """The way to the API that can: a flag, wherever its place on the server is known."""
    if is_cloud(url):
        return "Airbyte Cloud has no other API: do it on Airbyte's own pages"
    if is_bare(url):
        return "the Configuration API has: add --api config, or api: config to the target"
    if config_in_reach(url):
        return "the Configuration API has: add --api config"
    return (
        "the Configuration API of a self-managed server has: state a target of its own for it, with that "
        "API's base as url and api: config"
    )


def config_in_reach(url: str) -> bool:
    """Whether `--api config` leads to the Configuration API of that server."""
    return at_api(url, "config") is not None


# --- What a selection means ------------------------------------------------------------------


def connections_meant(
    selection: Selection, resources: Mapping[Address, Resource]
) -> tuple[tuple[Address, ...], tuple[Diagnostic, ...]]:
    """The connections that are to exist and are selected, sorted."""
    mine = {
        address: resource
        for address, resource in resources.items()
        if isinstance(resource.spec, Connection)
    }
    chosen = [a for a, r in mine.items() if _is_chosen(selection, r)]
    return tuple(sorted(chosen)), tuple(_meaningless(selection, mine, resources, "connection"))


def actors_meant(
    selection: Selection, resources: Mapping[Address, Resource]
) -> tuple[tuple[Address, ...], tuple[Diagnostic, ...]]:
    """The sources and destinations that are to exist and are selected, sorted; a connection means both
    of its ends."""
    chosen: set[Address] = set()
    for address, resource in resources.items():
        if resource.spec is None or not _is_chosen(selection, resource):
            continue
        if isinstance(resource.spec, Connection):
            chosen.update(_ends(resource.spec) if selection.include else ())
        else:
            chosen.add(address)
    there = {a: r for a, r in resources.items() if r.spec is not None}
    left = [a for a in chosen if a in there and not _named(selection.exclude, there[a])]
    return tuple(sorted(left)), tuple(_meaningless(selection, there, resources, "manifest"))


def _ends(connection: Connection) -> Iterator[Address]:
    for ref in (connection.source, connection.destination):
        if ref.address is not None:
            yield ref.address


def _is_chosen(selection: Selection, resource: Resource) -> bool:
    included = not selection.include or _named(selection.include, resource)
    return included and not _named(selection.exclude, resource)


def _named(patterns: Iterable[str], resource: Resource) -> bool:
    return any(matches(pattern, resource) for pattern in patterns)


def _meaningless(
    selection: Selection,
    candidates: Mapping[Address, Resource],
    resources: Mapping[Address, Resource],
    noun: str,
) -> Iterator[Diagnostic]:
    """A pattern that means nothing is an error: nothing done would read as all done."""
    for pattern in (*selection.include, *selection.exclude):
        if _any_matches(pattern, candidates):
            continue
        if _any_matches(pattern, resources):
            yield Diagnostic(
                "nothing-selected",
                f"{pattern!r} means no {noun} that is to exist",
                hint=f"name a {noun}, a glob such as '{noun}/*', or label:key=value"
                if noun == "connection"
                else "leave it out: its manifest says state: absent",
            )
            continue
        guess = closest(pattern, map(str, candidates))
        yield Diagnostic(
            "nothing-selected",
            f"no {noun} of this target is meant by {pattern!r}",
            hint=f"did you mean {guess}?"
            if guess
            else "write kind/name, a glob such as 'connection/*', or label:key=value",
        )


def _any_matches(pattern: str, resources: Mapping[Address, Resource]) -> bool:
    return any(matches(pattern, resource) for resource in resources.values())


def streams_meant(names: Iterable[str], selected: Iterable[StreamKey]) -> tuple[StreamKey, ...]:
    """The selected streams that are called so, with or without their namespace. Raises ReconcilerError
    for a name that means none or several of them."""
    known = sorted(selected)
    found: set[StreamKey] = set()
    for name in names:
        exact = [key for key in known if stream_label(key) == name]
        meant = exact or [key for key in known if key[1] == name]
        if len(meant) == 1:
            found.add(meant[0])
            continue
        labels = [stream_label(key) for key in known]
        guess = closest(name, [*labels, *(key[1] for key in known)])
        raise ReconcilerError(
            f"{len(meant)} streams of the connection are called {name!r}"
            if meant
            else f"the connection syncs no stream {name!r}",
            hint=f"write its namespace too: {' or '.join(stream_label(key) for key in meant)}"
            if meant
            else f"did you mean {guess!r}?"
            if guess
            else f"it syncs {', '.join(labels[:10]) or 'none'}",
        )
    return tuple(sorted(found))


def refuse_erasing(
    kind: JobKind, address: Address, streams: tuple[StreamKey, ...], allow: Iterable[Consent]
) -> None:
    """Only a flag of this very run accepts it: what git says would accept every later one too."""
    if any("data-erase" in c.effects and c.address in (None, address) for c in allow):
        return
    what = ", ".join(map(stream_label, streams[:6])) + (
        f" and {len(streams) - 6} more" if len(streams) > 6 else ""  # noqa: PLR2004 - a line's worth
    )
    does = (
        "clear empties the tables"
        if kind == "clear"
        else "a truncating refresh drops the rows of earlier syncs from the tables"
    )
    raise Refused(
        f"{does} of {address} and deletes the saved positions of its streams "
        f"({what or 'none'}); nothing was done",
        hint=f"if that is meant: --allow data-erase={address}",
    )


# --- What runs already ----------------------------------------------------------------------


def does_the_same(
    job: Job,
    kind: JobKind,
    streams: tuple[StreamKey, ...],
    every: tuple[StreamKey, ...],
    mode: RefreshMode = "merge",
) -> bool:
    """Whether a running job does what is asked: only then waiting for it is as good as starting one.

    `streams` empty: all, which are `every`. A sync is always of the whole connection; of what else the
    server tells no streams, this can't be said, and neither API tells whether a refresh truncates
    (CFG §7).
    """
    if job.kind != kind:
        return False
    if kind == "sync":
        return True
    if job.streams is None or mode == "truncate":
        return False
    return job.streams == set(streams) if streams else job.streams >= set(every)


# --- What a run comes to ---------------------------------------------------------------------


def pauses() -> Iterator[float]:
    """Seconds between two looks at a job: short ones are seen at once, long ones cost few requests."""
    pause = 1.0
    while True:
        yield pause
        pause = min(pause * 1.5, 10.0)


Standing: TypeAlias = Literal[
    "started", "succeeded", "failed", "cancelled", "running", "not-started", "unknown"
]
"""`started`: and not waited for; `running`: still, when waiting ended; `unknown`: a request was sent and
nobody knows what became of it."""


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A look at a job that is waited for, `seconds` after waiting began."""

    address: str
    job: Job
    seconds: float


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of one connection's run. `address` is what people call the connection; `joined`: the
    job was running already and not started here."""

    address: str
    kind: str
    standing: Standing
    job: Job | None = None
    message: str = ""
    hint: str = ""
    seconds: float = 0.0
    joined: bool = False


_ENDINGS: Final[Mapping[str, Standing]] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}


def watched(
    address: str,
    kind: str,
    job: Job,
    seconds: float = 0.0,
    *,
    joined: bool = False,
    again: Again = Again(),  # noqa: B008 - frozen
) -> JobResult:
    """What became of a job that is no longer waited for."""
    standing = _ENDINGS.get(job.status, "running")
    message, hint = job.failure, ""
    if standing == "running":
        message = "it goes on in Airbyte"
        hint = (
            f"{command(again, ('jobs', 'wait', job.id))}, or: "
            f"{command(again, ('jobs', 'cancel', job.id))}"
        )
    return JobResult(address, kind, standing, job, message, hint, seconds, joined)


def exit_code(results: Iterable[JobResult], *, interrupted: bool) -> int:
    """4 where something is not known yet, 1 where something went wrong (design §8)."""
    standings = {result.standing for result in results}
    if interrupted:
        return 130
    if standings & {"running", "unknown"}:
        return 4
    return 1 if standings & {"failed", "cancelled", "not-started"} else 0
