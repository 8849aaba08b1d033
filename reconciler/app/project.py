"""A project opened for one target: manifests read, resolved and checked as far as that goes without a
server (validation stages 1-5).

Everything that varies (folder, environment, transport) comes in as a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import httpx

from reconciler import manifests
from reconciler.backends import for_one_run, leaves_open, stated_api
from reconciler.core import redact
from reconciler.core.again import NOTHING, Again
from reconciler.core.build import build
from reconciler.core.claim import fields_not_in_api, resolve_connector
from reconciler.core.configuration import check_configuration, check_lookalikes, check_specified
from reconciler.core.diagnostics import (
    Diagnostic,
    InvalidInput,
    ReconcilerError,
    errors,
    in_order,
    with_rules,
)
from reconciler.core.jobs import ONLY_CONFIG, Operation
from reconciler.core.lookalikes import hidden_pointers
from reconciler.core.model import (
    Connection,
    ConnectorDefinition,
    Consent,
    Desired,
    Destination,
    Json,
    Resource,
    Source,
)
from reconciler.core.policy import Expected
from reconciler.core.select import Selection
from reconciler.core.target import Target
from reconciler.emulator.app import connectors
from reconciler.emulator.settings import Settings
from reconciler.transport import Exchange
from reconciler.transport.hosts import refuse_host

EMBEDDED: Final = "embedded"
STATE_FOLDER: Final = ".reconciler"


@dataclass(frozen=True, slots=True)
class Request:
    """What a command was asked to do. `target` None: the project's default one; `api` None: the target's;
    `allowed_hosts` None: any; `again`: what of it a printed command must repeat."""

    project: Path
    env: Mapping[str, str] = field(repr=False)
    target: str | None = None
    api: str | None = None
    allow: tuple[Consent, ...] = ()
    expected: Expected = field(default_factory=Expected)
    selection: Selection = field(default_factory=Selection)
    parallelism: int = 4
    online: bool = False
    check: bool = False
    resend: tuple[str, ...] = ()
    since: str | None = None
    allow_empty: bool = False
    allow_running: bool = False
    allowed_hosts: tuple[str, ...] | None = None
    again: Again = NOTHING
    http_transport: httpx.AsyncBaseTransport | None = None
    observe: Callable[[Exchange], None] | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """Manifests of one target, read and checked as far as that goes without a server. `chosen_for`: the
    operation that took the Configuration API, where nothing stated one."""

    target: Target
    desired: Desired
    documents: int
    diagnostics: tuple[Diagnostic, ...]
    definitions: tuple[ConnectorDefinition, ...]
    settings: Settings | None
    chosen_for: Operation | None = None

    def refuse_errors(self) -> None:
        if errors(self.diagnostics):
            raise InvalidInput(self.diagnostics)

    @property
    def redactor(self) -> Callable[[str], str]:
        """Takes this project's secrets out of foreign text."""
        trees = [self._sealed(resource) for resource in self.desired.resources.values()]
        trees += [
            [mapper.config for stream in streams for mapper in stream.mappers or ()]
            for r in self.desired.resources.values()
            if isinstance(r.spec, Connection) and isinstance(streams := r.spec.streams, tuple)
        ]
        auth = self.target.auth
        credentials = [auth.client_id, auth.client_secret, auth.token, auth.password]
        return redact.redactor(redact.secret_texts([*trees, credentials, dict(auth.headers)]))

    def _sealed(self, resource: Resource) -> Json:
        """With the literals that are secret, or look so, among its secrets."""
        if not isinstance(resource.spec, Source | Destination):
            return {}
        definition = resolve_connector(resource, self.definitions)
        schema = definition.spec if isinstance(definition, ConnectorDefinition) else None
        configuration = resource.spec.configuration
        return redact.seal(configuration, hidden_pointers(schema, configuration))


def open_project(
    request: Request, *, tolerate_missing: bool = False, runs: Operation | None = None
) -> Project:
    """Stages 1-5 of validation. User mistakes become diagnostics; only a missing target raises, and an API
    that it can't have. `runs`: what is all that the run does, by whichever API can."""
    loaded = manifests.load(request.project)
    if errors(loaded.diagnostics):
        raise InvalidInput(loaded.diagnostics)
    resolved = manifests.resolve(
        loaded, request.target, request.env, tolerate_missing=tolerate_missing
    )
    if resolved.target is None:
        raise InvalidInput(resolved.diagnostics)
    target = resolved.target
    if request.api is not None:
        target = for_one_run(target, request.api)
    chosen_for = runs if runs in ONLY_CONFIG and leaves_open(target) else None
    if chosen_for is not None:
        target = replace(target, api="config")
    desired, problems = build(resolved.documents, target.name)
    settings = _embedded_settings(request.project, target)
    definitions, unreadable = _known_definitions(request, target, settings)
    found = [*loaded.diagnostics, *resolved.diagnostics, *problems, *unreadable]
    found += _check_configurations(desired, definitions, complete=settings is not None)
    api = stated_api(target)
    if api == "public" and settings is None:
        found += check_specified(desired.resources.values(), definitions)
    if api is not None:
        found += fields_not_in_api(desired, api)
    return Project(
        target=target,
        desired=desired,
        documents=len(resolved.documents),
        diagnostics=with_rules(in_order(found), dict(target.rules)),
        definitions=definitions,
        settings=settings,
        chosen_for=chosen_for,
    )


def _embedded_settings(project: Path, target: Target) -> Settings | None:
    if target.url != EMBEDDED:
        return None
    if target.catalogs is not None and not Path(target.catalogs).is_dir():
        raise ReconcilerError(
            f"target {target.name}: the folder of catalogs, {target.catalogs}, can't be read",
            hint=f"correct spec.targets.{target.name}.catalogs in reconciler.yaml",
        )
    return Settings(
        db=project / STATE_FOLDER / f"{target.name}.db",
        connectors=Path(target.connectors) if target.connectors else None,
        catalogs=Path(target.catalogs) if target.catalogs else None,
    )


def _known_definitions(
    request: Request, target: Target, settings: Settings | None
) -> tuple[tuple[ConnectorDefinition, ...], tuple[Diagnostic, ...]]:
    if settings is not None:
        return connectors(settings), ()
    if target.connectors is not None:
        if target.connectors.startswith(("http://", "https://")):
            url = _url(target.connectors)
            if url is not None:
                refuse_host(url, request.allowed_hosts, f"target {target.name}, connectors")
        return manifests.load_connectors(target.connectors)
    return (), ()


def _url(text: str) -> httpx.URL | None:
    """None for what is none: who reads it says so."""
    try:
        return httpx.URL(text)
    except httpx.InvalidURL:
        return None


def _check_configurations(
    desired: Desired, definitions: tuple[ConnectorDefinition, ...], *, complete: bool
) -> list[Diagnostic]:
    """Stage 5 for every actor, as far as its connector is known here. One that is not is a mistake where the
    definitions are `complete`; elsewhere the plan tells."""
    found: list[Diagnostic] = []
    for resource in desired.resources.values():
        if resource.spec is None or isinstance(resource.spec, Connection):
            continue
        definition = resolve_connector(resource, definitions)
        if isinstance(definition, ConnectorDefinition):
            found += check_configuration(resource, definition)
        elif complete:
            found.append(definition)
        else:
            found += check_lookalikes(resource, resource.spec.connector, None)
    return found
