"""Workspaces: found, created, changed (PUB §3.1). Their deletion is in deletion.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.model import Json
from reconciler.emulator.instance import NOTIFICATIONS, Instance, default_notifications
from reconciler.emulator.problems import NotFound
from reconciler.emulator.rows import Workspace


def get(instance: Instance, workspace_id: str) -> Workspace:
    """Unlike a source, a deleted workspace is gone (PUB §3.1). Raises NotFound."""
    workspace = instance.store.get(Workspace, workspace_id)
    if workspace is None or workspace.tombstone:
        raise NotFound("STANDARD_WORKSPACE", workspace_id)
    return workspace


def create(instance: Instance, name: str, notifications: Json = None) -> Workspace:
    workspace = Workspace(
        instance.new_id(), name, _merged(default_notifications(), notifications), instance.now
    )
    instance.store.put(workspace)
    return workspace


def patch(
    instance: Instance, workspace: Workspace, name: str | None, notifications: Json
) -> Workspace:
    changed = replace(
        workspace,
        name=workspace.name if name is None else name,
        notifications=_merged(workspace.notifications, notifications),
    )
    instance.store.put(changed)
    return changed


def _merged(known: Mapping[str, Json], sent: Json) -> dict[str, Json]:
    """Item by item: one that is not sent stays, one that is sent is replaced part by part."""
    result = dict(known)
    for name in NOTIFICATIONS:
        item = (sent or {}).get(name)
        if item is not None:
            given = {
                part: item[part] for part in ("email", "webhook") if item.get(part) is not None
            }
            result[name] = {**result[name], **given}
    return result
