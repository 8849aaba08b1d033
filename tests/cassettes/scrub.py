"""What never reaches a cassette: credentials and configuration secrets, by path; and what is only noise.

Pure functions on vcrpy's requests and responses. Applied twice they change nothing more, as vcrpy does.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from vcr.request import Request

from reconciler.core.connector import secret_pointers, unescape
from reconciler.core.model import is_mask
from reconciler.emulator.app import connectors
from reconciler.emulator.settings import Settings

SCRUBBED: Final = "SCRUBBED"
ORIGIN: Final = ("https", "airbyte.example.com")
"""Where every recorded request went, whatever server answered it."""

_CREDENTIALS: Final = frozenset({"client_id", "client_secret", "access_token"})
_KEPT_HEADER: Final = "content-type"


def scrubbed_request(request: Request) -> Request:
    """The request as it is recorded, and as one is compared with what was recorded."""
    parts = urlsplit(request.uri)
    return Request(
        request.method,
        urlunsplit((*ORIGIN, parts.path, parts.query, "")),
        _body(request.body),
        {name: text for name, text in request.headers.items() if name.lower() == _KEPT_HEADER},
    )


def scrubbed_response(response: dict[str, Any]) -> dict[str, Any]:
    headers = response["headers"].items()
    return {
        **response,
        "headers": {name: text for name, text in headers if name.lower() == _KEPT_HEADER},
        "body": {"string": _body(response["body"]["string"])},
    }


def _body(body: bytes | None) -> bytes | None:
    """JSON over several lines, so that a cassette can be read and compared; other bodies as they are."""
    if not body:
        return body
    try:
        data = json.loads(body)
    except ValueError:
        return body
    return json.dumps(scrubbed(data), indent=1, ensure_ascii=False).encode()


def scrubbed(node: Any) -> Any:
    if isinstance(node, list):
        return [scrubbed(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _value(key, value) for key, value in node.items()}


def _value(key: str, value: Any) -> Any:
    if key in _CREDENTIALS:
        return SCRUBBED
    if key == "configuration":
        return _configuration(value)
    if key == "mapperConfiguration" and "key" in value:
        return {**value, "key": _secret(value["key"])}
    return scrubbed(value)


def _configuration(value: Any) -> Any:
    """Without what any connector that is known here calls a secret at this path."""
    pointers = {at for spec in _specs() for at in secret_pointers(spec, value)}
    for pointer in sorted(pointers):
        value = _replaced(value, [unescape(token) for token in pointer.split("/")[1:]])
    return value


def _replaced(node: Any, path: list[str]) -> Any:
    if not path:
        return _secret(node)
    if isinstance(node, list):
        index = int(path[0])
        return [*node[:index], _replaced(node[index], path[1:]), *node[index + 1 :]]
    if not isinstance(node, dict):
        return node
    return {**node, path[0]: _replaced(node[path[0]], path[1:])}


def _secret(value: Any) -> Any:
    """The mask is what a server shows instead of a secret, and what the product has to see."""
    return value if is_mask(value) else SCRUBBED


@cache
def _specs() -> tuple[Any, ...]:
    return tuple(definition.spec for definition in connectors(Settings()))
