"""Asks an API that has them for the specifications of connectors that manifests use, where no file says them.

Reads only. Which specification a configuration must meet is decided in the core.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from reconciler.backends.concurrently import concurrently
from reconciler.backends.protocol import Backend
from reconciler.core.claim import resolve_connector
from reconciler.core.configuration import check_configuration
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.model import (
    ConnectorDefinition,
    Desired,
    Destination,
    Live,
    Resource,
    Source,
    Workspace,
)


async def served_specs(
    backend: Backend, workspace: Workspace, live: Live, desired: Desired
) -> tuple[ConnectorDefinition, ...]:
    """The definitions of connectors in use that had no specification, with the server's. One request
    each; a connector that the server has none for is left out."""
    if not backend.capabilities.serves_specs:
        return ()
    asked = [d for d in _used(desired, live.definitions) if d.spec is None]
    specs = await concurrently(*(partial(backend.specification, workspace, d) for d in asked))
    pairs = zip(asked, specs, strict=True)
    return tuple(replace(definition, spec=spec) for definition, spec in pairs if spec is not None)


def check_served(
    desired: Desired, served: tuple[ConnectorDefinition, ...]
) -> tuple[Diagnostic, ...]:
    """Stage 5 of validation, for what could not be checked before the server was asked."""
    found: list[Diagnostic] = []
    for resource in _actors(desired):
        definition = resolve_connector(resource, served)
        if isinstance(definition, ConnectorDefinition):
            found += check_configuration(resource, definition)
    return tuple(found)


def without_guesses(
    earlier: Iterable[Diagnostic], desired: Desired, served: tuple[ConnectorDefinition, ...]
) -> tuple[Diagnostic, ...]:
    """What was told of a configuration that could only be guessed at before its specification came goes:
    it is told again by `check_served`, as far as it is so."""
    known = {
        str(resource.address)
        for resource in _actors(desired)
        if isinstance(resolve_connector(resource, served), ConnectorDefinition)
    }
    return tuple(d for d in earlier if not (d.code == "looks-like-a-secret" and d.address in known))


def _actors(desired: Desired) -> Iterator[Resource]:
    for resource in desired.resources.values():
        if isinstance(resource.spec, Source | Destination):
            yield resource


def _used(
    desired: Desired, definitions: tuple[ConnectorDefinition, ...]
) -> list[ConnectorDefinition]:
    resolved = [resolve_connector(resource, definitions) for resource in _actors(desired)]
    used = {(d.kind, d.id): d for d in resolved if isinstance(d, ConnectorDefinition)}
    return [used[key] for key in sorted(used)]
