"""Drafts of sources and destinations: configuration against configuration, secrets unseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.core import redact
from reconciler.core.claim import problem
from reconciler.core.connector import scalar_defaults, secret_pointers
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.diff import FieldChange, Settling, change, explain, json_equal, settle
from reconciler.core.drafts.draft import Draft
from reconciler.core.effect_rules import ACTOR_RULES, ActorCase, object_effects
from reconciler.core.effects import Effect
from reconciler.core.model import (
    KEEP,
    UNSET,
    Capabilities,
    ConnectorDefinition,
    Destination,
    Json,
    LiveObject,
    Resource,
    Source,
)
from reconciler.core.plan import Change, HiddenSecret
from reconciler.core.write import actor_update, unset_secrets

ROOT = "/configuration"


def draft_actor(
    resource: Resource,
    spec: Source | Destination,
    live: LiveObject | None,
    definition: ConnectorDefinition,
    incremental: tuple[str, ...],
    capabilities: Capabilities,
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    """`spec.connector` is a definition id; `incremental` are labels of incremental streams on it."""
    schema = definition.spec
    sealed = replace(
        spec,
        configuration=redact.seal(spec.configuration, secret_pointers(schema, spec.configuration)),
    )
    if live is None:
        return _created(resource, sealed, definition)
    current = live.spec
    assert isinstance(current, Source | Destination)  # noqa: S101 - claims never cross kinds
    if current.connector != spec.connector:
        return _replaced(resource, sealed, live, definition), ()
    return _updated(resource, sealed, live, current, definition, incremental, capabilities)


def _created(
    resource: Resource, spec: Source | Destination, definition: ConnectorDefinition
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    kept = [at for at, leaf in redact.leaves(spec.configuration) if leaf is KEEP]
    made = Change(
        resource.address,
        "create",
        spec.name,
        fields=(
            change("/connector", UNSET, definition.docker_repository or definition.name),
            *explain({}, redact.tokens(spec.configuration), ROOT),
        ),
    )
    draft = Draft(resource, made, None, spec, None, unset_secrets(spec.configuration))
    return draft, tuple(_broken_keep(resource, ROOT + at) for at in kept)


def _replaced(
    resource: Resource,
    spec: Source | Destination,
    live: LiveObject,
    definition: ConnectorDefinition,
) -> Draft:
    was = getattr(live.spec, "connector")  # noqa: B009 - Source and Destination share it
    text = f"the connector can't be changed in place: {was} -> {definition.id} ({definition.name})"
    made = Change(
        resource.address,
        "replace",
        spec.name,
        reason="connector",
        live_id=live.id,
        fields=(change("/connector", was, definition.id),),
        effects=(Effect("replace", "immutable", (), (text,)),),
    )
    return Draft(resource, made, live, spec, None, unset_secrets(spec.configuration))


def _updated(
    resource: Resource,
    spec: Source | Destination,
    live: LiveObject,
    current: Source | Destination,
    definition: ConnectorDefinition,
    incremental: tuple[str, ...],
    capabilities: Capabilities,
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    ignored = frozenset(resource.lifecycle.ignore_changes)
    notes = Settling(ignored=ignored, is_default=_defaults(definition, current.configuration))
    theirs = redact.seal(
        current.configuration, secret_pointers(definition.spec, current.configuration)
    )
    before, after = settle(spec.configuration, theirs, notes, ROOT)
    fields = list(explain(before, after, ROOT))
    if spec.name != current.name and "/name" not in ignored:
        fields.insert(0, change("/name", current.name, spec.name))
    problems = tuple(_broken_keep(resource, at) for at in notes.broken_keeps)
    secrets = tuple(
        HiddenSecret(resource.address, at, label) for at, label in sorted(notes.uncompared.items())
    )
    if not fields:
        return Draft(resource, None, live, spec, secrets=secrets), problems
    update = actor_update(spec, current, tuple(fields), definition, ignored)
    case = ActorCase(
        kind=resource.address.kind,
        configured=tuple(f.pointer for f in fields if f.pointer.startswith(ROOT) and not f.secret),
        rewritten=any(f.pointer.startswith(ROOT) for f in fields),
        lost=tuple(sorted(notes.lost)),
        incremental=incremental,
    )
    made = Change(
        resource.address,
        "update",
        spec.name,
        live_id=live.id,
        fields=tuple(fields),
        effects=tuple(object_effects(ACTOR_RULES, case, incremental, capabilities.api)),
        refusals=(update,) if isinstance(update, str) else (),
    )
    write = None if isinstance(update, str) else update
    sent = write.spec if write else spec
    unset = unset_secrets(getattr(sent, "configuration")) if _configures(fields) else ()  # noqa: B009
    return Draft(resource, made, live, spec, write, unset, secrets=secrets), problems


def _configures(fields: list[FieldChange]) -> bool:
    return any(field.pointer.startswith(ROOT) for field in fields)


def _defaults(
    definition: ConnectorDefinition, live: Mapping[str, Json]
) -> Callable[[str, Json], bool]:
    known = {f"{ROOT}{at}": value for at, value in scalar_defaults(definition.spec, live).items()}

    def is_default(pointer: str, value: Json) -> bool:
        return json_equal(known.get(pointer, UNSET), value)

    return is_default


def _broken_keep(resource: Resource, pointer: str) -> Diagnostic:
    return problem(
        resource,
        "keep-without-secret",
        f"/spec{pointer}",
        "${keep} keeps a secret that Airbyte has, but it has none at this place",
        "set the value with ${env:NAME}",
    )
