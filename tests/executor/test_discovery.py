"""Which connections a plan asks discovery for, and what a failure of it does."""

from __future__ import annotations

import anyio
import pytest

from reconciler.core.diagnostics import ApiError, ReconcilerError
from reconciler.core.model import Address, DiscoveredStream, Ref, Resource
from reconciler.discovery import Discovered, discover
from tests.executor.fake import FakeBackend, connection, destination, planned, source
from tests.executor.test_executor import run

FLOW = Address("connection", "c")


def asked(backend: FakeBackend, *resources: Resource, every: bool = True) -> Discovered:
    async def work() -> Discovered:
        found, live = await planned(backend, *resources)
        by_address = {resource.address: resource for resource in resources}
        return await discover(found, live, by_address, backend, every=every, parallel=2)

    return anyio.run(work)


def theirs() -> tuple[FakeBackend, list[Resource]]:
    """A connection as in git, whose source and destination are said by name and not managed here."""
    backend = FakeBackend()
    flow = connection("c", "s", "d", source=Ref(name="s"), destination=Ref(name="d"))
    run(backend, source("s"), destination("d"))
    assert run(backend, flow)[0].exit_code == 0
    return backend, [flow]


def test_an_unchanged_connection_on_what_is_said_by_name_is_asked_for() -> None:
    backend, resources = theirs()
    assert asked(backend, *resources).catalogs == {FLOW: (DiscoveredStream("orders"),)}


def test_unchanged_connections_are_asked_for_only_where_all_are() -> None:
    backend, resources = theirs()
    assert asked(backend, *resources, every=False).catalogs == {}


@pytest.mark.parametrize("error", [ApiError("no"), ReconcilerError("no")])
def test_a_discovery_that_fails_is_a_warning_and_no_crash(error: ReconcilerError) -> None:
    backend, resources = theirs()

    async def fails(_source: str, _destination: str | None) -> tuple[DiscoveredStream, ...]:
        raise error

    backend.discover = fails  # type: ignore[method-assign]
    (warning,) = asked(backend, *resources).diagnostics
    assert (warning.code, warning.address) == ("discovery-failed", "connection/c")
