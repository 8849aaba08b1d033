"""The promises of the design, over generated worlds on the embedded Airbyte."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import anyio
from hypothesis import given, note
from hypothesis import strategies as st

from reconciler import app, planfile
from reconciler.core.events import Event
from reconciler.core.plan import Plan
from reconciler.executor import Outcome
from reconciler.render import applied, drift, text
from tests.properties.often import LAWS
from tests.properties.worlds import World, worlds


def _request(folder: Path, world: World) -> app.Request:
    return app.Request(project=folder, env=world.env)


def _plan(folder: Path, world: World) -> Plan:
    async def run() -> Plan:
        return await app.plan(_request(folder, world))

    return anyio.run(run)


def _apply(folder: Path, world: World, events: list[Event]) -> app.Applied:
    async def run() -> app.Applied | Plan:
        return await app.apply(_request(folder, world), confirm=lambda _: True, emit=events.append)

    result = anyio.run(run)
    assert isinstance(result, app.Applied), text.plan_text(result)
    return result


def _outputs(plan: Plan) -> str:
    return "\n".join(
        [
            text.plan_text(plan, verbose=True),
            drift.drift_text(plan),
            planfile.plan_text(plan),
            repr(plan),
        ]
    )


@given(worlds())
@LAWS
def test_after_apply_the_plan_is_empty(world: World) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = world.write(Path(name))
        events: list[Event] = []
        result = _apply(folder, world, events)
        note(applied.outcome_text(result.outcome, result.remaining))
        assert result.outcome.exit_code == 0, [
            applied.event_line(failed) for failed in result.outcome.failed
        ]
        assert result.remaining.changes == ()
        again = _plan(folder, world)
        assert again.changes == (), text.plan_text(again)
        assert again.unchanged == len(world.manifests)


@given(worlds(), st.randoms(use_true_random=False))
@LAWS
def test_a_plan_has_the_same_bytes_however_its_input_is_ordered(
    world: World, random: object
) -> None:
    shuffled = copy.deepcopy(world)
    for manifest in shuffled.manifests:
        spec = manifest["spec"]
        for key in ("streams", "tags"):
            if key in spec:
                random.shuffle(spec[key])  # type: ignore[attr-defined]
        for stream in spec.get("streams", ()):
            if isinstance(stream.get("columns"), list):
                random.shuffle(stream["columns"])  # type: ignore[attr-defined]
    order = list(range(len(world.manifests)))
    random.shuffle(order)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first = _without_places(_plan(world.write(Path(one)), world))
        second = _without_places(_plan(shuffled.write(Path(other), order=order), shuffled))
    assert first == second


def _without_places(plan: Plan) -> str:
    """File names and lines follow the files; all else must not."""
    lines = planfile.plan_text(plan).splitlines()
    return "\n".join(line for line in lines if not any(k in line for k in _PLACES))


_PLACES = ('"file":', '"line":', '"column":')


@given(worlds())
@LAWS
def test_no_secret_is_in_any_output(world: World) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = world.write(Path(name))
        events: list[Event] = []
        shown = [_outputs(_plan(folder, world))]
        result = _apply(folder, world, events)
        shown += [applied.event_line(event) for event in events]
        shown.append(applied.outcome_text(result.outcome, result.remaining))
        shown.append(str(applied.encode_outcome(result.plan, result.outcome, result.remaining)))
        shown.append(repr(events))
        shown.append(_outputs(_plan(folder, world)))
    everything = "\n".join(shown)
    for name, canary in world.env.items():
        assert canary not in everything, name


@given(worlds())
@LAWS
def test_secrets_that_are_not_at_hand_are_no_change(world: World) -> None:
    """A pull request's CI has none of them, and sees the same empty plan."""
    with tempfile.TemporaryDirectory() as name:
        folder = world.write(Path(name))
        _apply(folder, world, [])
        again = _plan(folder, World(world.catalogs, world.manifests, {}))
        assert again.changes == (), text.plan_text(again)


@given(worlds())
@LAWS
def test_secrets_that_are_kept_are_no_change(world: World) -> None:
    """Adoption without knowing one: every secret that the server can keep becomes ${keep}."""
    with tempfile.TemporaryDirectory() as name:
        folder = world.write(Path(name))
        _apply(folder, world, [])
        kept = World(
            world.catalogs,
            tuple(map(_kept, world.manifests)),
            {"DB_HOST": "canary-host-name-0123456789"},
        )
        again = _plan(kept.write(folder), kept)
        assert again.changes == (), text.plan_text(again)
        assert not again.errored, text.plan_text(again)


def _kept(node: Any) -> Any:
    """Secrets of a configuration and of mappers by ${keep}; a host is shown, so that there is nothing to
    keep."""
    if isinstance(node, dict):
        return {key: _kept(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_kept(value) for value in node]
    secret = isinstance(node, str) and node.startswith("${env:") and "DB_HOST" not in node
    return "${keep}" if secret else node


def test_an_outcome_without_changes_is_a_success() -> None:
    assert Outcome((), (), ()).exit_code == 0
