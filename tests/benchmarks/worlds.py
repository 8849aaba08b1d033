"""Large projects of one shape, so that two sizes can be compared."""

from __future__ import annotations

from pathlib import Path

_CONNECTION = """\
apiVersion: airbyte.reconciler/v1
kind: Connection
metadata: {{name: c{index}}}
spec:
  name: Flow {index}
  source: s{index}
  destination: lake
  schedule: {{cron: "0 {minute} */6 * * ?"}}
  destinationNamespace: {{format: raw_{index}}}
  prefix: ""
  schemaChanges: ignore
  streamDefaults: {{namespace: public, columns: all, mappers: []}}
  streams:
"""

_STREAM = """\
    - name: table_{number:03}
      syncMode: incremental_deduped_history
      cursorField: updated_at
      primaryKey: id
"""

_SOURCE = """\
apiVersion: airbyte.reconciler/v1
kind: Source
metadata: {{name: s{index}}}
spec:
  name: Source {index}
  connector: postgres
  configuration:
    host: db{index}.internal
    port: 5432
    database: app
    username: airbyte
    password: ${{env:PG_PASSWORD}}
"""

_LAKE = """\
apiVersion: airbyte.reconciler/v1
kind: Destination
metadata: {name: lake}
spec:
  connector: snowflake
  configuration:
    host: account.snowflakecomputing.com
    role: R
    warehouse: W
    database: D
    schema: S
    username: U
    credentials: {auth_type: Username and Password, password: "${env:LAKE_PASSWORD}"}
"""

_PROJECT = """\
apiVersion: airbyte.reconciler/v1
kind: Project
metadata: {{name: large}}
spec: {{targets: {{server: {{url: "{url}", api: public}}}}}}
"""

ENV = {"PG_PASSWORD": "benchmark-password", "LAKE_PASSWORD": "benchmark-password"}


def write(folder: Path, connections: int, streams: int, url: str) -> list[Path]:
    """A project of `connections` sources and connections with `streams` streams each; its manifests."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reconciler.yaml").write_text(_PROJECT.format(url=url), encoding="utf-8")
    (folder / "lake.yaml").write_text(_LAKE, encoding="utf-8")
    made = [folder / "lake.yaml"]
    body = "".join(_STREAM.format(number=number) for number in range(streams))
    for index in range(connections):
        path = folder / f"flow-{index:04}.yaml"
        connection = _CONNECTION.format(index=index, minute=index % 60) + body
        path.write_text(f"{_SOURCE.format(index=index)}---\n{connection}", encoding="utf-8")
        made.append(path)
    return made
