"""Drafts of sources and destinations: configuration against configuration, secrets unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.core import redact
from reconciler.core.capabilities import Capabilities
from reconciler.core.claim import problem
from reconciler.core.connector import same_form, scalar_defaults, secret_pointers, unescape
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.diff import FieldChange, Settling, change, explain, json_equal, settle
from reconciler.core.drafts.draft import Draft
from reconciler.core.effect_rules import ACTOR_RULES, ActorCase, object_effects
from reconciler.core.effects import Effect
from reconciler.core.lookalikes import hidden_pointers
from reconciler.core.model import (
    KEEP,
    UNSET,
    ConnectorDefinition,
    Destination,
    Json,
    LiveObject,
    Resource,
    Source,
    Update,
)
from reconciler.core.plan import Change, HiddenSecret, Unstated
from reconciler.core.write import actor_update, unset_secrets

ROOT = "/configuration"


def draft_actor(
    resource: Resource,
    spec: Source | Destination,
    live: LiveObject | None,
    definition: ConnectorDefinition,
    incremental: tuple[str, ...],
    capabilities: Capabilities,
    *,
    resend: bool = False,
    definitions: Iterable[ConnectorDefinition] = (),
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    """`spec.connector` is a definition id; `incremental` are labels of incremental streams on it.
    `resend`: secrets that can't be compared are sent all the same. `definitions`: all there are, so that
    the connector that goes can be called by its name."""
    schema = definition.spec
    sealed = replace(
        spec,
        configuration=redact.seal(spec.configuration, hidden_pointers(schema, spec.configuration)),
    )
    if live is None:
        return _created(resource, sealed, definition)
    current = live.spec
    assert isinstance(current, Source | Destination)  # noqa: S101 - claims never cross kinds
    if "/name" in resource.lifecycle.ignore_changes:
        sealed = replace(sealed, name=current.name)
    if current.connector != spec.connector:
        was = next((d for d in definitions if d.id == current.connector), None)
        names = _connector_names(current.connector, was, definition)
        return _replaced(resource, sealed, live, current, names)
    return _updated(
        resource, sealed, live, current, definition, incremental, capabilities, resend=resend
    )


def _created(
    resource: Resource, spec: Source | Destination, definition: ConnectorDefinition
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    made = Change(
        resource.address,
        "create",
        spec.name,
        fields=(
            change("/connector", UNSET, _called(definition)),
            *explain({}, redact.tokens(spec.configuration), ROOT),
        ),
    )
    draft = Draft(resource, made, None, spec, None, unset_secrets(spec.configuration))
    return draft, _no_secret_yet(resource, spec)


def _replaced(
    resource: Resource,
    spec: Source | Destination,
    live: LiveObject,
    current: Source | Destination,
    names: tuple[str, str],
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    """A new object of another connector: nothing of the old configuration goes over. `names`: of both
    connectors."""
    text = (
        f"the connector can't be changed in place: {' -> '.join(names)}; "
        f"definition {current.connector} -> {spec.connector}"
    )
    made = Change(
        resource.address,
        "replace",
        spec.name,
        reason="connector",
        live_id=live.id,
        fields=(
            change("/connector", *names),
            *explain({}, redact.tokens(spec.configuration), ROOT),
        ),
        effects=(Effect("replace", "immutable", (), (text,)),),
    )
    draft = Draft(
        resource,
        made,
        live,
        spec,
        None,
        unset_secrets(spec.configuration),
        unstated=_unstated(resource, current),
    )
    return draft, _no_secret_yet(resource, spec)


def _called(definition: ConnectorDefinition) -> str:
    return definition.docker_repository or definition.name


def _connector_names(
    was_id: str, was: ConnectorDefinition | None, becomes: ConnectorDefinition
) -> tuple[str, str]:
    """As people know them; with their ids where two are called alike. One that is gone has only that."""
    before, after = (_called(was) if was is not None else was_id), _called(becomes)
    if before == after:
        return f"{before} ({was_id})", f"{after} ({becomes.id})"
    return before, after


def _no_secret_yet(resource: Resource, spec: Source | Destination) -> tuple[Diagnostic, ...]:
    """A new object has no secret that could be kept."""
    kept = [at for at, leaf in redact.leaves(spec.configuration) if leaf is KEEP]
    return tuple(_broken_keep(resource, ROOT + at) for at in kept)


def _unstated(resource: Resource, current: Source | Destination) -> tuple[Unstated, ...]:
    """Manifests have no word for resourceAllocation: it is carried over in each write (PUB-T 7)."""
    if not current.resource_allocation:
        return ()
    return (Unstated(resource.address, "resourceAllocation"),)


def _updated(
    resource: Resource,
    spec: Source | Destination,
    live: LiveObject,
    current: Source | Destination,
    definition: ConnectorDefinition,
    incremental: tuple[str, ...],
    capabilities: Capabilities,
    *,
    resend: bool,
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    fields, notes = _compared(resource, spec, current, definition, resend=resend)
    other_form = _kept_across_forms(spec.configuration, current.configuration, definition, notes)
    problems = tuple(_broken_keep(resource, at) for at in (*notes.broken_keeps, *other_form))
    secrets = tuple(
        HiddenSecret(resource.address, at, label) for at, label in sorted(notes.uncompared.items())
    )
    base = Draft(resource, None, live, spec, unstated=_unstated(resource, current), secrets=secrets)
    if not fields:
        return base, problems
    update = actor_update(spec, current, fields, definition, notes.ignored)
    case = ActorCase(
        kind=resource.address.kind,
        configured=tuple(_configured(fields, _secret_paths(spec, current, definition), notes)),
        rewritten=_configures(fields),
        lost=tuple(sorted(notes.lost)),
        incremental=incremental,
    )
    made = Change(
        resource.address,
        "update",
        spec.name,
        live_id=live.id,
        fields=fields,
        effects=tuple(object_effects(ACTOR_RULES, case, incremental, capabilities.api)),
        refusals=(update,) if isinstance(update, str) else (),
    )
    return _with_write(base, made, update, spec), problems


def _compared(
    resource: Resource,
    spec: Source | Destination,
    current: Source | Destination,
    definition: ConnectorDefinition,
    *,
    resend: bool,
) -> tuple[tuple[FieldChange, ...], Settling]:
    """What differs, with what was learned on the way."""
    before, after, notes = settled_configurations(resource, spec, current, definition)
    fields = list(explain(before, after, ROOT))
    if spec.name != current.name:
        fields.insert(0, change("/name", current.name, spec.name))
    if resend:
        fields += _resent(notes)
    return tuple(fields), notes


def settled_configurations(
    resource: Resource,
    spec: Source | Destination,
    current: Source | Destination,
    definition: ConnectorDefinition,
) -> tuple[Json, Json, Settling]:
    """(before, after): both canonical forms with tokens for secrets; and what was learned on the way."""
    notes = Settling(
        ignored=frozenset(resource.lifecycle.ignore_changes),
        hidden=redact.secret_texts([spec.configuration]),
        is_default=_defaults(definition, current.configuration),
    )
    theirs = redact.seal(
        current.configuration, hidden_pointers(definition.spec, current.configuration)
    )
    before, after = settle(spec.configuration, theirs, notes, ROOT)
    return before, after, notes


def _secret_paths(
    spec: Source | Destination, current: Source | Destination, definition: ConnectorDefinition
) -> frozenset[str]:
    """What the connector calls secret, on either side."""
    return frozenset(
        ROOT + at
        for side in (spec.configuration, current.configuration)
        for at in secret_pointers(definition.spec, side)
    )


def _with_write(
    base: Draft, made: Change, update: Update | str, spec: Source | Destination
) -> Draft:
    write = None if isinstance(update, str) else update
    sent = write.spec if write else spec
    unset: tuple[str, ...] = ()
    if isinstance(sent, Source | Destination) and _configures(made.fields):
        unset = unset_secrets(sent.configuration)
    return replace(base, change=made, update=write, unset=unset)


def _resent(notes: Settling) -> list[FieldChange]:
    """Secrets of git's that the server hides, as changes; one that is kept has nothing to send."""
    hidden, kept = redact.token(redact.HIDDEN), KEEP.value
    stated = sorted((at, label) for at, label in notes.uncompared.items() if label != kept)
    return [change(at, hidden, redact.token(label)) for at, label in stated]


def is_twin(spec: Source | Destination, live: LiveObject) -> bool:
    """Whether a live object is what `spec` describes in all but its name, secrets aside."""
    current = live.spec
    if not isinstance(current, Source | Destination) or current.connector != spec.connector:
        return False
    if not spec.configuration:
        return False
    before, after = settle(spec.configuration, current.configuration, Settling(), ROOT)
    return json_equal(before, after)


def _configured(
    fields: tuple[FieldChange, ...], secret_paths: frozenset[str], notes: Settling
) -> Iterator[str]:
    """Pointers of what changes and is no secret of the connector's. A host that comes from the
    environment is hidden, and moves all the same; of a list with a secret in it nobody can tell."""
    unseen = {*secret_paths, *notes.uncompared, *notes.lost}
    for field in fields:
        if not field.pointer.startswith(ROOT):
            continue
        if field.pointer not in unseen or isinstance(field.after, list):
            yield field.pointer


def _kept_across_forms(
    ours: Json, theirs: Json, definition: ConnectorDefinition, notes: Settling
) -> list[str]:
    """Keeps whose mask stands in another form of a oneOf: that secret is another one (design §3)."""
    kept = [at for at, label in notes.uncompared.items() if label == KEEP.value]
    return [
        at
        for at in kept
        if not same_form(definition.spec, ours, theirs, [unescape(t) for t in at.split("/")[2:]])
    ]


def _configures(fields: tuple[FieldChange, ...]) -> bool:
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
