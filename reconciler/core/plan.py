"""The plan as a value: what will be done, why, what it does to data, and who accepted it.

Holds nothing secret and nothing that runs; two equal plans have equal bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from reconciler.core.again import Again
from reconciler.core.diagnostics import Diagnostic, Span, errors
from reconciler.core.diff import FieldChange
from reconciler.core.effects import ALONG, Effect
from reconciler.core.model import Address
from reconciler.core.written import Written

Action = Literal["create", "update", "replace", "delete"]

SYMBOLS: Final[Mapping[str, str]] = {"create": "+", "update": "~", "replace": "-/+", "delete": "-"}


@dataclass(frozen=True, slots=True)
class Change:
    """One object to be written. `refusals` are reasons that no consent lifts.

    `fingerprint` is the digest of the live object it was computed from ("" for a create); of a source
    or destination that goes, with the ids of all connections on it. `inactive`: a connection that is
    so afterwards, and runs nothing. `writes`: what git has written with it, as it may be compared.
    """

    address: Address
    action: Action
    name: str
    reason: str = ""
    live_id: str = ""
    fields: tuple[FieldChange, ...] = ()
    effects: tuple[Effect, ...] = ()
    refusals: tuple[str, ...] = ()
    depends_on: tuple[Address, ...] = ()
    level: int = 0
    fingerprint: str = ""
    span: Span | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    writes: tuple[Written, ...] = ()
    inactive: bool = field(default=False, compare=False)

    @property
    def blocked(self) -> bool:
        return bool(self.refusals) or any(effect.blocks for effect in self.effects)

    @property
    def along(self) -> int:
        """How many objects are deleted with it that have no change of their own."""
        return sum(effect.rule in ALONG for effect in self.effects)


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A live object that no manifest means."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Unstated:
    """Live values that git does not state: `field` of `count` places in one object."""

    address: Address
    field: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class HiddenSecret:
    """A secret whose live value the server hides, so that it was not compared."""

    address: Address
    pointer: str
    label: str


@dataclass(frozen=True, slots=True)
class NotCovered:
    unmanaged: tuple[Unmanaged, ...] = ()
    unstated: tuple[Unstated, ...] = ()
    secrets: tuple[HiddenSecret, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetLine:
    """The header: where this plan is for. `where` is a URL or says that it is embedded; `generation` says
    which releases the server is like, where that was seen; `chosen`: why this API, where neither target
    nor command states one; `again`: what printed commands repeat. These are for people, and no part of
    what is compared."""

    name: str
    where: str
    api: str
    workspace: str
    workspace_id: str
    generation: str = field(default="", compare=False)
    chosen: str = field(default="", compare=False)
    again: Again = field(default=Again(), compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """`changes` in the order in which they will be made. `digest` is of the canonical desired state.

    `complete`: nothing was left to be checked at apply; `errored`: diagnostics hold an error.
    """

    target: TargetLine
    digest: str
    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    unchanged: int = 0
    matched_by_name: int = 0
    new_tags: tuple[str, ...] = ()
    not_covered: NotCovered = NotCovered()
    complete: bool = True

    @property
    def errored(self) -> bool:
        return bool(errors(self.diagnostics))

    @property
    def blocked(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.blocked)

    @property
    def applyable(self) -> bool:
        return not self.errored and not self.blocked

    def count(self, action: Action) -> int:
        """Of deletions also those of objects that go with another one."""
        along = sum(change.along for change in self.changes) if action == "delete" else 0
        return Counter(change.action for change in self.changes)[action] + along
