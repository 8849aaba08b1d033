"""What the sources of one server offer: discovered from its cache, and kept for the writes that follow.

Never discovers with a connectionId or past the cache: that may switch off a connection (CFG-T 9).
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.backends import bodies, config_read, config_streams, fields
from reconciler.backends.bodies import Body
from reconciler.backends.config_server import Server, is_missing, read
from reconciler.backends.config_streams import Catalog
from reconciler.core.diagnostics import ApiError
from reconciler.core.model import Connection, DiscoveredStream

_PATH = "/sources/discover_schema"


class Catalogs:
    """Remembers each source's catalog as last discovered, whole: a write sends its stream objects."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._of: dict[str, Catalog] = {}

    async def discover(
        self, source_id: str, destination_id: str | None
    ) -> tuple[DiscoveredStream, ...]:
        """Without modes where no destination is named, or none that says what it supports."""
        catalog = await self._discovered(source_id)
        modes = await self._modes_of(destination_id) if destination_id else frozenset[str]()
        found = config_streams.with_modes(catalog, modes)
        return tuple(sorted(found, key=lambda stream: (stream.namespace or "", stream.name)))

    def forget(self, source_id: str) -> None:
        """A source that changes may offer something else."""
        self._of.pop(source_id, None)

    async def for_write(self, source_id: str, spec: Connection) -> Body:
        """The streams of a connection as its write states them. Raises before anything is sent where this
        server would silently leave out what they say."""
        streams = bodies.stated(spec.streams, "streams")
        bodies.refuse_mappers(spec, self._server.features_lacking)
        catalog = self._of.get(source_id) or await self._discovered(source_id)
        return config_streams.sync_catalog(spec.name, streams, catalog)

    async def _discovered(self, source_id: str) -> Catalog:
        data = await self._server.ask(_PATH, {"sourceId": source_id}, slow=True)
        if isinstance(data, Mapping) and data.get("catalog") is None:
            why = self._server.readable(config_read.failure(data))
            raise ApiError(
                f"POST {_PATH}: the connector failed: {why or 'it gives no reason'}",
                hint="check the source's configuration and that it can be reached",
            )
        catalog = read(_PATH, config_streams.read_catalog, data)
        self._of[source_id] = catalog
        return catalog

    async def _modes_of(self, destination_id: str) -> frozenset[str]:
        """Empty where the server can't tell."""
        path = "/destination_definition_specifications/get_for_destination"
        try:
            data = await self._server.ask_if_served(path, {"destinationId": destination_id})
            if data is None:
                data = await self._specification_of(destination_id)
        except ApiError as error:
            if is_missing(error):
                return frozenset()
            raise
        said = data if isinstance(data, Mapping) else {}
        return frozenset(fields.path(said.get("supportedDestinationSyncModes")))

    async def _specification_of(self, destination_id: str) -> object:
        """The default version's, on servers that don't tell it by destination."""
        found = await self._server.ask("/destinations/get", {"destinationId": destination_id})
        names = ("destinationDefinitionId", "workspaceId")
        body = {name: found.get(name) for name in names}
        return await self._server.ask("/destination_definition_specifications/get", body)
