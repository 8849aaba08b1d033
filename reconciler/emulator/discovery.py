"""What a source offers: catalogs from files, kept until something makes them stale (PUB §5).

Stands in for running a connector; knows nothing of what a connection selects.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from reconciler.core.model import Json
from reconciler.emulator.connectors import Connector
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import ConnectorFailed, NotFound
from reconciler.emulator.rows import Actor, Catalog, Offer, PastCatalog

_STREAM_KEYS: Final = (
    "name",
    "namespace",
    "json_schema",
    "supported_sync_modes",
    "source_defined_cursor",
    "default_cursor_field",
    "source_defined_primary_key",
    "is_resumable",
    "is_file_based",
)


def discover(
    instance: Instance, source: Actor, connector: Connector, *, ignore_cache: bool = False
) -> Catalog:
    """The last catalog if nothing changed since, else a live run. Raises ConnectorFailed."""
    if source.tombstone:
        raise NotFound("SOURCE_CONNECTION", source.id)
    found = None if ignore_cache else cached(instance, source, connector)
    return found if found is not None else run(instance, source, connector)


def cached(instance: Instance, source: Actor, connector: Connector) -> Catalog | None:
    """The last catalog, if nothing changed since."""
    last = instance.store.get(Catalog, source.id)
    is_fresh = last is not None and last.fingerprint == _fingerprint(source, connector)
    return last if is_fresh else None


def run(instance: Instance, source: Actor, connector: Connector) -> Catalog:
    """Asks the source. What it offered before keeps its catalog's id (CFG §4). Raises ConnectorFailed."""
    instance.record("discover_ran", sourceId=source.id, name=source.name)
    if instance.conditions.discover_failure:
        raise ConnectorFailed(instance.conditions.discover_failure)
    streams = visible(source, held(instance, source, connector))
    catalog_id = _put_by(instance, source, streams) or instance.new_id()
    fingerprint = _fingerprint(source, connector)
    catalog = Catalog(source.id, catalog_id, fingerprint, streams, instance.now)
    instance.store.put(catalog)
    return catalog


def by_id(instance: Instance, catalog_id: str) -> list[Json] | None:
    """The streams of a catalog that was discovered at any time; None where there was no such catalog."""
    current = instance.store.select(Catalog, "catalog_id = ?", (catalog_id,), limit=1)
    found = current[0] if current else instance.store.get(PastCatalog, catalog_id)
    return list(found.streams) if found is not None else None


def _put_by(instance: Instance, source: Actor, streams: Sequence[Json]) -> str | None:
    """Keeps the catalog that will be replaced; gives the id under which the same streams are known."""
    last = instance.store.get(Catalog, source.id)
    if last is None or last.streams == streams:
        return last.catalog_id if last else None
    instance.store.put(PastCatalog(last.catalog_id, source.id, last.streams))
    earlier = instance.store.select(PastCatalog, "source_id = ?", (source.id,))
    return next((past.id for past in earlier if past.streams == streams), None)


def _fingerprint(source: Actor, connector: Connector) -> str:
    """Of the image tag and the stored configuration, coordinates included: so re-sending an equal secret
    makes the catalog stale too."""
    stored = json.dumps(source.configuration, sort_keys=True)
    tagged = f"{connector.definition.docker_tag}\n{stored}"
    return hashlib.md5(tagged.encode(), usedforsecurity=False).hexdigest()


def held(instance: Instance, source: Actor, connector: Connector) -> list[Json]:
    """Everything in the source by now: its catalog file, unless it was changed since (propagation.py).
    Raises ConnectorFailed."""
    changed = instance.store.get(Offer, source.id)
    if changed is not None:
        streams: list[Json] = changed.streams
        return streams
    return _from_file(instance, source, connector)


def visible(source: Actor, streams: Sequence[Json]) -> list[Json]:
    """As database sources do: only the schemas that the configuration names are looked at."""
    wanted = (source.configuration or {}).get("schemas")
    if isinstance(wanted, list) and wanted:
        return [stream for stream in streams if stream.get("namespace") in wanted]
    return list(streams)


def _from_file(instance: Instance, source: Actor, connector: Connector) -> list[Json]:
    short_name = connector.definition.short_name
    file = _catalog_file(instance.settings.catalogs, source.name, short_name)
    if file is None:
        raise ConnectorFailed(
            f"The embedded Airbyte has no catalog for the connector {short_name!r}. Give it one:"
            f" {short_name}.json or {source.name}.json in the folder of catalogs (--catalogs)."
        )
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["streams"]
        return [described(entry["stream"]) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConnectorFailed(f"The catalog {file.name} can't be read: {error!r}") from error


def _catalog_file(folder: Path | None, source_name: str, short_name: str) -> Traversable | None:
    """A file of the source's name wins over one of the connector's, the folder over the built-in ones.

    Found by listing, never by joining: a source's name is whatever a caller sent.
    """
    built_in = resources.files("reconciler.emulator") / "data" / "catalogs"
    own: dict[str, Traversable] = {file.name: file for file in built_in.iterdir()}
    given: dict[str, Traversable] = {}
    if folder is not None and folder.is_dir():
        given = {file.name: file for file in folder.iterdir() if file.is_file()}
    for files, name in ((given, source_name), (given, short_name), (own, short_name)):
        if f"{name}.json" in files:
            return files[f"{name}.json"]
    return None


def described(entry: Mapping[str, Json]) -> dict[str, Json]:
    """One stream in Airbyte's protocol form, complete. Raises KeyError where it has no name."""
    stream = {key: entry[key] for key in _STREAM_KEYS if entry.get(key) is not None}
    stream["name"] = str(entry["name"])
    stream.setdefault("json_schema", {})
    stream.setdefault("supported_sync_modes", ["full_refresh"])
    stream.setdefault("source_defined_cursor", False)
    stream.setdefault("default_cursor_field", [])
    stream.setdefault("source_defined_primary_key", [])
    return stream
