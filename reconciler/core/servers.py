"""What a server's address alone tells of the APIs that it has.

Airbyte Cloud has the public API; a self-managed server has both, at known paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

CLOUD: Final = "api.airbyte.com"
BASES: Final[Mapping[str, str]] = {"public": "/api/public/v1", "config": "/api/v1"}
"""Where a self-managed server has its APIs; a gateway may put a path before them."""


def is_cloud(url: str) -> bool:
    host = _split(url)[0]
    return host == "airbyte.com" or host.endswith(".airbyte.com")


def api_of_path(url: str) -> str | None:
    """The API of a self-managed server whose base the url is; None where its path is another, or none."""
    path = _split(url)[1]
    return next((api for api, base in BASES.items() if path.endswith(base)), None)


def is_bare(url: str) -> bool:
    """Whether it leaves open which API is meant: `embedded` does, and a url without a path."""
    return not is_cloud(url) and not (_split(url)[0] and _split(url)[1])


def at_api(url: str, api: str) -> str | None:
    """The url for one of the APIs of the same server; None where that can't be told, or there is none."""
    if is_bare(url):
        return url
    there = api_of_path(url)
    if is_cloud(url) or there is None:
        return None
    base = url.rstrip("/")
    return base.removesuffix(BASES[there]) + BASES[api]


def _split(url: str) -> tuple[str, str]:
    """Host and path; no host for what is no url."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.path.rstrip("/")
    except ValueError:
        return "", ""
