"""A shop behind a gateway, with a secret in every place that may hold one, and every command on it.

The secrets are random, hold what each encoding escapes, and have a core of letters and digits that none does.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

import httpx
import hypothesis

from reconciler.emulator.settings import Credentials, Settings
from tests.bad_input.project import CATALOG, CONNECTION, DESTINATION, FILES, SOURCE
from tests.hostile.between import Asked, Between, Change, Said

APIS: Final = ("public", "config")
CORES: Final = {
    name: f"canary{secrets.token_hex(12)}"
    for name in ("PASSWORD", "LAKE", "FILE", "MAPPER", "CLIENT", "GATEWAY", "NAME")
}
"""Of each secret of this process: it may be printed in no form."""

_ODD: Final = 'p+%/"w\\&<ü>'
ENVIRONMENT: Final = {
    "SHOP_PASSWORD": f"{CORES['PASSWORD']}{_ODD}{CORES['PASSWORD']}",
    "LAKE_PASSWORD": f"{CORES['LAKE']}{_ODD}",
    "MAPPER_KEY": f"{CORES['MAPPER']}00000000"[:32],
    "AIRBYTE_CLIENT_ID": CORES["NAME"],
    "AIRBYTE_CLIENT_SECRET": f'{CORES["CLIENT"]}+/%"&',
    "GATEWAY_KEY": f'{CORES["GATEWAY"]}+/%"&',
}
KEY_FILE: Final = (
    f"-----BEGIN CERTIFICATE-----\n{CORES['FILE']}\nlast+line/of\n-----END CERTIFICATE-----\n"
)

_PROJECT: Final = """\
apiVersion: airbyte.reconciler/v1
kind: Project
metadata: {{name: shop}}
spec:
  manifests: ["manifests/*.yaml"]
  defaultTarget: remote
  targets:
    remote:
      url: "{url}"
      variables: {{warehouse: db.example.com}}
      auth:
        clientId: "${{env:AIRBYTE_CLIENT_ID}}"
        clientSecret: "${{env:AIRBYTE_CLIENT_SECRET}}"
        headers: {{X-Gateway: "${{env:GATEWAY_KEY}}"}}
"""
_MAPPER: Final = (
    "mappers: [{type: encryption, algorithm: AES, targetField: name, fieldNameSuffix: _x, "
    'key: "${env:MAPPER_KEY}", mode: CBC, padding: PKCS5Padding}]'
)


def settings(folder: Path, database: Path) -> Settings:
    client = Credentials(ENVIRONMENT["AIRBYTE_CLIENT_ID"], ENVIRONMENT["AIRBYTE_CLIENT_SECRET"])
    catalogs = folder / "catalogs"
    return Settings(db=database, catalogs=catalogs, auth=client, job_seconds=0.0)


def files(url: str) -> dict[str, str]:
    source = FILES[SOURCE] + (
        '    ssl_mode: {mode: verify-ca, ca_certificate: "${file:key.pem}"}\n'
    )
    customers = "    - {name: customers, cursorField: updated_at, " + _MAPPER + "}\n"
    connection = FILES[CONNECTION].replace(
        "    - {name: customers, cursorField: updated_at}\n", customers
    )
    return {
        "reconciler.yaml": _PROJECT.format(url=url),
        "key.pem": KEY_FILE,
        SOURCE: source,
        DESTINATION: FILES[DESTINATION],
        CONNECTION: connection,
        CATALOG: FILES[CATALOG],
    }


@dataclass(frozen=True)
class Shop:
    """A project folder and the Airbyte it is applied to."""

    folder: Path
    server: Between
    pins: dict[str, str] = field(default_factory=dict)

    def write(self) -> None:
        for name, text in files(self.server.url).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    @property
    def at(self) -> tuple[str, str, str, str]:
        return ("-C", str(self.folder), "-t", "remote")

    def airbyte(self, method: str, path: str, body: Any = None) -> Any:
        """Past the product, and past what is between."""
        change, self.server.change = self.server.change, lambda _asked, said: said
        try:
            return self._call(method, path, body)
        finally:
            self.server.change = change

    def _call(self, method: str, path: str, body: Any) -> Any:
        # No TLS here, and reading the authorities' certificates takes longer than the call.
        with httpx.Client(base_url=self.server.url, timeout=30, verify=False) as client:
            asked = {
                "client_id": ENVIRONMENT["AIRBYTE_CLIENT_ID"],
                "client_secret": ENVIRONMENT["AIRBYTE_CLIENT_SECRET"],
                "grant-type": "client_credentials",
            }
            token = client.post("/api/public/v1/applications/token", json=asked).json()
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            answer = client.request(method, path, json=body, headers=headers)
            assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
            return answer.json() if answer.content else None

    def objects(self) -> dict[str, Any]:
        """Everything a write could have changed, as both APIs show it."""
        public = "/api/public/v1"
        kinds = ("sources", "destinations", "connections", "tags", "jobs", "workspaces")
        found = {kind: self.airbyte("GET", f"{public}/{kind}?limit=100")["data"] for kind in kinds}
        within = {"workspaceId": found["workspaces"][0]["workspaceId"]}
        for kind in ("sources", "destinations", "connections"):
            found[f"config {kind}"] = self.airbyte("POST", f"/api/v1/{kind}/list", within)
        events = self.airbyte("GET", "/_emulator/events")["events"]
        found["events"] = [event for event in events if event["kind"] not in _OF_READING]
        return found

    def differ(self) -> None:
        """Of each object something is other than live, so that all of it is sent, with its secrets."""
        for file, old, new in (
            (SOURCE, "database: shop", "database: other"),
            (DESTINATION, "port: 5432", "port: 5433"),
            (CONNECTION, "    - {name: orders, cursorField: updated_at}\n", ""),
        ):
            path = self.folder / file
            text = path.read_text(encoding="utf-8")
            assert old in text
            path.write_text(text.replace(old, new), encoding="utf-8")

    def pin(self) -> None:
        """So that a manifest means its object whatever that is called."""
        for kind, file in (
            ("source", SOURCE),
            ("destination", DESTINATION),
            ("connection", CONNECTION),
        ):
            (live,) = self.airbyte("GET", f"/api/public/v1/{kind}s")["data"]
            path = self.folder / file
            text = path.read_text(encoding="utf-8")
            name = text.split("metadata: {name: ")[1].split("}")[0]
            pinned = f"metadata: {{name: {name}, ids: {{remote: {live[f'{kind}Id']}}}}}"
            path.write_text(text.replace(f"metadata: {{name: {name}}}", pinned), encoding="utf-8")


def thorough() -> bool:
    """Whether every combination is to be tried (`--hypothesis-profile thorough`), or a share of each."""
    return hypothesis.settings.default.max_examples > 1_000


def some(of: int, *dimensions: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Every combination in a thorough run. Else one of so many, as in a Latin square: each value of each
    dimension is met, with others each time."""
    every = product(*map(enumerate, dimensions))
    return [
        tuple(value for _, value in values)
        for values in every
        if thorough() or sum(index for index, _ in values) % of == 0
    ]


_OF_READING: Final = frozenset({"discover_ran", "check_ran"})
"""What the emulator notes of requests that only read."""

# --- every command ---------------------------------------------------------------------------

SOURCE_AT, CONNECTION_AT = "source/shop", "connection/shop-to-warehouse"


@dataclass(frozen=True)
class Run:
    """`writes`: may change something in Airbyte; `apis`: those that can; `remote`: talks to the target at
    all, and takes -t; `formats`: knows -o."""

    command: str
    arguments: tuple[str, ...] = ()
    writes: bool = False
    apis: tuple[str, ...] = APIS
    remote: bool = True
    formats: bool = True

    @property
    def name(self) -> str:
        return " ".join(self.command.split()[:1] + [a for a in self.words if not a.startswith("@")])

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.command.split()[1:], *self.arguments)

    def line(self, shop: Shop, api: str, *more: str) -> tuple[str, ...]:
        known = {"@plan": str(shop.folder / "saved.json"), "@new": str(shop.folder / "new")}
        words = [known.get(word, word) for word in (*self.command.split(), *self.arguments)]
        at = (*shop.at, "--api", api) if self.remote else ()
        if self.command == "validate":
            at = shop.at
        return (*words, *at, *more)


_CONFIG: Final = ("config",)
RUNS: Final = (
    Run("init", ("@new",), remote=False, formats=False),
    Run("validate", remote=False),
    Run("plan", ("--out", "@plan")),
    Run("plan", ("--online", "--detailed-exitcode", "--allow", "inconsistent")),
    Run("plan", ("--check", "--allow", "inconsistent"), apis=_CONFIG),
    Run("apply", ("--yes", "--allow", "inconsistent"), writes=True),
    Run("apply", ("--yes", "--resend-secrets"), writes=True),
    Run("apply", ("--yes", "--check", "--allow", "inconsistent"), writes=True, apis=_CONFIG),
    Run("drift"),
    Run("show", ("@plan",), remote=False),
    Run("explain", (SOURCE_AT,)),
    Run("explain", (CONNECTION_AT,)),
    *(
        Run("get", (what,))
        for what in ("workspaces", "connectors", "sources", "destinations", "connections")
    ),
    Run("check", apis=_CONFIG),
    Run("discover", (SOURCE_AT,)),
    Run("sync", (CONNECTION_AT, "--wait", "--timeout", "20s"), writes=True),
    Run("refresh", (CONNECTION_AT,), writes=True, apis=_CONFIG),
    Run("clear", (CONNECTION_AT, "--allow", "data-erase"), writes=True),
    Run("jobs list"),
    Run("jobs get", ("1",)),
    Run("jobs wait", ("1", "--timeout", "20s")),
    Run("jobs cancel", ("1",), writes=True),
    Run("schema", remote=False, formats=False),
    Run("emulator serve", ("--auth", "no-colon"), remote=False, formats=False),
)
READS: Final = tuple(run for run in RUNS if not run.writes and run.remote)


# --- what connectors say ----------------------------------------------------------------------


def said_by_connectors(text: str) -> Change:
    """Failed tests, failed jobs and failed discoveries with that text."""

    def change(asked: Asked, said: Said) -> Said:
        if said.status != 200 or not said.body.startswith(b"{"):
            return said
        if asked.path.endswith("/check_connection"):
            return said.but(body=json.dumps({"status": "failed", "message": text}).encode())
        if "discover_schema" in asked.path:
            reason = {"externalMessage": text, "internalMessage": text}
            failed = {"jobInfo": {"succeeded": False, "failureReason": reason}, "catalog": None}
            return said.but(body=json.dumps(failed).encode())
        data = json.loads(said.body)
        rows = data.get("jobs", [data] if "job" in data else [])
        for row in rows:
            row["job"]["status"] = "failed"
            failures = [{"externalMessage": text, "internalMessage": text}]
            attempt = {"id": 0, "status": "failed", "failureSummary": {"failures": failures}}
            row["attempts"] = [{"attempt": attempt, "logs": {"logLines": [text]}}]
        return said.but(body=json.dumps(data).encode()) if rows else said

    return change


CONNECTOR_RUNS: Final = tuple(
    run
    for run in RUNS
    if run.command in ("check", "discover", "jobs get", "jobs wait", "sync")
    or "--check" in run.words
    or "--online" in run.words
)


# --- in which forms a secret may show --------------------------------------------------------


def found(text: str, cores: Mapping[str, str] = CORES) -> list[str]:
    """Names of the secrets whose core is in the text: as it stands, or inside base64."""
    return [
        name for name, core in sorted(cores.items()) if any(form in text for form in _forms(core))
    ]


def _forms(core: str) -> Iterator[str]:
    """Letters and digits look alike in JSON, in a URL and in HTML; base64 has three ways to write them."""
    yield core
    for before in range(3):
        written = base64.b64encode(b"\0" * before + core.encode()).decode()
        yield written[(before * 8 + 5) // 6 : (before + len(core)) * 8 // 6]


def printed(text: str) -> str:
    """JSON output as its readers see it."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text
