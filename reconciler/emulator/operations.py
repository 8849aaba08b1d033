"""What a connection has done after a sync: only calls of dbt Cloud can be made now (CFG §6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reconciler.core.model import Json
from reconciler.emulator import workspaces
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound
from reconciler.emulator.rows import Connection, Operation

RESOURCE_TYPE: Final = "STANDARD_SYNC_OPERATION"


def get(instance: Instance, operation_id: str) -> Operation:
    operation = instance.store.get(Operation, operation_id)
    if operation is None:
        raise NotFound(RESOURCE_TYPE, operation_id)
    return operation


def create(instance: Instance, workspace_id: str, name: str, configuration: Json) -> Operation:
    workspaces.get(instance, workspace_id)
    operation = Operation(instance.new_id(), workspace_id, name, configuration)
    instance.store.put(operation)
    return operation


def update(instance: Instance, operation: Operation, name: str, configuration: Json) -> Operation:
    changed = replace(operation, name=name, configuration=configuration)
    instance.store.put(changed)
    return changed


def delete(instance: Instance, operation_id: str) -> None:
    """Also taken off every connection; of one that is gone nothing is left to delete."""
    for connection in instance.store.select(Connection, "operation_ids <> '[]'"):
        if operation_id in connection.operation_ids:
            left = [other for other in connection.operation_ids if other != operation_id]
            instance.store.put(replace(connection, operation_ids=left))
    instance.store.delete(Operation, "id = ?", (operation_id,))
