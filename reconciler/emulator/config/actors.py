"""/sources and /destinations, which differ in little but their names (CFG §3): one object at a time.

Lists are in actor_lists.py, tests of a connection in check.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, deletion, secrets, workspaces
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Known
from reconciler.emulator.rows import Actor, ActorKind

_JOB_TYPES: Final = (
    "get_spec",
    "check_connection",
    "discover_schema",
    "sync",
    "reset_connection",
    "connection_updater",
    "replicate",
)
DEFAULT_NAME: Final = "default"


def read(instance: Instance, actor: Actor, *, coordinates: bool = False) -> dict[str, Json]:
    connector = instance.connectors.get(actor.definition_id)
    definition = connector.definition if connector else None
    show = secrets.with_coordinates if coordinates else secrets.masked
    return {
        f"{actor.kind}Id": actor.id,
        f"{actor.kind}DefinitionId": actor.definition_id,
        "workspaceId": actor.workspace_id,
        "name": actor.name,
        f"{actor.kind}Name": definition.name if definition else "",
        # null after a deletion (CFG-T 8), and the only field that is ever null
        "connectionConfiguration": show(
            definition.spec if definition else None, actor.configuration
        ),
        "createdAt": actor.created_at,
        "isVersionOverrideApplied": False,
        "isEntitled": True,
        "supportState": "supported",
        **fields.present(resourceAllocation=actor.resources),
    }


def found(kind: ActorKind, instance: Instance, sent: fields.Body) -> Actor:
    """The one that the request names. Raises NotFound."""
    return actors.get(instance, kind, fields.required_identifier(instance, sent, f"{kind}Id"))


def create(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    definition_id = fields.required_identifier(instance, sent, f"{kind}DefinitionId")
    actor = actors.create(
        instance,
        kind,
        workspace_id=fields.required_identifier(instance, sent, "workspaceId"),
        definition_id=definition_id,
        name=fields.text(sent, "name") or DEFAULT_NAME,
        configuration=fields.required(sent, "connectionConfiguration"),
        resources=_resources(sent),
    )
    return JSONResponse(read(instance, actor))


def get(kind: ActorKind, instance: Instance, call: Call) -> Response:
    return JSONResponse(read(instance, found(kind, instance, fields.body(instance, call))))


def get_with_metadata(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    actor = found(kind, instance, sent)
    coordinates = bool(fields.flag(sent, "includeSecretCoordinates"))
    workspace = workspaces.get(instance, actor.workspace_id)
    shown = read(instance, actor, coordinates=coordinates)
    return JSONResponse({**shown, "metadata": {"workspaceName": workspace.name}})


def update(kind: ActorKind, instance: Instance, call: Call) -> Response:
    """Replaces name and configuration; a definition or workspace sent along is ignored (CFG-T 6)."""
    sent = fields.body(instance, call)
    actor = actors.replace_whole(
        instance,
        found(kind, instance, sent),
        name=fields.required_text(sent, "name"),
        configuration=fields.required(sent, "connectionConfiguration"),
        resources=_resources(sent),
    )
    return JSONResponse(read(instance, actor))


def partial_update(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    actor = found(kind, instance, sent)
    configuration = sent.get("connectionConfiguration")
    _refuse_oauth_outputs(instance, actor, configuration)
    changed = actors.merge(
        instance,
        actor,
        name=fields.text(sent, "name"),
        configuration=configuration,
        resources=_resources(sent),
    )
    return JSONResponse(read(instance, changed))


def delete(kind: ActorKind, instance: Instance, call: Call) -> Response:
    """May be repeated."""
    deletion.delete_actor(instance, found(kind, instance, fields.body(instance, call)))
    return Response(status_code=204)


def upgrade_version(kind: ActorKind, instance: Instance, call: Call) -> Response:
    """Each is at its definition's default version here, so there is nothing to move (CFG-T 30)."""
    found(kind, instance, fields.body(instance, call))
    return Response(status_code=204)


def _refuse_oauth_outputs(instance: Instance, actor: Actor, configuration: Json) -> None:
    """What an OAuth flow writes can't be written by hand (CFG §3); the public API allows it."""
    connector = instance.connectors.get(actor.definition_id)
    for path in connector.oauth_outputs if connector else ():
        node = configuration
        for key in path:
            node = node.get(key) if isinstance(node, Mapping) else None
        if node is not None:
            raise Known(422, f"Cannot set key '{path[-1]}', please create an OAuth credentials")


def _resources(sent: fields.Body) -> Json:
    """None where nothing is sent, which erases what is stored (CFG-T 19)."""
    allocation = fields.child(sent, "resourceAllocation")
    if allocation is None:
        return None
    limits = fields.children(allocation, "jobSpecific")
    return fields.present(
        default=fields.child(allocation, "default"),
        jobSpecific=None if limits is None else [_limit(limit) for limit in limits],
    )


def _limit(limit: fields.Body) -> Json:
    fields.required(limit, "jobType")
    fields.required(limit, "resourceRequirements")
    return {
        "jobType": fields.word(limit, "jobType", _JOB_TYPES),
        "resourceRequirements": fields.child(limit, "resourceRequirements"),
    }


def endpoints(kind: ActorKind) -> tuple[Endpoint, ...]:
    family = f"/{kind}s"
    return (
        Endpoint("POST", f"{family}/create", partial(create, kind)),
        Endpoint("POST", f"{family}/get", partial(get, kind)),
        Endpoint("POST", f"{family}/get_with_metadata", partial(get_with_metadata, kind)),
        Endpoint("POST", f"{family}/update", partial(update, kind)),
        Endpoint("POST", f"{family}/partial_update", partial(partial_update, kind)),
        Endpoint("POST", f"{family}/delete", partial(delete, kind)),
        Endpoint("POST", f"{family}/upgrade_version", partial(upgrade_version, kind)),
    )


ENDPOINTS = (*endpoints("source"), *endpoints("destination"))
