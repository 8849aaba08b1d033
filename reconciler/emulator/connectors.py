"""Which connectors the emulator has: its own data files, and those of a folder.

Knows the form of a connector file, nothing of workspaces or configurations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from reconciler.core.connector import parse_definition
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.model import ConnectorDefinition, Json
from reconciler.emulator.settings import Settings

_UNLISTED: Final = frozenset(
    {
        "airbyte/destination-customer-io",
        "airbyte/destination-dev-null",
        "airbyte/destination-motherduck",
        "airbyte/destination-pgvector",
        "airbyte/source-rest-api",
    }
)
"""Not in the real server's fixed list of type names, so their type reads "" (PUB §3.2)."""


_SERVER_OUTPUT: Final = "complete_oauth_server_output_specification"


@dataclass(frozen=True, slots=True)
class Connector:
    definition: ConnectorDefinition
    documentation_url: str | None
    destination_modes: tuple[str, ...]
    suggested_streams: frozenset[str]
    moves_files: bool
    supports_refreshes: bool = False
    """Whether a destination can take a stream anew beside what it holds of it; all can unless their file
    says otherwise."""
    support_level: str = "community"
    release_stage: str = "generally_available"
    source_type: str | None = None
    advanced_auth: Json = None
    """As the connector's spec has it, in snake_case."""

    @property
    def is_custom(self) -> bool:
        return not self.definition.docker_repository.startswith("airbyte/")

    @property
    def oauth_outputs(self) -> tuple[tuple[str, ...], ...]:
        """Where an OAuth flow writes its results in a configuration."""
        specification = (self.advanced_auth or {}).get("oauth_config_specification") or {}
        outputs = (
            (specification.get(name) or {}).get("properties") or {}
            for name in ("complete_oauth_output_specification", _SERVER_OUTPUT)
        )
        paths = (
            field.get("path_in_connector_config") for part in outputs for field in part.values()
        )
        return tuple(sorted(tuple(path) for path in paths if path))

    @property
    def type_name(self) -> str:
        """What `sourceType`/`destinationType` say: the short name, or "" where Airbyte's list has none."""
        repository = self.definition.docker_repository
        if repository in _UNLISTED or not repository.startswith(f"airbyte/{self.definition.kind}-"):
            return ""
        return self.definition.short_name


def load(settings: Settings) -> dict[str, Connector]:
    """All connectors by definition id; a file of the folder replaces a built-in one of the same
    definition id or docker repository."""
    found: dict[str, Connector] = {}
    for name, data in _built_in():
        _add(found, _connector(name, data))
    if settings.connectors is not None:
        for name, data in _folder(settings.connectors):
            _add(found, _connector(name, data))
    if settings.profile == "lenient":
        found = {key: _lenient(connector) for key, connector in found.items()}
    return dict(sorted(found.items()))


def connectors(settings: Settings) -> tuple[ConnectorDefinition, ...]:
    """The definitions with their specs, so that a client can validate against what this emulator has."""
    definitions = [connector.definition for connector in load(settings).values()]
    return tuple(sorted(definitions, key=lambda d: (d.kind, d.docker_repository, d.id)))


def _lenient(connector: Connector) -> Connector:
    """Also takes the lower-case codecs that hand-written documents have (CFG §12)."""
    definition = replace(connector.definition, spec=_with_lower_codecs(connector.definition.spec))
    return replace(connector, definition=definition)


def _with_lower_codecs(node: Json, name: str = "") -> Json:
    if isinstance(node, list):
        return [_with_lower_codecs(part) for part in node]
    if not isinstance(node, dict):
        return node
    result = {key: _with_lower_codecs(part, key) for key, part in node.items()}
    words = result.get("enum")
    if name == "compression_codec" and isinstance(words, list):
        lower = [word.lower() for word in words if isinstance(word, str)]
        result["enum"] = list(dict.fromkeys([*words, *lower]))
    return result


def _add(found: dict[str, Connector], new: Connector) -> None:
    repository = new.definition.docker_repository
    for known_id, known in list(found.items()):
        if known.definition.docker_repository == repository:
            del found[known_id]
    found[new.definition.id] = new


def _connector(name: str, data: Json) -> Connector:
    try:
        definition = parse_definition(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ReconcilerError(
            f"{name} is not a connector file: {error!r}",
            hint="It needs definitionId, name, type, dockerRepository and connectionSpecification.",
        ) from error
    extras = data.get("specExtras") or {}
    refreshes = data.get("supportsRefreshes", definition.kind == "destination") is True
    return Connector(
        definition=definition,
        documentation_url=data.get("documentationUrl"),
        destination_modes=_modes(
            extras.get("supported_destination_sync_modes") or (), refreshes=refreshes
        ),
        supports_refreshes=refreshes,
        suggested_streams=frozenset((data.get("suggestedStreams") or {}).get("streams") or ()),
        moves_files=bool(data.get("supportsFileTransfer", False)),
        support_level=data.get("supportLevel") or "community",
        release_stage=data.get("releaseStage") or "generally_available",
        source_type=data.get("sourceType"),
        advanced_auth=extras.get("advanced_auth"),
    )


def _modes(listed: Sequence[str], *, refreshes: bool) -> tuple[str, ...]:
    """Those the connector lists, and overwrite_dedup where it can be put together from them (CFG §2)."""
    both = {"append_dedup", "overwrite"} <= set(listed)
    extra = ("overwrite_dedup",) if both and refreshes else ()
    return (*listed, *(mode for mode in extra if mode not in listed))


def _built_in() -> Iterator[tuple[str, Json]]:
    yield from _files(resources.files("reconciler.emulator") / "data" / "connectors")


def _folder(folder: Path) -> Iterator[tuple[str, Json]]:
    if not folder.is_dir():
        raise ReconcilerError(
            f"No folder of connectors at {folder}", hint="Give a folder of connector JSON files."
        )
    yield from _files(folder)


def _files(folder: Traversable) -> Iterator[tuple[str, Json]]:
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".json") and file.is_file():
            try:
                yield file.name, json.loads(file.read_text(encoding="utf-8"))
            except (ValueError, RecursionError) as error:
                raise ReconcilerError(f"{file.name} is not JSON: {error}") from error
