"""Reading programs and shown answers out of a Markdown document, running them, and comparing.

Knows nothing of Airbyte: which document, and what its placeholders stand for, is the business of the test.
"""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Block:
    """One fenced block. `line` is that of its opening fence, counted from 1."""

    line: int
    language: str
    text: str


def blocks(document: str) -> dict[int, Block]:
    """By line. Raises ValueError for a fence that is never closed."""
    found: dict[int, Block] = {}
    opened: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(document.splitlines(), start=1):
        fence = re.match(r"^```(\w*)", line)
        if fence is None:
            lines.append(line)
        elif opened is None:
            opened, lines = (number, fence[1]), []
        else:
            found[opened[0]] = Block(*opened, "\n".join(lines) + "\n")
            opened = None
    if opened is not None:
        raise ValueError(f"the block of line {opened[0]} is never closed")
    return found


def shown(text: str) -> Any:
    """A shown JSON answer. Documents leave things out: {...}, [ /* … */ ] and // to the end of a line say
    that more may stand there, and nothing is asked of it."""
    text = re.sub(r"\{\s*\.\.\.\s*\}", "{}", text)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"(?<![:\w\"])//[^\n]*", "", text)
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", text))


def missing(actual: Any, expected: Any, at: str = "") -> list[str]:
    """Paths of what is shown and isn't there: a key, an element, or a value of that JSON type."""
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            return [at]
        return [
            path
            for key, value in expected.items()
            for path in (
                missing(actual[key], value, f"{at}/{key}") if key in actual else [f"{at}/{key}"]
            )
        ]
    if isinstance(expected, list):
        if not isinstance(actual, list):
            return [at]
        best = [
            min((missing(a, item, f"{at}/{i}") for a in actual), key=len, default=[f"{at}/{i}"])
            for i, item in enumerate(expected)
        ]
        return [path for paths in best for path in paths]
    return [] if _json_type(actual) == _json_type(expected) else [at]


def _json_type(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


class Shell:
    """One bash for all blocks of a document: what a block sets, the next one has."""

    def __init__(self, errors: Path, environment: Mapping[str, str]) -> None:
        self._errors = errors.open("wb")
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=dict(environment),
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.close()
        self._bash.wait(timeout=10)
        self._bash.stdout.close()
        self._errors.close()

    def run(self, block: str) -> tuple[int, str]:
        """(exit code of its last command, stdout)."""
        marker = uuid.uuid4().hex
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{{\n{block}\n}} < /dev/null\nprintf '\\n%s %s\\n' {marker} $?\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(marker):
                return int(line.split()[1]), "".join(lines).rstrip("\n")
            lines.append(line)
        raise RuntimeError("the shell ended")
