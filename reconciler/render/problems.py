"""Diagnostics as text: each with its place, what is wrong, and the next step."""

from __future__ import annotations

from reconciler.core.diagnostics import Diagnostic, errors
from reconciler.render.clean import clean
from reconciler.render.layout import joined, wrapped
from reconciler.render.view import counted


def problems_lines(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    """Each problem: where, what, next step."""
    lines: list[str] = []
    for diagnostic in diagnostics:
        where = f"{diagnostic.span}: " if diagnostic.span else ""
        head = f"{where}{diagnostic.severity.value.upper()} {diagnostic.code}"
        if diagnostic.address:
            head += f"  {diagnostic.address}"
        lines.append(clean(head))
        lines += wrapped(clean(diagnostic.message), "    ")
        if diagnostic.hint:
            lines += wrapped(f"-> {clean(diagnostic.hint)}", "    ")
    return [*lines, ""] if lines else []


def problems_text(diagnostics: tuple[Diagnostic, ...]) -> str:
    return joined(problems_lines(diagnostics)) if diagnostics else ""


def validated_text(documents: int, diagnostics: tuple[Diagnostic, ...]) -> str:
    found = len(errors(diagnostics))
    warnings = len(diagnostics) - found
    verdict = "invalid" if found else "valid"
    counts = f"{counted(documents, 'manifest')}: {counted(found, 'error')}, {counted(warnings, 'warning')}"
    return joined([*problems_lines(diagnostics), f"{counts}: {verdict}."])
