"""What a project file says of one target: where it is, who we are there, and what guards it.

Values only; how credentials are used is the business of transport.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core.model import Json, Secret


@dataclass(frozen=True, slots=True)
class Auth:
    """At most one of: client credentials, a token, username and password; headers besides."""

    client_id: str | Secret | None = None
    client_secret: str | Secret | None = None
    token: str | Secret | None = None
    username: str | Secret | None = None
    password: str | Secret | None = None
    headers: Mapping[str, str | Secret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares in percent of what the project claims; None: no limit."""

    deletes: float | None = None
    updates: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One workspace on one server. `url` is `embedded` or an address; paths are absolute. `referred`: the
    references that `url` and `workspace` come from, where they do, for what must not quote them; `origins`:
    these in full, the target's variables followed."""

    name: str
    url: str
    api: str = "auto"
    workspace: str | None = None
    auth: Auth = Auth()
    variables: Mapping[str, Json] = field(default_factory=dict)
    connectors: str | None = None
    catalogs: str | None = None
    prune: str = "none"
    limits: Limits = Limits()
    rules: Mapping[str, str] = field(default_factory=dict)
    referred: Mapping[str, str] = field(default_factory=dict, compare=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def told(self, setting: str) -> str:
        """A value that may still turn out to be no address or workspace, and might be anything."""
        return self.referred.get(setting) or repr(getattr(self, setting))
