"""Requests against Airbyte's own OpenAPI document, where it lies beside the project.

As a transport in between, so that whatever a test does with a backend is checked in passing.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml
from jsonschema import Draft202012Validator, FormatChecker

DOCUMENT = Path("../shared/openapi/airbyte-config.yaml")
PRESENT = DOCUMENT.is_file()
OF_OLDER_SERVERS = frozenset({"/v1/workspaces/list"})
"""Asked for in case the server is old; the document is the newest one's (CFG-T 1)."""


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(DOCUMENT.read_text(), Loader=yaml.CSafeLoader)
    return found


def operation(method: str, path: str) -> dict[str, Any]:
    for template, operations in document()["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in operations:
            found: dict[str, Any] = operations[method.lower()]
            return found
    raise AssertionError(f"no operation {method} {path}")


@cache
def validator(schema: str) -> Draft202012Validator:
    whole = {"components": document()["components"], "$ref": schema}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def check(request: httpx.Request) -> None:
    path = request.url.path.removeprefix("/api")
    if path in OF_OLDER_SERVERS:
        return
    described = operation(request.method, path)
    known = {p["name"]: p for p in described.get("parameters", ()) if p.get("in") == "query"}
    asked = set(request.url.params)
    assert asked <= set(known), f"{request.url} asks for unknown {asked - set(known)}"
    assert {name for name, p in known.items() if p.get("required")} <= asked
    content = described.get("requestBody", {}).get("content")
    assert bool(content) == bool(request.content), f"{request.method} {request.url}: body or none"
    if content:
        schema = content["application/json"]["schema"]["$ref"]
        problems = list(validator(schema).iter_errors(json.loads(request.content)))
        assert not problems, f"{request.method} {request.url}: {problems[0].message}"


class Checked(httpx.AsyncBaseTransport):
    """Passes on what the document allows."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if PRESENT:
            await request.aread()
            check(request)
        return await self._inner.handle_async_request(request)
