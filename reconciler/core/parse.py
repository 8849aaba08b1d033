"""One manifest's `spec` as a typed value, with everything that is wrong in it (validation stage 4).

Works on schema-valid, resolved data. Knows one document at a time; what concerns several is in build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.model import (
    ALL_COLUMNS,
    SYNC_MODES,
    UNSET,
    Address,
    Columns,
    Connection,
    Destination,
    Document,
    Json,
    Mapper,
    Namespace,
    Ref,
    Schedule,
    Secret,
    Source,
    Stream,
    Unset,
    is_mask,
)
from reconciler.core.normalize import StreamKey, stream_key, stream_label
from reconciler.core.redact import HIDDEN, leaves
from reconciler.core.schedule import parse_schedule

MOST_STREAMS: Final = 1000
"""A connection holds at most this many streams (Airbyte's documented limit)."""

MAPPER_SECRET: Final = "key"  # noqa: S105 - the argument's name
"""The only secret argument of a mapper: AES encryption's key (PUB §4.3)."""

_MAPPED_FIELDS: Final = ("targetField", "originalFieldName")


class Findings:
    """Collects diagnostics of one document, each with its place."""

    def __init__(self, document: Document, address: Address) -> None:
        self._document = document
        self._address = address
        self.found: list[Diagnostic] = []

    def error(self, code: str, pointer: str, message: str, hint: str = "") -> None:
        self._add(code, pointer, message, hint, Severity.ERROR)

    def warning(self, code: str, pointer: str, message: str, hint: str = "") -> None:
        self._add(code, pointer, message, hint, Severity.WARNING)

    def _add(self, code: str, pointer: str, message: str, hint: str, severity: Severity) -> None:
        self.found.append(
            Diagnostic(
                code=code,
                message=message,
                hint=hint,
                severity=severity,
                span=self._document.locate(pointer),
                address=str(self._address),
                pointer=pointer,
            )
        )


def display_name(document: Document) -> str:
    spec = document.data.get("spec") or {}
    return str(spec.get("name", document.data["metadata"]["name"]))


def parse_source(document: Document, findings: Findings) -> Source:
    spec = document.data["spec"]
    configuration = _parse_configuration(spec, document.kind, findings)
    return Source(display_name(document), spec["connector"], configuration)


def parse_destination(document: Document, findings: Findings) -> Destination:
    spec = document.data["spec"]
    configuration = _parse_configuration(spec, document.kind, findings)
    return Destination(display_name(document), spec["connector"], configuration)


def _parse_configuration(
    spec: Mapping[str, Json], kind: str, findings: Findings
) -> Mapping[str, Json]:
    configuration: Mapping[str, Json] = spec.get("configuration") or {}
    _refuse_masks(spec, "/spec", findings)
    if f"{kind}Type" in configuration:
        findings.error(
            "ignored-field",
            f"/spec/configuration/{kind}Type",
            f"Airbyte drops {kind}Type from a configuration: it would never read back (PUB-T 32)",
            "remove it; spec.connector says which connector it is",
        )
    return configuration


def _refuse_masks(value: Json, at: str, findings: Findings) -> None:
    """Also in what a reference gave: a CI system that masks its secrets may hand out the mask."""
    for pointer, leaf in leaves(value):
        if is_mask(leaf) or _gives_mask(leaf):
            findings.error(
                "mask-as-value",
                f"{at}{pointer}",
                "this is the mask Airbyte shows instead of a secret, not a value: "
                "written back it would replace the real one (PUB-T 1)",
                "write ${keep} to keep what the server has, or ${env:NAME} to set it",
            )


def _refuse_masks_in_mappers(spec: Mapping[str, Json], findings: Findings) -> None:
    """The only place of a connection where Airbyte shows one."""
    defaults = spec.get("streamDefaults") or {}
    _refuse_masks(defaults.get("mappers") or [], "/spec/streamDefaults/mappers", findings)
    for index, stream in enumerate(spec.get("streams") or ()):
        if isinstance(stream, Mapping) and stream.get("mappers"):
            _refuse_masks(stream["mappers"], f"/spec/streams/{index}/mappers", findings)


def _gives_mask(leaf: Json) -> bool:
    return isinstance(leaf, Secret) and any(is_mask(value) for _, value in leaves(leaf.value))


def parse_connection(document: Document, findings: Findings) -> Connection:
    spec = document.data["spec"]
    _refuse_masks_in_mappers(spec, findings)
    streams: tuple[Stream, ...] | Unset = UNSET
    if "streams" in spec:
        streams = tuple(_parse_streams(spec, findings))
        _check_streams(streams, findings)
    return Connection(
        name=display_name(document),
        source=parse_ref(spec["source"], "source"),
        destination=parse_ref(spec["destination"], "destination"),
        status=spec.get("status", UNSET),
        schedule=_parse_schedule(spec, findings),
        namespace=_parse_namespace(spec["destinationNamespace"]),
        prefix=spec.get("prefix", UNSET),
        schema_changes=spec.get("schemaChanges", UNSET),
        tags=_parse_tags(spec, findings),
        streams=streams,
        backfill=spec.get("backfillPreference", UNSET),
        notify_schema_changes=spec.get("notifySchemaChanges", UNSET),
        resource_requirements=spec.get("resourceRequirements", UNSET),
    )


def parse_ref(data: Json, kind: str) -> Ref:
    if isinstance(data, str):
        return Ref(address=Address(kind, data))
    return Ref(id=str(data["id"]).lower()) if "id" in data else Ref(name=data["name"])


def _parse_schedule(spec: Mapping[str, Json], findings: Findings) -> Schedule | Unset:
    if "schedule" not in spec:
        return UNSET
    schedule = parse_schedule(spec["schedule"])
    if isinstance(schedule, Schedule):
        return schedule
    at = "cron" if "cron" in spec["schedule"] else "every"
    findings.error(
        f"invalid-{'cron' if at == 'cron' else 'interval'}",
        f"/spec/schedule/{at}",
        schedule,
        'e.g. cron: "0 0 */6 * * ?" for every six hours' if at == "cron" else "e.g. every: 6 hours",
    )
    return UNSET


def _parse_namespace(data: Json) -> Namespace:
    if isinstance(data, str):
        return Namespace("source" if data == "source" else "destination")
    return Namespace("format", data["format"])


def _parse_tags(spec: Mapping[str, Json], findings: Findings) -> tuple[str, ...] | Unset:
    if "tags" not in spec:
        return UNSET
    tags = tuple(spec["tags"])
    for index, tag in enumerate(tags):
        if tag in tags[:index]:
            findings.error(
                "duplicate-tag", f"/spec/tags/{index}", f"tag {tag!r} is listed twice", "remove one"
            )
    return tuple(sorted(set(tags)))


def _parse_streams(spec: Mapping[str, Json], findings: Findings) -> Iterator[Stream]:
    defaults = spec.get("streamDefaults") or {}
    for index, entry in enumerate(spec["streams"]):
        own = {"name": entry} if isinstance(entry, str) else entry
        yield _parse_stream(own, defaults, f"/spec/streams/{index}", findings)


def _parse_stream(
    own: Mapping[str, Json], defaults: Mapping[str, Json], pointer: str, findings: Findings
) -> Stream:
    """`streamDefaults` fill in; of them, what the mode does not use is silently left out."""
    name = str(own["name"])
    mode_name = own.get("syncMode", defaults.get("syncMode"))
    if mode_name is None:
        findings.error(
            "sync-mode-missing",
            pointer,
            f"stream {name!r} has no syncMode, and there is no default one: it decides what happens to data",
            "set syncMode here or in streamDefaults",
        )
    mode = SYNC_MODES.get(mode_name or "")
    for field, used in (
        ("cursorField", mode is None or mode.uses_cursor),
        ("primaryKey", mode is None or mode.uses_key),
    ):
        if field in own and not used:
            findings.error(
                "ignored-field",
                f"{pointer}/{field}",
                f"{mode_name} does not use {field}: Airbyte would ignore it (PUB-T 16)",
                f"remove {field}, or choose a mode that uses it",
            )
    given = {**defaults, **own}
    return Stream(
        name=name,
        namespace=given.get("namespace", UNSET),
        sync_mode=mode_name,
        cursor_field=_path(given.get("cursorField")) if mode and mode.uses_cursor else UNSET,
        primary_key=_key(given.get("primaryKey")) if mode and mode.uses_key else UNSET,
        columns=_columns(given.get("columns")),
        mappers=_mappers(given.get("mappers"), f"{pointer}/mappers", findings),
        include_files=given.get("includeFiles", UNSET),
        destination_object_name=given.get("destinationObjectName", UNSET),
    )


def _path(data: Json) -> tuple[str, ...] | Unset:
    if data is None:
        return UNSET
    return _one_part(data) if isinstance(data, str) else tuple(data)


@cache
def _one_part(name: str) -> tuple[str, ...]:
    """Thousands of streams share a handful of cursors and keys: each is held once."""
    return (name,)


@cache
def _one_column_key(name: str) -> tuple[tuple[str, ...], ...]:
    return (_one_part(name),)


def _key(data: Json) -> tuple[tuple[str, ...], ...] | Unset:
    """`id` → ((id,),); [a, b] → ((a,), (b,)); [[path, part]] as it is."""
    if data is None:
        return UNSET
    if isinstance(data, str):
        return _one_column_key(data)
    return tuple(_one_part(part) if isinstance(part, str) else tuple(part) for part in data)


def _columns(data: Json) -> Columns | Unset:
    if data is None:
        return UNSET
    if data == "all":
        return ALL_COLUMNS
    if isinstance(data, Mapping):
        return Columns(excluding=tuple(sorted(set(data["except"]))))
    return Columns(names=tuple(sorted(set(data))))


def _mappers(data: Json, pointer: str, findings: Findings) -> tuple[Mapper, ...] | Unset:
    if data is None:
        return UNSET
    return tuple(_mapper(entry, f"{pointer}/{index}", findings) for index, entry in enumerate(data))


def _mapper(entry: Mapping[str, Json], pointer: str, findings: Findings) -> Mapper:
    """A flat mapper; an encryption key is a secret wherever it comes from (design §3)."""
    config = {name: value for name, value in entry.items() if name != "type"}
    if isinstance(config.get(MAPPER_SECRET), str):
        findings.error(
            "plaintext-secret",
            f"{pointer}/{MAPPER_SECRET}",
            "an encryption key stands in git in clear",
            "write ${env:NAME}, or ${keep} to keep the one the server has",
        )
        config[MAPPER_SECRET] = Secret(HIDDEN, config[MAPPER_SECRET])
    return Mapper(type=entry["type"], config=config)


def _check_streams(streams: tuple[Stream, ...], findings: Findings) -> None:
    if not streams:
        findings.error(
            "empty-streams",
            "/spec/streams",
            "a connection without streams can't be written: Airbyte ignores an empty list (PUB-T 20)",
            "set status: inactive to stop everything, or leave streams out to leave them unmanaged",
        )
    if len(streams) > MOST_STREAMS:
        findings.error(
            "too-many-streams",
            "/spec/streams",
            f"{len(streams)} streams; Airbyte takes at most {MOST_STREAMS} in one connection",
            "split the connection",
        )
    seen: set[StreamKey] = set()
    names: set[str] = set()
    unplaced = {stream.name for stream in streams if stream.namespace is UNSET}
    for index, stream in enumerate(streams):
        pointer = f"/spec/streams/{index}"
        key = stream_key(stream)
        if key in seen or (stream.name in unplaced and stream.name in names):
            findings.error(
                "duplicate-stream",
                pointer,
                f"stream {stream_label(key)!r} is listed twice",
                "remove one, or tell them apart by namespace",
            )
        seen.add(key)
        names.add(stream.name)
        _check_selection(stream, pointer, findings)


def _check_selection(stream: Stream, pointer: str, findings: Findings) -> None:
    """The selection must hold the cursor and the key, and Airbyte selects top-level columns (PUB §4.3)."""
    if not isinstance(stream.columns, Columns):
        return
    mode = SYNC_MODES.get(stream.sync_mode or "")
    needed: list[tuple[str, str]] = []
    if isinstance(stream.cursor_field, tuple) and mode and mode.uses_cursor:
        needed.append(("cursor", stream.cursor_field[0]))
    if isinstance(stream.primary_key, tuple) and mode and mode.uses_key:
        needed += [("primary key", path[0]) for path in stream.primary_key]
    names, excluding = stream.columns.names, stream.columns.excluding
    for role, column in needed:
        if (names is not None and column not in names) or column in excluding:
            findings.error(
                "selection-misses-column",
                f"{pointer}/columns",
                f"stream {stream.name!r}: the selected columns leave out {column!r}, its {role}",
                f"select {column!r} too",
            )
    made = _renamed(stream)
    for column in _mapped(stream):
        if ((names is not None and column not in names) or column in excluding) and (
            column not in made
        ):
            findings.error(
                "selection-misses-column",
                f"{pointer}/columns",
                f"stream {stream.name!r}: a mapper works on {column!r}, which is not selected",
                f"select {column!r} too",
            )


def _mappers_of(stream: Stream) -> tuple[Mapper, ...]:
    return stream.mappers if isinstance(stream.mappers, tuple) else ()


def _mapped(stream: Stream) -> Iterator[str]:
    """The columns that mappers work on, as far as git says them in clear."""
    for mapper in _mappers_of(stream):
        for at in _MAPPED_FIELDS:
            if isinstance(mapper.config.get(at), str):
                yield mapper.config[at]


def _renamed(stream: Stream) -> set[str]:
    """Columns that exist only because an earlier mapper makes them."""
    made = {
        str(m.config["newFieldName"]) for m in _mappers_of(stream) if "newFieldName" in m.config
    }
    suffixed = {
        f"{m.config['targetField']}{m.config['fieldNameSuffix']}"
        for m in _mappers_of(stream)
        if "fieldNameSuffix" in m.config
    }
    return made | suffixed
