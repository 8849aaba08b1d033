"""One server of the Configuration API: asking it, and remembering which endpoints its release lacks.

Knows how servers of different years say that they don't have something; nothing of what is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Literal, TypeVar

from reconciler.backends.fields import read_answer
from reconciler.core.capabilities import Feature
from reconciler.core.diagnostics import ApiError, AuthFailed, Unreachable
from reconciler.core.model import Json
from reconciler.transport import Row, Transport
from reconciler.transport.pages import items_of

_T = TypeVar("_T")

WORKSPACES: Final = "/workspaces/list"
TAGS: Final = "/tags/list"
SINCE_PROPAGATION: Final = "/sources/list_paginated"
"""A list that came with schema propagation, whose own words no read shows (CFG §0)."""


class Server:
    """Remembers for the run what was found: an endpoint that isn't there is asked for once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.base_url = transport.base_url
        self._found: dict[str, Literal["served", "absent", "forbidden"]] = {}

    async def ask(self, path: str, body: Json, *, slow: bool = False) -> Json:
        return await self._transport.request("POST", path, json=body, slow=slow)

    async def ask_if_served(
        self, path: str, body: Json, *, slow: bool = False, optional: bool = False
    ) -> Json | None:
        """The answer, {} where it has no body; None where the server has no such endpoint. `optional`: one
        that names no object, so that any 404 is about the path, and a 403 too: with auth on, a path that
        doesn't exist may be forbidden (CFG §1)."""
        if self.lacks(path):
            return None
        try:
            answer = await self.ask(path, body, slow=slow)
        except AuthFailed:
            raise  # about who asks, whatever its status: old servers have no path for tokens
        except ApiError as error:
            denied = optional and error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN)
            if not denied and not _says_no_such_path(error):
                raise
            self._found[path] = "forbidden" if error.status == HTTPStatus.FORBIDDEN else "absent"
            return None
        self._found[path] = "served"
        return {} if answer is None else answer

    async def rows(self, path: str, body: Json, items: str) -> tuple[Row, ...]:
        """Of a list that isn't paged."""
        return tuple(items_of(await self.ask(path, body), f"POST {path}", items))

    async def rows_if_served(self, path: str, body: Json, items: str) -> tuple[Row, ...] | None:
        answer = await self.ask_if_served(path, body, optional=True)
        return None if answer is None else tuple(items_of(answer, f"POST {path}", items))

    async def pages(self, path: str, body: Json, items: str, key: str) -> tuple[Row, ...]:
        return await self._transport.cursor_pages(path, body, items=items, key=key)

    def lacks(self, path: str) -> bool:
        """Whether the server said that it has no such endpoint, as far as it lets us know."""
        return self._found.get(path) in ("absent", "forbidden")

    @property
    def features_lacking(self) -> frozenset[Feature]:
        """Tags and mappers came together (CFG §0): where tags are forbidden nothing shows that there are
        mappers."""
        lacking: set[Feature] = set()
        if self.lacks(TAGS):
            lacking |= {"tags", "mappers"}
        if self._found.get(SINCE_PROPAGATION) == "absent":
            lacking.add("propagation")
        return frozenset(lacking)

    def readable(self, text: str) -> str:
        return self._transport.readable(text)

    @property
    def generation(self) -> str:
        """The releases that answer as this server did so far (CFG §0); empty where nothing tells."""
        tags, workspaces = self._found.get(TAGS), self._found.get(WORKSPACES)
        if tags == "absent":
            return "before 1.6"
        if workspaces == "absent":
            return "1.7 or newer"
        return "1.6" if tags == workspaces == "served" else ""


def read(path: str, function: Callable[[Json], _T], data: Json) -> _T:
    """What the function makes of an answer. Raises Unreachable where that is no answer of this API."""
    return read_answer(f"POST {path}", "Configuration", function, data)


def is_missing(error: ApiError) -> bool:
    """A 404 about the object; one about the path is Unreachable, and one about a token AuthFailed."""
    return error.status == HTTPStatus.NOT_FOUND and not isinstance(error, Unreachable | AuthFailed)


def _says_no_such_path(error: ApiError) -> bool:
    if error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return True
    return error.status == HTTPStatus.NOT_FOUND and isinstance(error, Unreachable)
