"""What git may do to a world: edits of manifests, each by a name that is counted."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.properties.features import event
from tests.properties.worlds import MODES, mapper_lists, stream_entries

Data = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """What edits may use: what the sources offer, secrets (grows), and the API that commands use."""

    offered: list[Data]
    env: dict[str, str]
    api: str

    def of(self, entry: Data) -> Data:
        """What is offered under a manifest's name of a stream."""
        named = [s for s in self.offered if s["name"] == entry["name"]]
        exact = [s for s in named if s.get("namespace") == entry.get("namespace")]
        return (exact if "namespace" in entry else named)[0]

    def ambiguous(self, offered: Data) -> bool:
        return sum(s["name"] == offered["name"] for s in self.offered) > 1


# --- Streams ---------------------------------------------------------------------------------


def _mode(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    """The mode alone, with the cursor and key that it needs."""
    offered = ground.of(entry)
    mode = draw(st.sampled_from(sorted(set(MODES) - {entry["syncMode"]})))
    needs_cursor, needs_key = MODES[mode]
    entry["syncMode"] = mode
    for field, needed, own, value in (
        ("cursorField", needs_cursor, "source_defined_cursor", "updated_at"),
        ("primaryKey", needs_key, "source_defined_primary_key", "id"),
    ):
        entry.pop(field, None)
        if needed and not offered.get(own):
            entry[field] = value


def _cursor(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    if "cursorField" in entry:
        entry["cursorField"] = draw(st.sampled_from(["id", ["id"]]))


def _key(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    if "primaryKey" in entry:
        entry["primaryKey"] = draw(st.sampled_from([["id", "updated_at"], "updated_at"]))


def _no_mappers(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    entry["mappers"] = []


def _other_mappers(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    columns = list(ground.of(entry)["json_schema"]["properties"])
    entry["mappers"] = draw(mapper_lists(columns, ground.env))
    entry["columns"] = "all"


def _fewer_mappers(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    if entry.get("mappers"):
        entry["mappers"] = entry["mappers"][1:]


def _all_columns(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    entry["columns"] = "all"


def _few_columns(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    entry["columns"] = ["updated_at", "id"]
    entry["mappers"] = []


def _silent(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    """Git no longer states them: what is live stays."""
    entry.pop("mappers", None)
    entry.pop("columns", None)


def _redrawn(draw: st.DrawFn, entry: Data, ground: Ground) -> None:
    offered = ground.of(entry)
    other = draw(stream_entries(offered, ambiguous=ground.ambiguous(offered), env=ground.env))
    if "columns" in other and "mappers" not in other:
        other["mappers"] = []
    entry.clear()
    entry.update({"columns": "all", **other} if other.get("mappers") else other)


STREAM_CHANGES: Mapping[str, Callable[[st.DrawFn, Data, Ground], None]] = {
    "mode": _mode,
    "cursor": _cursor,
    "key": _key,
    "no mappers": _no_mappers,
    "other mappers": _other_mappers,
    "fewer mappers": _fewer_mappers,
    "all columns": _all_columns,
    "few columns": _few_columns,
    "silent": _silent,
    "redrawn": _redrawn,
}


# --- Connections -----------------------------------------------------------------------------


def _streams(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    for entry in spec.get("streams", ()):
        if draw(st.booleans()):
            name = draw(st.sampled_from(sorted(STREAM_CHANGES)))
            event(f"change: stream {name}")
            STREAM_CHANGES[name](draw, entry, ground)


def _fewer_streams(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    if len(spec.get("streams", ())) > 1:
        del spec["streams"][draw(st.integers(0, len(spec["streams"]) - 1))]
        event("change: stream deselected")


def _more_streams(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    if "streams" not in spec:
        return
    known = [ground.of(entry) for entry in spec["streams"]]
    free = [offered for offered in ground.offered if offered not in known]
    for offered in free[: draw(st.integers(1, 2))]:
        ambiguous = ground.ambiguous(offered)
        spec["streams"].append(draw(stream_entries(offered, ambiguous=ambiguous, env=ground.env)))
        event("change: stream selected")


def _unmanaged_streams(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    spec.pop("streams", None)


def _field(name: str, *values: Any) -> Callable[[st.DrawFn, Data, Ground], None]:
    def change(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
        spec[name] = copy.deepcopy(draw(st.sampled_from(values)))

    return change


def _released(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    """A field leaves git; its value stays."""
    stated = sorted(set(spec) & {"schedule", "status", "prefix", "schemaChanges", "tags"})
    for name in stated[:2]:
        del spec[name]


def _schedule(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    crons = ["manual", {"cron": "0 0 */8 * * ?"}, {"cron": "0 15 10 ? * mon-fri"}]
    others = [{"every": "6 hours"}, {"cron": "0 0 7 * * ?", "timezone": "Europe/Berlin"}]
    refused = ground.api == "public" and draw(st.integers(0, 9)) > 0
    spec["schedule"] = draw(st.sampled_from(crons if refused else [*crons, *others]))
    if "every" in spec["schedule"]:
        event("change: connection interval")


def _ignored(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    field = draw(st.sampled_from(["/schedule", "/status", "/prefix", "/streams", "/name"]))
    spec["lifecycle"] = {"ignoreChanges": [field]}


def of_one_api(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    """Fields that the Configuration API alone has; the public one refuses them."""
    if ground.api == "public" and draw(st.integers(0, 9)) > 0:
        return
    known = {
        "backfillPreference": ["enabled", "disabled"],
        "notifySchemaChanges": [True, False],
        "resourceRequirements": [{"cpu_limit": "1"}, {"cpu_limit": "2", "memory_limit": "1Gi"}],
    }
    name = draw(st.sampled_from(sorted(known)))
    spec[name] = copy.deepcopy(draw(st.sampled_from(known[name])))
    event("field: of the Configuration API")


CONNECTION_CHANGES: Mapping[str, Callable[[st.DrawFn, Data, Ground], None]] = {
    "streams": _streams,
    "fewer streams": _fewer_streams,
    "more streams": _more_streams,
    "unmanaged streams": _unmanaged_streams,
    "schedule": _schedule,
    "status": _field("status", "active", "inactive"),
    "prefix": _field("prefix", "", "p_", "q_"),
    "namespace": _field(
        "destinationNamespace", "source", "destination", {"format": "raw_${SOURCE_NAMESPACE}"}
    ),
    "schemaChanges": _field(
        "schemaChanges", "ignore", "disable", "propagate_columns", "propagate_fully"
    ),
    "tags": _field("tags", [], ["gold"], ["silver", "pii"], ["new"]),
    "released": _released,
    "ignored": _ignored,
    "one API": of_one_api,
}


def change_connection(draw: st.DrawFn, manifest: Data, ground: Ground) -> None:
    count = draw(st.sampled_from([1, 1, 2, 3]))
    chosen = draw(
        st.lists(
            st.sampled_from(sorted(CONNECTION_CHANGES)), unique=True, min_size=count, max_size=count
        )
    )
    for name in ["streams", *chosen] if draw(st.booleans()) else chosen:
        event(f"change: connection {name}")
        CONNECTION_CHANGES[name](draw, manifest["spec"], ground)


# --- Sources and destinations ----------------------------------------------------------------


def change_actor(draw: st.DrawFn, manifest: Data, ground: Ground) -> None:
    spec = manifest["spec"]
    name = draw(st.sampled_from(["configuration", "secret", "form", "ignored"]))
    event(f"change: {manifest['kind'].lower()} {name}")
    configuration = spec["configuration"]
    if name == "secret":
        _rotate(configuration, ground.env)
    elif name == "form" and spec["connector"] == "postgres":
        configuration.pop("tunnel_method", None)
    elif name == "ignored" and spec["connector"] == "postgres":
        configuration["host"] = "ignored.internal"
        spec["lifecycle"] = {"ignoreChanges": ["/configuration/host"]}
    else:
        _reconfigure(draw, spec["connector"], configuration)


def _reconfigure(draw: st.DrawFn, connector: str, configuration: Data) -> None:
    if connector == "cluster":
        configuration["page_size"] = draw(st.sampled_from([100, 50]))
        configuration["nodes"] = configuration["nodes"][: draw(st.integers(1, 3))]
    elif connector == "postgres":
        configuration["host"] = draw(st.sampled_from(["db", "replica"]))
        configuration["jdbc_url_params"] = "x=1"
    else:
        configuration["schema"] = draw(st.sampled_from(["S", "T"]))


def _rotate(node: Any, env: dict[str, str]) -> None:
    """Every secret from another variable, with another value."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            _rotate(value, env)
        elif isinstance(value, str) and value.startswith("${env:"):
            name = f"{value[6:-1]}_NEW"
            env[name] = f"canary-rotated-{len(env)}-0123456789"
            node[key] = f"${{env:{name}}}"
