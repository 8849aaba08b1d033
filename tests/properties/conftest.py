"""Prints what the generated worlds held: a law that a feature never met was not tested on it."""

from __future__ import annotations

import pytest

from tests.properties.features import COUNTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if COUNTS:
        terminalreporter.section("features of the generated worlds")
        for feature, count in sorted(COUNTS.items()):
            terminalreporter.line(f"{count:8}  {feature}")
