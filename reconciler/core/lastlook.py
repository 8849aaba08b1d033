"""The last look after an apply: what still differs, as the two canonical forms, asked and live (design §6.8).

Nothing secret is in either: they are made of settled trees, in which secrets are tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core import redact
from reconciler.core.drafts.actor import settled_configurations
from reconciler.core.drafts.forms import settled_forms
from reconciler.core.model import (
    Address,
    Connection,
    ConnectorDefinition,
    Destination,
    Json,
    Live,
    Source,
)
from reconciler.core.normalize import naming_for
from reconciler.core.plan import Change
from reconciler.core.planning import Planned, Step


@dataclass(frozen=True, slots=True)
class StillDiffers:
    """`asked` is None for what was to be gone, `live` for what is not there."""

    change: Change
    asked: Json
    live: Json


def still_differing(planned: Planned, live: Live) -> tuple[StillDiffers, ...]:
    """Of each change of the plan that is made after an apply, in its order."""
    found = []
    for change in planned.plan.changes:
        asked, there = _forms(planned.steps[change.address], planned, live)
        found.append(StillDiffers(change, redact.shown(asked), redact.shown(there)))
    return tuple(found)


def _forms(step: Step, planned: Planned, live: Live) -> tuple[Json, Json]:
    current = step.live.spec if step.live is not None else None
    wanted = step.spec if step.spec is not None else current
    if isinstance(wanted, Connection):
        assert current is None or isinstance(current, Connection)  # noqa: S101 - kinds never cross
        forms = settled_forms(wanted, current, naming_for(_claimed(planned)))
        before, after = _connection(forms.before), _connection(forms.after)
    else:
        assert isinstance(wanted, Source | Destination)  # noqa: S101 - the only other kinds
        assert current is None or isinstance(current, Source | Destination)  # noqa: S101
        before, after = _actor(step, wanted, current, live)
    return (after if step.spec is not None else None), (before if current is not None else None)


def _claimed(planned: Planned) -> dict[tuple[str, str], Address]:
    """By id → address; what is still to be replaced is not what an address means now, but its id."""
    old = {
        (step.live.kind, step.live.id)
        for step in planned.steps.values()
        if step.change.action == "replace" and step.live is not None
    }
    return {key: address for key, address in planned.claims.address_of.items() if key not in old}


def _connection(form: Mapping[str, Json]) -> dict[str, Json]:
    """With its streams as a list: a name may hold dots."""
    streams = form.get("streams")
    if streams is None:
        return dict(form)
    listed = [
        {**({"namespace": namespace} if namespace else {}), "name": name, **stream}
        for (namespace, name), stream in sorted(streams.items())
    ]
    return {**form, "streams": listed}


def _actor(
    step: Step,
    wanted: Source | Destination,
    current: Source | Destination | None,
    live: Live,
) -> tuple[Json, Json]:
    if current is None or current.connector != wanted.connector:
        # Two connectors have no form in common; what is live is of no use to tell from the other.
        there = {"name": current.name, "connector": current.connector} if current else None
        return there, _shape(wanted, redact.tokens(wanted.configuration))
    # What goes may be of a connector that the server has no more.
    kind: Final = "source" if isinstance(wanted, Source) else "destination"
    unknown = ConnectorDefinition(kind, wanted.connector, wanted.connector, "")
    definition = next((d for d in live.definitions if d.id == wanted.connector), unknown)
    before, after, _ = settled_configurations(step.resource, wanted, current, definition)
    return _shape(current, before), _shape(wanted, after)


def _shape(spec: Source | Destination, configuration: Json) -> dict[str, Json]:
    return {"name": spec.name, "connector": spec.connector, "configuration": configuration}
