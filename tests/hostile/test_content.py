"""What a server says is text and nothing else: to a terminal, to a CI system, to whoever reads the JSON."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Cli, Ran
from tests.hostile.between import Asked, Said
from tests.hostile.shop import CONNECTOR_RUNS, RUNS, Run, Shop, said_by_connectors, some

OUTPUTS = ("text", "json")
NASTY = (
    "::error::INJECTED \x1b[31mred\x1b]0;title\x07\x1b]8;;http://evil.example\x1b\\link\r\n"
    "::error file=x,line=1::INJECTED\n::set-output name=x::y\n  ::stop-commands::z\n"
    "##[add-mask]secret ##vso[task.setvariable variable=x]y %0A%0D::warning::w\u3000::notice::n "
    "\u202eevil\u2066\u200b\u2028INJECTED\u2029INJECTED\u0085INJECTED\x00\x9b31m\x08\x7f\ufeff "
    "<script>alert(1)</script> **bold** [x](http://evil.example) `code` | a | b | 🦆"
)
TEXTS = frozenset((
    "name", "message", "detail", "title", "host", "database", "username", "schema", "prefix",
    "sourceName", "destinationName", "streamName", "namespace", "sourceType", "destinationType",
    "dockerRepository", "dockerImageTag", "version", "externalMessage", "internalMessage",
    "color", "targetField", "email", "documentationUrl", "namespaceFormat", "status", "jobType",
    "configType", "syncMode", "scheduleType", "cronExpression", "cronTimeZone", "basicTiming",
    "namespaceDefinition", "nonBreakingSchemaUpdatesBehavior", "nonBreakingChangesPreference",
    "type", "destinationSyncMode", "errorId", "fieldNameSuffix", "method",
))  # fmt: skip
"""Fields that hold texts, and words of which a later server may have others."""


def spoiled(node: Any, only: frozenset[str]) -> Any:
    if isinstance(node, list):
        return [spoiled(item, only) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"{NASTY}{value}" if key in only and isinstance(value, str) else spoiled(value, only)
        for key, value in node.items()
    } | {NASTY: {NASTY: [NASTY]}}


def spoiling(only: frozenset[str]) -> Any:
    def change(asked: Asked, said: Said) -> Said:
        if asked.is_token or said.status != 200 or asked.is_health or not said.body.strip():
            return said
        return said.but(body=json.dumps(spoiled(json.loads(said.body), only)).encode())

    return change


def refusing(asked: Asked, said: Said) -> Said:
    """Objects and what runs are refused with a text; the lists before them are not."""
    if asked.is_token or asked.is_health or "list" in asked.path or asked.method == "GET":
        return said
    body = {"title": NASTY, "data": {"message": NASTY}, "errorId": NASTY}
    return Said(422, json.dumps(body).encode(), {"content-type": "application/json"})


def broken_rules(text: str) -> Iterator[str]:
    """What is wrong with a text that goes to a terminal or into a CI system's log."""
    for line in text.split("\n"):
        unsafe = {
            c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        }
        if unsafe:
            yield f"{unsafe!r} in {line!r}"
        if re.match(r"\s*::", line) or re.search(r"##(\[|vso\[|teamcity\[)", line):
            yield f"a workflow command: {line!r}"
        if line.startswith("INJECTED"):
            yield f"a line of its own: {line!r}"


def check(ran: Ran, output: str) -> None:
    assert ran.code != 70, ran.err
    assert list(broken_rules(ran.err)) == []
    if output == "text":
        assert list(broken_rules(ran.out)) == []
        return
    assert ran.out.isascii()
    assert "##[" not in ran.out
    assert not re.search(r"^\s*::", ran.out, re.MULTILINE)
    if ran.out.strip():
        json.loads(ran.out, parse_constant=pytest.fail)


CASES = [
    (run, api) for run in RUNS if run.formats for api in (run.apis if run.remote else ("public",))
]
each_command = pytest.mark.parametrize(
    ("run", "api"), CASES, ids=[f"{run.name} {api}" for run, api in CASES]
)


@each_command
def test_hostile_texts_are_shown_as_text(cli: Cli, shop: Shop, run: Run, api: str) -> None:
    shop.pin()
    words = frozenset({"status", "jobType", "configType", "syncMode", "scheduleType", "type"})
    for spoils, output in some(2, (TEXTS - words, TEXTS, frozenset({"name"})), OUTPUTS):
        shop.server.change = spoiling(spoils)
        check(cli(*run.line(shop, api, "-o", output, "-vv")), output)
    shop.server.change = refusing
    for output in OUTPUTS:
        check(cli(*run.line(shop, api, "-o", output, "-vv")), output)


@pytest.mark.parametrize("run", CONNECTOR_RUNS, ids=lambda run: run.name)
def test_what_connectors_say_is_text(cli: Cli, shop: Shop, run: Run) -> None:
    if "--online" not in run.words:  # a source that changes is only asked after it did
        shop.differ()
    shop.server.change = said_by_connectors(NASTY)
    for output in OUTPUTS:
        ran = cli(*run.line(shop, "config", "-o", output, "-vv"))
        check(ran, output)
        assert "<script>" in ran.out + ran.err


def test_what_was_hostile_is_really_shown(cli: Cli, shop: Shop) -> None:
    """Else nothing above has tested anything."""
    shop.pin()
    shop.server.change = spoiling(frozenset({"name", "host", "prefix"}))
    text = cli("plan", *shop.at, "-v").out
    assert "<script>alert(1)</script>" in text
    assert ": :error::INJECTED" in text
    assert NASTY in _texts(cli("plan", *shop.at, "-o", "json").json)
    assert ": :error::INJECTED" in cli("get", "connections", *shop.at).out


def _texts(node: Any) -> str:
    """All texts of it, as they are."""
    if isinstance(node, dict):
        return "\n".join(map(_texts, node.values()))
    return "\n".join(map(_texts, node)) if isinstance(node, list) else str(node)


@pytest.mark.parametrize(
    "where", ["annotation", "label", "name", "stream", "tag", "host", "comment"]
)
def test_hostile_manifests_are_text_too(cli: Cli, shop: Shop, where: str) -> None:
    """In a pull request they come from whoever opened it."""
    nasty = json.dumps(NASTY).replace("\\ud83e\\udd86", "🦆")
    changes = {
        "annotation": (
            "source",
            "{name: shop}",
            f"{{name: shop, annotations: {{{nasty}: {nasty}}}}}",
        ),
        "label": ("source", "{name: shop}", f"{{name: shop, labels: {{{nasty}: {nasty}}}}}"),
        "name": ("source", "  connector:", f"  name: {nasty}\n  connector:"),
        "stream": ("connection", "name: orders", f"name: {nasty}"),
        "tag": ("connection", "  source: shop", f"  tags: [{nasty}]\n  source: shop"),
        "host": ("source", "host: db.example.com", f"host: {nasty}"),
        "comment": ("source", "    port: 5432", f"    port: 5432\n    {nasty}: {nasty}"),
    }
    kind, old, new = changes[where]
    path = shop.folder / "manifests" / f"{kind}.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    for command in (("validate",), ("plan",), ("plan", "--online"), ("drift",)):
        for output in OUTPUTS:
            check(cli(*command, *shop.at, "-o", output), output)
    for output in OUTPUTS:
        check(cli("apply", "--yes", *shop.at, "-o", output), output)
        check(cli("explain", "source/shop", *shop.at, "-o", output), output)


def test_a_file_name_is_text_too(cli: Cli, shop: Shop) -> None:
    (shop.folder / "manifests" / "\x1b[31m::error::\n::error::x.yaml").write_text(
        "a: [", encoding="utf-8"
    )
    for output in OUTPUTS:
        check(cli("validate", *shop.at, "-o", output), output)


# --- answers that are more than text ----------------------------------------------------------

BIG = {
    "10 MB of a name": lambda row: {**row, "name": "x" * 10_000_000},
    "10 MB beside it": lambda row: {**row, "other": ["y" * 1_000] * 10_000},
    "10,000 levels": lambda row: {**row, "other": "@deep"},
    "180 levels": lambda row: {**row, "other": nested(180), "configuration": nested(170)},
    "5,000 digits": lambda row: {**row, "other": "@digits"},
    "400 digits": lambda row: {**row, "other": "@fewer"},
    "NaN": lambda row: {**row, "other": float("nan")},
    "Infinity": lambda row: {**row, "other": float("inf")},
    "1e999": lambda row: {**row, "other": "@exponent"},
    "half a character": lambda row: {**row, "name": "\ud800 half"},
    "no character": lambda row: {**row, "name": "a\x00b"},
    "invalid UTF-8": lambda row: {**row, "name": "@bytes"},
    "a key twice": lambda row: {**row, "other": "@twice"},
}
_RAW = {
    b'"@deep"': b"[" * 10_000 + b"]" * 10_000,
    b'"@digits"': b"9" * 5_000,
    b'"@fewer"': b"9" * 400,
    b'"@exponent"': b"1e999",
    b'"@bytes"': b'"\xff\xfe\xc3"',
    b'"@twice"': b'1, "name": "first", "name": "second"',
}


def nested(levels: int) -> Any:
    node: Any = {"deepest": 1}
    for _ in range(levels):
        node = {"below": node}
    return node


@pytest.mark.parametrize("api", ["public", "config"])
@pytest.mark.parametrize("big", BIG)
def test_an_answer_that_is_too_much_is_an_error_or_shown(
    cli: Cli, shop: Shop, big: str, api: str
) -> None:
    shop.pin()

    def change(asked: Asked, said: Said) -> Said:
        if asked.path not in ("/sources", "/sources/list"):
            return said
        data = json.loads(said.body)
        key = "data" if "data" in data else "sources"
        data[key] = [BIG[big](row) for row in data[key]]
        body = json.dumps(data).encode()
        for mark, raw in _RAW.items():
            body = body.replace(mark, raw)
        return said.but(body=body)

    shop.server.change = change
    commands = ("plan", "drift", "get sources", "explain source/shop", "apply --yes")
    for _, command, output in (case for case in some(5, BIG, commands, OUTPUTS) if case[0] == big):
        ran = cli(*command.split(), *shop.at, "--api", api, "-o", output)
        check(ran, output)
        assert max(map(len, ran.err.split("\n"))) < 3_000


def test_a_byte_order_mark_is_passed_over(cli: Cli, shop: Shop) -> None:
    shop.server.change = lambda _asked, said: said.but(body=b"\xef\xbb\xbf" + said.body)
    assert cli("plan", *shop.at, "--detailed-exitcode").code == 0


def test_a_mark_in_manifests_and_plans_is_passed_over(cli: Cli, shop: Shop) -> None:
    for path in (*shop.folder.glob("manifests/*.yaml"), shop.folder / "saved.json"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert cli("plan", *shop.at, "--detailed-exitcode").code == 0
    assert cli("show", str(shop.folder / "saved.json")).code == 0
