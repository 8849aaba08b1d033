"""Lists by cursor, as servers of several years page them or don't (CFG-T 2)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from reconciler.core.diagnostics import Unreachable
from tests.transport.scripted import Scripted, reply

pytestmark = pytest.mark.anyio

Answer = Callable[[httpx.Request], httpx.Response]


def row(number: int) -> dict[str, Any]:
    return {"id": f"row-{number:03}"}


def body_of(request: httpx.Request) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(request.content)
    return found


def page(request: httpx.Request, rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    body = body_of(request)
    ids = [one["id"] for one in rows]
    start = ids.index(body["cursor"]) + 1 if "cursor" in body else 0
    return rows[start : start + min(most, body["pageSize"])]


def paged(count: int, most: int = 1_000, **said: Any) -> Answer:
    rows = [row(number) for number in range(count)]
    return lambda request: reply(200, {"rows": page(request, rows, most), **said})


async def ids(server: Scripted) -> list[str]:
    read = server.transport().cursor_pages("/rows/list", {"w": "1"}, items="rows", key="id")
    return [found["id"] for found in await read]


def expected(count: int) -> list[str]:
    return [row(number)["id"] for number in range(count)]


@pytest.mark.parametrize(("rows", "calls"), [(0, 1), (1, 2), (99, 2), (101, 3), (250, 4)])
async def test_a_list_is_read_by_the_id_of_the_last_row(rows: int, calls: int) -> None:
    server = Scripted([paged(rows)] * calls)
    assert await ids(server) == expected(rows)
    assert [body_of(request).get("cursor") for request in server.requests] == [
        None,
        *(row(min(100 * n, rows) - 1)["id"] for n in range(1, calls)),
    ]
    assert {request.method for request in server.requests} == {"POST"}
    assert all(body_of(r)["w"] == "1" and body_of(r)["pageSize"] == 100 for r in server.requests)


async def test_a_server_that_gives_twenty_whatever_is_asked_is_read_to_its_end() -> None:
    assert await ids(Scripted([paged(137, most=20)] * 8)) == expected(137)


@pytest.mark.parametrize("count", [1, 20, 99, 101, 500])
async def test_a_server_that_ignores_the_cursor_is_asked_twice_and_no_row_is_doubled(
    count: int,
) -> None:
    everything = reply(200, {"rows": [row(number) for number in range(count)]})
    assert await ids(Scripted([everything] * 2)) == expected(count)


async def test_a_server_that_gives_the_first_page_again_and_again_is_not_believed() -> None:
    server = Scripted([reply(200, {"rows": [row(n) for n in range(100)]})] * 100)
    assert await ids(server) == expected(100)
    assert len(server.requests) > 2


async def test_full_pages_that_the_servers_count_explains_are_read_once() -> None:
    server = Scripted([paged(200, num_connections=200)] * 3)
    assert await ids(server) == expected(200)


@pytest.mark.parametrize("said", [{}, {"num_connections": 5}, {"num_connections": 10_000}])
async def test_the_servers_count_ends_nothing(said: dict[str, Any]) -> None:
    assert await ids(Scripted([paged(137, **said)] * 40)) == expected(137)


async def test_a_count_that_is_higher_is_a_reason_to_look_again() -> None:
    short = reply(200, {"rows": [], "num_connections": 3})
    first = reply(200, {"rows": [row(0)], "num_connections": 3})
    server = Scripted([first, short, *[paged(3, num_connections=3)] * 20])
    assert sorted(await ids(server)) == expected(3)


async def test_a_row_on_two_pages_may_hide_another_so_that_the_list_is_read_again() -> None:
    def some(*numbers: int) -> httpx.Response:
        return reply(200, {"rows": [row(number) for number in numbers]})

    moved = [some(0, 1, 2), some(2, 3), some()]
    assert sorted(await ids(Scripted([*moved, *[paged(5)] * 10]))) == expected(5)


async def test_a_full_page_with_nothing_behind_it_is_read_again() -> None:
    """The row that the cursor named was deleted in between, so that nothing follows it."""
    cut = [paged(100), reply(200, {"rows": []})]
    assert sorted(await ids(Scripted([*cut, *[paged(137)] * 20]))) == expected(137)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [100, 130, 250])
async def test_rows_in_another_order_each_time_are_all_found_once(count: int, seed: int) -> None:
    shuffler = random.Random(seed)
    rows = [row(number) for number in range(count)]

    def shuffled(request: httpx.Request) -> httpx.Response:
        shuffler.shuffle(rows)
        return reply(200, {"rows": page(request, rows, 100), "num_connections": count})

    assert sorted(await ids(Scripted([shuffled] * 200))) == expected(count)


async def test_a_list_that_never_ends_is_an_error() -> None:
    number = 0

    def endless(request: httpx.Request) -> httpx.Response:
        nonlocal number
        number += 1
        return reply(200, {"rows": [row(number)]})

    with pytest.raises(Unreachable, match="has no end"):
        await ids(Scripted([endless] * 2_000))


@pytest.mark.parametrize("body", [{}, {"rows": None}, {"rows": {}}, {"rows": ["x"]}, "null", 5])
async def test_an_answer_that_is_no_list_is_an_error_and_not_an_empty_list(body: Any) -> None:
    with pytest.raises(Unreachable, match="POST /rows/list: the answer is no list"):
        await ids(Scripted([reply(200, body)]))


@pytest.mark.parametrize("found", [{}, {"id": None}, {"id": 7}, {"id": ""}])
async def test_a_row_without_its_id_is_an_error(found: dict[str, Any]) -> None:
    with pytest.raises(Unreachable, match="a row has no id"):
        await ids(Scripted([reply(200, {"rows": [found]})]))
