"""What a change can do to data, by name: each effect, what it says and whether somebody must consent.

When an effect occurs is the business of effect_rules; who accepted it that of policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from reconciler.core.diagnostics import Span

Consenting = Literal["needed", "none", "refused"]


@dataclass(frozen=True, slots=True)
class EffectKind:
    """`consent`: needed before apply, none, or the change is refused outright."""

    name: str
    consent: Consenting
    says: str


EFFECTS: Final[Mapping[str, EffectKind]] = {
    kind.name: kind
    for kind in (
        EffectKind(
            "replace", "needed", "a new object takes its place; ids and saved positions are new"
        ),
        EffectKind(
            "delete", "needed", "the object and the saved positions of its streams are deleted"
        ),
        EffectKind("overwrites-table", "needed", "the next sync replaces the table"),
        EffectKind(
            "state-loss", "needed", "the saved position is deleted at once; there is no undo"
        ),
        EffectKind("duplicates", "needed", "rows that the table already holds are appended again"),
        EffectKind(
            "inconsistent", "needed", "old and new rows no longer follow one rule or one place"
        ),
        EffectKind("pii-exposure", "needed", "columns are written in clear that were not before"),
        EffectKind("secret-loss", "needed", "a secret that only the server knows is removed"),
        EffectKind(
            "reactivate", "needed", "syncs start again; Airbyte or a person had stopped them"
        ),
        EffectKind("adopt", "needed", "first write to an object that the record doesn't hold"),
        EffectKind(
            "data-erase",
            "needed",
            "the destination's tables are emptied; only `clear` and a truncating refresh do this",
        ),
        EffectKind("schedule-shift", "refused", "this API can't write the schedule as it is"),
        EffectKind("stops-data", "none", "data stops arriving"),
        EffectKind("starts-sync", "none", "Airbyte starts a sync as soon as this is written"),
        EffectKind(
            "rediscover", "none", "the next stream change of this source runs a live discovery"
        ),
        EffectKind("accepts-schema", "none", "the newest discovered schema is taken"),
    )
}


ALONG: Final = frozenset({"taken-along", "left-behind"})
"""Rules of effects that each stand for one more object that is deleted with the changed one."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of one change. `rule` names the row; `streams` are labels, empty for the whole object."""

    name: str
    rule: str
    streams: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    accepted: str = ""
    span: Span | None = None

    @property
    def consent(self) -> Consenting:
        return EFFECTS[self.name].consent

    @property
    def blocks(self) -> bool:
        return self.consent == "refused" or (self.consent == "needed" and not self.accepted)
