"""The seam between this product and any of Airbyte's APIs.

A backend speaks the model and one API's wire; it decides nothing: what to write is decided in the core.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reconciler.core.capabilities import Capabilities
from reconciler.core.jobs import Check, Job, JobKind, RefreshMode
from reconciler.core.model import (
    ConnectorDefinition,
    DiscoveredStream,
    Json,
    Live,
    LiveObject,
    Spec,
    Tag,
    Update,
    Workspace,
)
from reconciler.core.normalize import StreamKey


class Backend(Protocol):
    """All calls raise ApiError (or a subclass) when the server says no; a create whose outcome
    nobody knows raises OutcomeUnknown."""

    capabilities: Capabilities
    base_url: str

    @property
    def generation(self) -> str:
        """Which releases of Airbyte answer like this server, as far as was seen; "" where nothing told."""
        ...

    async def workspaces(self) -> tuple[Workspace, ...]:
        """Every workspace the credentials can see, sorted by name and id."""
        ...

    async def snapshot(self, workspace: Workspace) -> Live:
        """Everything that exists in the workspace: objects (each id once), definitions, tags."""
        ...

    async def read(self, kind: str, object_id: str) -> LiveObject | None:
        """One object, or None when it does not exist (any more): PUB-T 23."""
        ...

    async def create(self, workspace: Workspace, spec: Spec) -> LiveObject:
        """Creates the object and returns what the server answered.

        `spec.connector` is a definition id, a connection's Refs hold ids, tags are names that exist.
        """
        ...

    async def update(self, live: LiveObject, update: Update) -> LiveObject:
        """Writes what `update` names and returns what the server answered.

        A KEEP stands only for the key of a mapper whose id is given, a mask in a configuration only
        where the update is whole: anything else that isn't at hand raises before a byte is sent.
        """
        ...

    async def delete(self, kind: str, object_id: str) -> None:
        """Done also when the object does not exist (any more)."""
        ...

    async def create_tag(self, workspace: Workspace, name: str) -> Tag:
        """The tag of that name: names are unique, so one that exists by now is the one."""
        ...

    async def discover(
        self, source_id: str, destination_id: str | None
    ) -> tuple[DiscoveredStream, ...]:
        """The streams a source offers, from the server's cache where it has one. Slow otherwise (PUB §5)."""
        ...

    async def specification(
        self, workspace: Workspace, definition: ConnectorDefinition
    ) -> Mapping[str, Json] | None:
        """The connector's connectionSpecification, None where the server has none for it. Only where
        `capabilities.serves_specs`."""
        ...

    # --- Operations: each only where `capabilities.operations` names it --------------------

    async def check(self, kind: str, object_id: str) -> Check:
        """Tests the connection of a source or destination as it is stored. Slow; changes nothing."""
        ...

    async def jobs(
        self, workspace: Workspace, connection_id: str | None, limit: int
    ) -> tuple[Job, ...]:
        """The newest `limit` jobs of a connection, or of the workspace, newest first (PUB-T 37)."""
        ...

    async def job(self, job_id: str) -> Job | None:
        """One job, or None where the server knows none of that id (CFG-T 33)."""
        ...

    async def start(
        self,
        connection_id: str,
        kind: JobKind,
        streams: tuple[StreamKey, ...] = (),
        mode: RefreshMode = "merge",
    ) -> Job:
        """Starts a job, of all streams where none is named. Raises ApiError with status 409 where one
        runs already. Not idempotent: a lost answer is OutcomeUnknown. `mode` is a refresh's."""
        ...

    async def cancel(self, job_id: str) -> Job:
        """Asks a job to stop; it may still be running in the answer. One that has ended is returned as
        it is."""
        ...
