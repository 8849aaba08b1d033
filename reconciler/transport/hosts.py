"""Which hosts may be spoken to at all: a list that the machine states, not the project.

Pure. A repository can point a target anywhere; where credentials may go is the runner's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

import httpx

from reconciler.core.diagnostics import Refused

VARIABLE: Final = "RECONCILER_ALLOWED_HOSTS"
_PORTS: Final = {"https": 443, "http": 80}


def allowed_hosts(text: str | None) -> tuple[str, ...] | None:
    """The variable's value as patterns; None where it is not set, so that every host is allowed. Set and
    empty allows none: a guard that says nothing must not let everything through."""
    if text is None:
        return None
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def refuse_host(
    url: httpx.URL, allowed: Sequence[str] | None, what: str, reference: str | None = None
) -> None:
    """Raises Refused where the url's host matches no pattern. `what` names who wants to speak to it. What a
    `reference` brings may be no host at all, and is not quoted."""
    host, port = url.host.lower(), url.port or _PORTS.get(url.scheme, 0)
    if allowed is None or any(_matches(pattern, host, port) for pattern in allowed):
        return
    where = f"{host}:{url.port}" if url.port else host
    where = f"of {reference}" if reference else where
    raise Refused(
        f"{what}: the host {where} is not in {VARIABLE}, and nothing was sent",
        hint=f"if it is meant, add it where {VARIABLE} is set ({', '.join(allowed) or 'empty now'})",
    )


def _matches(pattern: str, host: str, port: int) -> bool:
    """`host`, `host:port`, `[v6]:port`, each part a glob; without a port, any port."""
    wanted_host, wanted_port = pattern, "*"
    if pattern.startswith("["):
        wanted_host, _, rest = pattern[1:].partition("]")
        wanted_port = rest.removeprefix(":") or "*"
    elif pattern.count(":") == 1:
        wanted_host, _, wanted_port = pattern.partition(":")
    return fnmatchcase(host, wanted_host) and fnmatchcase(str(port), wanted_port or "*")
