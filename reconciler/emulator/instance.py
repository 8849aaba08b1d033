"""One running Airbyte: its store, its connectors and its clock, what it remembers, and the log of effects.

Knows nothing of either API; the rules take an Instance and change it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.model import Json
from reconciler.emulator import connectors, rows
from reconciler.emulator.chaos import Disorder, Rule
from reconciler.emulator.connectors import Connector
from reconciler.emulator.generations import Generation
from reconciler.emulator.run import Run
from reconciler.emulator.settings import (
    DEFAULT_WORKSPACE_ID,
    DEFAULT_WORKSPACE_NAME,
    Chaos,
    Settings,
)
from reconciler.emulator.store import Store

NOTIFICATIONS: Final = (
    "failure",
    "success",
    "connectionUpdate",
    "connectionUpdateActionRequired",
    "syncDisabled",
    "syncDisabledWarning",
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which one request is answered: what chaos has in store for the rules themselves."""

    discover_failure: str = ""
    """The connector's message of a live discover; none where it is empty."""
    order: str = ""
    """One of chaos.ORDERS where lists come in disorder, with the `random` to make it."""
    random: random.Random | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    settings: Settings
    store: Store
    connectors: Mapping[str, Connector]
    run: Run = field(default_factory=Run)
    conditions: Conditions = Conditions()

    @property
    def generation(self) -> Generation:
        return self.settings.generation

    @property
    def lenient(self) -> bool:
        return self.settings.profile == "lenient"

    @property
    def now(self) -> int:
        """Epoch seconds, as Airbyte keeps them."""
        return int(self.settings.clock())

    def new_id(self) -> str:
        return self.settings.new_id()

    def record(self, kind: str, **detail: Json) -> None:
        """Logs an effect, so that a test can prove what happened."""
        number = self.store.next_id(rows.Event)
        self.store.put(rows.Event(number, self.settings.clock(), kind, detail))


def open_instance(settings: Settings) -> Instance:
    """Raises ReconcilerError where the folder of connectors can't be read."""
    instance = Instance(settings, Store(settings.db), connectors.load(settings))
    instance.run.obey(_rules(settings.chaos))
    with instance.store.transaction():
        if not instance.store.count(rows.Workspace):
            instance.store.put(
                rows.Workspace(
                    DEFAULT_WORKSPACE_ID,
                    DEFAULT_WORKSPACE_NAME,
                    default_notifications(),
                    instance.now,
                )
            )
    return instance


def _rules(chaos: Chaos) -> tuple[Rule, ...]:
    if chaos.page_seed is None:
        return chaos.rules
    seed = chaos.page_seed
    text = f"GET * pages=shuffle seed={seed}"
    return (*chaos.rules, Rule(text, "GET", "*", Disorder("shuffle", seed)))


def default_notifications() -> dict[str, Json]:
    """Mail about everything except success (PUB §3.1)."""
    return {
        name: {"email": {"enabled": name != "success"}, "webhook": {"enabled": False}}
        for name in NOTIFICATIONS
    }
