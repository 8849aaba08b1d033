"""Drafts of connections: fields and streams against live ones, with what that does to data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.core import redact
from reconciler.core.claim import problem
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.diff import FieldChange, change, explain_streams, json_equal
from reconciler.core.drafts.draft import Draft
from reconciler.core.effect_rules import (
    CONNECTION_RULES,
    ConnectionCase,
    StreamCase,
    object_effects,
    staying_incremental,
    stream_effects,
)
from reconciler.core.effects import Effect
from reconciler.core.kinds import KINDS, is_stated
from reconciler.core.merge import counterpart_of, merge_connection
from reconciler.core.model import (
    KEEP,
    UNSET,
    Capabilities,
    Connection,
    Json,
    LiveObject,
    Mapper,
    Resource,
    Secret,
    Stream,
    is_mask,
)
from reconciler.core.normalize import (
    Naming,
    StreamKey,
    canonical_connection,
    canonical_mapper,
    canonical_stream,
    stream_key,
    stream_label,
)
from reconciler.core.parse import MAPPER_SECRET
from reconciler.core.plan import Change, HiddenSecret, Unstated
from reconciler.core.write import connection_update, unset_secrets

_ROW = KINDS["connection"]
_STREAM_FIELDS: Mapping[str, str] = {
    "cursorField": "cursor_field",
    "primaryKey": "primary_key",
    "columns": "columns",
    "mappers": "mappers",
}


def draft_connection(
    resource: Resource,
    spec: Connection,
    live: LiveObject | None,
    naming: Naming,
    capabilities: Capabilities,
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    if live is None:
        return _created(resource, spec, naming, capabilities)
    current = live.spec
    assert isinstance(current, Connection)  # noqa: S101 - claims never cross kinds
    merged = _with_ignored(merge_connection(spec, current), current, resource)
    before, after = _forms(merged, current, naming)
    problems = tuple(_broken_keeps(resource, merged))
    base = Draft(
        resource,
        None,
        live,
        merged,
        unstated=tuple(_unstated(resource, spec, current)),
        secrets=tuple(_hidden_secrets(resource, merged)),
    )
    moved = [name for name in _ROW.immutable if before[name] != after[name]]
    fields = tuple(_changes(before, after))
    if moved:
        made = _replacement(
            resource, merged, live, fields, f"{' and '.join(moved)} can't be changed in place"
        )
        return replace(base, change=made, unset=_unset(merged)), problems
    if not fields:
        return base, problems
    update = connection_update(merged, fields)
    made = Change(
        resource.address,
        "update",
        merged.name,
        live_id=live.id,
        fields=fields,
        effects=tuple(_effects(spec, merged, before, after, capabilities)),
        refusals=(update,) if isinstance(update, str) else (),
    )
    write = None if isinstance(update, str) else update
    unset = _unset(merged) if write and "streams" in write.fields else ()
    return replace(base, change=made, update=write, unset=unset), problems


def replaced_with(draft: Draft, what: str) -> Draft:
    """A connection whose source or destination is replaced has to be replaced too (PUB-T 6)."""
    assert draft.live is not None  # noqa: S101 - only what exists can be replaced
    assert isinstance(draft.spec, Connection)  # noqa: S101
    fields = draft.change.fields if draft.change else ()
    made = _replacement(draft.resource, draft.spec, draft.live, fields, f"{what} is replaced")
    return replace(draft, change=made, update=None, unset=_unset(draft.spec))


def _created(
    resource: Resource, spec: Connection, naming: Naming, capabilities: Capabilities
) -> tuple[Draft, tuple[Diagnostic, ...]]:
    merged = merge_connection(spec, None)
    form = _shown_form(merged, naming)
    problems = list(_broken_keeps(resource, merged))
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
        effects=tuple(object_effects(CONNECTION_RULES, case, (), capabilities.api)),
    )
    return Draft(resource, made, None, merged, None, _unset(merged)), tuple(problems)


def _replacement(
    resource: Resource,
    merged: Connection,
    live: LiveObject,
    fields: tuple[FieldChange, ...],
    why: str,
) -> Change:
    labels = tuple(stream_label(stream_key(stream)) for stream in _streams(merged))
    text = f"{why}: a new connection takes its place and reads everything from the start"
    return Change(
        resource.address,
        "replace",
        merged.name,
        reason=why,
        live_id=live.id,
        fields=fields,
        effects=(Effect("replace", "immutable", labels, (text,)),),
    )


def _with_ignored(merged: Connection, live: Connection, resource: Resource) -> Connection:
    """`ignoreChanges` of a connection names whole fields: they stay as they are live."""
    names = {
        spec_field: getattr(live, spec_field)
        for field, spec_field in _ROW.fields.items()
        if f"/{field}" in resource.lifecycle.ignore_changes
    }
    return replace(merged, **names)


def _streams(connection: Connection) -> tuple[Stream, ...]:
    return connection.streams if isinstance(connection.streams, tuple) else ()


def _mappers(stream: Stream) -> tuple[Mapper, ...]:
    return stream.mappers if isinstance(stream.mappers, tuple) else ()


def _forms(
    merged: Connection, live: Connection, naming: Naming
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Canonical forms of both sides with tokens for mapper keys: a masked live key equals any that
    stands at its counterpart (matched by id)."""
    masked = {
        mapper.id
        for stream in _streams(live)
        for mapper in _mappers(stream)
        if any(is_mask(leaf) for _, leaf in redact.leaves(mapper.config))
    }
    return _tokenized(live, naming, masked), _tokenized(merged, naming, masked)


def _shown_form(connection: Connection, naming: Naming) -> dict[str, Json]:
    return _tokenized(connection, naming, set())


def _tokenized(connection: Connection, naming: Naming, masked: set[str | None]) -> dict[str, Json]:
    form = canonical_connection(connection, naming)
    for stream in _streams(connection):
        if isinstance(stream.mappers, tuple):
            form["streams"][stream_key(stream)]["mappers"] = [
                _mapper_form(mapper, hidden=mapper.id is not None and mapper.id in masked)
                for mapper in stream.mappers
            ]
    return form


def _mapper_form(mapper: Mapper, *, hidden: bool) -> dict[str, Json]:
    form = canonical_mapper(mapper)
    if MAPPER_SECRET in form:
        key = redact.tokens(form[MAPPER_SECRET])
        form[MAPPER_SECRET] = (
            redact.token(redact.HIDDEN) if hidden and redact.is_token(key) else key
        )
    return form


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
    yield from stream_effects(_stream_cases(desired, before, after), capabilities)


def _stream_cases(
    desired: Connection, before: Mapping[str, Json], after: Mapping[str, Json]
) -> dict[StreamKey, StreamCase]:
    old: Mapping[StreamKey, Json] = before.get("streams") or {}
    new: Mapping[StreamKey, Json] = after.get("streams") or {}
    protected = any(
        form.get("mappers") or form.get("columns", "all") != "all" for form in old.values()
    )
    explicit = {
        stream.name
        for stream in _streams(desired)
        if stream.columns is not UNSET and stream.mappers is not UNSET
    }
    return {
        key: StreamCase(
            old.get(key),
            new.get(key),
            states_protection=key[1] in explicit,
            was_protected=protected,
        )
        for key in {*old, *new}
        if old.get(key) != new.get(key)
    }


def _unset(connection: Connection) -> tuple[str, ...]:
    configs = [mapper.config for stream in _streams(connection) for mapper in _mappers(stream)]
    return unset_secrets(configs)


def _broken_keeps(resource: Resource, merged: Connection) -> Iterable[Diagnostic]:
    """`${keep}` of a mapper key needs a live counterpart (PUB-T 18)."""
    for index, stream in enumerate(_streams(merged)):
        for position, mapper in enumerate(_mappers(stream)):
            if mapper.id is None and KEEP in mapper.config.values():
                yield problem(
                    resource,
                    "keep-without-secret",
                    f"/spec/streams/{index}/mappers/{position}",
                    "${keep} keeps a key that Airbyte has, but there is no such mapper live",
                    "set the key with ${env:NAME}",
                )


def _hidden_secrets(resource: Resource, merged: Connection) -> Iterable[HiddenSecret]:
    for stream in _streams(merged):
        for mapper in _mappers(stream):
            for name, value in sorted(mapper.config.items()):
                if mapper.id is not None and (isinstance(value, Secret) or value is KEEP):
                    label = value.label if isinstance(value, Secret) else KEEP.value
                    at = f"/streams[{stream_label(stream_key(stream))}]/mappers/{name}"
                    yield HiddenSecret(resource.address, at, label)


def _unstated(resource: Resource, desired: Connection, live: Connection) -> Iterable[Unstated]:
    """Live values that differ from our defaults, or belong to streams, and that git is silent about."""
    form = canonical_connection(
        merge_connection(replace(desired, streams=()), None), lambda _ref, _kind: ""
    )
    current = canonical_connection(live, lambda _ref, _kind: "")
    for name in _ROW.fields:
        silent = name != "streams" and not is_stated(desired, "connection", name)
        if silent and not json_equal(form.get(name, UNSET), current.get(name, UNSET)):
            yield Unstated(resource.address, name)
    if not isinstance(desired.streams, tuple):
        yield Unstated(resource.address, "streams", len(_streams(live)))
        return
    counts: Counter[str] = Counter()
    for stream in desired.streams:
        same_name = [candidate for candidate in _streams(live) if candidate.name == stream.name]
        counterpart = counterpart_of(stream, same_name)
        if counterpart is not None:
            counts.update(_silent_about(stream, counterpart))
    for name, count in sorted(counts.items()):
        yield Unstated(resource.address, f"streams.{name}", count)


def _silent_about(stream: Stream, live: Stream) -> Iterable[str]:
    form = canonical_stream(live)
    for name, attribute in _STREAM_FIELDS.items():
        silent = getattr(stream, attribute) is UNSET
        if silent and form.get(name) not in (None, [], "all"):
            yield name
