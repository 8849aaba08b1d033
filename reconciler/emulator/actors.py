"""Sources and destinations: what may be written and how it is merged with what is stored.

The rules of both APIs' handlers (PUB §3, CFG §3); knows nothing of either wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from reconciler.core.model import Json
from reconciler.emulator import schema, secrets, workspaces
from reconciler.emulator.connectors import Connector
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import IllegalArgument, NotFound
from reconciler.emulator.rows import Actor, ActorKind

RESOURCE_TYPES: Final[Mapping[ActorKind, str]] = {
    "source": "SOURCE_CONNECTION",
    "destination": "DESTINATION_CONNECTION",
}
DEFINITION_TYPES: Final[Mapping[ActorKind, str]] = {
    "source": "STANDARD_SOURCE_DEFINITION",
    "destination": "STANDARD_DESTINATION_DEFINITION",
}


def get(instance: Instance, kind: ActorKind, actor_id: str) -> Actor:
    """A deleted one still answers, with its configuration gone (PUB-T 23). Raises NotFound."""
    actor = instance.store.get(Actor, actor_id)
    if actor is None or actor.kind != kind:
        raise NotFound(RESOURCE_TYPES[kind], actor_id)
    return actor


def connector_of(instance: Instance, kind: ActorKind, definition_id: str) -> Connector:
    connector = instance.connectors.get(definition_id)
    if connector is None or connector.definition.kind != kind:
        raise NotFound(DEFINITION_TYPES[kind], definition_id)
    return connector


def create(
    instance: Instance,
    kind: ActorKind,
    *,
    workspace_id: str,
    definition_id: str,
    name: str,
    configuration: Json,
    resources: Json = None,
) -> Actor:
    """No uniqueness of names and no connection check; spec defaults are not filled in (PUB §3.2)."""
    workspaces.get(instance, workspace_id)
    spec = connector_of(instance, kind, definition_id).definition.spec
    if spec is not None:
        schema.validate(spec, configuration)
    actor = Actor(
        id=instance.new_id(),
        kind=kind,
        workspace_id=workspace_id,
        definition_id=definition_id,
        name=name,
        configuration=secrets.kept(instance, workspace_id, spec, None, configuration),
        resources=_resources(resources),
        created_at=instance.now,
    )
    instance.store.put(actor)
    return actor


def replace_whole(
    instance: Instance, actor: Actor, *, name: str, configuration: Json, resources: Json = None
) -> Actor:
    """PUT: the configuration as sent, masks standing for stored secrets where the server restores them."""
    spec = connector_of(instance, actor.kind, actor.definition_id).definition.spec
    if spec is not None:
        configuration = secrets.restored(spec, actor.configuration, configuration)
    return _write(instance, actor, name, configuration, resources)


def reconfigured(instance: Instance, actor: Actor, configuration: Json) -> Json:
    """What an update with this configuration would be checked with: secrets restored, nothing saved.
    Raises InvalidConfiguration."""
    spec = connector_of(instance, actor.kind, actor.definition_id).definition.spec
    if spec is None:
        return configuration
    after = secrets.restored(spec, actor.configuration, configuration)
    schema.validate(spec, secrets.with_placeholders(after))
    return after


def merge(
    instance: Instance,
    actor: Actor,
    *,
    name: str | None = None,
    configuration: Json = None,
    resources: Json = None,
) -> Actor:
    """PATCH. Also a rename alone is validated against today's spec (PUB-T 31), and resources that are
    not sent are lost (PUB-T 7)."""
    after = actor.configuration
    if configuration is not None:
        after = secrets.merged(actor.configuration, configuration)
    return _write(instance, actor, actor.name if name is None else name, after, resources)


def _write(
    instance: Instance, actor: Actor, name: str, configuration: Json, resources: Json
) -> Actor:
    if actor.tombstone:
        raise IllegalArgument(f"{actor.kind} {actor.id} is deleted")
    spec = connector_of(instance, actor.kind, actor.definition_id).definition.spec
    if spec is not None:
        schema.validate(spec, secrets.with_placeholders(configuration))
    stored = secrets.kept(instance, actor.workspace_id, spec, actor.configuration, configuration)
    changed = replace(actor, name=name, configuration=stored, resources=_resources(resources))
    instance.store.put(changed)
    return changed


def _resources(sent: Json) -> Json:
    """Ephemeral storage is dropped on write (PUB §3.6)."""
    if not isinstance(sent, Mapping):
        return None
    kept: dict[str, Json] = {}
    if isinstance(sent.get("default"), Mapping):
        kept["default"] = _requirements(sent["default"])
    if isinstance(sent.get("jobSpecific"), list):
        kept["jobSpecific"] = [
            {
                **limit,
                "resourceRequirements": _requirements(limit.get("resourceRequirements") or {}),
            }
            for limit in sent["jobSpecific"]
        ]
    return kept


def _requirements(sent: Mapping[str, Json]) -> dict[str, Json]:
    return {
        key: sent[key]
        for key in ("cpu_request", "cpu_limit", "memory_request", "memory_limit")
        if sent.get(key) is not None
    }
