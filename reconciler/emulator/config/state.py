"""/state: the saved positions of a connection, to be carried over to another (CFG §5.2)."""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import jobs, states
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields
from reconciler.emulator.config.connections import found
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument, Known
from reconciler.emulator.rows import Connection

_TYPES: Final = ("global", "stream", "legacy", "not_set")


def read(instance: Instance, connection: Connection) -> Json:
    saved = states.of(instance, connection.id)
    shown: dict[str, Json] = {"connectionId": connection.id, "stateType": "not_set"}
    if not saved:
        return shown
    positions = [
        {
            "streamDescriptor": fields.present(name=one.name, namespace=one.namespace or None),
            "streamState": one.state,
        }
        for one in saved
    ]
    return {**shown, "stateType": "stream", "streamState": positions}


def get(instance: Instance, call: Call) -> Response:
    connection = found(instance, fields.body(instance, call))
    return JSONResponse(read(instance, connection))


def get_type(instance: Instance, call: Call) -> Response:
    connection = found(instance, fields.body(instance, call))
    return JSONResponse(read(instance, connection)["stateType"])


def write(instance: Instance, call: Call) -> Response:
    """Stream by stream: those that aren't named keep theirs, one without a state loses it."""
    sent = fields.body(instance, call)
    connection = found(instance, sent)
    _write(instance, connection, sent)
    return JSONResponse(read(instance, connection))


def write_safely(instance: Instance, call: Call) -> Response:
    """Not while a sync runs, which would save its own over it."""
    sent = fields.body(instance, call)
    connection = found(instance, sent)
    if jobs.running(instance, connection.id):
        raise Known(423, f"State can't be written while a sync is running: {connection.id}")
    _write(instance, connection, sent)
    return JSONResponse(read(instance, connection))


def _write(instance: Instance, connection: Connection, sent: fields.Body) -> None:
    state = fields.child(sent, "connectionState")
    if state is None:
        raise IllegalArgument("connectionState is null")
    kind = fields.word(state, "stateType", _TYPES)
    if kind != "stream":
        raise IllegalArgument(f"The embedded Airbyte keeps positions of streams, not {kind}")
    for item in fields.children(state, "streamState") or ():
        descriptor = fields.child(item, "streamDescriptor") or {}
        key = (fields.text(descriptor, "namespace"), fields.required_text(descriptor, "name"))
        if item.get("streamState") is None:
            states.delete(instance, connection.id, [key], because="state written")
        else:
            states.save(instance, connection.id, key, item["streamState"])


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/state/get", get),
    Endpoint("POST", "/state/create_or_update", write),
    Endpoint("POST", "/state/create_or_update_safe", write_safely),
    Endpoint("POST", "/web_backend/state/get_type", get_type),
)
