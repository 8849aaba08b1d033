"""`reconciler emulator serve` on the command line: what it takes and what it refuses."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

from tests.conftest import Cli


def test_help_teaches_the_rules_of_chaos_line_by_line(cli: Cli):
    ran = cli("emulator", "serve", "--help")
    assert ran.code == 0
    assert "    STATUS [after] [body=FORM] [retry-after=SECONDS]\n" in ran.out
    assert "--profile" not in ran.out


@pytest.mark.parametrize("rule", ["GET /tags", "GET /tags explode"])
def test_a_rule_that_is_none_is_wrong_usage(cli: Cli, rule: str):
    ran = cli("emulator", "serve", "--port", "0", "--chaos", rule)
    assert ran.code == 64
    assert repr(rule) in ran.err


def test_it_serves_with_the_rules_it_was_given():
    command = ["-m", "reconciler", "emulator", "serve", "--port", "0"]
    rules = ["--chaos", "GET /tags 429 at=1", "--chaos", "GET /tags 503 at=2", "--no-sub-hourly"]
    process = subprocess.Popen(
        [sys.executable, *command, *rules], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
        url = url.rstrip(";")
        assert [httpx.get(f"{url}/tags").status_code for _ in range(3)] == [429, 503, 200]
    finally:
        process.terminate()
        process.communicate(timeout=10)
