"""Lists of sources and destinations: by cursor, by offset, by what they hold (CFG §3, CFG-T 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields, pages
from reconciler.emulator.config.actors import read
from reconciler.emulator.instance import Instance
from reconciler.emulator.rows import Actor, ActorKind, Connection, Job
from reconciler.emulator.store import among


@dataclass(frozen=True, slots=True)
class _Use:
    """What a list says of an actor beyond itself: by connections that aren't deleted."""

    connections: int
    is_active: bool
    last_sync: float | None
    statuses: Mapping[str, int]


def list_all(kind: ActorKind, instance: Instance, call: Call) -> Response:
    """All at once up to 1.7; since then a page, 20 by default, and `num_connections` counts actors
    (CFG-T 29)."""
    sent = fields.body(instance, call)
    workspace_id = fields.required_identifier(instance, sent, "workspaceId")
    every = _living(instance, kind, [workspace_id])
    size = pages.size_of(instance, sent)
    if size is None:
        return JSONResponse({f"{kind}s": [read(instance, actor) for actor in every]})
    order = _order(instance, sent)
    matching = sorted(_filtered(instance, sent, every), key=order.key, reverse=order.descending)
    page = _after_cursor(instance, kind, sent, matching, order)[:size]
    return JSONResponse(
        {
            f"{kind}s": [
                {**read(instance, actor), **_shown_use(_use(instance, actor))} for actor in page
            ],
            "page_size": size,
            "num_connections": len(matching),
        }
    )


def list_paginated(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    wanted = fields.identifiers(instance, sent, "workspaceIds") or []
    part = (fields.text(sent, "nameContains") or "").lower()
    every = fields.flag(sent, "includeDeleted") or False
    listed = _living(instance, kind, wanted, deleted=every)
    found = [actor for actor in listed if part in actor.name.lower()]
    shown = [read(instance, actor) for actor in pages.by_offset(sent, found)]
    return JSONResponse({f"{kind}s": shown})


def search(kind: ActorKind, instance: Instance, call: Call) -> Response:
    """Exact matches in all workspaces."""
    sent = fields.body(instance, call)
    living = instance.store.select(Actor, "kind = ? AND tombstone = 0", (kind,))
    shown = [read(instance, actor) for actor in living]
    return JSONResponse({f"{kind}s": [one for one in shown if _matches(kind, sent, one)]})


def _matches(kind: ActorKind, sent: fields.Body, shown: fields.Body) -> bool:
    plain = (f"{kind}DefinitionId", f"{kind}Id", "workspaceId", "name", f"{kind}Name")
    for name in plain:
        if sent.get(name) is not None and sent[name] != shown[name]:
            return False
    configuration = fields.child(sent, "connectionConfiguration") or {}
    own = shown["connectionConfiguration"]
    return all(own.get(key) == value for key, value in configuration.items())


def _living(
    instance: Instance, kind: ActorKind, workspace_ids: Sequence[str], *, deleted: bool = False
) -> list[Actor]:
    if not workspace_ids:
        return []
    where = f"kind = ? AND {among('workspace_id', workspace_ids)}"
    if not deleted:
        where += " AND tombstone = 0"
    return instance.store.select(Actor, where, (kind, *workspace_ids))


# --- Order, filters, cursor ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Order:
    key: Callable[[Actor], Any]
    descending: bool


def _order(instance: Instance, sent: fields.Body) -> _Order:
    words = [f"{name}_{way}" for name in _KEYS for way in ("asc", "desc")]
    chosen = fields.word(sent, "sortKey", words) or "actorName_asc"
    name, _, way = chosen.rpartition("_")
    return _Order(lambda actor: (_KEYS[name](instance, actor), actor.id), way == "desc")


def _definition_name(instance: Instance, actor: Actor) -> str:
    connector = instance.connectors.get(actor.definition_id)
    return connector.definition.name.lower() if connector else ""


_KEYS: Final[Mapping[str, Callable[[Instance, Actor], Any]]] = {
    "actorName": lambda _instance, actor: actor.name.lower(),
    "actorDefinitionName": _definition_name,
    "lastSync": lambda instance, actor: _use(instance, actor).last_sync or 0,
}


def _filtered(instance: Instance, sent: fields.Body, found: Sequence[Actor]) -> list[Actor]:
    asked = fields.child(sent, "filters") or {}
    part = (fields.text(asked, "searchTerm") or "").lower()
    states = set(fields.texts(asked, "states") or ())
    return [
        actor
        for actor in found
        if (part in actor.name.lower() or part in _definition_name(instance, actor))
        and (not states or _state(_use(instance, actor)) in states)
    ]


def _after_cursor(
    instance: Instance, kind: ActorKind, sent: fields.Body, rows: Sequence[Actor], order: _Order
) -> list[Actor]:
    """What comes after the actor that the cursor names, wherever that is by now; also a deleted one."""
    cursor = fields.identifier(instance, sent, "cursor")
    if cursor is None:
        return list(rows)
    last = order.key(actors.get(instance, kind, cursor))
    if order.descending:
        return [row for row in rows if order.key(row) < last]
    return [row for row in rows if order.key(row) > last]


# --- What is said of its use -----------------------------------------------------------------


_LATEST_SYNCS: Final = (
    "id IN (SELECT max(id) FROM job WHERE type = 'sync' AND connection_id IN"
    " (SELECT id FROM connection WHERE {mine}) GROUP BY connection_id)"
)
"""Of each connection; only ids are looked at, since a connection is large."""


def _use(instance: Instance, actor: Actor) -> _Use:
    mine = f"{actor.kind}_id = ? AND status <> 'deprecated'"
    jobs = instance.store.select(Job, _LATEST_SYNCS.format(mine=mine), (actor.id,))
    return _Use(
        connections=instance.store.count(Connection, mine, (actor.id,)),
        is_active=instance.store.count(Connection, f"{mine} AND status = 'active'", (actor.id,))
        > 0,
        last_sync=max((job.created_at for job in jobs), default=None),
        statuses=Counter(job.status for job in jobs),
    )


def _state(use: _Use) -> str:
    return "active" if use.is_active else "inactive"


def _shown_use(use: _Use) -> dict[str, Json]:
    return fields.present(
        status=_state(use),
        numConnections=use.connections,
        lastSync=None if use.last_sync is None else int(use.last_sync),
        connectionJobStatuses=dict(sorted(use.statuses.items())),
    )


def endpoints(kind: ActorKind) -> tuple[Endpoint, ...]:
    return (
        Endpoint("POST", f"/{kind}s/list", partial(list_all, kind)),
        Endpoint("POST", f"/{kind}s/list_paginated", partial(list_paginated, kind)),
        Endpoint("POST", f"/{kind}s/search", partial(search, kind)),
    )


ENDPOINTS = (*endpoints("source"), *endpoints("destination"))
