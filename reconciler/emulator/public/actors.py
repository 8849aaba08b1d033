"""/sources and /destinations, which differ in nothing but their names (PUB §3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, deletion, secrets
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import Opaque, Problem
from reconciler.emulator.public import fields, pages
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


def read(instance: Instance, actor: Actor, *, coordinates: bool = False) -> Json:
    if actor.resources is not None and "default" not in actor.resources:
        # Accepted and stored, and from then on the server breaks on every read (PUB §3.6).
        raise Opaque(500, "resources without a default")
    connector = instance.connectors.get(actor.definition_id)
    spec = connector.definition.spec if connector else None
    show = secrets.with_coordinates if coordinates else secrets.masked
    return {
        f"{actor.kind}Id": actor.id,
        "name": actor.name,
        f"{actor.kind}Type": connector.type_name if connector else "",
        "definitionId": actor.definition_id,
        "workspaceId": actor.workspace_id,
        # null after a deletion, and the only field that is ever null (PUB §3.7).
        "configuration": show(spec, actor.configuration),
        "createdAt": actor.created_at,
        **fields.present(resourceAllocation=actor.resources),
    }


def list_all(kind: ActorKind, instance: Instance, call: Call) -> Response:
    page = pages.asked(call)
    conditions: list[tuple[str, tuple[str, ...]]] = [("kind = ?", (kind,))]
    if not page.include_deleted:
        conditions.append(("tombstone = 0", ()))
    found = pages.select(instance, page, Actor, conditions)
    return pages.envelope(page, f"{kind}s", found, partial(read, instance))


def create(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    name = fields.required_text(sent, "name")
    workspace_id = fields.required_identifier(sent, "workspaceId")
    configuration = fields.required(sent, "configuration")
    definition_id = fields.identifier(sent, "definitionId")
    resources = _resources(sent)
    if definition_id is None:
        definition_id = _definition_of_type(instance, kind, configuration)
    actor = actors.create(
        instance,
        kind,
        workspace_id=workspace_id,
        definition_id=definition_id,
        name=name,
        configuration=_without_type(kind, configuration),
        resources=resources,
    )
    return JSONResponse(read(instance, actor))


def get(kind: ActorKind, instance: Instance, call: Call) -> Response:
    coordinates = fields.query_flag(call, "includeSecretCoordinates")
    return JSONResponse(read(instance, _found(kind, instance, call), coordinates=coordinates))


def put(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    name = fields.required_text(sent, "name")
    configuration = _without_type(kind, fields.required(sent, "configuration"))
    actor = actors.replace_whole(
        instance,
        _found(kind, instance, call),
        name=name,
        configuration=configuration,
        resources=_resources(sent),
    )
    return JSONResponse(read(instance, actor))


def patch(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(call)
    name = fields.text(sent, "name")
    actor = actors.merge(
        instance,
        _found(kind, instance, call),
        name=name,
        configuration=_without_type(kind, sent.get("configuration")),
        resources=_resources(sent),
    )
    return JSONResponse(read(instance, actor))


def delete(kind: ActorKind, instance: Instance, call: Call) -> Response:
    deletion.delete_actor(instance, _found(kind, instance, call))
    return Response(status_code=204)


def _found(kind: ActorKind, instance: Instance, call: Call) -> Actor:
    return actors.get(instance, kind, fields.path_id(call, f"{kind}Id"))


def _definition_of_type(instance: Instance, kind: ActorKind, configuration: Json) -> str:
    """By the type's name, wherever in the configuration it stands."""
    named = next(_values(configuration, f"{kind}Type"), None)
    if named is None:
        raise Problem("unprocessable-entity")
    for connector in instance.connectors.values():
        if (
            connector.definition.kind == kind
            and connector.type_name
            and connector.type_name == named
        ):
            return connector.definition.id
    raise Problem("value-not-found", {"value": named if isinstance(named, str) else str(named)})


def _values(node: Json, key: str) -> Iterator[Json]:
    """Values of the key anywhere in the tree, outer ones first."""
    if isinstance(node, Mapping):
        if node.get(key) is not None:
            yield node[key]
        for value in node.values():
            yield from _values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value, key)


def _without_type(kind: ActorKind, configuration: Json) -> Json:
    """The type's name is stripped at the top, and so never reads back (PUB-T 32)."""
    if not isinstance(configuration, Mapping):
        return configuration
    return {key: value for key, value in configuration.items() if key != f"{kind}Type"}


def _resources(sent: fields.Body) -> Json:
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
    one = f"/{kind}s/{{{kind}Id}}"
    return (
        Endpoint("GET", f"/{kind}s", partial(list_all, kind)),
        Endpoint("POST", f"/{kind}s", partial(create, kind)),
        Endpoint("GET", one, partial(get, kind)),
        Endpoint("PUT", one, partial(put, kind)),
        Endpoint("PATCH", one, partial(patch, kind)),
        Endpoint("DELETE", one, partial(delete, kind)),
    )


ENDPOINTS = (*endpoints("source"), *endpoints("destination"))
