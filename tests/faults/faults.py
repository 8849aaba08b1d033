"""What goes wrong with one request of an apply, as rules of the embedded Airbyte's chaos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Fault:
    """`rule` without its place; `lasting`: every request from there on, too; `settled`: the run itself finds
    out and comes to a good end; `untimely`: the request is carried out so long after its answer that nobody
    looks for it any more."""

    rule: str
    lasting: bool = False
    settled: bool = False
    untimely: bool = False

    def at(self, index: int) -> str:
        """The whole rule, for the so many-th request of an apply."""
        return f"* * {self.rule} {'from' if self.lasting else 'at'}={index}"


FAULTS: Final[Mapping[str, Fault]] = {
    "reset": Fault("reset"),
    "reset-after": Fault("reset-after", settled=True),
    "late": Fault("late=9"),
    "late-90s": Fault("late=90s"),
    "late-1h": Fault("late=3600s", untimely=True),
    "500": Fault("500"),
    "500-after": Fault("500 after"),
    "504-after": Fault("504 after", settled=True),
    "429": Fault("429", settled=True),
    "401": Fault("401", settled=True),
    "timeout": Fault("hang"),
    "timeout-after": Fault("hang after"),
    "truncate": Fault("truncate", settled=True),
    "down": Fault("reset", lasting=True),
    "revoked": Fault("401", lasting=True),
}
"""`down`: the server is gone from there on; `revoked`: the credentials are."""
