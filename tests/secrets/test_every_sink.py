"""No secret byte leaves: through every command, in every format, whatever a server quotes back."""

from __future__ import annotations

import html
import itertools
import json
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import click
import pytest

from reconciler.cli.main import COMMANDS
from reconciler.cli.main import cli as cli_group
from tests.conftest import Cli, Ran
from tests.hostile.between import Asked, Change, Said
from tests.hostile.shop import (
    CONNECTOR_RUNS,
    CORES,
    ENVIRONMENT,
    KEY_FILE,
    RUNS,
    Run,
    Shop,
    found,
    printed,
    said_by_connectors,
    thorough,
)

SECRETS = (*ENVIRONMENT.values(), KEY_FILE)
CASES = [(run, api) for run in RUNS for api in (run.apis if run.remote else ("public",))]
each_command = pytest.mark.parametrize(
    ("run", "api"), CASES, ids=[f"{run.name} {api}" for run, api in CASES]
)


def leaks(shop: Shop, ran: Ran) -> list[str]:
    """Secrets in what was printed, and in every file that was written: the plan, locks, reports."""
    given = {"key.pem"}
    texts = [ran.out, ran.err, printed(ran.out)]
    for folder in (shop.folder, Path(tempfile.gettempdir())):
        for path in folder.rglob("*"):
            ours = path.name in given or "pytest-of" in str(path.relative_to(folder))
            if path.is_file() and not ours:
                texts += [path.read_bytes().decode("utf-8", "replace")]
    return sorted({name for text in texts for name in found(text)})


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


def verbosities(run: Run) -> Iterator[tuple[str, ...]]:
    if not run.formats:
        yield ()
        return
    for output in ("text", "json"):
        for verbose in ((), ("-v",), ("-vv",)):
            yield ("-o", output, *verbose)


# --- when all goes well ----------------------------------------------------------------------


@each_command
def test_no_command_shows_a_secret(cli: Cli, shop: Shop, run: Run, api: str) -> None:
    for options in verbosities(run):
        ran = cli(*run.line(shop, api, *options))
        assert ran.code != 70, ran.err
        assert leaks(shop, ran) == [], (options, ran.out, ran.err)


# --- when the server quotes what it was sent --------------------------------------------------


def echo() -> str:
    """Each secret in each form that servers write."""
    forms: list[str] = []
    for secret in SECRETS:
        forms += [
            secret,
            json.dumps(secret),
            json.dumps(secret, ensure_ascii=False),
            json.dumps(json.dumps(secret)),
            quote(secret, safe=""),
            quote(secret),
            quote_plus(secret),
            quote(quote(secret, safe=""), safe=""),
            html.escape(secret),
            repr(secret),
            b64encode(secret.encode()).decode(),
            quote(b64encode(secret.encode()).decode(), safe=""),
            f"Basic {b64encode(f'someone:{secret}'.encode()).decode()}",
            " ".join(secret.split()),
            "\x1b[1m".join((secret[:20], secret[20:])),
            "\u200b".join((secret[:5], secret[5:])),
        ]
    return " | ".join(forms)


def _problem(text: str) -> Mapping[str, Any]:
    return {
        "status": 422,
        "type": text,
        "title": text,
        "detail": text,
        "data": {"message": text, "value": text, "errors": [{"error": text}, text]},
    }


def _known(text: str) -> Mapping[str, Any]:
    errors = [{"message": text, "propertyPath": text, "invalidValue": text}]
    return {
        "message": text,
        "errorId": text,
        "_embedded": {"errors": errors},
        "validationErrors": errors,
    }


FAILURES: Mapping[str, tuple[int, str]] = {
    "422 problem": (422, "json problem"),
    "400 known": (400, "json known"),
    "401": (401, "json known"),
    "403": (403, "json problem"),
    "500": (500, "json known"),
    "502 html": (502, "html"),
    "404 text": (404, "text"),
    "302": (302, "redirect"),
    "200 html": (200, "html"),
    "200 broken": (200, "broken"),
    "200 odd": (200, "odd"),
}


def failing(kind: str, asked: Asked) -> Said:
    status, form = FAILURES[kind]
    text = f"{echo()} | {asked.body.decode()} | {asked.headers}"
    if form == "html":
        page = f"<html><head><title>{text[:200]}</title></head><body>{text}</body></html>"
        return Said(status, page.encode(), {"content-type": "text/html"})
    if form == "text":
        return Said(status, text.encode(), {"content-type": "text/plain"})
    if form == "redirect":
        return Said(
            status, b"", {"location": f"https://{CORES['PASSWORD']}@x.example/{quote(text)}"}
        )
    if form == "broken":
        return Said(status, json.dumps({"message": text}).encode()[:-2])
    if form == "odd":
        return Said(status, json.dumps({"data": text, "message": text}).encode())
    body = _problem(text) if form == "json problem" else _known(text)
    return Said(status, json.dumps(body).encode(), {"content-type": "application/json"})


def place(asked: Asked) -> str:
    """Which part of a conversation a request is."""
    if asked.is_token:
        return "token"
    for word in ("jobs", "streams", "discover", "check", "specification", "tags", "definitions"):
        if word in asked.path:
            return word
    if (
        asked.path in ("/sources", "/destinations", "/connections", "/workspaces")
        or "list" in asked.path
    ):
        return "lists" if asked.method == "GET" or "list" in asked.path else "objects"
    return "objects"


PLACES = ("token", "lists", "objects", "jobs", "streams", "discover", "check", "tags")
REMOTE = [(run, api) for run, api in CASES if run.remote and run.command != "validate"]


OPTIONS = (("-o", "text", "-vv"), ("-o", "json", "-v"))
Case = tuple[str, str, tuple[str, ...]]


def cases(number: int, places: Iterable[str]) -> Iterator[Case]:
    """(place, kind of failure, options): all of them in a thorough run. Else each place once, and by turns
    the options, so that a command meets each, and the kinds, so that each is met at each place by some."""
    if thorough():
        yield from itertools.product(sorted(places), FAILURES, OPTIONS)
        return
    kinds = itertools.islice(itertools.cycle(FAILURES), number, None)
    yield from zip(sorted(places), kinds, itertools.cycle(OPTIONS), strict=False)


@pytest.mark.parametrize(("run", "api"), REMOTE, ids=[f"{run.name} {api}" for run, api in REMOTE])
def test_no_failure_shows_a_secret(cli: Cli, shop: Shop, run: Run, api: str) -> None:
    """Of each request in turn that the command makes; what is written is different from what is live."""
    shop.differ()
    cli(*run.line(shop, api))
    met = {place(asked) for asked in shop.server.asked}
    for failed, kind, options in cases(REMOTE.index((run, api)), met):
        shop.server.change = at_place(failed, kind)
        ran = cli(*run.line(shop, api, *options))
        assert ran.code != 70, (failed, kind, options, ran.err)
        assert leaks(shop, ran) == [], (failed, kind, options, ran.out, ran.err)


def at_place(failed: str, kind: str) -> Change:
    def change(asked: Asked, said: Said) -> Said:
        return failing(kind, asked) if place(asked) == failed else said

    return change


def test_every_place_is_reached(cli: Cli, shop: Shop) -> None:
    shop.differ()
    shop.server.forget()
    for run, api in REMOTE:
        cli(*run.line(shop, api))
    assert {place(asked) for asked in shop.server.asked} >= set(PLACES)
    sent = " ".join(asked.body.decode() + str(asked.headers) for asked in shop.server.asked)
    assert found(sent) == sorted(CORES), "a canary is never sent"


# --- when a connector says it ------------------------------------------------------------------


@pytest.mark.parametrize("run", CONNECTOR_RUNS, ids=lambda run: run.name)
def test_no_connector_shows_a_secret(cli: Cli, shop: Shop, run: Run) -> None:
    if "--online" not in run.words:  # a source that changes is only asked after it did
        shop.differ()
    shop.server.change = said_by_connectors(echo())
    for options in verbosities(run):
        ran = cli(*run.line(shop, "config", *options))
        assert ran.code != 70, ran.err
        assert "(secret)" in ran.out + ran.err, (options, ran.out, ran.err)
        assert leaks(shop, ran) == [], (options, ran.out, ran.err)


# --- when it is a bug -------------------------------------------------------------------------


def test_the_report_of_a_bug_names_places_and_no_values(
    cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise KeyError(f"could not find {echo()}") from ValueError(echo())

    monkeypatch.setattr("reconciler.core.planning.make_plan", broken)
    monkeypatch.setattr("reconciler.app.session.make_plan", broken)
    ran = cli("plan", *shop.at, "-vv")
    assert ran.code == 70
    (report,) = Path(tempfile.gettempdir()).glob("reconciler-bug-*.txt")
    assert "test_every_sink.py" in report.read_text(encoding="utf-8")
    assert "KeyError" in report.read_text(encoding="utf-8")
    assert report.stat().st_mode & 0o077 == 0
    assert leaks(shop, ran) == []


# --- mistakes in the manifests -----------------------------------------------------------------


@pytest.mark.parametrize("cast", ["int", "bool", "json"])
@pytest.mark.parametrize("place_of", ["password", "port", "replication_method", "no_such_key"])
def test_no_mistake_around_a_secret_shows_it(
    cli: Cli, shop: Shop, cast: str, place_of: str
) -> None:
    path = shop.folder / "manifests" / "source.yaml"
    text = path.read_text(encoding="utf-8")
    wrong = f"    {place_of}: ${{env:SHOP_PASSWORD|{cast}}}\n    second: ${{env:SHOP_PASSWORD}}\n"
    kept = "".join(line for line in text.splitlines(True) if f" {place_of}:" not in line)
    path.write_text(kept + wrong, encoding="utf-8")
    for run in (Run("validate", remote=False), Run("plan"), Run("apply", ("--yes",))):
        for options in verbosities(run):
            ran = cli(*run.line(shop, "public", *options))
            assert ran.code == 1
            assert leaks(shop, ran) == [], (options, ran.out, ran.err)


# --- nothing is left out -----------------------------------------------------------------------


def test_every_command_and_every_format_is_here() -> None:
    """A new command needs a row in tests/hostile/shop.py, a new format a word in `verbosities`."""
    assert {run.command.split()[0] for run in RUNS} == set(COMMANDS)
    tried = {run.command: {options[1] for options in verbosities(run) if options} for run in RUNS}
    offered = {run.command: set(_formats(run.command)) for run in RUNS}
    assert tried == offered


def _formats(command: str) -> Iterator[str]:
    found: click.Command = cli_group
    for word in command.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None
        found = inner
    for option in found.params:
        if option.name == "output" and isinstance(option.type, click.Choice):
            yield from option.type.choices
