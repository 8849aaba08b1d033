"""A small embedded Airbyte for backend tests: one source and one destination connector, one catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.emulator.settings import Settings

SHOP_ID = "5f1c3a0e-3b0e-4d53-8a54-4a3d27b0a001"
LAKE_ID = "5f1c3a0e-3b0e-4d53-8a54-4a3d27b0a002"

_TEXT = {"type": "string"}
_SECRET = {"type": "string", "airbyte_secret": True}


def _connector(kind: str, definition_id: str, name: str, properties: Any) -> dict[str, Any]:
    return {
        "definitionId": definition_id,
        "name": name.title(),
        "type": kind,
        "dockerRepository": f"acme/{kind}-{name}",
        "dockerImageTag": "1.2.3",
        "connectionSpecification": {
            "type": "object",
            "required": ["host"],
            "properties": properties,
        },
        "specExtras": {"supported_destination_sync_modes": ["overwrite", "append", "append_dedup"]},
        "supportsFileTransfer": True,
    }


def _stream(name: str, namespace: str | None, **more: Any) -> dict[str, Any]:
    columns = ("id", "email", "name", "country", "updated_at")
    return {
        "stream": {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            "json_schema": {"type": "object", "properties": dict.fromkeys(columns, _TEXT)},
            "supported_sync_modes": ["full_refresh", "incremental"],
            **more,
        }
    }


def settings(folder: Path, **more: Any) -> Settings:
    connectors, catalogs = folder / "connectors", folder / "catalogs"
    connectors.mkdir()
    catalogs.mkdir()
    files = {
        connectors / "shop.json": _connector(
            "source",
            SHOP_ID,
            "shop",
            {"host": _TEXT, "password": _SECRET, "tunnel": {"properties": {"key": _SECRET}}},
        ),
        connectors / "lake.json": _connector(
            "destination", LAKE_ID, "lake", {"host": _TEXT, "token": _SECRET}
        ),
        catalogs / "shop.json": {
            "streams": [
                _stream("users", "public"),
                _stream("orders", "public", source_defined_primary_key=[["id"]]),
                _stream("events", None, default_cursor_field=["updated_at"]),
            ]
        },
    }
    for path, content in files.items():
        path.write_text(json.dumps(content))
    return Settings(connectors=connectors, catalogs=catalogs, **more)
