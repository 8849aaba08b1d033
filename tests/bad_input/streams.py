"""Streams against what their source offers (validation stage 6): source and destination are live."""

from __future__ import annotations

from tests.bad_input.case import Case, case
from tests.bad_input.project import CATALOG, CONNECTION, CUSTOMERS, catalog, stream
from tests.emulator.builders import Airbyte, postgres

POSTGRES_DESTINATION = "25c5221d-dce2-4163-ade9-739ef790f503"

_WIDE = " ".join(f"c{number}" for number in range(20_000))
_DEDUPED = "syncMode: incremental_deduped_history, cursorField: updated_at"


def _stream(name: str, entry: str, *codes: str) -> Case:
    """One more stream in the selection, written as `entry`."""
    return case(
        name,
        (CONNECTION, CUSTOMERS, f"{CUSTOMERS}    - {{{entry}}}\n"),
        applied=True,
        command=("plan",),
        codes=codes,
    )


def _actors_alone(server: Airbyte) -> None:
    """As the manifests have them, made by hand: nothing was discovered yet."""
    server.source("shop", **postgres(host="db.example.com"))
    loader = postgres(host="db.example.com", schema="raw", database="warehouse", username="loader")
    server.destination("warehouse", POSTGRES_DESTINATION, **loader)


CASES = (
    _stream("unknown-stream", "name: ordres, cursorField: updated_at", "unknown-stream"),
    _stream(
        "wrong-namespace",
        "name: products, namespace: sales, cursorField: updated_at",
        "wrong-namespace",
    ),
    _stream("ambiguous-namespace", "name: log, cursorField: updated_at", "ambiguous-namespace"),
    _stream("unsupported-mode", "name: totals, cursorField: day", "unsupported-sync-mode"),
    _stream("incremental-without-cursor", "name: products", "cursor-missing"),
    _stream("cursor-the-source-defines", "name: events, cursorField: id", "cursor-source-defined"),
    _stream("dedup-without-key", f"name: products, {_DEDUPED}", "key-missing"),
    _stream(
        "key-the-source-defines",
        f"name: invoices, {_DEDUPED}, primaryKey: total",
        "key-source-defined",
    ),
    _stream(
        "unknown-column",
        "name: products, cursorField: updated_at, columns: [id, skuu, updated_at]",
        "unknown-column",
    ),
    _stream(
        "columns-unresolved",
        "name: products, cursorField: updated_at, columns: {except: [skuu]}",
        "columns-unresolved",
        "unknown-column",
    ),
    case(
        "too-many-fields",
        files={
            CATALOG: catalog(
                stream("orders", "public", f"{_WIDE} updated_at"),
                stream("customers", "public", "id updated_at"),
            )
        },
        command=("plan",),
        people=_actors_alone,
        codes=("too-many-fields",),
    ),
    case(
        "discovery-failed",
        files={CATALOG: "not a catalog"},
        command=("plan",),
        people=_actors_alone,
        exit=0,
        codes=("discovery-failed",),
    ),
)
