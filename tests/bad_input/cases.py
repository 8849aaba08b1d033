"""All cases, in the order of validation. A new diagnostic code needs one here; a test says so."""

from __future__ import annotations

from tests.bad_input import files, live, meaning, references, servers, streams

CASES = (
    *files.CASES,
    *references.CASES,
    *meaning.CASES,
    *streams.CASES,
    *live.CASES,
    *servers.CASES,
)

UNREACHABLE = {
    "invalid-interval": "the schema's pattern refuses every such text before it is parsed",
}
"""Codes that no input brings about, each with the reason."""
