"""Jobs and connection tests of one server of the Configuration API.

Knows which endpoints to ask, and which ones older servers have instead; the JSON itself is config_jobs'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Final

from reconciler.backends import config_jobs, config_read
from reconciler.backends.concurrently import concurrently
from reconciler.backends.config_server import Server, read
from reconciler.backends.newest import newest, newest_of
from reconciler.backends.refusals import explain_unread_job
from reconciler.core.diagnostics import (
    ApiError,
    OutcomeUnknown,
    ReconcilerError,
    Refused,
    Unreachable,
)
from reconciler.core.jobs import Check, Job, JobKind, RefreshMode
from reconciler.core.model import Json
from reconciler.core.normalize import StreamKey
from reconciler.transport.pages import items_of

_OF_CONNECTION: Final = "/jobs/list"
_OF_WORKSPACE: Final = "/jobs/list_for_workspaces"
_GET: Final = ("/jobs/get_without_logs", "/jobs/get")
_REFUSED_TYPES: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


class Running:
    """Remembers whether the server knows the kinds of jobs that came with refreshes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._types = config_jobs.CONFIG_TYPES

    async def jobs(
        self, workspace_id: str, connection_id: str | None, limit: int
    ) -> tuple[Job, ...]:
        """Of the workspace where no connection is named: from each of its connections where the server
        can't list them together."""
        if connection_id is not None:
            return await self._of_connection(connection_id, limit)
        found = await self._newest(_OF_WORKSPACE, {"workspaceIds": [workspace_id]}, limit)
        if found is not None:
            return found
        body = {"workspaceId": workspace_id}
        rows = await self._server.rows("/connections/list", body, "connections")
        ids = [str(row.get("connectionId")) for row in rows]
        lists = await concurrently(*(partial(self._of_connection, one, limit) for one in ids))
        return newest_of((job for jobs in lists for job in jobs), limit)

    async def _of_connection(self, connection_id: str, limit: int) -> tuple[Job, ...]:
        found = await self._newest(_OF_CONNECTION, {"configId": connection_id}, limit)
        if found is None:
            raise Unreachable(f"POST {_OF_CONNECTION}: this server lists no jobs")
        return found

    async def _newest(
        self, path: str, within: Mapping[str, Json], limit: int
    ) -> tuple[Job, ...] | None:
        """None where the server has no such list."""
        served = True

        async def page(size: int, offset: int) -> list[Job]:
            nonlocal served
            window = {**within, "pagination": {"pageSize": size, "rowOffset": offset}}
            answer = await self._listed(path, window)
            served = answer is not None
            rows = items_of(answer, f"POST {path}", "jobs") if served else ()
            return [self._job(path, row) for row in rows]

        found = await newest(page, limit)
        return found if served else None

    async def _listed(self, path: str, window: Mapping[str, Json]) -> Json | None:
        """A server that knows no refreshes refuses to be asked for them (CFG §0)."""
        try:
            return await self._server.ask_if_served(path, {**window, "configTypes": self._types})
        except ApiError as error:
            if error.status not in _REFUSED_TYPES or self._types == config_jobs.OLD_CONFIG_TYPES:
                raise
            body = {**window, "configTypes": config_jobs.OLD_CONFIG_TYPES}
            answer = await self._server.ask_if_served(path, body)
        self._types = config_jobs.OLD_CONFIG_TYPES
        return answer

    async def job(self, job_id: str) -> Job | None:
        if not job_id.isdecimal():
            return None
        for path in _GET:
            try:
                data = await self._server.ask_if_served(path, {"id": int(job_id)})
            except ApiError as error:
                if config_jobs.says_unknown(error):
                    return None
                explain_unread_job(error, job_id)
                raise
            if data is not None:
                return self._job(path, data)
        raise Unreachable(f"POST {_GET[-1]}: this server shows no jobs")

    async def start(
        self, connection_id: str, kind: JobKind, streams: tuple[StreamKey, ...], mode: RefreshMode
    ) -> Job:
        for path, body in config_jobs.start_requests(connection_id, kind, streams, mode):
            try:
                data = await self._server.ask_if_served(path, body, slow=True)
            except ApiError as error:
                config_jobs.explain(error)
                raise
            if data is not None:
                return self._started(path, data)
        raise Refused(
            f"this server has no way to {kind}: it is older than Airbyte 0.63",
            hint="clear and then sync reads everything again, but empties the tables first",
        )

    def _started(self, path: str, data: Json) -> Job:
        if data == {}:
            raise ApiError(
                f"POST {path}: the server started no job",
                hint="are the streams selected, and can the destination do this?",
            )
        try:
            return self._job(path, data)
        except Unreachable as unreadable:
            raise OutcomeUnknown(unreadable.message, hint=unreadable.hint) from unreadable

    async def cancel(self, job_id: str) -> Job:
        if not job_id.isdecimal():
            raise ReconcilerError(f"{job_id!r} is no job id", hint="job ids are numbers")
        path = "/jobs/cancel"
        try:
            return self._job(path, await self._server.ask(path, {"id": int(job_id)}))
        except ApiError as error:
            there = await self.job(job_id) if error.status == HTTPStatus.CONFLICT else None
            if there is None or not there.ended:
                config_jobs.explain(error)
                raise
            return there

    async def check(self, kind: str, object_id: str) -> Check:
        path, body = f"/{kind}s/check_connection", {f"{kind}Id": object_id}
        found = config_read.check(await self._server.ask(path, body, slow=True))
        return replace(found, message=self._server.readable(found.message))

    def _job(self, path: str, data: Json) -> Job:
        job = read(path, config_jobs.read_job, data)
        return replace(job, failure=self._server.readable(job.failure))
