"""Lists as the server pages them: without order, with a `next` nobody can use."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.core.diagnostics import Unreachable
from tests.transport.scripted import Scripted, reply

pytestmark = pytest.mark.anyio

Answer = Callable[[httpx.Request], httpx.Response]


def window(request: httpx.Request) -> slice:
    offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
    return slice(offset, offset + limit)


def listing(count: int, **envelope: Any) -> Answer:
    rows = [{"id": f"row-{n}"} for n in range(count)]
    return lambda request: reply(200, {**envelope, "data": rows[window(request)]})


async def ids(server: Scripted) -> list[str]:
    return [
        row["id"]
        for row in await server.transport().pages("/rows", {"workspaceIds": "w"}, key="id")
    ]


@pytest.mark.parametrize(("rows", "calls"), [(0, 1), (1, 1), (99, 1), (100, 2), (101, 2), (250, 3)])
async def test_a_list_is_read_in_pages_of_a_hundred_by_our_own_offset(
    rows: int, calls: int
) -> None:
    server = Scripted([listing(rows, next="http://localhost:8001/nowhere", previous="")] * calls)
    assert await ids(server) == [f"row-{n}" for n in range(rows)]
    asked = [dict(request.url.params) for request in server.requests]
    assert asked == [
        {"workspaceIds": "w", "limit": "100", "offset": str(100 * n)} for n in range(calls)
    ]


@pytest.mark.parametrize("envelope", [{}, {"next": None, "previous": None}, {"next": ""}])
async def test_next_and_previous_do_not_matter(envelope: dict[str, Any]) -> None:
    assert len(await ids(Scripted([listing(3, **envelope)]))) == 3


async def test_rows_that_hide_behind_repeated_ones_are_found_by_reading_again() -> None:
    shuffler = random.Random(1)
    rows = [{"id": f"row-{n}"} for n in range(250)]

    def shuffled(request: httpx.Request) -> httpx.Response:
        shuffler.shuffle(rows)
        return reply(200, {"data": rows[window(request)]})

    assert len(set(await ids(Scripted([shuffled] * 60)))) == 250


async def test_a_row_twice_on_one_page_hides_nothing() -> None:
    server = Scripted([reply(200, {"data": [{"id": "a"}, {"id": "a"}]})])
    assert await ids(server) == ["a"]


async def test_a_list_that_never_settles_is_an_error_and_not_a_guess() -> None:
    def unsettled(request: httpx.Request) -> httpx.Response:
        count = 100 if request.url.params["offset"] == "0" else 1
        return reply(200, {"data": [{"id": f"row-{n}"} for n in range(count)]})

    with pytest.raises(Unreachable, match="changed each of the 20 times"):
        await ids(Scripted([unsettled] * 40))


async def test_a_list_that_repeats_itself_without_end_is_an_error() -> None:
    full = [{"id": f"row-{n}"} for n in range(100)]
    with pytest.raises(Unreachable, match="repeats itself"):
        await ids(Scripted([reply(200, {"data": full})] * 20))


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": {}}, {"data": ["x"]}, "null", None, 5]
)
async def test_an_answer_that_is_no_list_is_an_error_and_not_an_empty_list(body: Any) -> None:
    with pytest.raises(Unreachable, match="no list"):
        await ids(Scripted([reply(200, body)]))


@pytest.mark.parametrize("row", [{}, {"id": None}, {"id": 7}, {"id": ""}])
async def test_a_row_without_its_id_is_an_error(row: dict[str, Any]) -> None:
    with pytest.raises(Unreachable, match="a row has no id"):
        await ids(Scripted([reply(200, {"data": [row]})]))
