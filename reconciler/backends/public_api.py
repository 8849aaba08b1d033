"""Backend over Airbyte's public API (/api/public/v1, or the cloud's /v1).

Knows its endpoints and what their answers mean; the JSON itself is public_read's and public_write's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar, get_args
from urllib.parse import quote

from reconciler.backends import bodies, fields, public_jobs, public_read, public_write
from reconciler.backends.bodies import color_of
from reconciler.backends.concurrently import concurrently
from reconciler.backends.fields import ActorKind, read_answer
from reconciler.backends.newest import newest
from reconciler.backends.refusals import explain_start, explain_unread_job, explain_write
from reconciler.backends.tags import made_or_there
from reconciler.core.capabilities import Capabilities
from reconciler.core.diagnostics import (
    ApiError,
    AuthFailed,
    ReconcilerError,
    Unreachable,
)
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
from reconciler.transport import Row, Transport

_T = TypeVar("_T")

_KIND_OF: Final[Mapping[type[Spec], str]] = {
    Source: "source",
    Destination: "destination",
    Connection: "connection",
}
_ACTORS: Final[tuple[ActorKind, ...]] = get_args(ActorKind)
_FEW: Final = 5
"""So many jobs are looked at to find the one that runs."""


class PublicApi:
    """Remembers definitions, tags and the workspaces of connections as last read: the API wants whole
    tag objects, and older servers name a connector only by its type."""

    capabilities = Capabilities(
        api="public", operations=frozenset({"discover", "sync", "clear", "cancel", "jobs"})
    )

    generation = ""
    """Its answers hardly differ from release to release."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.base_url = transport.base_url
        self._definitions: tuple[ConnectorDefinition, ...] = ()
        self._tags: dict[str, dict[str, Tag]] = {}
        self._workspace_of: dict[str, str] = {}

    async def workspaces(self) -> tuple[Workspace, ...]:
        try:
            rows = await self._transport.pages("/workspaces", {}, key="workspaceId")
        except ApiError as error:
            if _is_missing(error):  # there is no object that could be: the path is another's
                raise Unreachable(
                    f"{error.message}, at {self.base_url}",
                    hint=f"is {self.base_url} the base of the public API? Self-managed servers have it at "
                    "/api/public/v1",
                    status=error.status,
                ) from error
            raise
        found = [_read("GET /workspaces", public_read.workspace, row) for row in rows]
        return tuple(sorted(found, key=lambda workspace: (workspace.name, workspace.id)))

    async def snapshot(self, workspace: Workspace) -> Live:
        rows, definitions, tags = await concurrently(
            lambda: self._rows_of(workspace.id),
            lambda: concurrently(
                *(partial(self._definitions_of, kind, workspace.id) for kind in _ACTORS)
            ),
            lambda: self._tags_of(workspace.id),
        )
        known = [definition for of_kind in definitions for definition in of_kind]
        known += await self._built_here(rows["source"], known, workspace.id)
        self._definitions = tuple(sorted(known, key=lambda d: (d.kind, d.name, d.id)))
        found = [self._object(f"GET /{kind}s", kind, row) for kind in rows for row in rows[kind]]
        objects = [live for live in found if live is not None]
        return Live(
            workspace=workspace,
            objects=tuple(sorted(objects, key=lambda live: (live.kind, live.spec.name, live.id))),
            definitions=self._definitions,
            tags=tags,
        )

    async def read(self, kind: str, object_id: str) -> LiveObject | None:
        path = _path(kind, object_id)
        try:
            data = await self._transport.request("GET", path)
        except ApiError as error:
            if _is_missing(error):
                return None
            raise
        return self._object(f"GET {path}", kind, data)

    async def create(self, workspace: Workspace, spec: Spec) -> LiveObject:
        if isinstance(spec, Connection):
            await self._refuse_mappers(spec, workspace.id)
            tags = await self._tag_objects(workspace.id, spec)
            body = public_write.connection_create(spec, tags)
        else:
            body = public_write.actor_create(workspace.id, spec)
        return await self._write("POST", _KIND_OF[type(spec)], None, body)

    async def update(self, live: LiveObject, update: Update) -> LiveObject:
        if isinstance(live.spec, Connection):
            tags: bodies.TagObjects = {}
            if "streams" in update.fields and bodies.has_mappers(update.spec):
                await self._refuse_mappers(update.spec, await self._home_of(live.id))
            if "tags" in update.fields and isinstance(update.spec, Connection):
                tags = await self._tag_objects(await self._home_of(live.id), update.spec)
            body = public_write.connection_patch(update, tags)
        elif update.whole:
            body = public_write.actor_put(update, live.spec)
            return await self._write("PUT", live.kind, live.id, body)
        else:
            body = public_write.actor_patch(update, live.spec)
        return await self._write("PATCH", live.kind, live.id, body)

    async def delete(self, kind: str, object_id: str) -> None:
        """Done also where there is nothing (any more)."""
        try:
            await self._transport.request("DELETE", _path(kind, object_id))
        except ApiError as error:
            if not _is_missing(error):
                raise

    async def create_tag(self, workspace: Workspace, name: str) -> Tag:
        """Names are unique in a workspace: where the name exists or the answer is lost, the tag of that
        name is the one."""
        bodies.refuse_tags(name, self.capabilities.lacks)
        body = {"name": name, "color": color_of(name), "workspaceId": workspace.id}

        async def make() -> Tag:
            data = await self._transport.request("POST", "/tags", json=body)
            return _read("POST /tags", public_read.tag, data)

        async def find() -> Tag | None:
            return (await self._tags_of(workspace.id)).get(name)

        tag = await made_or_there(make, find)
        self._tags.setdefault(workspace.id, {})[tag.name] = tag
        return tag

    async def discover(
        self, source_id: str, destination_id: str | None
    ) -> tuple[DiscoveredStream, ...]:
        params = {"sourceId": source_id}
        if destination_id is not None:
            params["destinationId"] = destination_id
        rows = fields.named(await self._transport.rows("/streams", params, slow=True), "streamName")
        found = [_read("GET /streams", public_read.discovered, row) for row in rows]
        return tuple(sorted(found, key=lambda stream: (stream.namespace or "", stream.name)))

    async def specification(
        self, workspace: Workspace, definition: ConnectorDefinition
    ) -> Mapping[str, Json] | None:
        raise _not_here("serve the specification of", f"{workspace.name}: {definition.name}")

    async def check(self, kind: str, object_id: str) -> Check:
        raise _not_here("test the connection of", f"{kind} {object_id}")

    async def jobs(
        self, workspace: Workspace, connection_id: str | None, limit: int
    ) -> tuple[Job, ...]:
        within = (
            {"connectionId": connection_id} if connection_id else {"workspaceIds": workspace.id}
        )
        return await self._newest_jobs(within, limit)

    async def _newest_jobs(self, within: Mapping[str, str], limit: int) -> tuple[Job, ...]:
        params = {**within, "orderBy": public_jobs.NEWEST_FIRST}

        async def page(size: int, offset: int) -> list[Job]:
            window = {**params, "limit": str(size), "offset": str(offset)}
            rows = await self._transport.rows("/jobs", window)
            return [_read("GET /jobs", public_jobs.read_job, row) for row in rows]

        return await newest(page, limit)

    async def job(self, job_id: str) -> Job | None:
        if not job_id.isdecimal():
            return None
        path = f"/jobs/{_segment(job_id)}"
        try:
            data = await self._transport.request("GET", path)
        except ApiError as error:
            if _is_missing(error):
                return None
            explain_unread_job(error, job_id)
            raise
        return _read(f"GET {path}", public_jobs.read_job, data)

    async def start(
        self,
        connection_id: str,
        kind: JobKind,
        streams: tuple[StreamKey, ...] = (),
        mode: RefreshMode = "merge",
    ) -> Job:
        del mode  # a refresh's, which this API has not
        body = public_jobs.start_body(connection_id, kind, streams)
        try:
            data = await self._transport.request("POST", "/jobs", json=body, slow=True)
        except ApiError as error:
            await explain_start(
                error,
                kind,
                lambda: self.read("connection", connection_id),
                lambda: self._newest_jobs({"connectionId": connection_id}, _FEW),
            )
            raise
        try:
            return _read("POST /jobs", public_jobs.read_job, data)
        except Unreachable as unreadable:
            raise fields.unknown_by(unreadable) from unreadable

    async def cancel(self, job_id: str) -> Job:
        path = f"/jobs/{_segment(job_id)}"
        try:
            data = await self._transport.request("DELETE", path)
        except ApiError as error:
            there = await self.job(job_id) if error.status == HTTPStatus.CONFLICT else None
            if there is None or not there.ended:
                raise
            return there
        return _read(f"DELETE {path}", public_jobs.read_job, data)

    # --- What reads and writes are made of -------------------------------------------------

    async def _rows_of(self, workspace_id: str) -> dict[str, tuple[Row, ...]]:
        """By kind, as listed."""
        kinds = tuple(_KIND_OF.values())
        within = {"workspaceIds": workspace_id}
        lists = await concurrently(
            *(partial(self._transport.pages, f"/{k}s", within, key=f"{k}Id") for k in kinds)
        )
        return dict(zip(kinds, lists, strict=True))

    def _object(self, request: str, kind: str, data: Json) -> LiveObject | None:
        if kind == "connection":
            live = _read(request, public_read.connection, data)
            if live is not None and isinstance(data.get("workspaceId"), str):
                self._workspace_of[live.id] = data["workspaceId"]
            return live
        actor_kind = next(known for known in _ACTORS if known == kind)
        resolve = public_read.type_resolver(actor_kind, self._definitions)
        return _read(request, lambda row: public_read.actor(actor_kind, row, resolve), data)

    async def _write(
        self, method: str, kind: str, object_id: str | None, body: dict[str, Any]
    ) -> LiveObject:
        """Sends a body and reads the answer: an answer that names no object leaves the outcome open."""
        path = _path(kind, object_id)
        slow = kind == "connection" and (method == "POST" or "configurations" in body)
        try:
            data = await self._transport.request(method, path, json=body, slow=slow)
        except ApiError as error:
            explain_write(error)
            raise
        try:
            live = self._object(f"{method} {path}", kind, data)
        except Unreachable as unreadable:
            raise fields.unknown_by(unreadable) from unreadable
        if live is None:
            raise ApiError(
                f"{method} {path}: the {kind} is deleted on the server (PUB-T 23)",
                hint="plan again",
            )
        return live

    async def _definitions_of(
        self, kind: ActorKind, workspace_id: str
    ) -> tuple[ConnectorDefinition, ...]:
        path = f"/workspaces/{_segment(workspace_id)}/definitions/{kind}s"
        rows = await self._rows_if_served(path, {})
        if rows is None:
            return await self._listed_definitions(kind, workspace_id)
        return tuple(_definitions(f"GET {path}", kind, rows))

    async def _listed_definitions(
        self, kind: ActorKind, workspace_id: str
    ) -> tuple[ConnectorDefinition, ...]:
        """From the endpoint that also has builder connectors, and no repositories (PUB §6)."""
        path = "/connector_definitions"
        params = {"type": kind, "workspaceId": workspace_id}
        rows = await self._rows_if_served(path, params)
        return tuple(_definitions(f"GET {path}", kind, rows or ()))

    async def _built_here(
        self, sources: Iterable[Json], known: Iterable[ConnectorDefinition], workspace_id: str
    ) -> tuple[ConnectorDefinition, ...]:
        """Builder connectors, asked for only where a live source uses a definition that isn't listed."""
        ids = {definition.id for definition in known}
        used = {row["definitionId"] for row in sources if isinstance(row.get("definitionId"), str)}
        if used <= ids:
            return ()
        listed = await self._listed_definitions("source", workspace_id)
        return tuple(definition for definition in listed if definition.id not in ids)

    async def _tags_of(self, workspace_id: str) -> dict[str, Tag]:
        """By name, sorted; none on servers that have no tags yet, nor the mappers that came with them."""
        rows = await self._rows_if_served("/tags", {"workspaceIds": workspace_id})
        if rows is None:
            self.capabilities = replace(self.capabilities, lacks=frozenset({"tags", "mappers"}))
        found = [_read("GET /tags", public_read.tag, row) for row in rows or ()]
        tags = {tag.name: tag for tag in sorted(found, key=lambda tag: tag.name)}
        self._tags[workspace_id] = dict(tags)
        return tags

    async def _rows_if_served(self, path: str, params: Mapping[str, str]) -> tuple[Row, ...] | None:
        """None where the server doesn't know the path: definitions and tags came with 1.6 (PUB §11)."""
        try:
            return await self._transport.rows(path, params)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND and not isinstance(error, AuthFailed):
                return None
            raise

    async def _tag_objects(self, workspace_id: str, spec: Connection) -> bodies.TagObjects:
        wanted = set(spec.tags) if isinstance(spec.tags, tuple) else set()
        if not wanted <= self._tags.get(workspace_id, {}).keys():
            await self._tags_of(workspace_id)
        return bodies.tag_objects(workspace_id, self._tags.get(workspace_id, {}))

    async def _refuse_mappers(self, spec: Spec, workspace_id: str) -> None:
        """Tags tell whether this server has mappers: the two came together (PUB §11)."""
        if bodies.has_mappers(spec) and workspace_id not in self._tags:
            await self._tags_of(workspace_id)
        bodies.refuse_mappers(spec, self.capabilities.lacks)

    async def _home_of(self, connection_id: str) -> str:
        if connection_id not in self._workspace_of:
            await self.read("connection", connection_id)
        if connection_id not in self._workspace_of:
            raise ApiError(
                f"connection {connection_id} does not exist (any more)", hint="plan again"
            )
        return self._workspace_of[connection_id]


def _definitions(
    request: str, kind: ActorKind, rows: Iterable[Json]
) -> Iterable[ConnectorDefinition]:
    return (_read(request, lambda row: public_read.definition(kind, row), row) for row in rows)


def _read(request: str, function: Callable[[Json], _T], data: Json) -> _T:
    return read_answer(request, "public", function, data)


def _not_here(verb: str, what: str) -> ReconcilerError:
    return ReconcilerError(
        f"the public API can't {verb} {what}", hint="the Configuration API can: --api config"
    )


def _is_missing(error: ApiError) -> bool:
    """A 404 about the object; one about the path is Unreachable, and one about a token AuthFailed."""
    return error.status == HTTPStatus.NOT_FOUND and not isinstance(error, Unreachable | AuthFailed)


def _path(kind: str, object_id: str | None) -> str:
    return f"/{kind}s" if object_id is None else f"/{kind}s/{_segment(object_id)}"


def _segment(text: str) -> str:
    """One path segment. Ids come from files and servers: none may lead elsewhere."""
    if not text.strip("."):
        raise ReconcilerError(f"{text!r} is no id")
    return quote(text, safe="")
