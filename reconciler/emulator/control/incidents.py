"""What the real server does by itself, on demand: switching a connection off, and following a source whose
schema changed (PUB-T 21, PUB-T 22)."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, connections, discovery, propagation
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import bad_request
from reconciler.emulator.propagation import Column, SchemaChange, StreamName
from reconciler.emulator.public import fields


def auto_disable(instance: Instance, call: Call) -> Response:
    """{connectionId}: as after too many failed syncs."""
    sent = fields.body(call)
    connection = connections.get(instance, fields.required_identifier(sent, "connectionId"))
    propagation.disable(instance, connection, because="too many failed jobs")
    return JSONResponse({"disabled": connection.id})


def auto_propagate(instance: Instance, call: Call) -> Response:
    """{sourceId, add_columns?, remove_columns?, add_streams?, remove_streams?}: changes what the source
    offers, and lets the server find out.

    A column is {stream, namespace?, column, schema?}, a stream to remove {stream, namespace?}, one to add a
    stream in Airbyte's protocol form.
    """
    sent = fields.body(call)
    source = actors.get(instance, "source", fields.required_identifier(sent, "sourceId"))
    change = SchemaChange(
        add_columns=tuple(_column(item) for item in fields.children(sent, "add_columns") or ()),
        remove_columns=tuple(
            _column(item) for item in fields.children(sent, "remove_columns") or ()
        ),
        add_streams=tuple(_stream(item) for item in fields.children(sent, "add_streams") or ()),
        remove_streams=tuple(_name(item) for item in fields.children(sent, "remove_streams") or ()),
    )
    outcome = propagation.propagate(instance, source, change)
    return JSONResponse({name: sorted(ids) for name, ids in outcome.items()})


def _name(item: fields.Body) -> StreamName:
    return StreamName(fields.required_text(item, "stream"), fields.text(item, "namespace"))


def _column(item: fields.Body) -> Column:
    schema = fields.child(item, "schema")
    return Column(
        _name(item),
        fields.required_text(item, "column"),
        {"type": "string"} if schema is None else schema,
    )


def _stream(item: fields.Body) -> Json:
    try:
        return discovery.described(item)
    except KeyError as error:
        raise bad_request("a stream to add has a name") from error


ENDPOINTS = (
    Endpoint("POST", "/auto-disable", auto_disable, open=True),
    Endpoint("POST", "/auto-propagate", auto_propagate, open=True),
)
