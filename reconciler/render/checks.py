"""Connection tests as text and JSON: a line each, with what the connector says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from reconciler.core.encode import FORMAT_VERSION
from reconciler.core.model import Address, Json
from reconciler.core.plan import TargetLine
from reconciler.render.clean import clean
from reconciler.render.figures import duration
from reconciler.render.layout import joined, wrapped
from reconciler.render.target import encode_target

_WORDS: Final = {
    "succeeded": "succeeded",
    "failed": "FAILED",
    "untested": "NOT TESTED",
    "not-live": "not live yet",
}


def check_line(
    address: Address, standing: str, message: str = "", hint: str = "", seconds: float = 0.0
) -> str:
    """`standing`: succeeded, failed, untested or not-live."""
    took = f" {duration(seconds)}" if seconds else ""
    lines = [f"  {address!s:<52} {_WORDS[standing]:<12}{took}".rstrip()]
    lines += wrapped(clean(message), "      ") if message else []
    lines += wrapped(f"-> {clean(hint)}", "      ") if hint else []
    return "\n".join(lines)


def counts_text(standings: Iterable[str]) -> str:
    counts = Counter(standings)
    said = ", ".join(f"{counts[key]} {word.lower()}" for key, word in _WORDS.items() if counts[key])
    lines = ["", f"{said}."]
    if set(counts) == {"not-live"}:
        lines.append("Nothing was tested: none of what is selected is live.")
    return joined(lines)


def encode_checks(line: TargetLine, results: Iterable[dict[str, Json]]) -> dict[str, Json]:
    return {
        "formatVersion": FORMAT_VERSION,
        "target": encode_target(line),
        "results": list(results),
    }
