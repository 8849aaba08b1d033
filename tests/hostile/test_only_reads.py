"""Commands that read can't write: seen from the server, and held by the transport that they are given."""

from __future__ import annotations

import json
import re

import pytest

from reconciler.backends.config_endpoints import MEANINGS
from reconciler.cli.jobs import jobs
from reconciler.cli.main import COMMANDS
from reconciler.core.diagnostics import Refused
from reconciler.emulator import config, public
from reconciler.transport.meaning import of_method, of_table
from tests.conftest import Cli
from tests.hostile.shop import READS, RUNS, Run, Shop
from tests.transport.scripted import Scripted

READING_VERBS = re.compile(
    r"/(get|list|search|check|discover|most_recent)(_[a-z_]+)?$|/health$|/instance_configuration$"
)
"""What the Configuration API calls its reads; written here anew, for a table can't check itself."""


def is_write(method: str, path: str, api: str) -> bool:
    if path == "/applications/token":
        return False
    if api == "public":
        return method != "GET"
    return method != "GET" and not READING_VERBS.search(path)


def test_every_command_is_here() -> None:
    here = {run.command.split()[0] for run in RUNS}
    assert here == set(COMMANDS), "a new command needs a row in tests/hostile/shop.py"
    assert {run.command for run in RUNS if run.command.startswith("jobs")} == {
        f"jobs {name}" for name in jobs.commands
    }


READ_CASES = [(run, api) for run in READS for api in run.apis]


@pytest.mark.parametrize(
    ("run", "api"), READ_CASES, ids=[f"{run.name} {api}" for run, api in READ_CASES]
)
def test_a_command_that_reads_changes_nothing(cli: Cli, shop: Shop, run: Run, api: str) -> None:
    before = shop.objects()
    shop.server.forget()
    ran = cli(*run.line(shop, api))
    assert ran.code in (0, 2), ran.out + ran.err
    asked = [(asked.method, asked.path) for asked in shop.server.asked]
    assert asked, "it asked for nothing"
    assert [one for one in asked if is_write(*one, api)] == []
    assert shop.objects() == before


def test_a_command_without_a_server_asks_none(cli: Cli, shop: Shop) -> None:
    local = [run for run in RUNS if not run.remote]
    assert {run.command for run in local} >= {"init", "validate", "show", "schema"}
    for run in local:
        ran = cli(*run.line(shop, "public"))
        assert ran.code == 0 or run.command == "emulator serve", ran.err
    assert shop.server.asked == []


def _writes(api: str) -> list[tuple[str, str]]:
    endpoints = {"public": public, "config": config}[api].ENDPOINTS
    return sorted(
        {(e.method, e.path) for e in endpoints if is_write(e.method, e.path, api)}
        | ({(m, "/anything/new") for m in ("POST", "PUT", "PATCH", "DELETE")})
    )


WRITE_CASES = [(api, method, path) for api in ("public", "config") for method, path in _writes(api)]


@pytest.mark.anyio
@pytest.mark.parametrize(("api", "method", "path"), WRITE_CASES, ids=" ".join)
async def test_a_write_through_a_transport_that_reads_is_not_sent(
    anyio_backend: str, api: str, method: str, path: str
) -> None:
    meaning = of_method if api == "public" else of_table(MEANINGS)
    server = Scripted([])
    transport = server.transport(read_only=True, meaning=meaning)
    with pytest.raises(Refused, match="was not sent: this command only reads"):
        await transport.request(method, path.format_map(_Ids()), json={})
    assert server.requests == []


class _Ids(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "00000000-0000-4000-8000-000000000000"


def test_what_counts_as_a_read_reads() -> None:
    """Of each path that the Configuration API's table calls a read, by this file's own words."""
    reads = [path for path, meaning in MEANINGS.items() if meaning == "GET"]
    assert [path for path in reads if is_write("POST", path, "config")] == []


def test_discovery_never_names_a_connection(cli: Cli, shop: Shop) -> None:
    """With one, discover_schema may disable it (CFG-T 9), so it would be no read."""
    for run in READS:
        for api in run.apis:
            cli(*run.line(shop, api))
    bodies = [a.body for a in shop.server.asked if a.path.endswith("/discover_schema")]
    assert bodies
    assert [body for body in bodies if "connectionId" in json.loads(body)] == []
