"""What users got wrong, as values; what broke, as exceptions.

ReconcilerError              exit code
 ├─ InvalidInput                 1       diagnostics of a stage that found errors
 ├─ Refused                      1       a guard said no; nothing was written
 ├─ NotAsReviewed                3       the world or the plan moved; nothing was written
 ├─ WrongUsage                  64       a mistyped command line
 └─ ApiError                     1       the server said no, in one readable line
     ├─ AuthFailed               1       credentials were refused
     ├─ Unreachable              1       no answer that can be used
     └─ OutcomeUnknown           4       a write was sent and nobody knows whether it was done
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file of the project. Line and column count from 1; `file` is relative to the project."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing a user got wrong: what, where, and the next step. Never holds a value from a secret path.

    `code` is stable and can be switched per project; `pointer` is a JSON pointer into the manifest.
    """

    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    span: Span | None = None
    address: str | None = None
    pointer: str = ""

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        span = self.span or Span(self.address or "", 0, 0)
        return (span.file, span.line, span.column, self.code, self.message)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each once, sorted by place."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda d: d.sort_key))


def errors(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(d for d in diagnostics if d.severity is Severity.ERROR)


def with_rules(diagnostics: Iterable[Diagnostic], rules: dict[str, str]) -> tuple[Diagnostic, ...]:
    """Applies a project's `rules` (code → off | warning | error)."""
    kept = []
    for diagnostic in diagnostics:
        setting = rules.get(diagnostic.code)
        if setting == "off":
            continue
        kept.append(replace(diagnostic, severity=Severity(setting)) if setting else diagnostic)
    return tuple(kept)


class ReconcilerError(Exception):
    """Expected trouble. `hint` is the next step; no secret is ever part of either text."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidInput(ReconcilerError):
    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        found = in_order(diagnostics)
        super().__init__(f"{len(errors(found))} error(s) in the manifests")
        self.diagnostics = found


class Refused(ReconcilerError):
    pass


class NotAsReviewed(ReconcilerError):
    exit_code = 3


class WrongUsage(ReconcilerError):
    exit_code = 64


class ApiError(ReconcilerError):
    """The server refused a request. `status` is the HTTP status, 0 where there was none."""

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class AuthFailed(ApiError):
    pass


class Unreachable(ApiError):
    pass


class OutcomeUnknown(ApiError):
    exit_code = 4
