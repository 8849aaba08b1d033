"""Where in the manifests a change stands: from a plan's pointers to files and lines."""

from __future__ import annotations

from reconciler.core.diagnostics import Span
from reconciler.core.model import UNSET, Connection, Resource, Stream
from reconciler.core.normalize import stream_key, stream_label


def place_of(resource: Resource, pointer: str) -> Span:
    """The place of `/schedule`, `/configuration/host` or `/streams[public.orders]/syncMode`, or of the
    nearest thing around it that the manifest has."""
    if pointer.startswith("/streams["):
        label, _, field = pointer.removeprefix("/streams[").rpartition("]")
        index = stream_index(resource, label)
        return resource.locate(
            "/spec/streams" if index is None else f"/spec/streams/{index}{field}"
        )
    return resource.locate(f"/spec{pointer}")


def stream_index(resource: Resource, label: str) -> int | None:
    """Which entry of `spec.streams` means the stream with this label."""
    spec = resource.spec
    streams = (
        spec.streams if isinstance(spec, Connection) and isinstance(spec.streams, tuple) else ()
    )
    return next((index for index, stream in enumerate(streams) if _means(stream, label)), None)


def _means(stream: Stream, label: str) -> bool:
    if stream_label(stream_key(stream)) == label:
        return True
    return stream.namespace is UNSET and label.endswith(f".{stream.name}")
