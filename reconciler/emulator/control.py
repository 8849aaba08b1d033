"""`/_emulator/…`: what Airbyte has no API for: the log of effects, edits as a person in the UI makes them,
and saved positions. Outside Airbyte's paths, and never behind a token."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.core.model import Json
from reconciler.emulator import actors, connections, rows, states
from reconciler.emulator.calls import Call, Endpoint, route
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound, Problem, bad_request
from reconciler.emulator.public import connections as public_connections
from reconciler.emulator.public import errors, fields


def events(instance: Instance, call: Call) -> Response:
    """All effects so far, oldest first; `?after=` leaves out those up to a number."""
    after = fields.query_number(call, "after", 0, 0, 10**9 - 1)
    found = instance.store.select(rows.Event, "id > ?", (after,))
    return JSONResponse(
        {
            "events": [
                {"number": event.id, "at": event.at, "kind": event.kind, **event.detail}
                for event in found
            ]
        }
    )


def edit(instance: Instance, call: Call) -> Response:
    """{kind, id, fields}: writes the object's fields as they are stored (see rows.py), without a check.

    An actor's `configuration` is given whole and unmasked, as in the UI's form; masks stand for what is
    stored.
    """
    sent = fields.body(call)
    kind = fields.required_text(sent, "kind")
    identity = fields.required_text(sent, "id")
    row = _row(instance, kind, identity)
    _EDITS[kind](instance, row, fields.child(sent, "fields") or {})
    return JSONResponse({"edited": identity})


def read_object(instance: Instance, call: Call) -> Response:
    """`?kind=&id=`: an object's fields as `edit` takes them; secrets are coordinates."""
    kind, identity = call.query.get("kind", ""), call.query.get("id", "")
    return JSONResponse(dataclasses.asdict(_row(instance, kind, identity)))


def _row(instance: Instance, kind: str, identity: str) -> Any:
    if kind not in _ROWS:
        raise bad_request(f"kind is one of {sorted(_ROWS)}")
    row: Any = instance.store.get(_ROWS[kind], identity)
    if row is None or getattr(row, "kind", kind) != kind:
        raise NotFound(kind, identity)
    return row


def _edit_plainly(instance: Instance, row: Any, changes: Mapping[str, Json]) -> None:
    instance.store.put(_changed(row, changes))


def _edit_connection(
    instance: Instance, connection: rows.Connection, changes: Mapping[str, Json]
) -> None:
    changed = _changed(connection, changes)
    try:
        public_connections.read(instance, changed)
    except (KeyError, TypeError, AttributeError) as error:
        # Nobody could list the workspace any more.
        raise bad_request(f"the connection could not be read back: {error!r}") from error
    instance.store.put(changed)


def _edit_actor(instance: Instance, actor: rows.Actor, changes: Mapping[str, Json]) -> None:
    plain = {name: value for name, value in changes.items() if name != "configuration"}
    changed = _changed(actor, plain)
    instance.store.put(changed)
    if "configuration" in changes:
        actors.replace_whole(
            instance,
            changed,
            name=changed.name,
            configuration=changes["configuration"],
            resources=changed.resources,
        )


def _changed(row: Any, changes: Mapping[str, Json]) -> Any:
    known = {field.name for field in dataclasses.fields(row)} - {"id"}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise bad_request(f"unknown fields {unknown}; there are {sorted(known)}")
    return dataclasses.replace(row, **changes)


_ROWS: Final[Mapping[str, type]] = {
    "workspace": rows.Workspace,
    "source": rows.Actor,
    "destination": rows.Actor,
    "connection": rows.Connection,
    "tag": rows.Tag,
}
_EDITS: Final[Mapping[str, Callable[[Instance, Any, Mapping[str, Json]], None]]] = {
    "workspace": _edit_plainly,
    "source": _edit_actor,
    "destination": _edit_actor,
    "connection": _edit_connection,
    "tag": _edit_plainly,
}


def read_states(instance: Instance, call: Call) -> Response:
    """`?connectionId=`: the saved positions of a connection."""
    connection_id = fields.query_id(call, "connectionId")
    if connection_id is None:
        raise bad_request("connectionId is missing")
    connections.get(instance, connection_id)
    return JSONResponse({"states": [_state(s) for s in states.of(instance, connection_id)]})


def save_state(instance: Instance, call: Call) -> Response:
    """{connectionId, streamName, streamNamespace?, state?}: as a sync would leave it."""
    sent = fields.body(call)
    connection = connections.get(instance, fields.required_identifier(sent, "connectionId"))
    key = (fields.text(sent, "streamNamespace"), fields.required_text(sent, "streamName"))
    if key not in {stream.key for stream in connections.streams_of(connection)}:
        message = f"the connection has no stream {key[1]} in namespace {key[0]}"
        raise Problem("bad-request", {"message": message})
    state = sent.get("state")
    saved = states.save(instance, connection.id, key, {} if state is None else state)
    return JSONResponse(_state(saved))


def _state(state: rows.StreamState) -> Json:
    return fields.present(
        streamName=state.name, streamNamespace=state.namespace or None, state=state.state
    )


ENDPOINTS = (
    Endpoint("GET", "/events", events, open=True),
    Endpoint("GET", "/object", read_object, open=True),
    Endpoint("POST", "/edit", edit, open=True),
    Endpoint("GET", "/state", read_states, open=True),
    Endpoint("POST", "/state", save_state, open=True),
)


def routes(instance: Instance) -> list[Route]:
    """To be mounted at `/_emulator`."""
    return [route(instance, endpoint, errors.refuse) for endpoint in ENDPOINTS]
