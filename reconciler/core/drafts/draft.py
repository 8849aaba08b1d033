"""A draft: one resource against its live object, before order, consent and guards."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.model import LiveObject, Resource, Spec, Update
from reconciler.core.plan import Change, HiddenSecret, Unstated


@dataclass(frozen=True, slots=True)
class Draft:
    """`change` is None where nothing differs. `unset`: labels of secrets it sends and does not have."""

    resource: Resource
    change: Change | None
    live: LiveObject | None = None
    spec: Spec | None = field(repr=False, default=None)
    update: Update | None = field(repr=False, default=None)
    unset: tuple[str, ...] = ()
    unstated: tuple[Unstated, ...] = ()
    secrets: tuple[HiddenSecret, ...] = ()

    @property
    def action(self) -> str:
        return self.change.action if self.change else "no-op"
