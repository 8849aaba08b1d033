"""`reconciler emulator serve` on the command line: what it takes and what it refuses."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.conftest import Cli


def test_help_teaches_the_rules_of_chaos_line_by_line(cli: Cli):
    ran = cli("emulator", "serve", "--help")
    assert ran.code == 0
    assert "    STATUS [after] [body=FORM] [retry-after=SECONDS]\n" in ran.out
    assert "--generation [0.40|0.63|1.0|1.6|1.8|2.0]" in ran.out
    assert "--profile [strict|lenient]" in ran.out


@pytest.mark.parametrize("rule", ["GET /tags", "GET /tags explode"])
def test_a_rule_that_is_none_is_wrong_usage(cli: Cli, rule: str):
    ran = cli("emulator", "serve", "--port", "0", "--chaos", rule)
    assert ran.code == 64
    assert repr(rule) in ran.err


@contextmanager
def served(*options: str) -> Iterator[tuple[list[str], list[str]]]:
    """The lines that it says first, and the URLs in them."""
    command = [sys.executable, "-m", "reconciler", "emulator", "serve", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        count = (2 if "0.63" in options else 3) + options.count("--port") - 1
        lines = [process.stdout.readline().rstrip("\n") for _ in range(count)]
        words = [word.rstrip(";") for line in lines for word in line.split()]
        yield lines, [word for word in words if word.startswith("http")]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        assert process.returncode in (0, 130)


def test_it_serves_with_the_rules_it_was_given():
    rules = ["--chaos", "GET /tags 429 at=1", "--chaos", "GET /tags 503 at=2", "--no-sub-hourly"]
    with served("--port", "0", *rules) as (_, [url, _config]):
        assert [httpx.get(f"{url}/tags").status_code for _ in range(3)] == [429, 503, 200]


def test_it_says_first_what_it_is_and_what_it_serves_where():
    with served("--port", "0") as (lines, [public, config]):
        assert lines == [
            f"EMBEDDED Airbyte (not a real one) at {public}; Ctrl-C ends it.",
            "  as release 2.0.0, strict",
            f"  its Configuration API at {config}",
        ]
        assert httpx.get(f"{public}/health").status_code == 200
        assert httpx.get(f"{config}/health").json() == {"available": True}


def test_several_ports_serve_the_same_airbyte():
    with served("--port", "0", "--port", "0") as (_, [first, _config, second]):
        assert not first.startswith(second)
        made = httpx.post(f"{first}/workspaces", json={"name": "Seen from both"}).json()
        path = f"/api/public/v1/workspaces/{made['workspaceId']}"
        assert httpx.get(f"{second}{path}").json() == made


def test_a_generation_and_a_profile_can_be_chosen():
    options = ["--port", "0", "--generation", "0.63", "--profile", "lenient"]
    with served(*options, "--auth", "airbyte:password") as (lines, [config]):
        assert config.endswith("/api/v1")
        assert lines[1] == "  as release 0.63.0, lenient"
        assert httpx.post(f"{config}/workspaces/list", json={}).status_code == 401
        auth = ("airbyte", "password")
        assert httpx.post(f"{config}/workspaces/list", json={}, auth=auth).status_code == 200


def test_one_taken_port_is_an_error_before_anything_is_served(cli: Cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = cli("emulator", "serve", "--port", "0", "--port", port)
    assert ran.code == 1
    assert f"can't listen on 127.0.0.1:{port}: Address already in use" in ran.err
    assert "nothing was served" in ran.err
    assert ran.out == ""
