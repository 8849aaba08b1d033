"""What a server answered, and the one readable line made of an answer that is an error.

Pure. Every text of an answer is foreign: it is stripped, shortened and redacted before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import Final

import httpx

from reconciler.core.echoes import visible
from reconciler.core.jsontext import BadJson, NotJson, read_json
from reconciler.core.model import Json

LONGEST_TEXT: Final = 2_000
"""Characters of foreign text in one error."""
_LONGEST_EXCERPT: Final = 200
_LONGEST_READ: Final = 20_000
"""Characters of a foreign text that are looked at: more of them would take minutes."""
_MOST_TEXTS: Final = 50
"""Texts of one error body that are looked at."""
_NOTHING_READABLE: Final = "(text that can't be shown)"

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)

Redact = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete response."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - what HTTP calls success

    @property
    def redirect(self) -> bool:
        return 300 <= self.status < 400  # noqa: PLR2004 - what HTTP calls a redirection

    @property
    def is_html(self) -> bool:
        start = self.body[:100].lstrip().lower()
        declared = "html" in self.headers.get("content-type", "").lower()
        return start.startswith(b"<" if declared else (b"<!doctype", b"<html", b"<head", b"<body"))

    @property
    def where_to(self) -> str:
        """The origin a redirect points at: no path, no query, no user."""
        try:
            url = httpx.URL(self.headers.get("location", ""))
        except httpx.InvalidURL:
            return "something that is no address"
        if not url.host:
            return "another path of the same server"
        port = f":{url.port}" if url.port else ""
        return clean(f"{url.scheme or 'https'}://{url.host}{port}")


class Unusable(ValueError):
    """An answer that can't be read as JSON; its text says why and quotes no JSON."""


def parse(answer: Answer, redact: Redact = str) -> Json | None:
    """The answer as JSON, None where it has no body. Raises Unusable."""
    if not answer.body.strip():
        return None
    if answer.is_html:
        raise Unusable(f"the answer is HTML, not JSON{_html_title(answer, redact)}")
    try:
        return read_json(answer.body)
    except NotJson:
        size = len(answer.body)
        raise Unusable(f"the answer is not JSON, or broke off ({size} bytes)") from None
    except BadJson as bad:
        raise Unusable(f"the answer {bad}") from None


def describe_html(answer: Answer, redact: Redact) -> str:
    return safe(f"{answer.status}, a page of HTML{_html_title(answer, redact)}", redact)


def _html_title(answer: Answer, redact: Redact) -> str:
    match = _TITLE.search(answer.body[:4_000].decode("utf-8", "replace"))
    title = safe(match[1], redact, _LONGEST_EXCERPT) if match else ""
    return f' ("{title}")' if title else ""


def clean(text: str, limit: int = LONGEST_TEXT) -> str:
    """Foreign text on one line: no ANSI, no control or direction characters, at most `limit` long."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def safe(text: str, redact: Redact, limit: int = LONGEST_TEXT) -> str:
    """`clean`, with known secrets out of it: they are looked for where nothing invisible stands between
    their characters, and before the text is cut. Where little of a long text can be shown, none of it is:
    where reading stopped, a part of a secret may stand."""
    shown = redact(clean(text[:_LONGEST_READ], _LONGEST_READ))
    if len(text) > _LONGEST_READ and len(shown) < _LONGEST_READ // 2:
        return _NOTHING_READABLE
    return clean(shown, limit)


def reason(answer: Answer, redact: Redact = str) -> str:
    """`422 unprocessable-entity: … (server log id …)`: what was answered, from any body (PUB §8)."""
    try:
        title, texts, error_id = _read_error(parse(answer, redact))
    except Unusable as unusable:
        title, texts, error_id = "", [_unusable_text(answer, unusable)], ""
    heading = safe(f"{answer.status} {title or _phrase(answer.status)}".strip(), redact)
    message = clean("; ".join(dict.fromkeys(safe(text, redact) for text in texts if text)))
    log_id = f" (server log id {safe(error_id, redact, 100)})" if error_id else ""
    return f"{heading}{f': {message}' if message else ''}{log_id}"


def _unusable_text(answer: Answer, unusable: Unusable) -> str:
    """Plain text is quoted; a broken JSON body is not, as its escapes could hide a secret."""
    text = answer.body[:2_000].decode("utf-8", "replace").strip()
    if answer.is_html or text.startswith(("{", "[", '"')):
        return str(unusable)
    return text


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _read_error(body: Json) -> tuple[str, list[str], str]:
    """(title, texts, log id) of an error body: a problem, an errorId, a message, the framework's own."""
    if not isinstance(body, Mapping):
        return "", [body] if isinstance(body, str) else [], ""
    error_id = body["errorId"] if isinstance(body.get("errorId"), str) else ""
    title = body["title"] if isinstance(body.get("title"), str) else ""
    return title, [_essence(text) for text in islice(_texts(body, title), _MOST_TEXTS)], error_id


def _essence(text: str) -> str:
    """Without the whole schema that follows a validation's verdict, and without the words that old servers
    begin any message with, also that of a 404 (CFG §8)."""
    return text.partition("\nSchema:")[0].removeprefix("Internal Server Error: ")


def _texts(body: Mapping[str, Json], title: str) -> Iterator[str]:
    data = body.get("data")
    if isinstance(data, Mapping):
        if isinstance(data.get("message"), str):
            yield data["message"]
            yield from _details({k: v for k, v in data.items() if k != "message"})
            return
        if isinstance(body.get("detail"), str):
            yield body["detail"]
        yield from _details(data)
        return
    for key in ("detail", "message", "details", "error"):
        value = body.get(key)
        if isinstance(value, str) and value != title:
            yield value
    embedded = body.get("_embedded")
    yield from _listed(embedded.get("errors") if isinstance(embedded, Mapping) else None)
    yield from _listed(body.get("validationErrors"))


def _listed(errors: Json) -> Iterator[str]:
    """Messages with the property each is about, and never the `invalidValue` beside them (CFG §8)."""
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping) and isinstance(error.get("message"), str):
            where = error.get("propertyPath")
            yield f"{where}: {error['message']}" if isinstance(where, str) else error["message"]


def _details(data: Mapping[str, Json]) -> Iterator[str]:
    """`key: value` for scalars, also in a list of errors. Deeper values may echo configuration: left out."""
    for key, value in data.items():
        if isinstance(value, str | int | float) and value != "":
            yield f"{key}: {value}"
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping):
                    yield ", ".join(_details({k: v for k, v in item.items() if _is_scalar(v)}))
                elif isinstance(item, str):
                    yield f"{key}: {item}"


def _is_scalar(value: Json) -> bool:
    return isinstance(value, str | int | float)


def is_unrouted(answer: Answer) -> bool:
    """A 404 about the path and not about a resource: the framework's own form, or no JSON (PUB §8)."""
    if answer.status != HTTPStatus.NOT_FOUND:
        return False
    try:
        body = parse(answer)
    except Unusable:
        return True
    return not isinstance(body, Mapping) or "_links" in body or "_embedded" in body
