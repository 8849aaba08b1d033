"""What every request body goes through, whichever API it is for.

Pure. The one place where secrets of a configuration are unwrapped. It never makes a body that destroys a
secret: it raises instead.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from reconciler.core.capabilities import Feature
from reconciler.core.connector import escape
from reconciler.core.diagnostics import ReconcilerError, Refused
from reconciler.core.model import (
    KEEP,
    MASK,
    UNSET,
    Columns,
    Connection,
    Destination,
    Json,
    Mapper,
    Ref,
    Secret,
    Source,
    Spec,
    Tag,
    Unset,
    Update,
    is_mask,
)
from reconciler.core.redact import leaves

Body: TypeAlias = dict[str, Any]
Actor: TypeAlias = Source | Destination
TagObjects: TypeAlias = Mapping[str, Body]
"""Tag name → the whole object that a connection's `tags` wants."""

_T = TypeVar("_T")
BUG: Final = "nothing was sent; this is a bug in reconciler, please report it"
ACTOR_FIELDS: Final = frozenset({"name", "configuration", "resource_allocation"})
STATUSES: Final = ("active", "inactive")
_COLORS: Final = ("1F77B4", "FF7F0E", "2CA02C", "9467BD", "8C564B", "E377C2", "BCBD22", "17BECF")


def plain(value: Json, pointer: str) -> Json:
    """The tree with its secrets unwrapped. Raises ReconcilerError at one that this run doesn't have."""
    if isinstance(value, Secret):
        if value.value is UNSET:
            raise ReconcilerError(
                f"{pointer} needs {value.label}, which is not set",
                hint="nothing was sent; set it before applying",
            )
        return value.value
    if value is KEEP or value is UNSET:
        raise ReconcilerError(f"{pointer} has no value to send ({value!r})", hint=BUG)
    if isinstance(value, Mapping):
        return {key: plain(child, f"{pointer}/{escape(key)}") for key, child in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(child, f"{pointer}/{index}") for index, child in enumerate(value)]
    return value


def without_masks(body: Body, but: Collection[str] = ()) -> Body:
    """A create or merge stores a mask as the new secret: the real one would be destroyed (PUB-T 1)."""
    for pointer, value in leaves(body):
        if is_mask(value) and not (pointer in but and value == MASK):
            raise ReconcilerError(
                f"{pointer} is a mask, which would overwrite the stored secret", hint=BUG
            )
    return body


def only_exact_masks(body: Body) -> Body:
    """For a full write, which keeps a stored secret where exactly the mask stands (PUB §3.4)."""
    for pointer, value in leaves(body):
        if is_mask(value) and value != MASK:
            raise ReconcilerError(
                f"{pointer} is a mask that the server would store as the value", hint=BUG
            )
    return body


def known_fields(update: Update, known: Collection[str]) -> None:
    unknown = sorted(update.fields.difference(known))
    if unknown or not (update.fields or update.whole):
        what = f"can't change {', '.join(unknown)}" if unknown else "changes nothing"
        raise ReconcilerError(f"an update of {update.spec.name!r} {what}", hint=BUG)


def actor_of(update: Update) -> Actor:
    known_fields(update, ACTOR_FIELDS)
    if isinstance(update.spec, Source | Destination):
        return update.spec
    raise ReconcilerError("an actor is updated with the spec of a connection", hint=BUG)


def allocation(wanted: Json | Unset, live: Json | Unset = UNSET) -> Body:
    """With `default` always: an allocation without it may make later reads fail (PUB §3.6)."""
    value = live if wanted is UNSET else wanted
    if value is UNSET or value is None:
        return {}
    return {"resourceAllocation": {"default": {}, **plain(value, "/resourceAllocation")}}


def status(name: str, value: str | Unset) -> Body:
    wanted = stated(value, "status")
    if wanted not in STATUSES:
        raise Refused(
            f"connection {name!r} can't be given the status {wanted}",
            hint="only active and inactive can be written safely (PUB-T 40)",
        )
    return {"status": wanted}


def tags(name: str, wanted: tuple[str, ...] | Unset, known: TagObjects) -> Body:
    """Whole tag objects. Raises ReconcilerError for a tag that the workspace hasn't."""
    names = sorted(set(stated(wanted, "tags")))
    unknown = [tag for tag in names if tag not in known]
    if unknown:
        raise ReconcilerError(
            f"connection {name!r}: no tag {', '.join(map(repr, unknown))} in the workspace",
            hint="nothing was sent; tags are created before the connections that use them",
        )
    return {"tags": [known[tag] for tag in names]}


def tag_objects(workspace_id: str, known: Mapping[str, Tag]) -> TagObjects:
    return {
        name: {"tagId": tag.id, "workspaceId": workspace_id, "name": tag.name, "color": tag.color}
        for name, tag in known.items()
    }


def color_of(tag_name: str) -> str:
    """Six hex digits, the same for a name in every run."""
    return _COLORS[zlib.crc32(tag_name.encode()) % len(_COLORS)]


def selected_fields(stream: str, columns: Columns) -> list[Body] | None:
    """None where all columns are selected. Raises ReconcilerError for an exclusion nobody resolved."""
    if columns.excluding and columns.names is None:
        raise ReconcilerError(f"the columns of stream {stream!r} are not resolved", hint=BUG)
    if columns.names is None:
        return None
    return [{"fieldPath": [name]} for name in sorted(set(columns.names))]


def mapper(stream: str, value: Mapper) -> Body:
    """A kept key goes as the mask, which the server restores for a known mapper id (PUB-T 18)."""
    config = dict(value.config)
    if value.id and config.get("key") is KEEP:
        config["key"] = MASK
    where = f"streams[{stream}] mapper {value.type} "
    body = {"type": value.type, "mapperConfiguration": plain(config, where)}
    return {"id": value.id, **body} if value.id else body


def has_mappers(spec: Spec) -> bool:
    streams = spec.streams if isinstance(spec, Connection) else ()
    return isinstance(streams, tuple) and any(stream.mappers for stream in streams)


def refuse_mappers(spec: Spec, lacks: Collection[Feature]) -> None:
    """Raises before anything is sent where this server would silently leave mappers out."""
    if "mappers" in lacks and has_mappers(spec):
        raise Refused(
            f"connection {spec.name!r} has mappers, which this server ignores: it is older than "
            "Airbyte 1.6",
            hint="nothing was sent: columns would arrive in clear",
        )


def refuse_tags(name: str, lacks: Collection[Feature]) -> None:
    if "tags" in lacks:
        raise Refused(
            f"this server has no tags, so that {name!r} can't be made",
            hint="tags came with Airbyte 1.6; leave them out",
        )


def stated(value: _T | Unset, field: str) -> _T:
    if isinstance(value, Unset):
        raise ReconcilerError(f"{field} is to be written and has no value", hint=BUG)
    return value


def id_of(ref: Ref, kind: str) -> str:
    if ref.id is None:
        raise ReconcilerError(f"the {kind} of the connection has no id yet", hint=BUG)
    return ref.id
