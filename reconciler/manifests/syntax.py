"""YAML syntax errors in words: one line, the place, and what to do. Never quotes the text."""

from __future__ import annotations

from typing import Final

import yaml

from reconciler.core.diagnostics import Diagnostic, Span

QUOTE_IT: Final = (
    'a reference inside {…} or […], or one that holds ": ", must be quoted: "${env:NAME}"'
)

# (what the parser says, what we say, next step): the first row whose text is part of it counts
_WORDS: Final = (
    (
        "mapping values are not allowed",
        "a ':' where no key can stand",
        "put a value that holds ': ' in quotes, and check the indentation",
    ),
    (
        "expected alphabetic or numeric character",
        "a '*' or '&' that begins no alias",
        'put text that begins with * or & in quotes: "**/*.yaml"',
    ),
    ("unexpected end of stream", "a quote that is never closed", "close the quote"),
    (
        "unknown escape character",
        "an unknown escape in double quotes",
        "write \\\\ for a backslash, or use single quotes",
    ),
    ("did not find expected ',' or '}'", "a {…} that is not closed", "add the missing ',' or '}'"),
    ("expected ',' or '}'", "a {…} that is not closed", "add the missing ',' or '}'"),
    ("did not find expected ',' or ']'", "a […] that is not closed", "add the missing ',' or ']'"),
    ("expected ',' or ']'", "a […] that is not closed", "add the missing ',' or ']'"),
    (
        "document start",
        "something that is less indented than the document's first line",
        "indent the keys of one mapping alike; begin a new document with ---",
    ),
    ("expected '-' indicator", "a key among the items of a list", "check the indentation"),
    ("expected key", "something that is no key of the mapping around it", "check the indentation"),
    (
        "could not find expected ':'",
        "a key without ':'",
        "write 'key: value', and check the indentation",
    ),
)


class Stop(Exception):
    """Ends the reading of one file; the diagnostic says why."""

    def __init__(self, code: str, message: str, hint: str, span: Span) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code=code, message=message, hint=hint, span=span)


def syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Diagnostic("yaml-syntax", "not YAML", "check the file", span=Span(file, 1, 1))
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    column = mark.column
    if error.context_mark is not None and "end of stream" in (error.problem or ""):
        mark, column = error.context_mark, error.context_mark.column
    message, hint = _words(error.problem or "", line[column : column + 1])
    if line[column - 1 : column + 1] == "${":
        column -= 1
    if "${" in line:
        hint = QUOTE_IT
    return Diagnostic(
        code="yaml-syntax",
        message=f"not valid YAML: {message}",
        hint=hint,
        span=Span(file, mark.line + 1, column + 1),
    )


def _words(problem: str, character: str) -> tuple[str, str]:
    if "cannot start any token" in problem:
        if character == "\t":
            return "a tab in the indentation", "indent with spaces"
        return (
            "a value can't begin with this character",
            "put the value in quotes",
        )
    for said, message, hint in _WORDS:
        if said in problem:
            return message, hint
    return problem.splitlines()[0] if problem else "it can't be read", "check the line above too"
