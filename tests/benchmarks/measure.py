"""Measuring: the best of a few runs, and a process's peak memory."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable


def best(work: Callable[[], object], runs: int = 3) -> float:
    """Seconds of the quickest run: noise only ever adds."""
    taken = []
    for _ in range(runs):
        gc.collect()
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def best_of_command(arguments: list[str], runs: int = 5) -> float:
    return best(lambda: subprocess.run(arguments, check=True, capture_output=True), runs)


def peak_bytes(code: str) -> int:
    """Peak resident memory of a fresh interpreter that runs `code`, in bytes."""
    tail = "\nimport resource as r; print(r.getrusage(r.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], check=True, capture_output=True, text=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout.split()[-1]) * unit
