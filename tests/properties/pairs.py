"""Generated pairs of worlds: what is applied, what people and Airbyte do to it, and what git says next."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from reconciler.emulator import jobs, rows
from tests.properties.changes import (
    Ground,
    change_actor,
    change_connection,
    of_one_api,
)
from tests.properties.features import event
from tests.properties.server import Server
from tests.properties.worlds import World, catalogs, connections, lake, sources

Data = dict[str, Any]

CONNECTORS = ("postgres", "cluster", "mysql")
GROWN = "grown"
"""The column that a source may get between the two."""


@dataclass(frozen=True)
class Pair:
    """`pinned`: addresses whose manifests get the id of the live object; `incidents`: what happens in
    Airbyte between the two."""

    before: World
    after: World
    pinned: frozenset[str]
    incidents: tuple[Incident, ...]

    def next_world(self, server: Server) -> World:
        """The world after, with its pins."""
        manifests = copy.deepcopy(self.after.manifests)
        known = {("connection", r.name): r.id for r in server.rows(rows.Connection)}
        known |= {(r.kind, r.name): r.id for r in server.rows(rows.Actor)}
        names = {_address(m): _name(m) for m in self.before.manifests}
        for each in manifests:
            if _address(each) in self.pinned:
                kind = each["kind"].lower()
                each["metadata"]["ids"] = {"local": known[kind, names[_address(each)]]}
        return World(self.after.catalogs, manifests, self.after.env)


@dataclass(frozen=True)
class Incident:
    """Something that happens to a connection or a source: `what` names it, `name` is the object's."""

    what: str
    name: str
    fields: Data = field(default_factory=dict)

    def happen(self, server: Server) -> None:
        event(f"incident: {self.what}")
        if self.what == "propagation":
            found = next(r for r in server.rows(rows.Actor) if r.name == self.name)
            server.post("/auto-propagate", {"sourceId": found.id, **self.fields})
            return
        connection = next(r for r in server.rows(rows.Connection) if r.name == self.name)
        if self.what == "disabled":
            server.post("/auto-disable", {"connectionId": connection.id})
            return
        if self.what == "job running":
            if connection.status == "active" and not jobs.running(server.instance, connection.id):
                jobs.sync(server.instance, connection)
            return
        fields = dict(self.fields)
        if self.what == "streams":
            streams = [{**stream, **fields} for stream in connection.streams]
            fields = {"streams": streams}
        server.edit("connection", connection.id, **fields)


def _address(each: Data) -> str:
    return f"{each['kind'].lower()}/{each['metadata']['name']}"


def _name(each: Data) -> str:
    return str((each.get("spec") or {}).get("name", each["metadata"]["name"]))


# --- Before ----------------------------------------------------------------------------------


@st.composite
def _first(draw: st.DrawFn, ground: Ground) -> list[Data]:
    catalog = {"streams": [{"stream": offered} for offered in ground.offered]}
    made = [lake("lake", ground.env), lake("lake2", ground.env)]
    for index in range(draw(st.integers(1, 3))):
        made.append(draw(sources(index, ground.env)))
        for number in range(draw(st.integers(0 if index else 1, 2))):
            destination = draw(st.sampled_from(["lake", "lake", "lake2"]))
            ends = (f"s{index}", catalog, ground.env, destination)
            connection = draw(connections(index * 10 + number, *ends))
            connection["spec"].pop("lifecycle", None)
            if ground.api == "config":
                _only_in_config(draw, connection["spec"], ground)
            made.append(connection)
    return made


def _only_in_config(draw: st.DrawFn, spec: Data, ground: Ground) -> None:
    of_one_api(draw, spec, ground)
    if draw(st.booleans()):
        spec["schedule"] = {"every": draw(st.sampled_from(["1 hour", "2 days"]))}
        event("field: interval")


# --- Between ---------------------------------------------------------------------------------


@st.composite
def _incidents(draw: st.DrawFn, manifests: list[Data], offered: list[Data]) -> tuple[Incident, ...]:
    named: dict[str, list[str]] = {"source": [], "connection": []}
    for each in manifests:
        named.setdefault(each["kind"].lower(), []).append(_name(each))
    column = {"stream": offered[0]["name"], "column": GROWN}
    if offered[0].get("namespace"):
        column["namespace"] = offered[0]["namespace"]
    ambiguous = sum(s["name"] == column["stream"] for s in offered) > 1
    kinds: dict[str, list[Data]] = {
        "disabled": [{}],
        "job running": [{}],
        "edited": [
            {"status": "active"},
            {"status": "inactive"},
            {"prefix": "ui_"},
            {"schedule": {"type": "manual"}},
            {"schema_changes": "disable_connection"},
            {"tags": []},
        ],
        "streams": [{"mappers": []}, {"selected_fields": None}],
    }
    happening = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        what = draw(st.sampled_from([*sorted(kinds), "propagation"]))
        if what != "propagation":
            name = draw(st.sampled_from(named["connection"]))
            happening.append(Incident(what, name, draw(st.sampled_from(kinds[what]))))
        elif not ambiguous and not any(i.what == "propagation" for i in happening):
            name = draw(st.sampled_from(named["source"]))
            happening.append(Incident(what, name, {"add_columns": [column]}))
    return tuple(happening)


# --- After -----------------------------------------------------------------------------------


@dataclass
class _Next:
    """The manifests of the world after while they are made; `gone`: source → what became of it."""

    manifests: list[Data] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)
    pinned: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)


@st.composite
def _second(draw: st.DrawFn, first: list[Data], ground: Ground) -> _Next:
    """Sources and destinations first: what becomes of connections depends on them."""
    after = _Next()
    following = copy.deepcopy(first)
    for each in following:
        if each["kind"] == "Source":
            _next_source(draw, each, after, ground)
        elif each["kind"] == "Destination":
            if draw(st.integers(0, 3)) == 0:
                change_actor(draw, each, ground)
            after.manifests.append(each)
    if draw(st.integers(0, 3)) == 0 or not after.sources:
        fresh = draw(sources(7, ground.env))
        after.manifests.append(fresh)
        after.sources.append("s7")
        event("fate: source new")
    for each in following:
        if each["kind"] == "Connection":
            _next_connection(draw, each, after, ground)
    if draw(st.integers(0, 2)) == 0:
        catalog = {"streams": [{"stream": offered} for offered in ground.offered]}
        source = draw(st.sampled_from(after.sources))
        fresh = draw(connections(90, source, catalog, ground.env))
        fresh["spec"].pop("lifecycle", None)
        after.manifests.append(fresh)
        event("fate: connection new")
    return after


def _next_source(draw: st.DrawFn, each: Data, after: _Next, ground: Ground) -> None:
    name = each["metadata"]["name"]
    fates = ["kept"] * 4 + [
        "changed",
        "changed",
        "renamed",
        "pinned",
        "swapped",
        "absent",
        "forgotten",
    ]
    fate = draw(st.sampled_from(fates))
    event(f"fate: source {fate}")
    if fate in ("absent", "forgotten"):
        after.gone[name] = fate
        if fate == "absent":
            after.manifests.append({**each, "state": "absent"})
        return
    if fate == "changed":
        change_actor(draw, each, ground)
    elif fate == "swapped":
        _swap(each)
    elif fate in ("renamed", "pinned"):
        _rename(each, after, pin=fate == "pinned")
    after.manifests.append(each)
    after.sources.append(name)


def _swap(each: Data) -> None:
    """Another connector: a new object takes its place."""
    if each["spec"]["connector"] == "mysql":
        return
    configuration: Data = {"host": "db", "port": 3306, "database": "app", "username": "u"}
    configuration["replication_method"] = {"method": "STANDARD"}
    each["spec"].update(connector="mysql", configuration=configuration)


def _rename(each: Data, after: _Next, *, pin: bool) -> None:
    old = _name(each)
    each["spec"]["name"] = f"{old} renamed"
    if pin:
        after.pinned.add(_address(each))
    else:
        each["metadata"]["previousNames"] = [old]


def _next_connection(draw: st.DrawFn, each: Data, after: _Next, ground: Ground) -> None:
    spec = each["spec"]
    fate_of_source = after.gone.get(spec["source"])
    fates = ["kept", "changed", "changed", "changed", "changed", "renamed", "pinned"]
    fates += ["moved", "moved to another destination", "absent", "forgotten"]
    if fate_of_source is not None:
        fates = ["moved", "absent", "forgotten"]
    fate = draw(st.sampled_from(fates))
    if fate == "moved" and not set(after.sources) - {spec["source"]}:
        fate = "absent"
    event(f"fate: connection {fate}")
    if fate == "forgotten":
        return
    if fate == "absent":
        after.manifests.append({**each, "state": "absent"})
        return
    if fate == "moved":
        spec["source"] = draw(st.sampled_from(sorted(set(after.sources) - {spec["source"]})))
    elif fate == "moved to another destination":
        spec["destination"] = "lake2" if spec["destination"] == "lake" else "lake"
    elif fate in ("renamed", "pinned"):
        _rename(each, after, pin=fate == "pinned")
    if fate == "changed" or draw(st.integers(0, 4)) == 0:
        change_connection(draw, each, ground)
    after.manifests.append(each)


@st.composite
def pairs(draw: st.DrawFn, api: str) -> Pair:
    offered = [entry["stream"] for entry in draw(catalogs())["streams"]]
    ground = Ground(offered, {"DB_HOST": "canary-host-name-0123456789"}, api)
    first = draw(_first(ground))
    env = dict(ground.env)
    second = draw(_second(first, ground))
    later = copy.deepcopy(offered)
    if draw(st.integers(0, 2)) == 0:
        later[-1]["json_schema"]["properties"][GROWN] = {"type": "string"}
        event("incident: a column in the source")
    return Pair(
        World(_of_all(offered), tuple(first), env),
        World(_of_all(later), tuple(second.manifests), ground.env),
        frozenset(second.pinned),
        draw(_incidents(first, offered)),
    )


def _of_all(offered: list[Data]) -> dict[str, Data]:
    """Every source offers the same, whatever it is called and made of: connections may move."""
    catalog = {"streams": [{"stream": each} for each in offered]}
    return dict.fromkeys(CONNECTORS, catalog)
