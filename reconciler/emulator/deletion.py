"""What a deletion takes along: connections go with their actors, actors with their workspace (PUB-T 2).

Everything here may be repeated, and nothing asks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reconciler.emulator import jobs, rows, secrets, states
from reconciler.emulator.instance import Instance
from reconciler.emulator.rows import Actor, Connection, Tag, Workspace

PAGE: Final = 20


def delete_connection(instance: Instance, connection: Connection) -> None:
    """It stays readable as `deprecated`; its saved positions are gone for good, a running job is killed
    (PUB §4.5)."""
    jobs.cancel_running(instance, connection.id)
    if connection.status != "deprecated":
        instance.store.put(replace(connection, status="deprecated"))
    states.delete_all(instance, connection.id, because="connection deleted")


def delete_actor(instance: Instance, actor: Actor) -> None:
    """It stays readable with its configuration gone (PUB-T 23)."""
    if actor.tombstone:
        return
    column = f"{actor.kind}_id"
    _cascade(instance, column, actor.id, because=f"{actor.kind} deleted")
    secrets.drop_all(instance, actor.configuration)
    instance.store.put(replace(actor, configuration=None, tombstone=True))


def delete_workspace(instance: Instance, workspace: Workspace) -> None:
    """All connections go, but of destinations and sources only as many as a page of the server's own lists
    holds; the others stay behind in a workspace that is gone (PUB §3.1)."""
    _cascade(instance, "workspace_id", workspace.id, because="workspace deleted")
    for kind in ("destination", "source"):
        living = "workspace_id = ? AND kind = ? AND tombstone = 0"
        for actor in instance.store.select(Actor, living, (workspace.id, kind), limit=PAGE):
            delete_actor(instance, actor)
    instance.store.put(replace(workspace, tombstone=True))


def delete_tag(instance: Instance, tag: Tag) -> None:
    """Also taken off every connection."""
    for connection in instance.store.select(
        rows.Connection, "workspace_id = ?", (tag.workspace_id,)
    ):
        if tag.id in connection.tags:
            left = [tag_id for tag_id in connection.tags if tag_id != tag.id]
            instance.store.put(replace(connection, tags=left))
    instance.store.delete(Tag, "id = ?", (tag.id,))


def _cascade(instance: Instance, column: str, value: str, *, because: str) -> None:
    for connection in instance.store.select(
        Connection, f"{column} = ? AND status <> 'deprecated'", (value,)
    ):
        instance.record(
            "cascade_deleted", connectionId=connection.id, name=connection.name, because=because
        )
        delete_connection(instance, connection)
