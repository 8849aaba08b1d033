"""/workspaces/{id}/definitions/… and /connector_definitions (PUB §6); none of them is paged."""

from __future__ import annotations

from functools import partial

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, workspaces
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.connectors import Connector
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound, Opaque
from reconciler.emulator.public import fields
from reconciler.emulator.rows import ActorKind


def read(connector: Connector) -> Json:
    return fields.present(
        id=connector.definition.id,
        name=connector.definition.name,
        dockerRepository=connector.definition.docker_repository,
        dockerImageTag=connector.definition.docker_tag,
        documentationUrl=connector.documentation_url,
    )


def list_all(kind: ActorKind, instance: Instance, call: Call) -> Response:
    workspaces.get(instance, fields.path_id(call, "workspaceId"))
    return JSONResponse({"data": [read(c) for c in _of_kind(instance, kind)]})


def get(kind: ActorKind, instance: Instance, call: Call) -> Response:
    workspaces.get(instance, fields.path_id(call, "workspaceId"))
    definition_id = fields.path_id(call, "definitionId")
    return JSONResponse(read(actors.connector_of(instance, kind, definition_id)))


def declarative(instance: Instance, call: Call) -> Response:
    """The emulator has no connector builder, so there are none."""
    workspaces.get(instance, fields.path_id(call, "workspaceId"))
    return JSONResponse({"data": []})


def no_declarative(instance: Instance, call: Call) -> Response:
    workspaces.get(instance, fields.path_id(call, "workspaceId"))
    raise NotFound("STANDARD_SOURCE_DEFINITION", fields.path_id(call, "definitionId"))


def connector_definitions(instance: Instance, call: Call) -> Response:
    """The workspace is optional only in the schema: without it the server breaks."""
    kind = fields.word({"type": call.query.get("type")}, "type", ("source", "destination"))
    if kind is None:
        raise Opaque(400, "type is missing")
    workspace_id = fields.query_id(call, "workspaceId")
    if workspace_id is None:
        raise Opaque(500, "workspaceId is missing")
    workspaces.get(instance, workspace_id)
    data = [
        {
            "id": connector.definition.id,
            "name": connector.definition.name,
            "connectorDefinitionType": kind,
            "version": connector.definition.docker_tag,
        }
        for connector in _of_kind(instance, kind)
    ]
    return JSONResponse({"data": data})


def _of_kind(instance: Instance, kind: str) -> list[Connector]:
    return [c for c in instance.connectors.values() if c.definition.kind == kind]


_BASE = "/workspaces/{workspaceId}/definitions"

ENDPOINTS = (
    Endpoint("GET", "/connector_definitions", connector_definitions),
    Endpoint("GET", f"{_BASE}/declarative_sources", declarative),
    Endpoint("GET", f"{_BASE}/declarative_sources/{{definitionId}}", no_declarative),
    Endpoint("GET", f"{_BASE}/sources", partial(list_all, "source")),
    Endpoint("GET", f"{_BASE}/sources/{{definitionId}}", partial(get, "source")),
    Endpoint("GET", f"{_BASE}/destinations", partial(list_all, "destination")),
    Endpoint("GET", f"{_BASE}/destinations/{{definitionId}}", partial(get, "destination")),
)
