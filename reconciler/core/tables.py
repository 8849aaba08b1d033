"""Where streams land: two of them in one table overwrite each other (validation stage 4).

Knows what git says and nothing live: a prefix that is not stated counts as none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from reconciler.core.model import UNSET, Address, Connection, Json, Namespace, Resource, Stream
from reconciler.core.normalize import naming_for, stream_key, stream_label
from reconciler.core.parse import Findings

_SOURCE_NAMESPACE: Final = "${SOURCE_NAMESPACE}"

Table: TypeAlias = tuple[str, Json, str]
"""(destination, namespace, name); two that are equal are the same table."""


def check_tables(resources: Iterable[Resource], findings: Mapping[Address, Findings]) -> None:
    """One error for each stream whose table another stream of any connection writes already."""
    first: dict[Table, tuple[Resource, int, Stream]] = {}
    for resource in resources:
        for index, stream, table in _tables(resource.spec):
            other, position, there = first.setdefault(table, (resource, index, stream))
            if other is resource and stream_key(stream) == stream_key(there):
                continue  # the stream itself, or the same one listed twice, which is said elsewhere
            place = other.locate(f"/spec/streams/{position}")
            findings[resource.address].error(
                "same-table",
                f"/spec/streams/{index}",
                f"stream {stream_label(stream_key(stream))!r} lands in the table of "
                f"{stream_label(stream_key(there))!r} of {other.address} "
                f"({place.file}:{place.line})",
                "tell them apart by prefix or destinationNamespace, or make one connection inactive",
            )


def _tables(connection: object) -> Iterator[tuple[int, Stream, Table]]:
    if not isinstance(connection, Connection) or connection.status == "inactive":
        return
    naming = naming_for({})
    destination = naming(connection.destination, "destination")
    source = naming(connection.source, "source")
    prefix = connection.prefix or ""
    for index, stream in enumerate(connection.streams or ()):
        if stream.destination_object_name is UNSET:
            namespace = _namespace(connection.namespace, stream, source)
            yield index, stream, (destination, namespace, f"{prefix}{stream.name}")


def _namespace(chosen: object, stream: Stream, source: str) -> Json:
    """None: the destination's own. A stream's namespace that git leaves out is that of its source, which
    equals itself and nothing else."""
    if not isinstance(chosen, Namespace) or chosen.mode == "destination":
        return None
    pattern = _SOURCE_NAMESPACE if chosen.mode == "source" else chosen.format
    if stream.namespace is UNSET and _SOURCE_NAMESPACE in pattern:
        return (pattern, source, stream.name)
    return pattern.replace(_SOURCE_NAMESPACE, stream.namespace or "") or None
