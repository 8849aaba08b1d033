"""Jobs as text and JSON: what was started, how far it is, what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.core.again import Again, command
from reconciler.core.encode import FORMAT_VERSION
from reconciler.core.jobs import Job, JobResult, JobSeen
from reconciler.core.model import Json
from reconciler.core.plan import TargetLine
from reconciler.render.clean import clean
from reconciler.render.figures import duration, moment, rows, size
from reconciler.render.layout import WIDTH, joined, wrapped
from reconciler.render.table import table
from reconciler.render.target import encode_target

_WORDS: Final = {
    "started": "started",
    "succeeded": "succeeded",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
    "running": "STILL RUNNING",
    "not-started": "NOT STARTED",
    "unknown": "OUTCOME UNKNOWN",
}
_COUNTED: Final = {
    "started": "started",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "running": "still running",
    "not-started": "not started",
    "unknown": "of unknown outcome",
}


def progress_line(seen: JobSeen) -> str:
    """`connection/a  job 12  running, 1,200 rows, 3.4 MB, 41 s`."""
    job = seen.job
    parts = [job.status or "(no status)", *_amounts(job), duration(seen.seconds)]
    return clean(f"{seen.address}  job {job.id}  {', '.join(parts)}")


def result_line(result: JobResult) -> str:
    """One line, and for trouble its reason and the next step below it."""
    job = result.job
    details = [f"job {job.id}"] if job is not None else []
    details += (
        ["already running before"] if result.joined and result.standing != "not-started" else []
    )
    details += _amounts(job) if job is not None else []
    details += [duration(result.seconds)] if result.seconds else []
    head = clean(f"  {result.kind:<8} {result.address:<44} {_WORDS[result.standing]}")
    told = clean(", ".join(details))
    beside = f"{head}  {told}" if told else head
    lines = [beside] if len(beside) <= WIDTH else [head, *wrapped(told, "      ")]
    lines += wrapped(clean(result.message), "      ") if result.message else []
    lines += wrapped(f"-> {clean(result.hint)}", "      ") if result.hint else []
    return "\n".join(lines)


_WATCHED: Final = 5
"""So many get a line of their own that watches them."""


def results_text(results: tuple[JobResult, ...], again: Again) -> str:
    """The last lines: truthful counts, and how to watch what was only started."""
    counts = Counter[str](result.standing for result in results)
    text = ", ".join(f"{counts[key]} {said}" for key, said in _COUNTED.items() if counts[key])
    lines = ["", f"{text}."]
    begun = [r.job.id for r in results if r.standing == "started" and r.job is not None]
    watching: list[tuple[str, ...]] = [("jobs", "wait", clean(job_id)) for job_id in begun]
    if len(watching) > _WATCHED:
        watching = [("jobs", "list")]
    return joined([*lines, *(f"Watch: {command(again, words)}" for words in watching)])


def _amounts(job: Job) -> list[str]:
    counted = [] if job.rows is None else [rows(job.rows)]
    return counted + ([] if job.size is None else [size(job.size)])


def jobs_table(jobs: Iterable[tuple[Job, str]]) -> str:
    """Jobs with what their connections are called."""
    columns = ("job", "kind", "status", "started", "rows", "size", "connection")
    return table(columns, ([*_cells(job), label] for job, label in jobs))


def _cells(job: Job) -> Iterator[str]:
    yield from (job.id, job.kind, job.status)
    yield "" if job.started is None else moment(job.started)
    yield "" if job.rows is None else f"{job.rows:,}"
    yield "" if job.size is None else size(job.size)


def job_text(job: Job, label: str) -> str:
    """A line for each thing that is known."""
    known = {
        "job": job.id,
        "connection": label if label == job.connection_id else f"{label}  {job.connection_id}",
        "kind": job.kind,
        "status": job.status,
        "started": "" if job.started is None else moment(job.started),
        "updated": "" if job.updated is None else moment(job.updated),
        "took": duration(job.updated - job.started)
        if job.ended and job.started is not None and job.updated is not None
        else "",
        "rows": "" if job.rows is None else f"{job.rows:,}",
        "size": "" if job.size is None else size(job.size),
    }
    lines = [f"{name:<12}{clean(value)}" for name, value in known.items() if value]
    lines += [f"{'failure':<12}{line}" for line in wrapped(clean(job.failure))[:1] if job.failure]
    lines += [f"{'':<12}{line}" for line in wrapped(clean(job.failure))[1:]]
    return joined(lines)


def encode_job(job: Job) -> dict[str, Json]:
    """What is not known is an absent key."""
    return {
        "id": job.id,
        "connectionId": job.connection_id,
        "kind": job.kind,
        "status": job.status,
        **({} if job.started is None else {"started": moment(job.started)}),
        **({} if job.updated is None else {"updated": moment(job.updated)}),
        **({} if job.rows is None else {"rows": job.rows}),
        **({} if job.size is None else {"bytes": job.size}),
        **({"failure": job.failure} if job.failure else {}),
    }


def encode_results(
    line: TargetLine, results: tuple[JobResult, ...], *, interrupted: bool
) -> dict[str, Json]:
    return {
        "formatVersion": FORMAT_VERSION,
        "target": encode_target(line),
        "results": [
            {
                "address": result.address,
                "kind": result.kind,
                "result": result.standing,
                "alreadyRunning": result.joined,
                "seconds": round(result.seconds, 3),
                "message": result.message,
                "hint": result.hint,
                **({} if result.job is None else {"job": encode_job(result.job)}),
            }
            for result in results
        ],
        "interrupted": interrupted,
    }


def encode_jobs(
    line: TargetLine, jobs: Iterable[tuple[Job, str, str]], note: str = ""
) -> dict[str, Json]:
    """(job, address of its connection or "", its name or "")."""
    return {
        "formatVersion": FORMAT_VERSION,
        "target": encode_target(line),
        "jobs": [
            {**encode_job(job), "address": address, "connection": name}
            for job, address, name in jobs
        ],
        "note": note,
    }
