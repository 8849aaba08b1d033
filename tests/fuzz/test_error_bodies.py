"""Whatever a server answers is told in one line: bounded, without control characters and secrets."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.core.diagnostics import ApiError
from reconciler.core.redact import redactor
from reconciler.transport.answers import Answer, Unusable, describe_html, is_unrouted, parse, reason
from reconciler.transport.failures import Failures
from reconciler.transport.retry import TryAgain, retry_after
from tests.fuzz.mutations import INTERESTING, mutated_bytes

SECRET = 'canary-7f3a91+/%"&\\0c5e'
REDACT = redactor([SECRET])
slow_is_fine = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)

_KEYS = (
    *(
        "status",
        "type",
        "title",
        "detail",
        "data",
        "message",
        "details",
        "error",
        "errors",
        "errorId",
    ),
    *(
        "_embedded",
        "_links",
        "validationErrors",
        "propertyPath",
        "invalidValue",
        "exceptionStack",
        "x",
    ),
)
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.just(SECRET)
)
_BODIES = st.recursive(
    _SCALARS,
    lambda children: st.one_of(
        st.lists(children, max_size=4),
        st.dictionaries(
            st.sampled_from(_KEYS),
            children,
            max_size=6,
        ),
    ),
    max_leaves=25,
)
_JSON = _BODIES.map(lambda body: json.dumps(body).encode())
_PROBLEM = json.dumps(
    {
        "status": 422,
        "type": "t",
        "title": "unprocessable-entity",
        "data": {"message": f"no {SECRET}!"},
    }
).encode()
_PAGE = f"<!doctype html><html><head><title>{SECRET}</title></head></html>".encode()
_CONTENT = st.one_of(
    st.binary(max_size=300),
    _JSON,
    mutated_bytes(_PROBLEM, [_PROBLEM, *INTERESTING]),
    mutated_bytes(_PAGE, [_PAGE, _PROBLEM]),
    st.text(max_size=200).map(lambda text: f"{text}{SECRET}".encode()),
)
_TYPES = st.one_of(
    st.sampled_from(
        ["application/json", "text/html", "text/plain", "", "application/problem+json"]
    ),
    st.text(max_size=30),
)
_LOCATIONS = st.one_of(
    st.none(), st.text(max_size=60), st.sampled_from(["http://[::1", "//", "javascript:1"])
)


def one_line(text: str) -> None:
    assert len(text) < 2_500
    for character in text:
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    assert SECRET not in text


@slow_is_fine
@given(st.integers(100, 999), _CONTENT, _TYPES, _LOCATIONS, st.sampled_from(["GET", "POST"]))
@example(200, b"[" * 5_000, "", None, "GET")
@example(422, b'{"data": {"message": "x", "n": ' + b"9" * 5_000 + b"}}", "", None, "GET")
@example(502, b"<html>" + b"<title" * 3_000, "text/html", None, "GET")
def test_any_answer_is_one_line(
    status: int, body: bytes, content_type: str, location: str | None, meaning: str
) -> None:
    headers = {"content-type": content_type, "retry-after": content_type}
    headers |= {} if location is None else {"location": location}
    answer = Answer(status, body, headers)
    one_line(reason(answer, REDACT))
    one_line(describe_html(answer, REDACT))
    one_line(answer.where_to)
    assert isinstance(is_unrouted(answer), bool)
    assert (retry_after(answer) or 0) <= 60
    failures = Failures(meaning, "/x", meaning, "http://a", "the token", REDACT)
    for error in (failures.answered(answer), _of(failures.token_refused(answer))):
        assert isinstance(error, ApiError)
        one_line(error.message)
        one_line(error.hint)
    _read(answer, failures)


def _of(refused: Exception) -> Exception:
    return refused.error if isinstance(refused, TryAgain) else refused


def _read(answer: Answer, failures: Failures) -> None:
    try:
        data: Any = parse(answer, REDACT)
    except Unusable as unusable:
        one_line(failures.unusable(str(unusable)).message)
    else:
        json.dumps(data, allow_nan=False).encode()
