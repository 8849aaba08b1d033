"""Connector definitions from a folder of files, or from Airbyte's registry: one JSON, as file or by URL.

Reads what the target names; what a definition means is core.connector's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from reconciler.core.connector import parse_definition
from reconciler.core.diagnostics import Diagnostic, Span, in_order
from reconciler.core.jsontext import NotJson, read_json
from reconciler.core.model import ConnectorDefinition, Json
from reconciler.manifests.files import read_file
from reconciler.transport.answers import Answer

LARGEST_REGISTRY: Final = 64 * 1024 * 1024
"""Bytes; Airbyte's own registry holds about a third of that."""
_TIMEOUT: Final = httpx.Timeout(60, connect=10)
_REGISTRY_KINDS: Final = (
    ("source", "sources", "sourceDefinitionId"),
    ("destination", "destinations", "destinationDefinitionId"),
)

_FORMS: Final = (
    "`connectors` names a folder of connector files, or Airbyte's registry JSON as file or URL"
)
_UNREACHED: Final = "is the address right, and can it be reached from here? A file will do as well"
_ERRNO: Final = re.compile(r"^\[Errno -?[0-9]+\] ")

Loaded = tuple[tuple[ConnectorDefinition, ...], tuple[Diagnostic, ...]]


def load_connectors(place: str | Path) -> Loaded:
    """`place` is a folder, a file, or an http(s) URL. Definitions sorted by kind, name and id; what can't
    be read is in the diagnostics."""
    if isinstance(place, str) and place.startswith(("http://", "https://")):
        return _by_url(place)
    path = Path(place)
    definitions: list[ConnectorDefinition] = []
    found: list[Diagnostic] = []
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        found.append(_problem("the folder holds no connector file (*.json)", Span(str(path), 1, 1)))
    for file in files:
        try:
            definitions += _parsed(read_file(file, LARGEST_REGISTRY))
        except OSError as error:
            found.append(_problem(f"can't be read: {error.strerror}", Span(str(file), 1, 1)))
        except _NotConnectors as bad:
            found.append(_problem(str(bad), Span(str(file), bad.line, bad.column)))
    return _sorted(definitions), in_order(found)


def _by_url(text: str) -> Loaded:
    """One GET without credentials. Redirects are not followed: what is in git is what is asked."""
    shown = ""
    try:
        url = httpx.URL(text)
        shown = str(url.copy_with(userinfo=b"", query=None, fragment=None))
        if url.userinfo:
            return (), (_problem(f"{shown}: the url holds credentials, and they stand in git"),)
        return _sorted(_parsed(_fetched(url))), ()
    except httpx.InvalidURL:
        return (), (_problem("the url is not valid"),)
    except httpx.HTTPError as error:
        reason = _ERRNO.sub("", str(error)).rstrip(".") or type(error).__name__
        return (), (_problem(f"{shown}: no answer that can be used ({reason})", hint=_UNREACHED),)
    except _NotConnectors as bad:
        return (), (_problem(f"{shown}: {bad}"),)


def _fetched(url: httpx.URL) -> bytes:
    """Raises httpx.HTTPError, or _NotConnectors for an answer that holds none."""
    body = bytearray()
    with (
        httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as client,
        client.stream("GET", url, headers={"User-Agent": "airbyte-reconciler"}) as response,
    ):
        if response.is_redirect:
            to = Answer(response.status_code, headers=response.headers).where_to
            raise _NotConnectors(f"the server redirects to {to}, which is not followed")
        if response.status_code != HTTPStatus.OK:
            raise _NotConnectors(f"the server answered {response.status_code}")
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_REGISTRY:
                limit = LARGEST_REGISTRY // 1024**2
                raise _NotConnectors(f"larger than {limit} MB")
    return bytes(body)


class _NotConnectors(Exception):
    """What was read holds no definitions; the text says why and quotes nothing of it."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def _parsed(content: bytes) -> list[ConnectorDefinition]:
    if len(content) > LARGEST_REGISTRY:
        raise _NotConnectors(f"larger than {LARGEST_REGISTRY // 1024**2} MB")
    try:
        return list(_definitions(read_json(content)))
    except NotJson as bad:
        raise _NotConnectors("not JSON", bad.line, bad.column) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _NotConnectors("not a connector definition, nor Airbyte's registry") from None


def _definitions(data: Json) -> Iterator[ConnectorDefinition]:
    if "definitionId" in data:
        yield parse_definition(data)
        return
    entries = [
        (kind, entry, entry[id_key])
        for kind, key, id_key in _REGISTRY_KINDS
        for entry in data.get(key, ())
    ]
    if not entries:
        raise ValueError("neither form")
    for kind, entry, definition_id in entries:
        yield parse_definition(
            {
                **entry,
                "type": kind,
                "definitionId": definition_id,
                "connectionSpecification": _specification(entry),
            }
        )


def _specification(entry: Mapping[str, Json]) -> Json:
    return (entry.get("spec") or {}).get("connectionSpecification")


def _sorted(definitions: list[ConnectorDefinition]) -> tuple[ConnectorDefinition, ...]:
    return tuple(sorted(definitions, key=lambda d: (d.kind, d.name, d.id)))


def _problem(message: str, span: Span | None = None, hint: str = _FORMS) -> Diagnostic:
    return Diagnostic(code="connector-file-invalid", message=message, hint=hint, span=span)
