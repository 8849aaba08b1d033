"""Backend over Airbyte's Configuration API (/api/v1), of servers from 0.40 on.

Knows the endpoints of objects; lists that moved, catalogs and jobs are asked by modules of their own. Never
asks web_backend, nor anything that changes what it reads (CFG-T 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from reconciler.backends import bodies, config_lists, config_read, config_write, fields
from reconciler.backends.bodies import Body
from reconciler.backends.concurrently import concurrently
from reconciler.backends.config_catalogs import Catalogs
from reconciler.backends.config_lists import ACTORS
from reconciler.backends.config_running import Running
from reconciler.backends.config_server import Server, is_missing, read
from reconciler.backends.fields import ActorKind
from reconciler.backends.refusals import explain_start, explain_write
from reconciler.backends.tags import made_or_there
from reconciler.core.capabilities import Capabilities
from reconciler.core.diagnostics import ApiError, Unreachable
from reconciler.core.jobs import Check, Job, JobKind, RefreshMode
from reconciler.core.model import (
    Connection,
    ConnectorDefinition,
    Destination,
    DiscoveredStream,
    Json,
    Live,
    LiveObject,
    Source,
    Spec,
    Tag,
    Update,
    Workspace,
)
from reconciler.core.normalize import StreamKey
from reconciler.transport import Transport

_KIND_OF: Final[Mapping[type[Spec], str]] = {
    Source: "source",
    Destination: "destination",
    Connection: "connection",
}


_FEW: Final = 5
"""So many jobs are looked at to find the one that runs."""


class ConfigApi:
    """`workspace` is how a target names its own, which a server may not list. Remembers tags, catalogs and
    the workspace of connections as last read: writes want them whole."""

    capabilities = Capabilities(
        api="config",
        writes_interval_schedules=True,
        writes_time_zones=True,
        serves_specs=True,
        operations=frozenset(
            {"check", "discover", "sync", "refresh", "clear", "clear-streams", "cancel", "jobs"}
        ),
    )

    def __init__(self, transport: Transport, workspace: str | None = None) -> None:
        self.base_url = transport.base_url
        self._server = Server(transport)
        self._catalogs = Catalogs(self._server)
        self._running = Running(self._server)
        self._wanted = workspace
        self._tags: dict[str, dict[str, Tag]] = {}
        self._workspace_of: dict[str, str] = {}

    @property
    def generation(self) -> str:
        """Which releases of Airbyte answer like this server, as far as it was asked."""
        return self._server.generation

    # --- Reading ---------------------------------------------------------------------------

    async def workspaces(self) -> tuple[Workspace, ...]:
        return await config_lists.workspaces(self._server, self._wanted)

    async def snapshot(self, workspace: Workspace) -> Live:
        objects, tags, offered = await concurrently(
            lambda: self._objects_in(workspace.id),
            lambda: self._tags_in(workspace.id),
            lambda: config_lists.definitions(self._server, workspace.id),
        )
        await config_lists.look_for_propagation(self._server, workspace.id)
        self.capabilities = replace(self.capabilities, lacks=self._server.features_lacking)
        definitions = await config_lists.with_used(self._server, offered, objects)
        return Live(workspace=workspace, objects=objects, definitions=definitions, tags=tags)

    async def read(self, kind: str, object_id: str) -> LiveObject | None:
        path = f"/{kind}s/get"
        try:
            data = await self._server.ask(path, {f"{kind}Id": object_id})
        except ApiError as error:
            if is_missing(error):
                return None
            raise
        return _object(path, kind, data)

    # --- Writing ---------------------------------------------------------------------------

    async def create(self, workspace: Workspace, spec: Spec) -> LiveObject:
        kind = _KIND_OF[type(spec)]
        if isinstance(spec, Connection):
            tags = await self._tag_objects(workspace.id, spec)
            streams = await self._streams(spec, bodies.id_of(spec.source, "source"), workspace.id)
            body = config_write.connection_create(spec, tags, streams)
        else:
            body = config_write.actor_create(_actor_kind(kind), workspace.id, spec)
        made = await self._write(f"/{kind}s/create", kind, body)
        self._workspace_of[made.id] = workspace.id
        return made

    async def update(self, live: LiveObject, update: Update) -> LiveObject:
        if isinstance(live.spec, Connection):
            return await self._update_connection(live, live.spec, update)
        kind = _actor_kind(live.kind)
        self._catalogs.forget(live.id)
        if update.whole:
            body = config_write.actor_whole(kind, update, live)
            return await self._write(f"/{kind}s/update", kind, body)
        path = f"/{kind}s/partial_update"
        body = config_write.actor_merge(kind, update, live)
        answer = await self._server.ask_if_served(path, body)
        if answer is None:
            return await self._merge_here(kind, live, update)
        return _written(path, kind, answer)

    async def delete(self, kind: str, object_id: str) -> None:
        """Done also where there is nothing (any more)."""
        try:
            await self._server.ask(f"/{kind}s/delete", {f"{kind}Id": object_id})
        except ApiError as error:
            if not is_missing(error):
                raise

    async def create_tag(self, workspace: Workspace, name: str) -> Tag:
        """Names are unique in a workspace: where the name exists or the answer is lost, the tag of that
        name is the one."""
        bodies.refuse_tags(name, self._server.features_lacking)
        body = {"name": name, "color": bodies.color_of(name), "workspaceId": workspace.id}
        path = "/tags/create"

        async def make() -> Tag:
            return read(path, config_read.tag, await self._server.ask(path, body))

        async def find() -> Tag | None:
            return (await self._tags_in(workspace.id)).get(name)

        tag = await made_or_there(make, find)
        self._tags.setdefault(workspace.id, {})[tag.name] = tag
        return tag

    # --- Connectors and jobs ---------------------------------------------------------------

    async def discover(
        self, source_id: str, destination_id: str | None
    ) -> tuple[DiscoveredStream, ...]:
        return await self._catalogs.discover(source_id, destination_id)

    async def specification(
        self, workspace: Workspace, definition: ConnectorDefinition
    ) -> Mapping[str, Json] | None:
        return await self._specification(definition.kind, definition.id, workspace.id)

    async def check(self, kind: str, object_id: str) -> Check:
        return await self._running.check(kind, object_id)

    async def jobs(
        self, workspace: Workspace, connection_id: str | None, limit: int
    ) -> tuple[Job, ...]:
        return await self._running.jobs(workspace.id, connection_id, limit)

    async def job(self, job_id: str) -> Job | None:
        return await self._running.job(job_id)

    async def start(
        self,
        connection_id: str,
        kind: JobKind,
        streams: tuple[StreamKey, ...] = (),
        mode: RefreshMode = "merge",
    ) -> Job:
        try:
            return await self._running.start(connection_id, kind, streams, mode)
        except ApiError as error:
            await explain_start(
                error,
                kind,
                lambda: self.read("connection", connection_id),
                lambda: self._running.jobs("", connection_id, _FEW),
            )
            raise

    async def cancel(self, job_id: str) -> Job:
        return await self._running.cancel(job_id)

    # --- What reads and writes are made of -------------------------------------------------

    async def _objects_in(self, workspace_id: str) -> tuple[LiveObject, ...]:
        """Each id once, sorted. Connections come unpaged, with whole catalogs (CFG §5.2)."""
        within = {"workspaceId": workspace_id}
        lists = await concurrently(
            *(
                partial(self._server.pages, f"/{kind}s/list", within, f"{kind}s", f"{kind}Id")
                for kind in ACTORS
            ),
            lambda: self._server.rows("/connections/list", within, "connections"),
        )
        kinds = (*ACTORS, "connection")
        found = {
            live.id: live
            for kind, rows in zip(kinds, lists, strict=True)
            for live in (_object(f"/{kind}s/list", kind, row) for row in rows)
            if live is not None
        }
        self._workspace_of |= dict.fromkeys(found, workspace_id)
        return tuple(sorted(found.values(), key=lambda o: (o.kind, o.spec.name, o.id)))

    async def _write(self, path: str, kind: str, body: Body) -> LiveObject:
        try:
            answer = await self._server.ask(path, body, slow="syncCatalog" in body)
        except ApiError as error:
            explain_write(error)
            raise
        return _written(path, kind, answer)

    async def _update_connection(
        self, live: LiveObject, was: Connection, update: Update
    ) -> LiveObject:
        tags: bodies.TagObjects = {}
        streams: Body = {}
        spec = update.spec
        if isinstance(spec, Connection) and update.fields & {"tags", "streams"}:
            home = await self._home_of(live.id, was)
            if "tags" in update.fields:
                tags = await self._tag_objects(home, spec)
            if "streams" in update.fields:
                streams = await self._streams(spec, bodies.id_of(was.source, "source"), home)
        body = config_write.connection_patch(live, update, tags, streams)
        return await self._write("/connections/update", "connection", body)

    async def _streams(self, spec: Connection, source_id: str, workspace_id: str) -> Body:
        """Tags tell whether this server has mappers: the two came together (CFG §0)."""
        if workspace_id not in self._tags:
            await self._tags_in(workspace_id)
        return await self._catalogs.for_write(source_id, spec)

    async def _merge_here(self, kind: ActorKind, live: LiveObject, update: Update) -> LiveObject:
        """For servers without partial_update (0.40): the object is read again and written whole."""
        path = f"/{kind}s/get"
        data = await self._server.ask(path, {f"{kind}Id": live.id})
        now = read(path, partial(config_read.actor, kind), data)
        if now is None or isinstance(now.spec, Connection):
            raise ApiError(f"{kind} {live.id} does not exist (any more)", hint="plan again")
        home = read(path, lambda row: fields.text(row, "workspaceId"), data)
        spec = await self._specification(kind, now.spec.connector, home)
        body = config_write.actor_merged_here(kind, update, now, spec)
        return await self._write(f"/{kind}s/update", kind, body)

    async def _specification(
        self, kind: ActorKind, definition_id: str, workspace_id: str
    ) -> Mapping[str, Json] | None:
        path = f"/{kind}_definition_specifications/get"
        body = {f"{kind}DefinitionId": definition_id, "workspaceId": workspace_id}
        try:
            return read(path, config_read.specification, await self._server.ask(path, body))
        except ApiError as error:
            if is_missing(error):
                return None
            raise

    async def _tags_in(self, workspace_id: str) -> dict[str, Tag]:
        tags = await config_lists.tags(self._server, workspace_id)
        self._tags[workspace_id] = dict(tags)
        return tags

    async def _tag_objects(self, workspace_id: str, spec: Connection) -> bodies.TagObjects:
        wanted = set(spec.tags) if isinstance(spec.tags, tuple) else set()
        if not wanted <= self._tags.get(workspace_id, {}).keys():
            await self._tags_in(workspace_id)
        return bodies.tag_objects(workspace_id, self._tags.get(workspace_id, {}))

    async def _home_of(self, connection_id: str, spec: Connection) -> str:
        """A connection doesn't say its workspace; its source does (CFG §5.1)."""
        if connection_id not in self._workspace_of:
            path = "/sources/get"
            data = await self._server.ask(path, {"sourceId": bodies.id_of(spec.source, "source")})
            home = read(path, lambda row: fields.text(row, "workspaceId"), data)
            self._workspace_of[connection_id] = home
        return self._workspace_of[connection_id]


def _actor_kind(kind: str) -> ActorKind:
    return next(known for known in ACTORS if known == kind)


def _object(path: str, kind: str, data: Json) -> LiveObject | None:
    if kind == "connection":
        return read(path, config_read.connection, data)
    return read(path, partial(config_read.actor, _actor_kind(kind)), data)


def _written(path: str, kind: str, answer: Json) -> LiveObject:
    """An answer that names no object leaves the outcome open."""
    try:
        live = _object(path, kind, answer)
    except Unreachable as unreadable:
        raise fields.unknown_by(unreadable) from unreadable
    if live is None:
        raise ApiError(
            f"POST {path}: the {kind} is deleted on the server (CFG-T 8)", hint="plan again"
        )
    return live
