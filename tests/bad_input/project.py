"""The project that the cases spoil: a shop's database to a warehouse, on the embedded Airbyte."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

PROJECT = "reconciler.yaml"
SOURCE = "manifests/source.yaml"
DESTINATION = "manifests/destination.yaml"
CONNECTION = "manifests/connection.yaml"
CATALOG = "catalogs/postgres.json"

ORDERS = "    - {name: orders, cursorField: updated_at}\n"
CUSTOMERS = "    - {name: customers, cursorField: updated_at}\n"


def stream(
    name: str,
    namespace: str,
    columns: str,
    *,
    key: str = "",
    cursor: str = "",
    modes: Sequence[str] = ("full_refresh", "incremental"),
) -> dict[str, Any]:
    """One stream of a catalog file; `key` and `cursor` are those that the source defines itself."""
    properties = {column: {"type": "string"} for column in columns.split()}
    return {
        "name": name,
        "namespace": namespace,
        "json_schema": {"type": "object", "properties": properties},
        "supported_sync_modes": list(modes),
        "source_defined_primary_key": [[key]] if key else [],
        "source_defined_cursor": bool(cursor),
        "default_cursor_field": [cursor] if cursor else [],
    }


def catalog(*streams: dict[str, Any]) -> str:
    return json.dumps({"streams": [{"stream": stream} for stream in streams]})


FILES = {
    PROJECT: """\
apiVersion: airbyte.reconciler/v1
kind: Project
metadata: {name: shop}
spec:
  manifests: ["manifests/*.yaml"]
  defaultTarget: local
  targets:
    local:
      url: embedded
      catalogs: catalogs
      variables: {warehouse: db.example.com}
    production:
      url: https://airbyte.example.com
      variables: {warehouse: warehouse.example.com}
""",
    SOURCE: """\
apiVersion: airbyte.reconciler/v1
kind: Source
metadata: {name: shop}
spec:
  connector: postgres
  configuration:
    host: db.example.com
    port: 5432
    database: shop
    username: etl
    password: ${env:SHOP_PASSWORD}
""",
    DESTINATION: """\
apiVersion: airbyte.reconciler/v1
kind: Destination
metadata: {name: warehouse}
spec:
  connector: postgres
  configuration:
    host: ${var:warehouse}
    port: 5432
    database: warehouse
    schema: raw
    username: loader
    password: ${env:LAKE_PASSWORD}
""",
    CONNECTION: """\
apiVersion: airbyte.reconciler/v1
kind: Connection
metadata: {name: shop-to-warehouse}
spec:
  source: shop
  destination: warehouse
  schedule: {cron: "0 0 */6 * * ?"}
  destinationNamespace: source
  streamDefaults: {syncMode: incremental_append}
  streams:
"""
    + ORDERS
    + CUSTOMERS,
    CATALOG: catalog(
        stream("orders", "public", "id customer_id total updated_at"),
        stream("customers", "public", "id email name updated_at"),
        stream("invoices", "public", "number total updated_at", key="number"),
        stream("products", "public", "id sku updated_at"),
        stream("events", "public", "id at", cursor="at"),
        stream("totals", "public", "day total", modes=["full_refresh"]),
        stream("log", "public", "id updated_at"),
        stream("log", "audit", "id updated_at"),
    ),
}
