"""Connections made over the Configuration API alone, for tests of it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import httpx

from tests.emulator.builders import POSTGRES, SNOWFLAKE, Airbyte, postgres, snowflake


class Wired:
    """A Postgres source with its discovered streams, and a destination to connect it to."""

    def __init__(self, airbyte: Airbyte, destination: str = SNOWFLAKE, **lake: Any) -> None:
        self.airbyte = airbyte
        workspace = {"workspaceId": airbyte.workspace}
        self.source = self.made(
            "sources/create",
            **workspace,
            sourceDefinitionId=POSTGRES,
            name="shop",
            connectionConfiguration=postgres(),
        )
        self.destination = self.made(
            "destinations/create",
            **workspace,
            destinationDefinitionId=destination,
            name="lake",
            connectionConfiguration=lake or snowflake(),
        )
        self.ends = {
            "sourceId": self.source["sourceId"],
            "destinationId": self.destination["destinationId"],
        }
        self._discovered: Any = None

    def __call__(self, verb: str, **fields: Any) -> httpx.Response:
        return self.airbyte.config(verb, **fields)

    def made(self, verb: str, **fields: Any) -> Any:
        answer = self(verb, **fields)
        assert answer.is_success, f"{verb}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    # --- streams ------------------------------------------------------------------------------

    @property
    def discovered(self) -> Any:
        if self._discovered is None:
            body = {"sourceId": self.ends["sourceId"]}
            self._discovered = self.made("sources/discover_schema", **body)
        return self._discovered

    def stream(self, name: str, **config: Any) -> dict[str, Any]:
        """A stream of `public` as it was discovered, chosen, with these choices."""
        (found,) = (
            deepcopy(entry)
            for entry in self.discovered["catalog"]["streams"]
            if (entry["stream"]["name"], entry["stream"]["namespace"]) == (name, "public")
        )
        return {
            "stream": found["stream"],
            "config": {**found["config"], "selected": True, **config},
        }

    def incremental(self, name: str = "products", **config: Any) -> dict[str, Any]:
        modes = {"syncMode": "incremental", "destinationSyncMode": "append"}
        return self.stream(name, **{**modes, "cursorField": ["updated_at"], **config})

    # --- connections --------------------------------------------------------------------------

    def create(self, *entries: Any, **fields: Any) -> httpx.Response:
        body = {**self.ends, "status": "active", "syncCatalog": {"streams": list(entries)}}
        known = {"sourceCatalogId": self._discovered["catalogId"]} if self._discovered else {}
        return self("connections/create", **{**body, **known, **fields})

    def connection(self, *entries: Any, **fields: Any) -> Any:
        answer = self.create(*entries, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def update(self, connection: Any, **fields: Any) -> httpx.Response:
        return self("connections/update", connectionId=connection["connectionId"], **fields)

    def updated(self, connection: Any, **fields: Any) -> Any:
        answer = self.update(connection, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def read(self, connection: Any) -> Any:
        return self.made("connections/get", connectionId=connection["connectionId"])

    def run(self, connection: Any, verb: str = "sync", **fields: Any) -> httpx.Response:
        return self(f"connections/{verb}", connectionId=connection["connectionId"], **fields)

    def jobs(self, connection: Any, *types: str) -> list[Any]:
        """Newest first."""
        body = {"configTypes": list(types or ("sync", "reset_connection", "refresh"))}
        listed = self.made("jobs/list", **body, configId=connection["connectionId"])
        return [item["job"] for item in listed["jobs"]]


def entries(connection: Any) -> list[Any]:
    return list(connection["syncCatalog"]["streams"])


def names(connection: Any) -> list[str]:
    return [entry["stream"]["name"] for entry in entries(connection)]


def configs(connection: Any) -> list[Any]:
    return [entry["config"] for entry in entries(connection)]


def every(hours: int) -> dict[str, Any]:
    return {
        "scheduleType": "basic",
        "scheduleData": {"basicSchedule": {"units": hours, "timeUnit": "hours"}},
    }


def cron(expression: str, zone: str = "UTC") -> dict[str, Any]:
    parts = {"cronExpression": expression, "cronTimeZone": zone}
    return {"scheduleType": "cron", "scheduleData": {"cron": parts}}
