"""Other people's objects in the same Airbyte: in another workspace, beside ours, on our sources and
destinations, and of our names. They are copies of ours, put into the store as rows: neither API and
nothing of the product stands between."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from reconciler.emulator import jobs, rows, secrets, states, workspaces
from reconciler.emulator.settings import DEFAULT_WORKSPACE_ID
from tests.properties.features import event
from tests.properties.server import Server
from tests.properties.worlds import BUILDER

Data = dict[str, Any]

FOREIGN_TAG = "theirs"


@dataclass(frozen=True)
class Neighbours:
    """`twin` is the place of the one of our objects that somebody has by the same name; None: nobody."""

    elsewhere: bool
    beside: bool
    on_ours: bool
    built: bool
    running: bool
    twin: int | None


@st.composite
def neighbours(draw: st.DrawFn) -> Neighbours:
    """All but the twin more often than not: a twin is an error, and nothing is written then."""
    flags = [draw(st.integers(0, 3)) > 0 for _ in range(5)]
    twin = draw(st.sampled_from([*[None] * 20, 0, 2, 3, 4, 5]))
    return Neighbours(*flags, twin)


@dataclass(frozen=True)
class Theirs:
    """`rows`: (table, id) → the row, as it was put there; `twins`: the (kind, name) that two have here."""

    rows: Mapping[tuple[str, Any], Data]
    twins: frozenset[tuple[str, str]]

    def touched(self, server: Server, gone: frozenset[str] = frozenset()) -> list[str]:
        """What is not as it was, but for what goes with connections that were accepted by name."""
        now, spared = _everything(server), self._with_secrets(gone)
        return [
            f"{key}: {row} → {now.get(key)}"
            for key, row in self.rows.items()
            if now.get(key) != row and not {key[1], row.get("connection_id")} & spared
        ]

    def logged(self, server: Server, after: int, gone: frozenset[str] = frozenset()) -> list[str]:
        """What the log says of them."""
        watched = {str(identity) for _, identity in self.rows} - self._with_secrets(gone)
        return [
            f"{logged.kind} {logged.detail}"
            for logged in server.events(after)
            if watched & {v for v in logged.detail.values() if isinstance(v, str)}
        ]

    def _with_secrets(self, gone: frozenset[str]) -> frozenset[str]:
        connections = [self.rows.get((rows.Connection.table, identity), {}) for identity in gone]
        return gone | {c for each in connections for c in _coordinates(each)}


def _coordinates(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if set(node) == {"_secret"}:
            yield node["_secret"]
        for child in node.values():
            yield from _coordinates(child)
    elif isinstance(node, list):
        for child in node:
            yield from _coordinates(child)


def _everything(server: Server) -> dict[tuple[str, Any], Data]:
    return {
        (table, row["id"]): row for table, found in server.everything().items() for row in found
    }


def settle_in(server: Server, who: Neighbours) -> Theirs:
    """Puts them there; what we have is there already."""
    ours = _everything(server)
    twins: set[tuple[str, str]] = set()
    actors = sorted(server.rows(rows.Actor), key=lambda row: (row.kind, row.name))
    connections = sorted(server.rows(rows.Connection), key=lambda row: row.name)
    if who.elsewhere:
        _elsewhere(server, actors, connections)
    if who.beside:
        _beside(server, actors, connections)
    if who.on_ours:
        _on_ours(server, connections)
    if who.built:
        _built(server, actors, connections)
    if who.twin is not None:
        chosen = [*actors, *connections][who.twin % len([*actors, *connections])]
        twins.add(_twin(server, chosen))
    for name, present in dataclasses.asdict(who).items():
        if present is not False and present is not None:
            event(f"neighbours: {name}")
    if who.running:
        _running(server, {row.id for row in connections})
    theirs = {key: row for key, row in _everything(server).items() if key not in ours}
    return Theirs(theirs, frozenset(twins))


# --- Who they are ----------------------------------------------------------------------------


def _elsewhere(
    server: Server, actors: list[rows.Actor], connections: list[rows.Connection]
) -> None:
    """Another workspace that holds all that ours does, by the same names, tags too."""
    with server.instance.store.transaction():
        workspace = workspaces.create(server.instance, "Theirs")
    tags = {
        tag.id: _copy(server, tag, workspace_id=workspace.id).id for tag in server.rows(rows.Tag)
    }
    made = {a.id: _copy_actor(server, a, workspace_id=workspace.id).id for a in actors}
    for each in connections:
        _copy_connection(
            server,
            each,
            workspace_id=workspace.id,
            source_id=made[each.source_id],
            destination_id=made[each.destination_id],
            tags=[tags[tag] for tag in each.tags],
        )


def _beside(server: Server, actors: list[rows.Actor], connections: list[rows.Connection]) -> None:
    """In our workspace, by other names; a source has the name of our destination and the other way round."""
    tag = _foreign_tag(server)
    names = {kind: [a.name for a in actors if a.kind == kind] for kind in ("source", "destination")}
    other = {"source": names["destination"], "destination": names["source"]}
    made = {}
    for place, each in enumerate(actors):
        name = (
            other[each.kind][0] if place in (0, len(names["destination"])) else f"their {each.name}"
        )
        made[each.id] = _copy_actor(server, each, name=name).id
    for each in connections:
        ends = {"source_id": made[each.source_id], "destination_id": made[each.destination_id]}
        _copy_connection(
            server, each, name=f"beside {each.name}", tags=[*each.tags, tag.id], **ends
        )


def _on_ours(server: Server, connections: list[rows.Connection]) -> None:
    """Connections of other people between our sources and our destinations."""
    tag = _foreign_tag(server)
    for each in connections:
        _copy_connection(server, each, name=f"their {each.name}", tags=[tag.id])


def _built(server: Server, actors: list[rows.Actor], connections: list[rows.Connection]) -> None:
    """A source from the connector builder, and a connection from it into a destination of ours."""
    row = rows.Actor(
        id=server.instance.new_id(),
        kind="source",
        workspace_id=DEFAULT_WORKSPACE_ID,
        definition_id=BUILDER["definitionId"],
        name="built",
        configuration={"start": "2026-01-01"},
        resources=None,
        created_at=server.instance.now,
    )
    _put(server, row)
    _copy_connection(server, connections[0], name="of what is built", source_id=row.id)


def _twin(server: Server, each: rows.Actor | rows.Connection) -> tuple[str, str]:
    if isinstance(each, rows.Actor):
        _copy_actor(server, each)
        return each.kind, each.name
    _copy_connection(server, each)
    return "connection", each.name


def _running(server: Server, ours: set[str]) -> None:
    """A sync of theirs that goes on while we plan and apply."""
    for each in server.rows(rows.Connection):
        if each.id not in ours and each.status == "active":
            jobs.sync(server.instance, each)
            return


# --- Copies ----------------------------------------------------------------------------------


def _put(server: Server, row: Any) -> None:
    with server.instance.store.transaction():
        server.instance.store.put(row)


def _copy(server: Server, row: Any, **changes: Any) -> Any:
    made = dataclasses.replace(row, id=server.instance.new_id(), **changes)
    _put(server, made)
    return made


def _foreign_tag(server: Server) -> rows.Tag:
    known = [
        tag
        for tag in server.rows(rows.Tag)
        if (tag.workspace_id, tag.name) == (DEFAULT_WORKSPACE_ID, FOREIGN_TAG)
    ]
    tag = rows.Tag(server.instance.new_id(), DEFAULT_WORKSPACE_ID, FOREIGN_TAG, "ABCDEF")
    if not known:
        _put(server, tag)
    return known[0] if known else tag


def _copy_actor(server: Server, actor: rows.Actor, **changes: Any) -> rows.Actor:
    """With secrets of its own. One by another name is of another configuration too: else it looks as if
    ours had been renamed."""
    configuration = _own_secrets(server, actor.configuration, actor.workspace_id)
    if "name" in changes:
        configuration = {**configuration, **_told_apart(configuration)}
    made: rows.Actor = _copy(server, actor, configuration=configuration, **changes)
    return made


def _told_apart(configuration: Data) -> Data:
    return {"page_size": 7} if "nodes" in configuration else {"database": "theirs"}


def _copy_connection(
    server: Server, connection: rows.Connection, **changes: Any
) -> rows.Connection:
    """With its catalog and its saved positions."""
    streams = _own_secrets(server, connection.streams, connection.workspace_id)
    made: rows.Connection = _copy(server, connection, streams=streams, **changes)
    store = server.instance.store
    catalog = store.get(rows.ConnectionCatalog, connection.id)
    if catalog is not None:
        _put(server, dataclasses.replace(catalog, id=made.id))
    with store.transaction():
        for saved in states.of(server.instance, connection.id):
            key = (saved.namespace or None, saved.name)
            states.save(server.instance, made.id, key, {"cursor": "theirs"})
    return made


def _own_secrets(server: Server, node: Any, workspace_id: str) -> Any:
    if isinstance(node, list):
        return [_own_secrets(server, part, workspace_id) for part in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"_secret"}:
        known = server.instance.store.get(rows.Secret, node["_secret"])
        with server.instance.store.transaction():
            coordinate = secrets.put(server.instance, workspace_id, known.value, None)
        return secrets.reference(coordinate)
    return {key: _own_secrets(server, part, workspace_id) for key, part in node.items()}


def ambiguous(manifests: tuple[Data, ...], theirs: Theirs, server: Server) -> set[str]:
    """Addresses of the manifests that may mean either of two: the first of their names that is live is."""
    here = [row for row in server.rows(rows.Actor) if row.workspace_id == DEFAULT_WORKSPACE_ID]
    called = {(row.kind, row.name) for row in here}
    called |= {("connection", row.name) for row in server.rows(rows.Connection)}
    found = set()
    for each in manifests:
        kind, metadata = each["kind"].lower(), each["metadata"]
        if "ids" in metadata:
            continue
        names = [each["spec"].get("name", metadata["name"]), *metadata.get("previousNames", ())]
        meant = next((name for name in names if (kind, name) in called), None)
        if (kind, meant) in theirs.twins:
            found.add(f"{kind}/{metadata['name']}")
    return found
