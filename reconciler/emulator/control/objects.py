"""What a person does in the UI: an object as it is stored, and edits of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, rows
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound, bad_request
from reconciler.emulator.public import connections as public_connections
from reconciler.emulator.public import fields


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


ENDPOINTS = (
    Endpoint("GET", "/object", read_object, open=True),
    Endpoint("POST", "/edit", edit, open=True),
)
