"""The saved positions of streams: written by syncs, deleted by what loses them (PUB-T 3)."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.model import Json
from reconciler.emulator.instance import Instance
from reconciler.emulator.rows import StreamState

StreamKey = tuple[str | None, str]
"""Namespace, or None where there is none, and name."""


def of(instance: Instance, connection_id: str) -> list[StreamState]:
    return instance.store.select(
        StreamState, "connection_id = ?", (connection_id,), order="namespace, name"
    )


def save(instance: Instance, connection_id: str, key: StreamKey, state: Json) -> StreamState:
    namespace, name = key[0] or "", key[1]
    identity = f"{connection_id}/{len(namespace)}/{namespace}/{name}"
    row = StreamState(identity, connection_id, namespace, name, state)
    instance.store.put(row)
    return row


def delete(
    instance: Instance, connection_id: str, keys: Iterable[StreamKey], *, because: str
) -> None:
    """An event for each stream that really had a state."""
    wanted = {(namespace or "", name) for namespace, name in keys}
    for state in of(instance, connection_id):
        if (state.namespace, state.name) in wanted:
            instance.store.delete(StreamState, "id = ?", (state.id,))
            instance.record(
                "state_deleted",
                connectionId=connection_id,
                namespace=state.namespace or None,
                stream=state.name,
                because=because,
            )


def delete_all(instance: Instance, connection_id: str, *, because: str) -> None:
    keys: list[StreamKey] = [(s.namespace, s.name) for s in of(instance, connection_id)]
    delete(instance, connection_id, keys, because=because)
