"""Testing a connection: of an actor as it is, as it would be, or of a configuration alone (CFG §3).

Three outcomes, all with status 200: it works, it doesn't and the connector says why, or the connector died.
"""

from __future__ import annotations

from functools import partial

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, checks, schema, workspaces
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.checks import Outcome
from reconciler.emulator.config import fields, synchronous
from reconciler.emulator.config.actors import found
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import InvalidConfiguration, NotFound
from reconciler.emulator.rows import ActorKind


def check(kind: ActorKind, instance: Instance, call: Call) -> Response:
    actor = found(kind, instance, fields.body(instance, call))
    if actor.tombstone:
        raise NotFound(actors.RESOURCE_TYPES[kind], actor.id)
    return _answer(kind, instance, actor.definition_id, checks.check(actor.configuration), actor.id)


def check_for_update(kind: ActorKind, instance: Instance, call: Call) -> Response:
    """Of the configuration sent, with its secrets restored; saves nothing."""
    sent = fields.body(instance, call)
    actor = found(kind, instance, sent)
    configuration = fields.required(sent, "connectionConfiguration")
    after = actors.reconfigured(instance, actor, configuration)
    return _answer(kind, instance, actor.definition_id, checks.check(after), actor.id)


def check_before_create(kind: ActorKind, instance: Instance, call: Call) -> Response:
    """Here the server validates nothing: it is the connector that finds its configuration wanting."""
    sent = fields.body(instance, call)
    definition_id = fields.required_identifier(instance, sent, f"{kind}DefinitionId")
    spec = actors.connector_of(instance, kind, definition_id).definition.spec
    workspaces.get(instance, fields.required_identifier(instance, sent, "workspaceId"))
    configuration = fields.required(sent, "connectionConfiguration")
    try:
        if spec is not None:
            schema.validate(spec, configuration)
        outcome = checks.check(configuration)
    except InvalidConfiguration as invalid:
        outcome = Outcome("failed", f"Config validation error: {invalid}")
    return _answer(kind, instance, definition_id, outcome, None)


def _answer(
    kind: ActorKind, instance: Instance, definition_id: str, outcome: Outcome, actor_id: str | None
) -> Response:
    instance.record("check_ran", actor=kind, actorId=actor_id, status=outcome.status)
    crash: Json = None
    if outcome.status == "crashed":
        crash = synchronous.failure(instance, kind, outcome.message)
    job = synchronous.ran(instance, f"check_connection_{kind}", definition_id, failure=crash)
    shown: dict[str, Json] = {"jobInfo": job}
    if crash is None:
        shown["status"] = outcome.status
        # A connector rarely says anything when all is well.
        if outcome.status == "failed" or instance.lenient:
            shown["message"] = outcome.message
    return JSONResponse(shown)


def endpoints(kind: ActorKind) -> tuple[Endpoint, ...]:
    one, before = f"/{kind}s", f"/scheduler/{kind}s/check_connection"
    return (
        Endpoint("POST", f"{one}/check_connection", partial(check, kind)),
        Endpoint("POST", f"{one}/check_connection_for_update", partial(check_for_update, kind)),
        Endpoint("POST", before, partial(check_before_create, kind)),
    )


ENDPOINTS = (*endpoints("source"), *endpoints("destination"))
