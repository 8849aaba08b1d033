"""What every law over pairs of worlds does: applies the first, lets time pass, and finds what the second
asks for."""

from __future__ import annotations

from reconciler import app
from reconciler.core.model import Address, Consent
from reconciler.core.plan import Plan
from reconciler.render import applied, text
from tests.properties.pairs import Pair
from tests.properties.server import Server
from tests.properties.stored import Stored
from tests.properties.worlds import World

APIS = ("public", "config")
_A_DAY = 86_400.0


def started(pair: Pair, server: Server) -> World:
    """The first world applied, a sync done, and what then happened to it; the project says the second."""
    first = server.apply(pair.before)
    assert isinstance(first, app.Applied), text.plan_text(first)
    assert first.exit_code == 0, [applied.event_line(failed) for failed in first.outcome.failed]
    server.wait(_A_DAY)
    server.sync_once()
    for incident in pair.incidents:
        incident.happen(server)
    following = pair.next_world(server)
    following.write(server.folder)
    return following


def consents_of(plan: Plan, before: Stored) -> tuple[list[Consent], frozenset[str]]:
    """All that the plan asks for, and the ids of connections that it makes us name."""
    asked = {
        (effect.name, change.address)
        for change in plan.changes
        for effect in change.effects
        if effect.blocks and effect.consent == "needed"
    }
    going = {c.live_id for c in plan.changes if c.action in ("delete", "replace")}
    unmanaged = {found.id for found in plan.not_covered.unmanaged}
    named = frozenset(
        user.id for actor in going for user in before.on(actor) if user.id in unmanaged
    )
    consents = [Consent((name,), (), address) for name, address in sorted(asked)]
    consents += [Consent(("delete",), (), Address("connection", each)) for each in sorted(named)]
    return consents, named
