"""Names of objects in the middle of a replacement: recognisable from live and manifests alone.

A replacement that was cut off is found again by such a name, whatever was lost with the process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_INTERIM = re.compile(
    r"(?P<name>.*) \(reconciler: replaces (?P<id>[0-9A-Za-z-]+)(, then (?P<status>active|inactive))?\)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Interim:
    """`name`: what it will be called; `replaced_id`: the object it replaces; `status`: of a connection,
    what it will have once the old one is gone ("" where that is not known)."""

    name: str
    replaced_id: str
    status: str = ""


def interim_name(interim: Interim) -> str:
    """What a new object is called until the old one is gone."""
    then = f", then {interim.status}" if interim.status else ""
    return f"{interim.name} (reconciler: replaces {interim.replaced_id}{then})"


def parse_interim(name: str) -> Interim | None:
    """None for any other name."""
    match = _INTERIM.fullmatch(name)
    return Interim(match["name"], match["id"], match["status"] or "") if match else None
