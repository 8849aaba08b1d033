"""One Airbyte, two APIs: the same manifests mean the same through either (design §1, §3)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given

from reconciler import app
from reconciler.core.encode import encode_plan
from reconciler.core.plan import Plan
from reconciler.render import applied, text
from tests.properties.often import LAWS
from tests.properties.worlds import World, worlds

PAIRS = [("public", "config"), ("config", "public")]
OF_ONE_API = frozenset({"schedule-shift", "starts-sync"})
"""Effects that the same change has over one API alone."""


def _plan(folder: Path, world: World, api: str) -> Plan:
    async def run() -> Plan:
        return await app.plan(app.Request(project=folder, env=world.env, api=api))

    return anyio.run(run)


def _apply(folder: Path, world: World, api: str) -> app.Applied:
    async def run() -> app.Applied | Plan:
        request = app.Request(project=folder, env=world.env, api=api)
        return await app.apply(request, confirm=lambda _: True, emit=lambda _: None)

    result = anyio.run(run)
    assert isinstance(result, app.Applied), text.plan_text(result)
    return result


def _changes(plan: Plan) -> Any:
    """What would be done, and to what data: all of the plan but the API's name and its own effects."""
    encoded = encode_plan(plan)
    for change in encoded["changes"]:
        change["effects"] = [e for e in change["effects"] if e["effect"] not in OF_ONE_API]
    encoded["target"].pop("api")
    return encoded


@given(worlds())
@LAWS
def test_an_empty_airbyte_gets_the_same_plan_through_either(world: World) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = world.write(Path(name))
        one, other = (_changes(_plan(folder, world, api)) for api in ("public", "config"))
    assert one == other
    assert one["changes"]


@pytest.mark.parametrize(("written", "read"), PAIRS)
@given(world=worlds())
@LAWS
def test_what_one_wrote_is_no_change_through_the_other(
    written: str, read: str, world: World
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = world.write(Path(name))
        result = _apply(folder, world, written)
        failed = [applied.event_line(event) for event in result.outcome.failed]
        assert result.exit_code == 0, failed
        again = _plan(folder, world, read)
    assert again.changes == (), text.plan_text(again)
    assert not again.errored, text.plan_text(again)
    assert again.unchanged == len(world.manifests)
