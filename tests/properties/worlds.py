"""Generated worlds: catalogs that sources offer, and a project that is valid on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.properties.features import event

Data = dict[str, Any]

_FIELDS = ("id", "email", "name", "updated_at", "created_at", "amount", "deleted")
_NAMES = ("orders", "customers", "items", "events", "__private", "Ünïcode tbl")
_NAMESPACES = (None, "public", "audit")


@dataclass(frozen=True)
class World:
    """`catalogs`: source name → configured catalog. `env`: canaries, each at least 16 characters."""

    catalogs: dict[str, Data]
    manifests: tuple[Data, ...]
    env: dict[str, str]

    def write(self, folder: Path, *, order: list[int] | None = None) -> Path:
        """Writes the project; `order` shuffles which manifest stands in which file."""
        (folder / "catalogs").mkdir(parents=True, exist_ok=True)
        for name, catalog in self.catalogs.items():
            (folder / "catalogs" / f"{name}.json").write_text(json.dumps(catalog), encoding="utf-8")
        (folder / "connectors").mkdir(exist_ok=True)
        for connector in (CLUSTER, BUILDER):
            path = folder / "connectors" / f"{connector['name']}.json"
            path.write_text(json.dumps(connector), encoding="utf-8")
        target = {
            "url": "embedded",
            "workspace": "Default Workspace",
            "catalogs": "catalogs",
            "connectors": "connectors",
        }
        project = {
            "apiVersion": "airbyte.reconciler/v1",
            "kind": "Project",
            "metadata": {"name": "world"},
            # tables that meet are no matter of these laws, and make no world invalid
            "spec": {"targets": {"local": target}, "rules": {"same-table": "off"}},
        }
        (folder / "reconciler.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
        for old in folder.glob("m*.yaml"):
            old.unlink()
        for place, index in enumerate(order or range(len(self.manifests))):
            text = yaml.safe_dump(self.manifests[index], sort_keys=False, allow_unicode=True)
            (folder / f"m{place:02}.yaml").write_text(text, encoding="utf-8")
        return folder


CLUSTER: Data = {
    "definitionId": "5c1ad1ca-7b0e-4c58-9d9f-0c6a7a1f2e34",
    "name": "Cluster",
    "type": "source",
    "dockerRepository": "example/source-cluster",
    "dockerImageTag": "0.1.0",
    "connectionSpecification": {
        "type": "object",
        "required": ["nodes"],
        "properties": {
            "page_size": {"type": "integer", "default": 100},
            "nodes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "host": {"type": "string"},
                        "token": {"type": "string", "airbyte_secret": True},
                    },
                },
            },
        },
    },
}
"""A connector with secrets inside a list, where the server restores no mask (PUB §3.4)."""

BUILDER: Data = {
    "definitionId": "d1c0de00-51f2-4a44-9d37-3b7f0f6f3a10",
    "name": "Built here",
    "type": "source",
    "dockerRepository": "airbyte/source-declarative-manifest",
    "dockerImageTag": "6.0.0",
    "connectionSpecification": {
        "type": "object",
        "properties": {"start": {"type": "string"}},
    },
}
"""What the connector builder makes: many of them, by one image."""


def manifest(kind: str, name: str, spec: Data) -> Data:
    return {
        "apiVersion": "airbyte.reconciler/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


@st.composite
def _catalog_stream(draw: st.DrawFn, name: str, namespace: str | None) -> Data:
    columns = [
        "id",
        "updated_at",
        *draw(st.lists(st.sampled_from(_FIELDS[1:]), unique=True, max_size=4)),
    ]
    stream: Data = {
        "name": name,
        "json_schema": {
            "type": "object",
            "properties": {column: {"type": "string"} for column in dict.fromkeys(columns)},
        },
        "supported_sync_modes": ["full_refresh", "incremental"],
    }
    if namespace:
        stream["namespace"] = namespace
    if draw(st.booleans()):
        stream["source_defined_primary_key"] = [["id"]]
        event("stream: source-defined key")
    if draw(st.booleans()):
        stream["source_defined_cursor"] = True
        event("stream: source-defined cursor")
        if draw(st.booleans()):
            stream["default_cursor_field"] = ["updated_at"]
    return {"stream": stream}


@st.composite
def catalogs(draw: st.DrawFn) -> Data:
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(_NAMES), st.sampled_from(_NAMESPACES)),
            unique=True,
            min_size=1,
            max_size=6,
        )
    )
    return {"streams": [draw(_catalog_stream(name, namespace)) for name, namespace in keys]}


@st.composite
def mapper_lists(draw: st.DrawFn, columns: list[str], env: dict[str, str]) -> list[Data]:
    free = [column for column in columns if column not in ("id", "updated_at")]
    made: list[Data] = []
    for column in free:
        kind = draw(st.sampled_from(["none", "hashing", "filter", "rename", "aes", "rsa", "rows"]))
        event(f"mapper: {kind}")
        if kind == "hashing":
            method = draw(st.sampled_from(["MD5", "SHA-1", "SHA-256", "SHA-512"]))
            hashing = {"type": "hashing", "targetField": column, "method": method}
            made.append({**hashing, "fieldNameSuffix": "_hashed"})
        elif kind == "filter":
            made.append({"type": "field-filtering", "targetField": column})
        elif kind == "rename":
            renaming = {"type": "field-renaming", "originalFieldName": column}
            made.append({**renaming, "newFieldName": f"{column}_renamed"})
        elif kind == "aes":
            name = f"MAPPER_KEY_{len(env)}"
            env[name] = f"cafe{len(env):028x}"
            encryption = {"type": "encryption", "algorithm": "AES", "key": f"${{env:{name}}}"}
            where = {"mode": "CBC", "padding": "PKCS5Padding", "targetField": column}
            made.append({**encryption, **where, "fieldNameSuffix": "_enc"})
        elif kind == "rsa":
            encryption = {"type": "encryption", "algorithm": "RSA", "publicKey": _PUBLIC_KEY}
            made.append({**encryption, "targetField": column, "fieldNameSuffix": "_rsa"})
        elif kind == "rows":
            equal = {"type": "EQUAL", "fieldName": column, "comparisonValue": "x"}
            inverted = {"type": "NOT", "conditions": [equal]}
            conditions = draw(st.sampled_from([equal, inverted]))
            made.append({"type": "row-filtering", "conditions": conditions})
    return made


_PUBLIC_KEY = "30819f300d06092a864886f70d010101050003818d0030818902818100c9a1f0d2b3e4c5"

MODES = {
    "full_refresh_overwrite": (False, False),
    "full_refresh_append": (False, False),
    "full_refresh_overwrite_deduped": (False, True),
    "incremental_append": (True, False),
    "incremental_deduped_history": (True, True),
}
"""Mode → (needs a cursor, needs a key)."""


@st.composite
def stream_entries(
    draw: st.DrawFn, offered: Data, *, ambiguous: bool, env: dict[str, str]
) -> Data | str:
    name, namespace = offered["name"], offered.get("namespace")
    mode = draw(st.sampled_from(sorted(MODES)))
    event(f"mode: {mode}")
    needs_cursor, needs_key = MODES[mode]
    stream: Data = {"name": name, "syncMode": mode}
    if ambiguous or (namespace and draw(st.booleans())):
        stream["namespace"] = namespace
    if needs_cursor and not offered.get("source_defined_cursor"):
        stream["cursorField"] = "updated_at"
    if needs_key and not offered.get("source_defined_primary_key"):
        stream["primaryKey"] = draw(st.sampled_from(["id", ["id"], [["id"]]]))
    columns = list(offered["json_schema"]["properties"])
    selected = columns
    choice = draw(st.sampled_from(["absent", "all", "some", "except"]))
    event(f"columns: {choice}")
    if choice == "all":
        stream["columns"] = "all"
    elif choice == "some":
        extra = draw(st.lists(st.sampled_from(columns), unique=True))
        selected = sorted({"id", "updated_at", *extra})
        stream["columns"] = draw(st.permutations(selected))
    elif choice == "except":
        free = [column for column in columns if column not in ("id", "updated_at")]
        hidden = draw(st.lists(st.sampled_from(free), unique=True, min_size=1)) if free else []
        if hidden:
            selected = [column for column in columns if column not in hidden]
            stream["columns"] = {"except": hidden}
    if draw(st.booleans()):
        stream["mappers"] = draw(mapper_lists(selected, env))
    return stream


@st.composite
def connections(
    draw: st.DrawFn,
    index: int,
    source: str,
    catalog: Data,
    env: dict[str, str],
    destination: str = "lake",
) -> Data:
    offered = [entry["stream"] for entry in catalog["streams"]]
    names = [stream["name"] for stream in offered]
    chosen = draw(st.lists(st.sampled_from(range(len(offered))), unique=True, min_size=1))
    spec: Data = {
        "name": draw(st.sampled_from(["flow", "Ströme → lake", "a b", "x" * 40])) + f" {index}",
        "source": source,
        "destination": destination,
        "destinationNamespace": draw(
            st.sampled_from(["source", "destination", {"format": "raw_${SOURCE_NAMESPACE}"}])
        ),
        "streams": [
            draw(stream_entries(offered[i], ambiguous=names.count(names[i]) > 1, env=env))
            for i in chosen
        ],
    }
    optional = {
        "schedule": st.sampled_from(
            [
                "manual",
                {"cron": "0 0 */6 * * ?"},
                {"cron": "0 15 10 ? * mon-fri", "timezone": "UTC"},
            ]
        ),
        "status": st.sampled_from(["active", "inactive"]),
        "prefix": st.sampled_from(["", "p_"]),
        "schemaChanges": st.sampled_from(
            ["ignore", "disable", "propagate_columns", "propagate_fully"]
        ),
        "tags": st.lists(st.sampled_from(["gold", "silver", "pii"]), unique=True),
    }
    for name, values in optional.items():
        if draw(st.booleans()):
            spec[name] = draw(values)
            event(f"field: {name}")
    if draw(st.integers(0, 4)) == 0:
        spec["lifecycle"] = {"ignoreChanges": ["/schedule"]}
        event("lifecycle: ignoreChanges")
    if any(stream.get("namespace") for stream in spec["streams"]):
        event("stream: namespace stated")
    return manifest("Connection", f"c{index}", spec)


@st.composite
def _cluster(draw: st.DrawFn, index: int, env: dict[str, str]) -> Data:
    nodes = []
    for number in range(draw(st.integers(1, 3))):
        name = f"NODE_TOKEN_{index}_{number}"
        env[name] = f"canary-node-token-{index}-{number}-0123456789"
        nodes.append({"host": f"n{number}", "token": f"${{env:{name}}}"})
    event("configuration: secrets in a list")
    configuration: Data = {"nodes": nodes}
    if draw(st.booleans()):
        configuration["page_size"] = draw(st.sampled_from([100, 1000]))
    spec = {"name": f"s{index}", "connector": "cluster", "configuration": configuration}
    return manifest("Source", f"s{index}", spec)


@st.composite
def sources(draw: st.DrawFn, index: int, env: dict[str, str]) -> Data:
    if draw(st.integers(0, 3)) == 0:
        return draw(_cluster(index, env))
    secret = f"SOURCE_SECRET_{index}"
    env[secret] = (
        f"canary-source-{index}-{draw(st.text('abcdef0123456789', min_size=8, max_size=8))}"
    )
    configuration: Data = {
        "host": draw(st.sampled_from(["db", "${env:DB_HOST}"])),
        "port": draw(st.sampled_from([5432, 6543])),
        "database": "app",
        "username": "u",
        "password": f"${{env:{secret}}}",
    }
    env["DB_HOST"] = "canary-host-name-0123456789"
    if draw(st.booleans()):
        env["SSH_KEY"] = "canary-ssh-key-0123456789abcdef"
        configuration["tunnel_method"] = {
            "tunnel_method": "SSH_KEY_AUTH",
            "tunnel_host": "bastion",
            "tunnel_port": 22,
            "tunnel_user": "u",
            "ssh_key": "${env:SSH_KEY}",
        }
        event("configuration: oneOf with a secret")
    return manifest(
        "Source",
        f"s{index}",
        {"name": f"s{index}", "connector": "postgres", "configuration": configuration},
    )


def lake(name: str, env: dict[str, str]) -> Data:
    env["LAKE_PASSWORD"] = "canary-lake-password-0123456789"
    configuration = {
        "host": "account.snowflakecomputing.com",
        "role": "R",
        "warehouse": "W",
        "database": name,
        "schema": "S",
        "username": "U",
        "credentials": {"auth_type": "Username and Password", "password": "${env:LAKE_PASSWORD}"},
    }
    return manifest("Destination", name, {"connector": "snowflake", "configuration": configuration})


@st.composite
def worlds(draw: st.DrawFn) -> World:
    env: dict[str, str] = {}
    manifests = [lake("lake", env)]
    offered: dict[str, Data] = {}
    for index in range(draw(st.integers(1, 3))):
        source = draw(sources(index, env))
        name = source["metadata"]["name"]
        offered[name] = draw(catalogs())
        manifests.append(source)
        manifests.append(draw(connections(index, name, offered[name], env)))
    return World(offered, tuple(manifests), env)
