"""Manifests against what is live, and the guards of a plan."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bad_input.case import case
from tests.bad_input.project import (
    CONNECTION,
    CUSTOMERS,
    DESTINATION,
    FILES,
    ORDERS,
    PROJECT,
    SOURCE,
)
from tests.emulator.builders import Airbyte, postgres

_PIN = "11111111-2222-4333-8444-555555555555"


def _two_shops(server: Airbyte) -> None:
    server.source("shop")
    server.source("shop")


def _source_id(server: Airbyte) -> Mapping[str, str]:
    return {"SOURCE_ID": server.listed("sources")[0]["sourceId"]}


def _store(server: Airbyte) -> None:
    configuration = postgres(host="db.example.com")
    server.source("store", **configuration)


def _moved_away(server: Airbyte) -> None:
    source = server.listed("sources")[0]
    configuration = {"configuration": {"host": "fail.invalid"}}
    server.made("PATCH", f"/sources/{source['sourceId']}", json=configuration)


def _cut_off(server: Airbyte) -> None:
    """A replacement of the source that got no further than to its first write."""
    source = server.listed("sources")[0]
    name = f"shop (reconciler: replaces {source['sourceId']})"
    server.source(name, **postgres(host="db.example.com"))


def _syncing(server: Airbyte) -> None:
    connection = server.listed("connections")[0]
    body = {"connectionId": connection["connectionId"], "jobType": "sync"}
    server.made("POST", "/jobs", json=body)


_ELSEWHERE = "{name: shop-to-warehouse, targets: [production]}"

CASES = (
    case(
        "check-failed",
        (SOURCE, "    host: db.example.com\n", "    host: fail.invalid\n"),
        applied=True,
        people=_moved_away,
        command=("plan", "--check", "--api", "config"),
        codes=("check-failed",),
    ),
    case("ambiguous-live-name", people=_two_shops, command=("plan",), codes=("ambiguous-name",)),
    case(
        "pin-not-live",
        (SOURCE, "{name: shop}", f"{{name: shop, ids: {{local: {_PIN}}}}}"),
        command=("plan",),
        codes=("pin-not-live",),
    ),
    case(
        "claimed-twice",
        (SOURCE, "{name: shop}", '{name: shop, ids: {local: "@SOURCE_ID@"}}'),
        files={
            "manifests/more.yaml": FILES[SOURCE].replace(
                "{name: shop}", '{name: store, ids: {local: "@SOURCE_ID@"}}'
            )
        },
        applied=True,
        people=_source_id,
        command=("plan",),
        codes=("claimed-twice",),
    ),
    case(
        "keep-without-secret",
        (SOURCE, "${env:SHOP_PASSWORD}", "${keep}"),
        command=("plan",),
        codes=("keep-without-secret",),
    ),
    case(
        "keep-in-another-form",
        (
            SOURCE,
            "    port: 5432\n",
            "    port: 5432\n    ssl_mode: {mode: verify-ca, ca_certificate: '${keep}'}\n",
        ),
        applied=True,
        command=("plan",),
        codes=("keep-without-secret",),
    ),
    case(
        "streams-missing",
        (CONNECTION, f"  streams:\n{ORDERS}{CUSTOMERS}", ""),
        command=("plan",),
        codes=("streams-missing",),
    ),
    case(
        "left-behind",
        applied=True,
        people=_cut_off,
        command=("plan",),
        exit=0,
        codes=("left-behind",),
        placed=False,
    ),
    case(
        "looks-like-rename",
        people=_store,
        command=("plan",),
        codes=("looks-like-rename",),
    ),
    # selections and guards
    case(
        "nothing-selected",
        command=("plan", "conection/*"),
        codes=("nothing-selected",),
        placed=False,
    ),
    case(
        "excluded-but-needed",
        command=("plan", "--exclude", "source/shop"),
        codes=("excluded-but-needed",),
        placed=False,
    ),
    case(
        "selection-widened",
        command=("plan", "connection/shop-to-warehouse"),
        exit=0,
        codes=("selection-widened", "selection-widened"),
        placed=False,
    ),
    case(
        "stale-allow",
        (CONNECTION, "  source: shop\n", "  lifecycle: {allow: [state-loss]}\n  source: shop\n"),
        command=("plan",),
        exit=0,
        codes=("stale-allow",),
    ),
    case(
        "limit-deletes",
        (PROJECT, "      url: embedded\n", "      url: embedded\n      limits: {deletes: 30%}\n"),
        (CONNECTION, "spec:", "state: absent\nspec:"),
        (SOURCE, "spec:", "state: absent\nspec:"),
        applied=True,
        command=("plan",),
        codes=("limit-deletes",),
        placed=False,
    ),
    case(
        "limit-updates",
        (PROJECT, "      url: embedded\n", "      url: embedded\n      limits: {updates: 30%}\n"),
        (CONNECTION, '"0 0 */6 * * ?"', '"0 0 */8 * * ?"'),
        (SOURCE, "    database: shop\n", "    database: shop\n    jdbc_url_params: ssl=1\n"),
        applied=True,
        command=("plan", "--allow", "inconsistent"),
        codes=("limit-updates",),
        placed=False,
    ),
    case(
        "limit-stops",
        (CONNECTION, "spec:", "state: absent\nspec:"),
        applied=True,
        command=("plan", "--max-stops", "0"),
        codes=("limit-stops",),
        placed=False,
    ),
    case(
        "nothing-stated",
        (SOURCE, "{name: shop}", "{name: shop, targets: [production]}"),
        (DESTINATION, "{name: warehouse}", "{name: warehouse, targets: [production]}"),
        (CONNECTION, "{name: shop-to-warehouse}", _ELSEWHERE),
        applied=True,
        command=("drift",),
        codes=("nothing-stated",),
        placed=False,
    ),
    case(
        "job-running",
        (CONNECTION, "spec:", "state: absent\nspec:"),
        applied=True,
        people=_syncing,
        command=("apply", "--yes"),
        codes=("job-running",),
    ),
    case(
        "absent-not-found",
        (CONNECTION, "spec:", "state: absent\nspec:"),
        command=("plan",),
        exit=0,
        codes=("absent-not-found",),
    ),
    # what left git, as far as an earlier commit tells
    case(
        "released-value",
        (CONNECTION, '  schedule: {cron: "0 0 */6 * * ?"}\n', ""),
        applied=True,
        committed=True,
        command=("plan", "--since", "HEAD"),
        exit=0,
        codes=("released-value",),
    ),
    case(
        "manifest-removed",
        files={CONNECTION: None},
        applied=True,
        committed=True,
        command=("plan", "--since", "HEAD"),
        exit=0,
        codes=("manifest-removed",),
        placed=False,
    ),
)
