"""The tables of diagnostic codes say everything that the product can emit, and nothing else."""

from __future__ import annotations

from fnmatch import fnmatchcase

from reconciler.core import codes as core
from reconciler.manifests import codes as manifests
from tests.schemas.emitted import emitted


def test_every_place_that_emits_a_code_says_which() -> None:
    assert emitted().unclear == []


def test_every_code_that_is_emitted_is_in_a_table() -> None:
    found = emitted()
    known = manifests.ALL_CODES
    assert {code: at for code, at in found.codes.items() if code not in known} == {}
    unmatched = {
        pattern: at
        for pattern, at in found.patterns.items()
        if not any(fnmatchcase(code, pattern) for code in known)
    }
    assert unmatched == {}


def test_every_code_of_the_tables_is_emitted_somewhere() -> None:
    found = emitted()
    unused = [
        code
        for code in manifests.ALL_CODES
        if code not in found.codes and not any(fnmatchcase(code, p) for p in found.patterns)
    ]
    assert unused == []


def test_no_code_is_in_two_tables() -> None:
    assert core.CODES.keys() & manifests.CODES.keys() == set()


def test_the_search_sees_each_way_of_emitting_a_code() -> None:
    seen = emitted().codes
    for code in (
        "duplicate-address",  # found.error("…")
        "invalid-interval",  # an f-string with a choice in it
        "same-table",  # findings[…].error("…")
        "config-no-form",  # the first of a yielded tuple
        "ambiguous-name",  # one of two, as an argument
        "unknown-stream",  # Finding("…")
        "target-missing",  # assigned with others
        "stale-allow",  # Diagnostic(code="…")
        "yaml-alias",  # handed on to a private function
        "variable-cycle",  # BadReference("…")
    ):
        assert code in seen
