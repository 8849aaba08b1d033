"""/operations: what a connection has done after a sync (CFG §6)."""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import connections, operations
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument
from reconciler.emulator.rows import Operation

_TYPES: Final = ("webhook",)
_OLD_TYPES: Final = ("normalization", "dbt", "webhook")
"""Of the servers that octavia-cli was written for."""


def read(operation: Operation) -> Json:
    return {
        "operationId": operation.id,
        "workspaceId": operation.workspace_id,
        "name": operation.name,
        "operatorConfiguration": operation.configuration,
    }


def configuration(instance: Instance, sent: fields.Body) -> Json:
    operator = fields.child(sent, "operatorConfiguration")
    if operator is None:
        raise IllegalArgument("operatorConfiguration is null")
    fields.required(operator, "operatorType")
    known = _TYPES if instance.generation.tokens else _OLD_TYPES
    kind = fields.word(operator, "operatorType", known)
    if operator.get(str(kind)) is None:
        raise IllegalArgument(f"{kind} is null")
    return {"operatorType": kind, str(kind): operator[str(kind)]}


def made(instance: Instance, sent: fields.Body) -> Operation:
    workspace_id = fields.required_identifier(instance, sent, "workspaceId")
    name = fields.required_text(sent, "name")
    return operations.create(instance, workspace_id, name, configuration(instance, sent))


def changed(instance: Instance, sent: fields.Body) -> Operation:
    operation = _found(instance, sent)
    name = fields.required_text(sent, "name")
    return operations.update(instance, operation, name, configuration(instance, sent))


def create(instance: Instance, call: Call) -> Response:
    return JSONResponse(read(made(instance, fields.body(instance, call))))


def update(instance: Instance, call: Call) -> Response:
    return JSONResponse(read(changed(instance, fields.body(instance, call))))


def get(instance: Instance, call: Call) -> Response:
    return JSONResponse(read(_found(instance, fields.body(instance, call))))


def list_of_connection(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    connection_id = fields.required_identifier(instance, sent, "connectionId")
    connection = connections.get(instance, connection_id)
    shown = [read(operations.get(instance, one)) for one in connection.operation_ids]
    return JSONResponse({"operations": shown})


def delete(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    operations.delete(instance, fields.required_identifier(instance, sent, "operationId"))
    return Response(status_code=204)


def check(instance: Instance, call: Call) -> Response:
    """A configuration that could be stored is fine: nothing is called."""
    sent = fields.body(instance, call)
    try:
        configuration(instance, {"operatorConfiguration": sent})
    except IllegalArgument as error:
        return JSONResponse({"status": "failed", "message": str(error)})
    return JSONResponse({"status": "succeeded"})


def _found(instance: Instance, sent: fields.Body) -> Operation:
    return operations.get(instance, fields.required_identifier(instance, sent, "operationId"))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/operations/create", create),
    Endpoint("POST", "/operations/update", update),
    Endpoint("POST", "/operations/get", get),
    Endpoint("POST", "/operations/list", list_of_connection),
    Endpoint("POST", "/operations/delete", delete),
    Endpoint("POST", "/operations/check", check),
)
