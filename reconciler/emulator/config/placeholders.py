"""The made-up ids of hand-written documents (`postgres-definition-id`), as lenient reads them (CFG §12).

Knows what such ids look like and nothing of the calls that carry them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from reconciler.emulator.instance import Instance
from reconciler.emulator.rows import Actor, ActorKind, Connection
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID

_DEFINITION: Final = re.compile(r"(.+)-definition-id")
_EXAMPLE: Final = re.compile(r"(source|dest|destination|connection)-id-\d+")


def resolved(instance: Instance, field: str, text: str) -> str:
    """The id that the text stands for, or the text: then nothing is found under it."""
    find = _FIELDS.get(field)
    return (find(instance, text) if find else None) or text


def _workspace(_instance: Instance, text: str) -> str | None:
    return DEFAULT_WORKSPACE_ID if text == "default-workspace-id" else None


def _definition(kind: ActorKind) -> Callable[[Instance, str], str | None]:
    def find(instance: Instance, text: str) -> str | None:
        match = _DEFINITION.fullmatch(text.lower())
        for connector in instance.connectors.values() if match else ():
            definition = connector.definition
            names = (definition.short_name.lower(), definition.name.lower().replace(" ", "-"))
            if match and definition.kind == kind and match[1] in names:
                return definition.id
        return None

    return find


def _newest_actor(kind: ActorKind) -> Callable[[Instance, str], str | None]:
    def find(instance: Instance, text: str) -> str | None:
        if not _EXAMPLE.fullmatch(text):
            return None
        living = "kind = ? AND tombstone = 0"
        found = instance.store.select(Actor, living, (kind,), limit=1, order="rowid DESC")
        return found[0].id if found else None

    return find


def _newest_connection(instance: Instance, text: str) -> str | None:
    if not _EXAMPLE.fullmatch(text):
        return None
    living = "status <> 'deprecated'"
    found = instance.store.select(Connection, living, limit=1, order="rowid DESC")
    return found[0].id if found else None


_FIELDS: Final[Mapping[str, Callable[[Instance, str], str | None]]] = {
    "workspaceId": _workspace,
    "sourceDefinitionId": _definition("source"),
    "destinationDefinitionId": _definition("destination"),
    "sourceId": _newest_actor("source"),
    "destinationId": _newest_actor("destination"),
    "connectionId": _newest_connection,
    "configId": _newest_connection,
}
"""What a document's example id stands for is the newest of its kind, since it was written top to bottom."""
