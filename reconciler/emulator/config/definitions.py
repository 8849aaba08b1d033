"""/source_definitions, /destination_definitions and their specifications (CFG §2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import actors, workspaces
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields, synchronous
from reconciler.emulator.connectors import Connector
from reconciler.emulator.instance import Instance
from reconciler.emulator.rows import Actor, ActorKind

_DOCUMENTATION: Final = "https://docs.airbyte.com/integrations"
_KINDS: Final[tuple[ActorKind, ActorKind]] = ("source", "destination")


def read(instance: Instance, connector: Connector) -> dict[str, Json]:
    definition = connector.definition
    shown = {
        f"{definition.kind}DefinitionId": definition.id,
        "name": definition.name,
        "dockerRepository": definition.docker_repository,
        "dockerImageTag": definition.docker_tag,
        "documentationUrl": connector.documentation_url or _DOCUMENTATION,
        "protocolVersion": "0.2.0",
        "custom": connector.is_custom,
        "enterprise": False,
        "supportLevel": connector.support_level,
        "releaseStage": connector.release_stage,
    }
    if definition.kind == "destination":
        return {**shown, "supportsDataActivation": False}
    shown |= fields.present(sourceType=connector.source_type)
    if instance.lenient:
        shown |= fields.present(destinationDefinitionId=_namesake(instance, connector))
    return shown


def _namesake(instance: Instance, source: Connector) -> str | None:
    """The destination of the same name, which a document may look for here (CFG §12)."""
    same = (c for c in instance.connectors.values() if c.definition.kind == "destination")
    return next(
        (c.definition.id for c in same if c.definition.name == source.definition.name), None
    )


def list_all(kind: ActorKind, instance: Instance, _call: Call) -> Response:
    """Takes no body, and ignores one: definitions of the whole deployment."""
    return _listed(kind, instance, _of_kind(instance, kind))


def list_for_workspace(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    workspace_id = fields.required_identifier(instance, sent, "workspaceId")
    workspaces.get(instance, workspace_id)
    found = _of_kind(instance, kind)
    if fields.flag(sent, "filterByUsed"):
        living = "workspace_id = ? AND kind = ? AND tombstone = 0"
        used = {a.definition_id for a in instance.store.select(Actor, living, (workspace_id, kind))}
        found = [connector for connector in found if connector.definition.id in used]
    return _listed(kind, instance, found)


def get(kind: ActorKind, instance: Instance, call: Call) -> Response:
    connector = _asked(kind, instance, fields.body(instance, call))
    return JSONResponse(read(instance, connector))


def specification(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    connector = _asked(kind, instance, sent)
    workspaces.get(instance, fields.required_identifier(instance, sent, "workspaceId"))
    return JSONResponse(_specification(instance, connector))


def specification_of_actor(kind: ActorKind, instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call)
    actor = actors.get(instance, kind, fields.required_identifier(instance, sent, f"{kind}Id"))
    connector = actors.connector_of(instance, kind, actor.definition_id)
    return JSONResponse(_specification(instance, connector))


def _specification(instance: Instance, connector: Connector) -> Json:
    definition = connector.definition
    shown = {
        f"{definition.kind}DefinitionId": definition.id,
        "documentationUrl": connector.documentation_url or _DOCUMENTATION,
        "connectionSpecification": definition.spec if definition.spec is not None else {},
        "advancedAuthGlobalCredentialsAvailable": False,
        # No container is run for it; the platform has the specs.
        "jobInfo": synchronous.made_up(instance, "get_spec"),
        **fields.present(advancedAuth=_advanced_auth(connector.advanced_auth)),
    }
    if definition.kind == "destination":
        modes = connector.destination_modes
        known = instance.generation.overwrite_dedup
        shown["supportedDestinationSyncModes"] = [
            mode for mode in modes if known or mode != "overwrite_dedup"
        ]
    return shown


def _advanced_auth(spec: Json) -> Json:
    """In camelCase, but for the schemas in it, which are the connector's own."""
    if not isinstance(spec, Mapping):
        return None
    shown = {_camel(key): value for key, value in spec.items()}
    flows = spec.get("oauth_config_specification")
    if isinstance(flows, Mapping):
        shown["oauthConfigSpecification"] = {
            # This one name has a capital in the middle of its abbreviation.
            _camel(key).replace("Oauth", "OAuth"): value
            for key, value in flows.items()
        }
    return shown


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _asked(kind: ActorKind, instance: Instance, sent: fields.Body) -> Connector:
    identity = fields.required_identifier(instance, sent, f"{kind}DefinitionId")
    return actors.connector_of(instance, kind, identity)


def _of_kind(instance: Instance, kind: ActorKind) -> list[Connector]:
    """In no order of meaning; lenient puts the shortest names first, so that a search for part of a name
    finds the one that is nothing but that (CFG §12)."""
    found = [c for c in instance.connectors.values() if c.definition.kind == kind]
    if instance.lenient:
        found.sort(key=lambda c: (len(c.definition.name), c.definition.name))
    return found


def _listed(kind: ActorKind, instance: Instance, found: Iterable[Connector]) -> Response:
    return JSONResponse({f"{kind}Definitions": [read(instance, c) for c in found]})


def endpoints(kind: ActorKind) -> tuple[Endpoint, ...]:
    family, specs = f"/{kind}_definitions", f"/{kind}_definition_specifications"
    return (
        Endpoint("POST", f"{family}/list", partial(list_all, kind)),
        Endpoint("POST", f"{family}/list_latest", partial(list_all, kind)),
        Endpoint("POST", f"{family}/list_for_workspace", partial(list_for_workspace, kind)),
        Endpoint("POST", f"{family}/get", partial(get, kind)),
        Endpoint("POST", f"{family}/get_for_workspace", partial(get, kind)),
        Endpoint("POST", f"{specs}/get", partial(specification, kind)),
        Endpoint("POST", f"{specs}/get_for_{kind}", partial(specification_of_actor, kind)),
    )


ENDPOINTS = tuple(endpoint for kind in _KINDS for endpoint in endpoints(kind))
