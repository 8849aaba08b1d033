"""The client's answers as Airbyte's own documents show them.

Values in, values out; asks no server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from reconciler.core.jobs import Job
from reconciler.core.model import (
    Connection,
    Destination,
    Json,
    LiveObject,
    Source,
    Workspace,
)


class WorkspaceInfo(TypedDict):
    workspaceId: str
    name: str


class SourceInfo(TypedDict):
    """Secrets in `configuration` stand as Airbyte masks them."""

    sourceId: str
    name: str
    sourceDefinitionId: str
    workspaceId: str
    configuration: Mapping[str, Json]


class DestinationInfo(TypedDict):
    destinationId: str
    name: str
    destinationDefinitionId: str
    workspaceId: str
    configuration: Mapping[str, Json]


class ConnectionInfo(TypedDict):
    connectionId: str
    name: str
    sourceId: str
    destinationId: str
    status: str
    workspaceId: str


class JobSummary(TypedDict):
    recordsSynced: int
    bytesSynced: int


class JobInfo(TypedDict):
    """Times are epoch seconds. `summary` where the API says how much was synced."""

    id: int
    connectionId: str
    configType: str
    status: str
    createdAt: NotRequired[float]
    updatedAt: NotRequired[float]
    summary: NotRequired[JobSummary]


def source(live: LiveObject, workspace: Workspace) -> SourceInfo:
    assert isinstance(live.spec, Source)  # noqa: S101 - the kind that was asked for
    return {
        "sourceId": live.id,
        "name": live.spec.name,
        "sourceDefinitionId": live.spec.connector,
        "workspaceId": workspace.id,
        "configuration": live.spec.configuration,
    }


def destination(live: LiveObject, workspace: Workspace) -> DestinationInfo:
    assert isinstance(live.spec, Destination)  # noqa: S101 - the kind that was asked for
    return {
        "destinationId": live.id,
        "name": live.spec.name,
        "destinationDefinitionId": live.spec.connector,
        "workspaceId": workspace.id,
        "configuration": live.spec.configuration,
    }


def connection(live: LiveObject, workspace: Workspace) -> ConnectionInfo:
    spec = live.spec
    assert isinstance(spec, Connection)  # noqa: S101 - the kind that was asked for
    return {
        "connectionId": live.id,
        "name": spec.name,
        "sourceId": str(spec.source.id),
        "destinationId": str(spec.destination.id),
        "status": str(spec.status),
        "workspaceId": workspace.id,
    }


def job(found: Job) -> JobInfo:
    info: JobInfo = {
        "id": int(found.id),
        "connectionId": found.connection_id,
        "configType": found.kind,
        "status": found.status,
    }
    if found.started is not None:
        info["createdAt"] = found.started
    if found.updated is not None:
        info["updatedAt"] = found.updated
    if found.rows is not None or found.size is not None:
        info["summary"] = {"recordsSynced": found.rows or 0, "bytesSynced": found.size or 0}
    return info
