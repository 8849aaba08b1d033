"""Laws of reviewed plans over generated worlds: the same is the same however it is written and whatever
secrets were at hand, and what passes is what was shown."""

import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.core.build import build
from reconciler.core.encode import decode_plan, encode_plan
from reconciler.core.expect import compare
from reconciler.core.model import UNSET, Document, LiveObject, Secret
from reconciler.core.plan import Plan
from tests.core.build import TARGET, document
from tests.core.test_laws import plan, shuffled, worlds

World = tuple[list[Document], list[LiveObject]]


def saved(found: Plan) -> Plan:
    return decode_plan(json.loads(json.dumps(encode_plan(found))))


def _without_secrets(value: Any) -> Any:
    """As in a pull request: names of secrets, and no values."""
    if isinstance(value, Secret):
        return replace(value, value=UNSET)
    if isinstance(value, dict):
        return {key: _without_secrets(child) for key, child in value.items()}
    return [_without_secrets(child) for child in value] if isinstance(value, list) else value


def _again(found: Document, spec: Any) -> Document:
    rest = {key: value for key, value in found.data.items() if key not in ("metadata", "spec")}
    return document(found.kind, found.data["metadata"]["name"], spec, **rest)


@given(worlds(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_plan_is_expectable_by_a_run_that_knows_the_secrets_and_reads_moved_files(
    world: World, chance: random.Random
) -> None:
    documents, objects = world
    before = [_again(d, _without_secrets(d.data.get("spec"))) for d in documents]
    after = [_again(d, shuffled(d.data.get("spec"), chance)) for d in documents]
    chance.shuffle(after)
    reviewed, now = plan(before, objects).plan, plan(after, objects).plan
    event(f"changes: {min(len(now.changes), 3)}")
    found = compare(saved(reviewed), now, build(after, TARGET)[0].resources)
    assert found.differences == ()
    assert (found.aside, found.stated_otherwise) == ((), False)


def shown(found: Plan) -> Any:
    """What a reviewer sees of each change, and nothing else."""
    keys = ("address", "action", "name", "liveId", "refusals", "effects", "fields")
    changes: Any = encode_plan(found)["changes"]
    for change in changes:
        for part in (*change["fields"], *change["effects"]):
            part.pop("span", None)
    return [{key: change[key] for key in keys} for change in changes]


@given(worlds(), worlds())
@settings(deadline=None)
def test_what_passes_is_what_was_shown(one: World, other: World) -> None:
    """Git or live of one world, or both, against those of the other."""
    for documents, objects in (
        (one[0], other[1]),
        (other[0], one[1]),
        other,
    ):
        reviewed, now = plan(*one).plan, plan(documents, objects).plan
        same = compare(saved(reviewed), now, build(documents, TARGET)[0].resources).same
        event(f"same: {same}, changes: {bool(now.changes)}")
        if same:
            assert shown(now) == shown(reviewed)
