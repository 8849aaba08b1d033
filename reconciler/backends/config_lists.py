"""Lists of one server of the Configuration API that not every release has under the same path.

Knows which endpoint stands in for which; what a workspace, a definition or a tag is, config_read does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final, get_args

from reconciler.backends import config_read
from reconciler.backends.concurrently import concurrently
from reconciler.backends.config_server import (
    SINCE_PROPAGATION,
    TAGS,
    WORKSPACES,
    Server,
    is_missing,
    read,
)
from reconciler.backends.fields import ActorKind
from reconciler.core.diagnostics import ApiError, Unreachable
from reconciler.core.model import Connection, ConnectorDefinition, LiveObject, Tag, Workspace
from reconciler.transport import Row

ACTORS: Final[tuple[ActorKind, ...]] = get_args(ActorKind)
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""The id of the one organization and of the one user of a self-managed server (CFG §2)."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_STAND_INS: Final = (
    ("/workspaces/list_by_organization_id", {"organizationId": _NOBODY}),
    ("/workspaces/list_by_user_id", {"userId": _NOBODY}),
)


async def workspaces(server: Server, wanted: str | None) -> tuple[Workspace, ...]:
    """Sorted by name and id. `wanted` is how the target names its own, where the server has no plain list
    (CFG-T 1): an id is asked for by itself. Raises Unreachable where nothing lists any."""
    rows = await server.rows_if_served(WORKSPACES, {}, "workspaces")
    if rows is None:
        rows = await _named(server, wanted)
        for path, body in _STAND_INS:
            if not rows:
                listed = await server.rows_if_served(path, body, "workspaces")
                rows = rows if listed is None else listed
    if rows is None:
        raise Unreachable(
            f"POST {WORKSPACES}: {server.base_url} lists no workspaces to these credentials",
            hint=f"is {server.base_url} the base of the Configuration API? If so, state the workspace's id "
            "in the target",
        )
    there = [row for row in rows if row.get("tombstone") is not True]
    found = {w.id: w for w in (read(WORKSPACES, config_read.workspace, row) for row in there)}
    return tuple(sorted(found.values(), key=lambda w: (w.name, w.id)))


async def _named(server: Server, wanted: str | None) -> tuple[Row, ...] | None:
    """None where the target names no id, or one that these credentials don't see."""
    if not (wanted and _UUID.fullmatch(wanted)):
        return None
    try:
        return (await server.ask("/workspaces/get", {"workspaceId": wanted}),)
    except ApiError as error:
        if error.status == HTTPStatus.FORBIDDEN or is_missing(error):
            return None
        raise


async def definitions(server: Server, workspace_id: str) -> tuple[ConnectorDefinition, ...]:
    """What the workspace is offered."""
    within = {"workspaceId": workspace_id}
    listed = await concurrently(*(partial(_offered, server, kind, within) for kind in ACTORS))
    return tuple(definition for of_kind in listed for definition in of_kind)


async def with_used(
    server: Server, offered: Iterable[ConnectorDefinition], objects: Iterable[LiveObject]
) -> tuple[ConnectorDefinition, ...]:
    """With those that objects use and the workspace isn't offered (any more). Sorted, each once."""
    known = {definition.id: definition for definition in offered}
    for kind in ACTORS:
        used = {_connector(live) for live in objects if live.kind == kind}
        if not used <= known.keys():
            every = await _every(server, kind)
            known |= {d.id: d for d in every if d.id in used and d.id not in known}
    return tuple(sorted(known.values(), key=lambda d: (d.kind, d.name, d.id)))


def _connector(live: LiveObject) -> str:
    return "" if isinstance(live.spec, Connection) else live.spec.connector


async def _offered(
    server: Server, kind: ActorKind, within: Mapping[str, str]
) -> tuple[ConnectorDefinition, ...]:
    path = f"/{kind}_definitions/list_for_workspace"
    rows = await server.rows_if_served(path, within, f"{kind}Definitions")
    if rows is None:
        return await _every(server, kind)
    return tuple(read(path, partial(config_read.definition, kind), row) for row in rows)


async def _every(server: Server, kind: ActorKind) -> tuple[ConnectorDefinition, ...]:
    """Of the deployment, those of other workspaces included; asked for without a body (CFG §2)."""
    path = f"/{kind}_definitions/list"
    rows = await server.rows(path, None, f"{kind}Definitions")
    return tuple(read(path, partial(config_read.definition, kind), row) for row in rows)


async def tags(server: Server, workspace_id: str) -> dict[str, Tag]:
    """By name, sorted; none on servers that have no tags yet."""
    rows = await server.rows_if_served(TAGS, {"workspaceId": workspace_id}, "tags")
    found = [read(TAGS, config_read.tag, row) for row in rows or ()]
    return {tag.name: tag for tag in sorted(found, key=lambda tag: tag.name)}


async def look_for_propagation(server: Server, workspace_id: str) -> None:
    """Asked of servers that are old by what else they lack, so that a plan can say what they refuse."""
    if not server.lacks(TAGS):
        return
    page = {"pageSize": 1, "rowOffset": 0}
    body = {"workspaceIds": [workspace_id], "includeDeleted": False, "pagination": page}
    try:
        await server.ask_if_served(SINCE_PROPAGATION, body, optional=True)
    except ApiError as error:
        if not error.status:
            raise
        # a server that fails at it has it: nothing is lacking
