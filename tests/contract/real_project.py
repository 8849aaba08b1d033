"""A project generated from real configured catalogs, over real connector specifications."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

SHARED = Path(__file__).parents[2].parent / "shared"
CONNECTORS = SHARED / "connectors"
CATALOGS = SHARED / "catalogs"

SOURCES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "facebook": (
        "facebook-marketing",
        {
            "account_ids": ["111111111111111"],
            "credentials": {"auth_type": "Service", "access_token": "${env:FACEBOOK_TOKEN}"},
        },
    ),
    "internal-pg": (
        "postgres",
        {
            "host": "db.internal.example.com",
            "port": 5432,
            "database": "app",
            "username": "airbyte",
            "password": "${env:INTERNAL_PG_PASSWORD}",
            "replication_method": {"method": "Xmin"},
        },
    ),
    "stripe": (
        "stripe",
        {
            "account_id": "acct_123",
            "client_secret": "${env:STRIPE_SECRET}",
            "start_date": "2024-01-01T00:00:00Z",
        },
    ),
}
"""Catalog → connector and a configuration that its real specification accepts."""

SECRETS = {
    "FACEBOOK_TOKEN": "canary-facebook-0f3b9a77c1",
    "INTERNAL_PG_PASSWORD": "canary-internal-5d1e8c20ab",
    "STRIPE_SECRET": "canary-stripe-9a2f44e6b0",
    "SNOWFLAKE_PASSWORD": "canary-snowflake-71c0de5f",
    "MAPPER_KEY": "4a6f8c0e2b4d6f8a1c3e5a7c9e1b3d5f",
}

_WIRE_MODES = {
    ("full_refresh", "overwrite"): "full_refresh_overwrite",
    ("full_refresh", "append"): "full_refresh_append",
    ("incremental", "append"): "incremental_append",
    ("incremental", "append_dedup"): "incremental_deduped_history",
}

_RSA_PUBLIC_KEY = (
    "30819f300d06092a864886f70d010101050003818d0030818902818100c9a1f0d2b3e4c5d6e7f8091a2b3c4d5e6f70"
    "8192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f"
    "708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e"
    "6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c50203010001"
)

_MAPPERS: tuple[dict[str, Any], ...] = (
    {"type": "hashing", "targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"},
    {"type": "field-filtering", "targetField": "name"},
    {"type": "field-renaming", "originalFieldName": "id", "newFieldName": "organization"},
    {
        "type": "row-filtering",
        "conditions": {
            "type": "NOT",
            "conditions": [{"type": "EQUAL", "fieldName": "tombstone", "comparisonValue": "true"}],
        },
    },
    {
        "type": "encryption",
        "algorithm": "AES",
        "key": "${env:MAPPER_KEY}",
        "mode": "CBC",
        "padding": "PKCS5Padding",
        "targetField": "user_id",
        "fieldNameSuffix": "_encrypted",
    },
    {
        "type": "encryption",
        "algorithm": "RSA",
        "publicKey": _RSA_PUBLIC_KEY,
        "targetField": "updated_at",
        "fieldNameSuffix": "_encrypted",
    },
)
"""Every type of mapper, each on columns that the stream `organization` really has."""


def needs_shared() -> None:
    if not CATALOGS.is_dir():
        pytest.skip("the reference catalogs are not beside the project (../shared)")


def catalog(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((CATALOGS / f"{name}.json").read_text(encoding="utf-8"))
    return data


@dataclass
class RealProject:
    """The manifests as data; `write` puts them into `folder`."""

    folder: Path
    url: str
    api: str = "auto"
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def connection(self, name: str) -> dict[str, Any]:
        spec: dict[str, Any] = self.manifests[f"connection/{name}"]["spec"]
        return spec

    def stream(self, connection: str, name: str) -> dict[str, Any]:
        streams = self.connection(connection)["streams"]
        found: dict[str, Any] = next(stream for stream in streams if stream["name"] == name)
        return found

    def write(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        target = {"url": self.url, "api": self.api}
        if self.api != "config":  # which serves the specifications itself
            target["connectors"] = str(CONNECTORS)
        project = {
            "apiVersion": "airbyte.reconciler/v1",
            "kind": "Project",
            "metadata": {"name": "real"},
            "spec": {"targets": {"server": target}},
        }
        files = {"reconciler": project, **self.manifests}
        for name, data in files.items():
            path = self.folder / f"{name.replace('/', '-')}.yaml"
            path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


def manifest(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "airbyte.reconciler/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def build(folder: Path, url: str, api: str = "auto") -> RealProject:
    """Three sources, one destination, a connection from each source with every stream of its catalog."""
    project = RealProject(folder, url, api)
    project.manifests["destination/lake"] = manifest(
        "Destination",
        "lake",
        {
            "connector": "snowflake",
            "configuration": {
                "host": "accountname.snowflakecomputing.com",
                "role": "AIRBYTE",
                "warehouse": "LOAD",
                "database": "RAW",
                "schema": "PUBLIC",
                "username": "AIRBYTE",
                "credentials": {
                    "auth_type": "Username and Password",
                    "password": "${env:SNOWFLAKE_PASSWORD}",
                },
            },
        },
    )
    for name, (connector, configuration) in SOURCES.items():
        project.manifests[f"source/{name}"] = manifest(
            "Source", name, {"connector": connector, "configuration": configuration}
        )
        project.manifests[f"connection/{name}-to-lake"] = manifest(
            "Connection",
            f"{name}-to-lake",
            {
                "source": name,
                "destination": "lake",
                "schedule": {"cron": "0 15 */6 * * ?"},
                "destinationNamespace": {"format": f"{name}_raw"},
                "prefix": "",
                "tags": ["generated", name],
                "streamDefaults": {"columns": "all", "mappers": []},
                "streams": [_stream(entry) for entry in catalog(name)["streams"]],
            },
        )
    project.stream("internal-pg-to-lake", "organization")["mappers"] = list(_MAPPERS)
    customers = project.stream("stripe-to-lake", "customers")
    customers["columns"] = ["id", "email", "updated", "created"]
    project.write()
    return project


def _stream(entry: dict[str, Any]) -> dict[str, Any]:
    """What a person would write: what the source defines itself is left out."""
    stream = entry["stream"]
    made = {
        "name": stream["name"],
        "syncMode": _WIRE_MODES[(entry["sync_mode"], entry["destination_sync_mode"])],
    }
    if stream.get("namespace"):
        made["namespace"] = stream["namespace"]
    if entry["sync_mode"] == "incremental" and not stream.get("source_defined_cursor"):
        made["cursorField"] = entry["cursor_field"]
    if entry["destination_sync_mode"] == "append_dedup" and not stream.get(
        "source_defined_primary_key"
    ):
        made["primaryKey"] = entry["primary_key"]
    return made
