"""Saved positions of streams, read and written as a sync would leave them."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import connections, rows, states
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import bad_request
from reconciler.emulator.public import fields


def read(instance: Instance, call: Call) -> Response:
    """`?connectionId=`: the saved positions of a connection."""
    connection_id = fields.query_id(call, "connectionId")
    if connection_id is None:
        raise bad_request("connectionId is missing")
    connections.get(instance, connection_id)
    return JSONResponse({"states": [_state(s) for s in states.of(instance, connection_id)]})


def save(instance: Instance, call: Call) -> Response:
    """{connectionId, streamName, streamNamespace?, state?}: of a stream that the connection selects."""
    sent = fields.body(call)
    connection = connections.get(instance, fields.required_identifier(sent, "connectionId"))
    key = (fields.text(sent, "streamNamespace"), fields.required_text(sent, "streamName"))
    if key not in {stream.key for stream in connections.streams_of(connection)}:
        raise bad_request(f"the connection has no stream {key[1]} in namespace {key[0]}")
    state = sent.get("state")
    saved = states.save(instance, connection.id, key, {} if state is None else state)
    return JSONResponse(_state(saved))


def _state(state: rows.StreamState) -> Json:
    return fields.present(
        streamName=state.name, streamNamespace=state.namespace or None, state=state.state
    )


ENDPOINTS = (
    Endpoint("GET", "/state", read, open=True),
    Endpoint("POST", "/state", save, open=True),
)
