"""What is left to be done by hand after a change: one command, never run by itself.

Reading history again costs hours and money, and emptying tables can't be undone: people decide that.
"""

from __future__ import annotations

from reconciler.core.again import command
from reconciler.core.jobs import config_in_reach
from reconciler.core.plan import Change, TargetLine
from reconciler.render.clean import clean


def follow_up(change: Change, target: TargetLine) -> str:
    """The command after which old and new rows follow one rule again, and when it helps; "" where nothing
    parts them."""
    parted = {
        stream
        for effect in change.effects
        if effect.name == "inconsistent"
        for stream in effect.streams
    }
    if not parted:
        return ""
    streams = sorted(map(clean, parted))
    if target.api != "config" and not config_in_reach(target.where):
        return f"refresh {', '.join(streams)} on Airbyte's own pages: this API can't"
    of_connection = change.address.kind == "connection"
    which = str(change.address) if of_connection else "connection/NAME"
    words = ("refresh", which, *(f"--stream={stream}" for stream in streams))
    again = command(target.again, words, api="" if target.api == "config" else "config")
    if not of_connection:
        return (
            "if what it reads or writes lies elsewhere now, for each active connection on it: "
            f"{again}"
        )
    if change.inactive:
        return f"once the connection is active, which it is not now: {again}"
    return again
