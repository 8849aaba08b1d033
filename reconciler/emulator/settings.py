"""What an embedded Airbyte is started with.

Knows nothing of the command line; everything that varies between two runs is a field here.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import anyio

from reconciler.emulator.chaos import Rule
from reconciler.emulator.generations import NEWEST, Generation

DEFAULT_WORKSPACE_ID: Final = "0d6f2a51-7c3e-4b8a-9e14-5a2c8f7b6d30"
DEFAULT_WORKSPACE_NAME: Final = "Default Workspace"

Profile = Literal["strict", "lenient"]
"""As the real server, or accepting more and saying more, so that hand-written documents run (CFG §12)."""


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one application that may ask for tokens; user and password where a generation has none."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chaos:
    """Misbehaviour from the start, until `POST /_emulator/chaos` replaces it; by default there is none.

    `page_seed` shuffles each list anew, as rows without ORDER BY may come (PUB §2).
    """

    rules: tuple[Rule, ...] = ()
    page_seed: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """`db` is a file path or ":memory:". `connectors` and `catalogs` are folders added to the built-in data.

    `token_ttl` counts seconds; `job_seconds` is how long a job runs, after it was pending for
    `queue_seconds`. `clock` gives epoch seconds, `sleep` waits some. `workers` is how many requests are
    answered at once (PUB-T 39). `sub_hourly` allows crons that run more than once an hour: the server's flag,
    on where nobody turned it off (PUB §4.2).
    """

    db: Path | str = ":memory:"
    profile: Profile = "strict"
    generation: Generation = NEWEST
    connectors: Path | None = None
    catalogs: Path | None = None
    auth: Credentials | None = None
    token_ttl: int = 900
    job_seconds: float = 1.0
    queue_seconds: float = 0.0
    workers: int = 5
    sub_hourly: bool = True
    chaos: Chaos = Chaos()
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    new_id: Callable[[], str] = _new_id
