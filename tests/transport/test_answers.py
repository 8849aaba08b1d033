"""Error bodies become one readable line; what a server writes is never trusted."""

from __future__ import annotations

import gzip
import json
from typing import Any

import anyio
import httpx
import pytest

from reconciler.core.diagnostics import ApiError, OutcomeUnknown, Refused, Unreachable
from reconciler.core.model import Secret
from reconciler.core.redact import redactor
from reconciler.core.target import Auth
from reconciler.transport import Exchange
from tests.transport.scripted import Scripted, reply

pytestmark = pytest.mark.anyio

DOCS = "https://reference.airbyte.com/reference/errors"


def problem(status: int, title: str, detail: str, data: Any) -> dict[str, Any]:
    return {
        "status": status,
        "type": f"{DOCS}#{title}",
        "title": title,
        "detail": detail,
        "documentationUrl": None,
        "data": data,
    }


async def failure(answer: httpx.Response, method: str = "POST", **options: Any) -> ApiError:
    server = Scripted([answer] * 4)
    with pytest.raises(ApiError) as caught:
        await server.transport(**options).request(method, "/sources", json={})
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        (
            400,
            problem(400, "bad-request", "Not understood.", {"message": "Missing cron expression."}),
            "400 bad-request: Missing cron expression.",
        ),
        (
            400,
            problem(400, "value-not-found", "No such value.", {"value": "postgress"}),
            "400 value-not-found: No such value.; value: postgress",
        ),
        (
            409,
            problem(
                409, "Connection is locked", "Locked.", {"connectionId": "c-1", "reason": None}
            ),
            "409 Connection is locked: Locked.; connectionId: c-1",
        ),
        (
            409,
            problem(409, "Tag already exists", "It exists.", None),
            "409 Tag already exists: It exists.",
        ),
        (
            400,
            problem(
                400,
                "Mapper",
                "Wrong mapper.",
                {
                    "errors": [
                        {"stream": "users", "error": "FIELD_NOT_FOUND", "mapper": {"key": "k"}}
                    ]
                },
            ),
            "400 Mapper: Wrong mapper.; stream: users, error: FIELD_NOT_FOUND",
        ),
        (
            400,
            problem(400, "Fields", "Wrong.", {"fields": ["a", "b"], "deep": {"config": "x"}}),
            "400 Fields: Wrong.; fields: a; fields: b",
        ),
        (400, {"type": "x", "title": "Odd", "data": {}}, "400 Odd"),
        (400, {"errorId": "6f0e"}, "400 Bad Request (server log id 6f0e)"),
        (
            500,
            {"message": "Internal Server Error: x", "errorId": "6f0e"},
            "500 Internal Server Error: x (server log id 6f0e)",
        ),
        (
            403,
            {
                "message": "Forbidden",
                "_links": {},
                "_embedded": {"errors": [{"message": "Access Denied"}]},
            },
            "403 Forbidden: Forbidden; Access Denied",
        ),
        (
            404,
            {
                "message": "Internal Server Error: Could not find configuration for SOURCE_CONNECTION: 1.",
                "exceptionClassName": "io.airbyte.ConfigNotFoundException",
                "exceptionStack": ["at io.airbyte.Somewhere"],
            },
            "404 Not Found: Could not find configuration for SOURCE_CONNECTION: 1.",
        ),
        (404, {"errorId": "6f0e"}, "404 Not Found (server log id 6f0e)"),
        (404, "Object not found.", "404 Not Found: Object not found."),
        (
            400,
            {
                "message": "Some properties contained invalid input.",
                "exceptionClassName": "x.ConstraintViolationException",
                "validationErrors": [
                    {
                        "propertyPath": "update.name",
                        "invalidValue": "hunter2",
                        "message": "must not be null",
                    }
                ],
            },
            "400 Bad Request: Some properties contained invalid input.; update.name: must not be null",
        ),
        (
            401,
            "<html><head><title>401 Authorization Required</title></head></html>",
            '401 Unauthorized: the answer is HTML, not JSON ("401 Authorization Required")',
        ),
        (
            409,
            {"message": "A sync is already running for: c-1", "errorId": "6f0e"},
            "409 Conflict: A sync is already running for: c-1 (server log id 6f0e)",
        ),
        (400, {"error": "bad", "message": "very bad"}, "400 Bad Request: very bad; bad"),
        (400, "plain words", "400 Bad Request: plain words"),
        (
            400,
            '{"message": "cut o',
            "400 Bad Request: the answer is not JSON, or broke off (18 bytes)",
        ),
        (418, None, "418 I'm a Teapot"),
        (599, {}, "599"),
        (400, ["a"], "400 Bad Request"),
        (400, {"message": 5, "data": [1], "title": None, "errorId": {}}, "400 Bad Request"),
    ],
)
async def test_every_shape_of_error_becomes_one_line(status: int, body: Any, line: str) -> None:
    error = await failure(reply(status, body))
    assert error.message == f"POST /sources: {line}"
    assert error.status == status


async def test_a_403_names_the_credentials_and_the_other_reason_there_may_be() -> None:
    token = Auth(token=Secret("${env:AIRBYTE_TOKEN}", "t0ken"))
    error = await failure(reply(403, {"message": "Forbidden"}), auth=token)
    assert "the token ${env:AIRBYTE_TOKEN} may not do this, or the id is unknown" in error.hint
    assert "state them as auth" in (await failure(reply(403))).hint


async def test_a_rate_limit_is_named_with_its_message() -> None:
    error = await failure(reply(429, {"message": "You are being rate limited."}))
    assert error.message == "POST /sources: 429 Too Many Requests: You are being rate limited."
    assert "--parallelism" in error.hint


async def test_the_echo_of_a_schema_in_a_validation_message_is_left_out() -> None:
    message = "validation failed. \nErrors: $: required property 'host' not found \nSchema: \n{...}"
    error = await failure(
        reply(422, problem(422, "unprocessable-entity", "", {"message": message}))
    )
    assert error.message.endswith("Errors: $: required property 'host' not found")


async def test_html_is_said_to_be_html_with_its_title() -> None:
    page = "<!DOCTYPE html><html><head><title>Sign in\n · Acme</title></head></html>"
    error = await failure(reply(200, page, content_type="text/html"), "GET")
    assert 'the answer is HTML, not JSON ("Sign in · Acme")' in error.message
    assert "base path" in error.hint
    assert isinstance(error, Unreachable)


async def test_a_write_answered_with_html_leaves_the_outcome_open() -> None:
    assert isinstance(await failure(reply(200, "<html></html>")), OutcomeUnknown)


@pytest.mark.parametrize(
    ("body", "is_about_the_path"),
    [
        (None, True),
        ("<html>not here</html>", True),
        ({"message": "Not Found", "_links": {}, "_embedded": {"errors": []}}, True),
        (problem(404, "resource-not-found", "", {"resourceType": "STANDARD_SYNC"}), False),
        ({"error": "not found", "message": "no such source"}, False),
        ("Object not found.", True),
        ('"Object not found."', True),
        ({"errorId": "6f0e"}, False),
        ({"message": "Internal Server Error: Could not find configuration for X: 1."}, False),
    ],
)
async def test_a_404_about_the_path_is_told_from_one_about_the_resource(
    body: Any, is_about_the_path: bool
) -> None:
    error = await failure(reply(404, body), "GET")
    assert isinstance(error, Unreachable) is is_about_the_path
    assert ("base path" in error.hint) is is_about_the_path


async def test_control_characters_and_colours_never_reach_the_line() -> None:
    nasty = "\x1b[31mred\x1b[0m\x1b]8;;http://x\x07link\x07 a\x00b\u202ec\u200b\r\nd\ttab \x9b31m"
    error = await failure(reply(400, {"message": nasty}))
    assert error.message == "POST /sources: 400 Bad Request: redlink abc d tab 31m"


async def test_a_long_text_is_cut() -> None:
    error = await failure(reply(400, {"message": "long " * 10_000}))
    assert len(error.message) < 2_100
    assert error.message.endswith("…")


async def test_known_secrets_are_taken_out_before_anything_is_cut_or_stripped() -> None:
    redact = redactor(["hunter2hunter2", "line1\nline2"])
    text = f"{'x' * 1_990} hunter2hunter2"
    assert "hunter" not in (await failure(reply(400, {"message": text}), redact=redact)).message
    split = "hunter2\u200bhunter2 and line1\nline2"
    shown = (await failure(reply(400, {"message": split}), redact=redact)).message
    assert shown.endswith("(secret) and (secret)")


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b"[" * 1024 * 1024

    error = await failure(httpx.Response(200, content=endless()), "GET")
    assert "larger than 64 MB" in error.message
    assert read == 65


async def test_an_api_with_larger_answers_has_a_larger_limit() -> None:
    rows = reply(200, json.dumps(["x" * 1024] * 1024))
    assert await Scripted([rows]).transport().request("GET", "/rows")
    with pytest.raises(ApiError, match="larger than 1 MB"):
        await Scripted([rows] * 4).transport(largest_body=1024**2).request("GET", "/rows")


async def test_a_compressed_bomb_counts_by_what_it_becomes() -> None:
    bomb = gzip.compress(b" " * (65 * 1024 * 1024))
    answer = httpx.Response(200, content=bomb, headers={"content-encoding": "gzip"})
    assert "larger than 64 MB" in (await failure(answer, "GET")).message


@pytest.mark.parametrize("depth", [300, 200_000])
async def test_an_answer_nested_too_deeply_is_refused(depth: int) -> None:
    error = await failure(reply(200, "[" * depth + "]" * depth), "GET")
    assert "nested too deeply" in error.message


async def test_an_empty_success_is_none_and_json_is_parsed() -> None:
    server = Scripted([reply(204), reply(200, {"a": [1, None, "ü"]})])
    transport = server.transport()
    assert await transport.request("DELETE", "/sources/1") is None
    assert await transport.request("GET", "/sources/1") == {"a": [1, None, "ü"]}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_transport_that_only_reads_sends_no_write(method: str) -> None:
    server = Scripted([])
    with pytest.raises(Refused, match="was not sent"):
        await server.transport(read_only=True).request(method, "/sources", json={})
    assert server.requests == []


async def test_an_observer_sees_method_path_status_and_time_and_no_query() -> None:
    seen: list[Exchange] = []
    server = Scripted([httpx.ReadError("reset"), reply(200)])
    transport = server.transport(observe=seen.append)
    await transport.request("GET", "/sources", params={"workspaceIds": "w"})
    assert [(e.method, e.path, e.status) for e in seen] == [
        ("GET", "/sources", 0),
        ("GET", "/sources", 200),
    ]


async def test_a_body_is_json_and_says_so() -> None:
    server = Scripted([reply(200, {})])
    await server.transport().request("POST", "/sources", json={"name": "ü"})
    assert server.requests[0].headers["content-type"] == "application/json"
    assert json.loads(server.requests[0].content) == {"name": "ü"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": NaN}', "holds NaN or Infinity"),
        (b'{"a": -Infinity}', "holds NaN or Infinity"),
        (b'{"a": 1e999}', "a number that is too large"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "a number with too many digits"),
        (b'{"a": ' + b"9" * 299 + b"e99}", "a number that is too large"),
        (b'{"a": "\\ud800"}', "text that is not Unicode"),
        (b'{"a": "\xed\xa0\x80"}', "not JSON, or broke off"),
        (b'{"a": "\xff"}', "not JSON, or broke off"),
        ('{"a": 1}'.encode("utf-16"), "not JSON, or broke off"),
    ],
)
async def test_json_that_would_break_something_later_is_refused_here(body: bytes, why: str) -> None:
    error = await failure(httpx.Response(200, content=body), "GET")
    assert why in error.message
    assert isinstance(error, Unreachable)


async def test_what_is_merely_unusual_is_read() -> None:
    body = b'\xef\xbb\xbf{"n": ' + b"9" * 290 + b', "e": 1e99, "s": "\\ud83e\\udd86", "s": "twice"}'
    server = Scripted([httpx.Response(200, content=body)])
    data = await server.transport().request("GET", "/x")
    assert (data["n"], data["e"], data["s"]) == (int("9" * 290), 1e99, "twice")


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "x"])
async def test_a_compression_that_was_not_asked_for_is_not_undone(encoding: str) -> None:
    answer = httpx.Response(200, content=gzip.compress(b"{}"))
    answer.headers["content-encoding"] = encoding
    assert "compressed in a way that was not asked for" in (await failure(answer, "GET")).message


async def test_an_answer_that_never_ends_is_given_up() -> None:
    async def drips() -> Any:
        while True:
            yield b" "
            await anyio.sleep(0.01)

    server = Scripted([httpx.Response(200, content=drips())])
    with pytest.raises(Unreachable, match="no answer in time"):
        await server.transport(patience=0.1, attempts=1).request("GET", "/x")


async def test_an_id_that_makes_no_address_is_told() -> None:
    with pytest.raises(ApiError, match="no address can be made of this") as caught:
        await Scripted([]).transport().request("GET", f"/sources/{'x' * 70_000}")
    assert len(caught.value.message) < 400


async def test_an_error_of_ten_megabytes_is_read_at_once() -> None:
    text = "\x1b[31mword \u200b" * 1_000_000
    body = {"message": text, "data": {str(n): text[:100] for n in range(1_000)}}
    assert len((await failure(reply(422, body))).message) < 2_100


async def test_a_text_that_is_almost_nothing_is_not_shown() -> None:
    """What is left of a secret where reading stopped would be."""
    error = await failure(reply(422, {"message": "\u200b" * 19_990 + "hunter2hunter2"}))
    assert error.message.endswith("(text that can't be shown)")


async def test_a_title_is_redacted_before_it_is_cut() -> None:
    secret = "hunter2hunter2hunter2"
    page = f"<html><title>{'x' * 190} {secret}</title></html>"
    error = await failure(reply(502, page), "GET", redact=redactor([secret]))
    assert "hunter" not in error.message
