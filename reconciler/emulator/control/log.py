"""What happened: the effects of requests on what Airbyte keeps, and the requests themselves."""

from __future__ import annotations

import dataclasses

from starlette.responses import JSONResponse, Response

from reconciler.emulator import rows
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.instance import Instance
from reconciler.emulator.public import fields


def events(instance: Instance, call: Call) -> Response:
    """All effects so far, oldest first; `?after=` leaves out those up to a number."""
    found = instance.store.select(rows.Event, "id > ?", (_after(call),))
    return JSONResponse(
        {
            "events": [
                {"number": event.id, "at": event.at, "kind": event.kind, **event.detail}
                for event in found
            ]
        }
    )


def requests(instance: Instance, call: Call) -> Response:
    """The latest requests to Airbyte's paths since the start, with what chaos did to them; `?after=` as
    above."""
    after = _after(call)
    found = [dataclasses.asdict(seen) for seen in instance.run.requests if seen.index > after]
    return JSONResponse({"requests": found})


def _after(call: Call) -> int:
    return fields.query_number(call, "after", 0, 0, 10**9 - 1)


ENDPOINTS = (
    Endpoint("GET", "/events", events, open=True),
    Endpoint("GET", "/requests", requests, open=True),
)
