"""A small Python client, for scripts and notebooks: the same backends as the command line, called plainly.

Each answer has the keys that Airbyte's own documents use. It decides nothing: what is reviewed in git is
planned and applied by `reconciler`; this is for what scripts do beside that.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx

from reconciler.backends import Backend, connect
from reconciler.client import answers
from reconciler.client.answers import (
    ConnectionInfo,
    DestinationInfo,
    JobInfo,
    SourceInfo,
    WorkspaceInfo,
)
from reconciler.client.loop import Loop
from reconciler.client.streams import refuse_mistakes, streams_of
from reconciler.core.connector import find_connector
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.model import (
    MANUAL,
    Connection,
    Destination,
    Json,
    Live,
    LiveObject,
    Namespace,
    Ref,
    Schedule,
    Source,
    Workspace,
    is_mask,
)
from reconciler.core.redact import leaves
from reconciler.core.schedule import equal_utc_cron
from reconciler.core.target import Auth, Target
from reconciler.transport import Transport
from reconciler.transport.hosts import VARIABLE, allowed_hosts

_T = TypeVar("_T")

__all__ = [
    "AirbyteClient",
    "ConnectionInfo",
    "DestinationInfo",
    "JobInfo",
    "SourceInfo",
    "WorkspaceInfo",
]

DEFAULT_URL: Final = "http://localhost:8000/api/public/v1"
TOKEN_VARIABLE: Final = "AIRBYTE_SECRET_ACCESS_TOKEN"  # noqa: S105 - a variable's name
FIRST_POLL, SLOWEST_POLL = 1.0, 10.0
"""Seconds between two looks at a job: each wait is half again as long as the one before."""


class AirbyteClient:
    """Speaks either API: the one that `base_url` names, or, of a bare address, the one that is found.

    Credentials: an `access_token` (default: from the environment, AIRBYTE_SECRET_ACCESS_TOKEN), a
    `client_id` with its `client_secret`, or `username` with `password`; none where the server asks for none.
    Raises ReconcilerError, with a `hint`, for whatever Airbyte refuses. Usable from several threads and
    inside a running event loop; close it, or use it as a context manager.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        access_token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        username: str | None = None,
        password: str | None = None,
        workspace_id: str | None = None,
        http_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if access_token is None and client_id is None and username is None:
            access_token = os.environ.get(TOKEN_VARIABLE) or None
        self._auth = Auth(
            client_id=client_id,
            client_secret=client_secret,
            token=access_token,
            username=username,
            password=password,
        )
        self._target = Target("client", base_url, auth=self._auth)
        self._http_transport = http_transport
        self._workspace_id = workspace_id
        self._loop = Loop()
        self._opening = threading.Lock()
        self._backend: Backend | None = None
        self._closed = False
        self._closing: Callable[[], Awaitable[Any]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections to the server, for good. Done also when they are closed already."""
        with self._opening:
            self._closed = True
            closing, self._closing, self._backend = self._closing, None, None
            if closing is not None:
                self._loop.run(_awaited(closing))
            self._loop.stop()

    @property
    def base_url(self) -> str:
        """The base of the API in use, for requests that this client has no method for."""
        return self._opened().base_url

    @property
    def access_token(self) -> str:
        """A token that is valid now, for the header `Authorization: Bearer …`; "" where none is used."""
        base_url = self.base_url

        async def ask() -> str:
            async with Transport(
                base_url, self._auth, http_transport=self._http_transport
            ) as transport:
                return await transport.access_token()

        return self._loop.run(ask())

    @property
    def workspace_id(self) -> str:
        """The one that was given, or the only one there is; ReconcilerError where there are several."""
        if self._workspace_id is None:
            found = self.list_workspaces()
            if len(found) != 1:
                named = ", ".join(f"{w['name']} ({w['workspaceId']})" for w in found) or "none"
                raise ReconcilerError(
                    f"{len(found)} workspaces are visible: {named}",
                    hint="say which: AirbyteClient(workspace_id=…)",
                )
            self._workspace_id = found[0]["workspaceId"]
        return self._workspace_id

    def list_workspaces(self) -> list[WorkspaceInfo]:
        """Every workspace the credentials can see, by name."""
        found = self._run(lambda backend: backend.workspaces())
        return [{"workspaceId": workspace.id, "name": workspace.name} for workspace in found]

    def list_sources(self, workspace_id: str | None = None) -> list[SourceInfo]:
        """Every source of a workspace, by name, whatever the size of the server's pages."""
        workspace = self._workspace(workspace_id)
        return [answers.source(found, workspace) for found in self._objects(workspace, "source")]

    def list_destinations(self, workspace_id: str | None = None) -> list[DestinationInfo]:
        """Every destination of a workspace, by name."""
        workspace = self._workspace(workspace_id)
        return [
            answers.destination(found, workspace)
            for found in self._objects(workspace, "destination")
        ]

    def list_connections(self, workspace_id: str | None = None) -> list[ConnectionInfo]:
        """Every connection of a workspace, by name."""
        workspace = self._workspace(workspace_id)
        return [
            answers.connection(found, workspace) for found in self._objects(workspace, "connection")
        ]

    def create_postgres_source(self, name: str, config: Mapping[str, Json]) -> SourceInfo:
        """A new source, also where one of that name exists: names are not unique."""
        workspace = self._workspace(None)
        connector = self._definition("source", "postgres", workspace)
        spec = Source(name, connector, _without_masks(config))
        return answers.source(self._run(lambda backend: backend.create(workspace, spec)), workspace)

    def create_s3_destination(self, name: str, config: Mapping[str, Json]) -> DestinationInfo:
        """A new destination in S3 or what speaks its protocol, such as MinIO."""
        workspace = self._workspace(None)
        connector = self._definition("destination", "s3", workspace)
        spec = Destination(name, connector, _without_masks(config))
        return answers.destination(
            self._run(lambda backend: backend.create(workspace, spec)), workspace
        )

    def create_connection(
        self,
        source_id: str,
        dest_id: str,
        streams: Sequence[Mapping[str, Any]],
        schedule_hours: int | None = 24,
        *,
        name: str | None = None,
    ) -> ConnectionInfo:
        """A new active connection; each stream is {"stream": {name, namespace?}, "config": {syncMode,
        destinationSyncMode, cursorField?, primaryKey?, selected?}}. `schedule_hours` None: only by hand.

        Made also where one of that name, or one between the same two, exists: names are not unique, and a
        second call makes a twin that writes the same tables. Look in `list_connections` first.

        Raises ReconcilerError, with nothing sent, for streams that the source doesn't offer so, and for hours
        that the API in use can't write.
        """
        workspace = self._workspace(None)
        spec = Connection(
            name=name or f"{source_id[:8]} → {dest_id[:8]}",
            source=Ref(id=source_id),
            destination=Ref(id=dest_id),
            status="active",
            schedule=self._schedule(schedule_hours),
            namespace=Namespace("source"),
            prefix="",
            schema_changes="ignore",
            tags=(),
            streams=streams_of(streams),
        )
        refuse_mistakes(spec, self._run(lambda backend: backend.discover(source_id, dest_id)))
        return answers.connection(
            self._run(lambda backend: backend.create(workspace, spec)), workspace
        )

    def trigger_sync(self, connection_id: str) -> int:
        """Starts a sync; the id of its job. Raises ReconcilerError where the connection is inactive, or a job
        runs on it already: the message says which."""
        return int(self._run(lambda backend: backend.start(connection_id, "sync")).id)

    def wait_for_job(self, job_id: int, timeout: float = 3600) -> JobInfo:
        """The job once it has succeeded, failed or was cancelled. Raises TimeoutError after `timeout`
        seconds (the job goes on), and ReconcilerError where there is no such job."""
        until, pause = time.monotonic() + timeout, FIRST_POLL
        while True:
            job = self._run(lambda backend: backend.job(str(job_id)))
            if job is None:
                raise ReconcilerError(
                    f"there is no job {job_id}", hint="list_connection_jobs lists a connection's"
                )
            if job.ended:
                return answers.job(job)
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"job {job_id} is {job.status} after {timeout:g} s")
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, SLOWEST_POLL)

    def list_connection_jobs(self, connection_id: str, limit: int = 10) -> list[JobInfo]:
        """The newest jobs of a connection, newest first. Raises ReconcilerError where there is no such
        connection, and no job that it left."""
        workspace = self._workspace(None)
        found = self._run(lambda backend: backend.jobs(workspace, connection_id, limit))
        if not found and self._run(lambda b: b.read("connection", connection_id)) is None:
            raise ReconcilerError(
                f"there is no connection {connection_id}", hint="list_connections lists them"
            )
        return [answers.job(job) for job in found]

    # --- What the methods are made of ------------------------------------------------------

    def _run(self, call: Callable[[Backend], Coroutine[Any, Any, _T]]) -> _T:
        return self._loop.run(call(self._opened()))

    def _opened(self) -> Backend:
        with self._opening:
            if self._closed:
                raise ReconcilerError("this client is closed", hint="make a new AirbyteClient")
            if self._backend is None:
                opening = connect(
                    self._target,
                    http_transport=self._http_transport,
                    read_only=False,
                    allowed_hosts=allowed_hosts(os.environ.get(VARIABLE)),
                )
                self._backend = self._loop.run(_awaited(opening.__aenter__))
                self._closing = lambda: opening.__aexit__(None, None, None)
            return self._backend

    def _workspace(self, workspace_id: str | None) -> Workspace:
        return Workspace(workspace_id or self.workspace_id, "")

    def _snapshot(self, workspace: Workspace) -> Live:
        return self._run(lambda backend: backend.snapshot(workspace))

    def _objects(self, workspace: Workspace, kind: str) -> list[LiveObject]:
        return [found for found in self._snapshot(workspace).objects if found.kind == kind]

    def _definition(self, kind: str, name: str, workspace: Workspace) -> str:
        """By the connector's own name: a search for a part of it finds others (CFG §2)."""
        found = find_connector(name, kind, self._snapshot(workspace).definitions)
        if len(found) != 1:
            raise ReconcilerError(f"{len(found)} {kind} connectors are called {name!r}")
        return found[0].id

    def _schedule(self, hours: Any) -> Schedule:
        if hours is None:
            return MANUAL
        if isinstance(hours, bool) or not isinstance(hours, int) or hours < 1:
            raise ReconcilerError(
                f"schedule_hours is {hours!r}: it is a whole number of at least 1",
                hint="None for a connection that runs only by hand",
            )
        interval = Schedule(every=hours, unit="hours")
        if self._opened().capabilities.writes_interval_schedules:
            return interval
        cron = equal_utc_cron(interval)
        if cron is None:
            raise ReconcilerError(
                f"the public API writes no interval of {hours} hours, and no cron equals it",
                hint="take a number that divides 24, or the Configuration API",
            )
        return Schedule(cron=cron)


def _without_masks(config: Mapping[str, Json]) -> Mapping[str, Json]:
    """A create would store the asterisks as the secret (PUB-T 1)."""
    for pointer, value in leaves(config):
        if is_mask(value):
            raise ReconcilerError(
                f"config{pointer} is the row of asterisks that Airbyte shows instead of a secret",
                hint="nothing was sent; give the value itself",
            )
    return config


async def _awaited(call: Callable[[], Awaitable[_T]]) -> _T:
    return await call()
