"""A workspace before and after a large change of git: every kind of write in one apply.

Names say what becomes of each: `keep`, `edit`, `swap` (replaced), `move` (of connections: onto another
source), `drop` (state: absent) and `new`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

Data = dict[str, Any]

CLIENT: Final = ("reconciler", "canary-client-secret-0123456789")
ENV: Final = {
    "CLIENT_SECRET": CLIENT[1],
    "PG_PASSWORD": "canary-postgres-password-01",
    "PG_PASSWORD_NEW": "canary-postgres-password-02",
    "LAKE_PASSWORD": "canary-lake-password-0123456",
}
BASES: Final = {
    "public": "http://airbyte.test/api/public/v1",
    "config": "http://airbyte.test/api/v1",
}
MANY: Final = 40
"""Streams that each database offers."""

_COLUMNS: Final = ("id", "email", "name", "updated_at")


def table(number: int) -> str:
    return f"table_{number:02}"


def write(folder: Path, manifests: list[Data], bases: dict[str, str] = BASES) -> Path:
    """A project with these manifests and a target for each API; its catalogs lie in `catalogs`."""
    (folder / "catalogs").mkdir(parents=True, exist_ok=True)
    for connector in ("postgres", "mysql"):
        catalog = {"streams": [{"stream": _offered(number)} for number in range(MANY)]}
        (folder / "catalogs" / f"{connector}.json").write_text(json.dumps(catalog))
    auth = {"clientId": CLIENT[0], "clientSecret": "${env:CLIENT_SECRET}"}
    targets = {api: {"url": base, "auth": auth} for api, base in bases.items()}
    project = {
        "apiVersion": "airbyte.reconciler/v1",
        "kind": "Project",
        "metadata": {"name": "faults"},
        "spec": {"targets": targets, "rules": {"same-table": "off"}},
    }
    (folder / "reconciler.yaml").write_text(yaml.safe_dump(project))
    text = yaml.safe_dump_all(manifests, sort_keys=False, allow_unicode=True)
    (folder / "manifests.yaml").write_text(text)
    return folder


def _offered(number: int) -> Data:
    return {
        "name": table(number),
        "namespace": "public",
        "json_schema": {"properties": {name: {"type": "string"} for name in _COLUMNS}},
        "supported_sync_modes": ["full_refresh", "incremental"],
    }


# --- The pieces ------------------------------------------------------------------------------


def _manifest(kind: str, name: str, spec: Data, **metadata: Any) -> Data:
    return {
        "apiVersion": "airbyte.reconciler/v1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def _absent(kind: str, name: str, called: str) -> Data:
    return {**_manifest(kind, name, {"name": called}), "state": "absent"}


def _database(name: str, connector: str = "postgres", **more: Any) -> Data:
    configuration = {
        "host": "db.internal",
        "port": 5432,
        "database": name,
        "username": "airbyte",
        "password": "${env:PG_PASSWORD}",
        **more,
    }
    if connector == "mysql":
        configuration["port"] = 3306
        configuration["replication_method"] = {"method": "STANDARD"}
    return {"connector": connector, "configuration": configuration}


def _faker(seed: int) -> Data:
    return {"connector": "faker", "configuration": {"count": 10, "seed": seed}}


def _warehouse(name: str, **more: Any) -> Data:
    configuration = {
        "host": "warehouse.internal",
        "port": 5432,
        "database": name,
        "schema": "raw",
        "username": "loader",
        "password": "${env:LAKE_PASSWORD}",
        **more,
    }
    return {"connector": "postgres", "configuration": configuration}


def _snowflake(name: str) -> Data:
    return {
        "connector": "snowflake",
        "configuration": {
            "host": "acme.snowflakecomputing.com",
            "role": "R",
            "warehouse": "W",
            "database": name,
            "schema": "S",
            "username": "U",
            "credentials": {
                "auth_type": "Username and Password",
                "password": "${env:LAKE_PASSWORD}",
            },
        },
    }


def _flow(name: str, source: str, destination: str, count: int = 3, **more: Any) -> Data:
    """A connection of `count` tables, or of a faker's where that is 0."""
    streams: list[Data] = [{"name": table(number)} for number in range(count)]
    for stream in streams[1::5]:
        hashing = {"type": "hashing", "targetField": "email", "method": "SHA-256"}
        stream["mappers"] = [{**hashing, "fieldNameSuffix": "_hashed"}]
    defaults: Data = {
        "namespace": "public",
        "syncMode": "incremental_deduped_history",
        "cursorField": "updated_at",
        "primaryKey": "id",
        "columns": "all",
        "mappers": [],
    }
    if count == 0:
        streams = [{"name": name} for name in ("products", "purchases", "users")]
        defaults = {"syncMode": "full_refresh_overwrite", "columns": "all", "mappers": []}
    return {
        "name": f"Flow {name}",
        "source": source,
        "destination": destination,
        "status": "active",
        "schedule": {"cron": "0 0 */6 * * ?"},
        "destinationNamespace": {"format": f"raw_{name}".replace("-", "_")},
        "prefix": "",
        "schemaChanges": "ignore",
        "streamDefaults": defaults,
        "streams": streams,
        **more,
    }


# --- Before and after ------------------------------------------------------------------------


def before() -> list[Data]:
    return [
        *(_manifest("Source", n, _database(n)) for n in _SOURCES),
        *(_manifest("Destination", n, _warehouse(n)) for n in _DESTINATIONS),
        *(
            _manifest("Connection", name, _flow(name, *ends, count=MANY if "many" in name else 3))
            for name, ends in _FLOWS.items()
        ),
    ]


def after() -> list[Data]:
    return [*_sources_after(), *_destinations_after(), *_flows_after()]


_SOURCES: Final = (
    *(f"keep-{n}" for n in range(6)),
    *(f"edit-{n}" for n in range(4)),
    *(f"swap-{n}" for n in range(2)),
    *(f"drop-{n}" for n in range(3)),
)
_DESTINATIONS: Final = ("keep-lake", "edit-lake", "swap-lake", "drop-lake")
_FLOWS: Final = {
    **{f"keep-{n}": (f"keep-{n}", "keep-lake") for n in range(4)},
    "keep-edited": ("edit-0", "keep-lake"),
    "edit-schedule": ("edit-1", "edit-lake"),
    "edit-many-streams": ("edit-2", "edit-lake"),
    "edit-name": ("edit-3", "keep-lake"),
    "edit-tags": ("keep-0", "edit-lake"),
    "edit-status": ("keep-1", "edit-lake"),
    "edit-prefix": ("keep-2", "edit-lake"),
    "swap-a": ("swap-0", "keep-lake"),
    "swap-b-many": ("swap-0", "edit-lake"),
    "swap-c": ("swap-1", "swap-lake"),
    "swap-d": ("keep-3", "swap-lake"),
    "move-a": ("drop-2", "keep-lake"),
    "drop-a": ("drop-0", "keep-lake"),
    "drop-b": ("drop-0", "drop-lake"),
    "drop-c": ("keep-4", "keep-lake"),
}


def _sources_after() -> Iterator[Data]:
    for number in range(6):
        yield _manifest("Source", f"keep-{number}", _database(f"keep-{number}"))
    host = "replica.internal"
    yield _manifest("Source", "edit-0", _database("edit-0", host=host))
    secret = "${env:PG_PASSWORD_NEW}"
    yield _manifest("Source", "edit-1", _database("edit-1", host=host, password=secret))
    named = {"name": "Edited 2", **_database("edit-2")}
    yield _manifest("Source", "edit-2", named, previousNames=["edit-2"])
    both = {"name": "Edited 3", **_database("edit-3", port=6543)}
    yield _manifest("Source", "edit-3", both, previousNames=["edit-3"])
    for number in range(2):
        yield _manifest("Source", f"swap-{number}", _database(f"swap-{number}", "mysql"))
    for number in range(3):
        yield _absent("Source", f"drop-{number}", f"drop-{number}")
    for number in range(8):
        name = f"new-{number}"
        yield _manifest("Source", name, _faker(number) if number < 3 else _database(name))


def _destinations_after() -> Iterator[Data]:
    yield _manifest("Destination", "keep-lake", _warehouse("keep-lake"))
    yield _manifest("Destination", "edit-lake", _warehouse("edit-lake", schema="bronze"))
    yield _manifest("Destination", "swap-lake", _snowflake("swap-lake"))
    yield _absent("Destination", "drop-lake", "drop-lake")
    for number in range(3):
        yield _manifest("Destination", f"new-lake-{number}", _warehouse(f"new-lake-{number}"))


def _flows_after() -> Iterator[Data]:
    changes: dict[str, Data] = {
        "edit-schedule": {"schedule": {"cron": "0 30 3 * * ?"}},
        "edit-name": {"name": "Flow renamed"},
        "edit-tags": {"tags": ["gold", "pii"]},
        "edit-status": {"status": "inactive"},
        "edit-prefix": {"prefix": "p_", "schemaChanges": "propagate_columns"},
        "swap-c": {"tags": ["gold"]},
        "swap-d": {"status": "inactive"},
        "move-a": {"source": "keep-5"},
    }
    for name, ends in _FLOWS.items():
        if name.startswith("drop-"):
            yield _absent("Connection", name, f"Flow {name}")
            continue
        count = MANY if "many" in name else 3
        flow = _flow(name, *ends, count=MANY - 5 if name == "edit-many-streams" else count)
        renamed = {"previousNames": [f"Flow {name}"]} if name == "edit-name" else {}
        yield _manifest("Connection", name, flow | changes.get(name, {}), **renamed)
    for number in range(16):
        name, source = f"new-{number:02}", f"new-{number % 8}"
        count = 0 if number % 8 < 3 else (MANY if number == 15 else 4)
        tags = {"tags": ["silver"]} if number % 4 == 0 else {}
        lake = ("new-lake-0", "new-lake-1", "keep-lake", "swap-lake")[number % 4]
        yield _manifest("Connection", name, _flow(name, source, lake, count=count, **tags))
