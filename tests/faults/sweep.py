"""Every fault at every request of a large apply, and one more apply: nothing double, orphaned or lost.

    python -m tests.faults.sweep                                      all of it, on two cores
    python -m tests.faults.sweep --api public --fault reset-after     a part of it
    python -m tests.faults.sweep --api config --fault 500 --at 17     one trial, as the report names it
    python -m tests.faults.sweep --pairs 500 --seed 7                 two faults in one apply, by chance

A trial is an apply with a fault, and from where it ended one more apply with `.reconciler` kept, and one
with it deleted. Exits 1 where a trial left something behind; Ctrl-C ends it with what is known so far.
Nothing waits: time is made up (clock.py), but for `kill` and `kill-after`, where a real process is killed
(killing.py).
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.faults import killing, trial
from tests.faults.faults import FAULTS
from tests.faults.killing import KILLS
from tests.faults.trial import MEMORIES, Ground, Trial

APIS = ("public", "config")

_ground: Ground


def trials(ground: Ground, asked: Namespace) -> Iterator[Trial]:
    memories = tuple(asked.memory or MEMORIES)
    for api in asked.api or APIS:
        for fault in asked.fault or (*FAULTS, *KILLS):
            for at in asked.at or range(1, ground.requests[api] + 1, asked.every):
                yield Trial(api, fault, at, memories, asked.then, asked.later)


def pairs(ground: Ground, asked: Namespace) -> Iterator[Trial]:
    chance = random.Random(asked.seed)
    faults = asked.fault or [name for name, fault in FAULTS.items() if not fault.untimely]
    for _ in range(asked.pairs):
        api = chance.choice(asked.api or APIS)
        fault, then = chance.choices(faults, k=2)
        at, later = chance.randint(1, ground.requests[api]), chance.choice((1, 2, 3, 5, 10, 40))
        yield Trial(api, fault, at, MEMORIES, then, later)


def violations(ground: Ground, wanted: Trial) -> list[str]:
    return (killing if wanted.fault in KILLS else trial).violations(ground, wanted)


def _made(wanted: Trial) -> tuple[Trial, list[str]]:
    return wanted, violations(_ground, wanted)


def _begin(root: str) -> None:
    """In each worker: a folder of its own, and what all its trials start from."""
    global _ground  # noqa: PLW0603 - what a worker process has is global to it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who hands out the trials ends them
    _ground = Ground(Path(tempfile.mkdtemp(dir=root)))


def sweep(asked: Namespace) -> int:
    began = time.monotonic()
    counted: Counter[tuple[str, str]] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory(prefix="faults-") as root:
        every = list((pairs if asked.pairs else trials)(Ground(Path(root, "counted")), asked))
        # What was made when somebody has seen enough is then a fair sample of all.
        random.Random(asked.seed).shuffle(every)
        pool = multiprocessing.get_context("spawn").Pool(asked.workers, _begin, (root,))
        with pool, suppress(KeyboardInterrupt):
            for done, found in pool.imap_unordered(_made, every, chunksize=4):
                group = (done.api, "two faults" if done.then else done.fault)
                counted[group] += 1
                wrong[group] += bool(found)
                _tell(done, found)
                if counted.total() % 500 == 0:
                    _say(
                        f"{counted.total()} of {len(every)} trials, {time.monotonic() - began:.0f} s"
                    )
    for group in sorted(counted):
        _say(f"{' '.join(group):<40} {counted[group]:>5} trials {wrong[group]:>5} wrong")
    bad, seconds = sum(wrong.values()), time.monotonic() - began
    _say(f"{counted.total()} of {len(every)} trials in {seconds:.0f} s, {bad} with violations")
    return 1 if bad or not counted or counted.total() < len(every) else 0


def _tell(done: Trial, found: Iterable[str]) -> None:
    for number, violation in enumerate(found):
        if number == 0:
            _say(f"WRONG  {done.again}")
        _say(f"       {violation}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _asked(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.faults.sweep")
    parser.add_argument("--api", action="append", choices=APIS, help="default: both")
    parser.add_argument(
        "--fault", action="append", choices=sorted((*FAULTS, *KILLS)), help="default: all"
    )
    parser.add_argument("--at", action="append", type=int, help="default: every request")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th request")
    parser.add_argument(
        "--memory",
        action="append",
        choices=MEMORIES,
        help="what becomes of .reconciler; default: both",
    )
    parser.add_argument("--then", default="", choices=sorted(FAULTS), help="a second fault")
    parser.add_argument("--later", type=int, default=1, help="so many requests after the first")
    parser.add_argument("--pairs", type=int, default=0, help="so many trials of two faults each")
    parser.add_argument("--seed", type=int, default=1, help="of the order, and of the pairs")
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(sweep(_asked(sys.argv[1:])))
