"""Drafts of connections: fields and streams against live ones, with what that does to data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.capabilities import API_NAMES, Capabilities
from reconciler.core.catalog import excludes
from reconciler.core.claim import problem
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.diff import FieldChange, change, explain_streams, json_equal
from reconciler.core.drafts.draft import Draft
from reconciler.core.drafts.forms import plainly_equal, settled_forms
from reconciler.core.drafts.unstated import unstated
from reconciler.core.effect_rules import (
    ALSO_ON_REPLACE,
    CONNECTION_RULES,
    NEW_CONNECTION_RULES,
    ConnectionCase,
    StreamCase,
    object_effects,
    read_again,
    staying_incremental,
    stream_effects,
)
from reconciler.core.effects import Effect
from reconciler.core.interim import Interim, parse_interim
from reconciler.core.kinds import KINDS
from reconciler.core.merge import merge_connection
from reconciler.core.model import (
    UNSET,
    Connection,
    Json,
    LiveObject,
    Mapper,
    Resource,
    Stream,
)
from reconciler.core.normalize import Naming, StreamKey, stream_key, stream_label
from reconciler.core.plan import Change, HiddenSecret
from reconciler.core.write import connection_update, new_connection_problems, unset_secrets

_ROW = KINDS["connection"]


def draft_connection(
    resource: Resource,
    spec: Connection,
    live: LiveObject | None,
    naming: Naming,
    capabilities: Capabilities,
    replaced: frozenset[str] = frozenset(),
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    """`replaced`: those of its source and destination that are replaced in this plan, as text."""
    if live is None:
        return _created(resource, spec, naming, capabilities)
    current = live.spec
    assert isinstance(current, Connection)  # noqa: S101 - claims never cross kinds
    interim = parse_interim(current.name)
    if interim is not None and interim.status and spec.status is UNSET:
        # What a replacement that was cut off left says which status it was to have.
        spec = replace(spec, status=interim.status)
    merged = _with_ignored(merge_connection(spec, current), current, resource)
    if not replaced and plainly_equal(merged, current, naming):
        same = tuple(unstated(resource, spec, current))
        return Draft(resource, None, live, merged, unstated=same), ()
    moved = [
        name for name in _ROW.immutable if _end(merged, name, naming) != _end(current, name, naming)
    ]
    if moved or replaced:
        merged = _left_open(spec, merged)
    forms = settled_forms(merged, current, naming)
    before, after = forms.before, forms.after
    problems = tuple(_broken_keeps(resource, forms.broken_keeps))
    base = Draft(
        resource,
        None,
        live,
        merged,
        unstated=tuple(unstated(resource, spec, current)),
        secrets=tuple(HiddenSecret(resource.address, at, label) for at, label in forms.uncompared),
    )
    fields = tuple(_changes(before, after))
    case = _Case(spec, merged, before, after, moved, replaced)
    if moved or replaced:
        made = _replacement(resource, live, fields, case, capabilities)
        return replace(base, change=made, unset=_unset(merged)), problems
    if not fields:
        return base, problems
    return _updated(base, live, fields, case, capabilities, interim), problems


def _updated(
    base: Draft,
    live: LiveObject,
    fields: tuple[FieldChange, ...],
    case: _Case,
    capabilities: Capabilities,
    interim: Interim | None,
) -> Draft:
    """`interim`: it was made inactive by a replacement that was cut off; where it was to be active after
    it, that was part of what was accepted then."""
    update = connection_update(case.merged, fields)
    effects = _effects(case.desired, case.merged, case.before, case.after, capabilities)
    accepted = interim is not None and interim.status == "active"
    made = Change(
        base.resource.address,
        "update",
        case.merged.name,
        live_id=live.id,
        fields=fields,
        reason="finishes a replacement that was cut off" if interim is not None else "",
        effects=tuple(e for e in effects if not (accepted and e.name == "reactivate")),
        refusals=(update,) if isinstance(update, str) else (),
        inactive=case.merged.status == "inactive",
    )
    write = None if isinstance(update, str) else update
    unset = _unset(case.merged) if write and "streams" in write.fields else ()
    return replace(base, change=made, update=write, unset=unset)


def _created(
    resource: Resource, spec: Connection, naming: Naming, capabilities: Capabilities
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    merged = merge_connection(spec, None)
    forms = settled_forms(merged, None, naming)
    form = forms.after
    problems = list(_broken_keeps(resource, forms.broken_keeps))
    if not isinstance(spec.streams, tuple):
        problems.append(
            problem(
                resource,
                "streams-missing",
                "/spec",
                "a new connection needs its streams: left to itself Airbyte selects next to none (PUB-T 19)",
                "list them under spec.streams; leaving them out is for a connection that exists",
            )
        )
    case = ConnectionCase({}, form, merged.schedule, capabilities)
    made = Change(
        resource.address,
        "create",
        merged.name,
        fields=tuple(_changes({}, form)),
        effects=tuple(object_effects(NEW_CONNECTION_RULES, case, (), capabilities.api)),
        refusals=new_connection_problems(merged),
    )
    return Draft(resource, made, None, merged, None, _unset(merged)), tuple(problems)


@dataclass(frozen=True, slots=True)
class _Case:
    desired: Connection
    merged: Connection
    before: Mapping[str, Json]
    after: Mapping[str, Json]
    moved: list[str]
    replaced: frozenset[str]


def _replacement(
    resource: Resource,
    live: LiveObject,
    fields: tuple[FieldChange, ...],
    case: _Case,
    capabilities: Capabilities,
) -> Change:
    """A connection is never moved (PUB-T 6): a new one is written whole and reads from the start."""
    whys = [f"{' and '.join(case.moved)} can't be changed in place"] if case.moved else []
    whys += [f"{what} is replaced" for what in sorted(case.replaced)]
    why = "; ".join(whys)
    labels = tuple(sorted(stream_label(stream_key(stream)) for stream in _streams(case.merged)))
    text = f"{why}: a new connection takes its place and reads everything from the start"
    same_tables = "destination" not in case.moved and case.after["destination"] not in case.replaced
    whole = ConnectionCase({}, case.after, case.merged.schedule, capabilities)
    return Change(
        resource.address,
        "replace",
        case.merged.name,
        reason=why,
        live_id=live.id,
        fields=fields,
        effects=(
            Effect("replace", "immutable", labels, (text, *_left_behind(live, capabilities))),
            *(
                e
                for e in _effects(case.desired, case.merged, case.before, case.after, capabilities)
                if e.name in ALSO_ON_REPLACE
            ),
            *object_effects(NEW_CONNECTION_RULES, whole, (), capabilities.api),
            *(read_again(case.after) if same_tables else ()),
        ),
        refusals=new_connection_problems(case.merged),
    )


def _left_behind(live: LiveObject, capabilities: Capabilities) -> Iterable[str]:
    """What the old object has and the new one won't: consent must not be given without knowing it."""
    unread = sorted(name for name, api in _ROW.only_in.items() if api != capabilities.api)
    if unread:
        yield (
            f"the {API_NAMES.get(capabilities.api, capabilities.api)} can't read {', '.join(unread)} "
            "or operations: whatever the old one has of them, the new one has the defaults"
        )
    if live.beyond:
        yield f"not carried over, for no manifest can hold it: {', '.join(live.beyond)}"


def _with_ignored(merged: Connection, live: Connection, resource: Resource) -> Connection:
    """`ignoreChanges` of a connection names whole fields: they stay as they are live."""
    names = {
        spec_field: getattr(live, spec_field)
        for field, spec_field in _ROW.fields.items()
        if f"/{field}" in resource.lifecycle.ignore_changes
    }
    return replace(merged, **names)


def _end(connection: Connection, name: str, naming: Naming) -> str:
    return naming(getattr(connection, name), _ROW.references[name])


def _left_open(desired: Connection, merged: Connection) -> Connection:
    """What the columns of the old source were says nothing of a new one's: where no discovery told what
    `except` leaves there, it stays open, and is shown so."""
    if not isinstance(desired.streams, tuple):
        return merged
    pairs = zip(desired.streams, _streams(merged), strict=False)
    opened = tuple(
        replace(stream, columns=wanted.columns) if excludes(wanted) else stream
        for wanted, stream in pairs
    )
    return replace(merged, streams=(*opened, *_streams(merged)[len(opened) :]))


def _streams(connection: Connection) -> tuple[Stream, ...]:
    return connection.streams if isinstance(connection.streams, tuple) else ()


def _mappers(stream: Stream) -> tuple[Mapper, ...]:
    return stream.mappers if isinstance(stream.mappers, tuple) else ()


def _changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterable[FieldChange]:
    for name in _ROW.fields:
        if name == "streams":
            continue
        was, becomes = before.get(name, UNSET), after.get(name, UNSET)
        if not json_equal(was, becomes):
            yield change(f"/{name}", was, becomes)
    yield from explain_streams(before.get("streams") or {}, after.get("streams") or {})


def _effects(
    desired: Connection,
    merged: Connection,
    before: Mapping[str, Json],
    after: Mapping[str, Json],
    capabilities: Capabilities,
) -> Iterable[Effect]:
    case = ConnectionCase(before, after, merged.schedule, capabilities)
    moving = staying_incremental(before, after)
    yield from object_effects(CONNECTION_RULES, case, moving, capabilities.api)
    yield from stream_effects(_stream_cases(desired, merged, before, after), capabilities)


def _stream_cases(
    desired: Connection,
    merged: Connection,
    before: Mapping[str, Json],
    after: Mapping[str, Json],
) -> dict[StreamKey, StreamCase]:
    """Of the streams that change. The merged streams stand in the order of the desired ones."""
    old: Mapping[StreamKey, Json] = before.get("streams") or {}
    new: Mapping[StreamKey, Json] = after.get("streams") or {}
    protected = any(
        form.get("mappers") or form.get("columns", "all") != "all" for form in old.values()
    )
    explicit = {
        stream_key(becomes)
        for stream, becomes in zip(_streams(desired), _streams(merged), strict=False)
        if stream.columns is not UNSET and stream.mappers is not UNSET
    }
    return {
        key: StreamCase(
            old.get(key),
            new.get(key),
            states_protection=key in explicit,
            was_protected=protected,
        )
        for key in {*old, *new}
        if old.get(key) != new.get(key)
    }


def _unset(connection: Connection) -> tuple[str, ...]:
    configs = [mapper.config for stream in _streams(connection) for mapper in _mappers(stream)]
    return unset_secrets(configs)


def _broken_keeps(resource: Resource, places: Iterable[str]) -> Iterable[Diagnostic]:
    for place in places:
        yield problem(
            resource,
            "keep-without-secret",
            f"/spec{place}",
            "${keep} keeps a key that Airbyte has, but there is no such mapper live",
            "set the key with ${env:NAME}",
        )
