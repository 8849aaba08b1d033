"""Laws of reviewed plans over generated worlds: the same is the same however it is written and whatever
secrets were at hand, and what passes is what was shown."""

import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.core.build import build
from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.encode import decode_plan, encode_plan
from reconciler.core.expect import compare
from reconciler.core.model import UNSET, Document, LiveObject, Secret
from reconciler.core.plan import Change, Plan
from reconciler.core.redact import HIDDEN, leaves
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


def _unset_in(documents: list[Document]) -> list[Diagnostic]:
    """What reading the manifests tells of them."""
    return [
        Diagnostic(
            "secret-unset",
            "",
            severity=Severity.WARNING,
            address=f"{found.kind}/{found.data['metadata']['name']}",
            pointer=f"/spec{at}",
        )
        for found in documents
        for at, leaf in leaves(found.data.get("spec"))
        if isinstance(leaf, Secret)
    ]


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
    reviewed = replace(reviewed, diagnostics=(*reviewed.diagnostics, *_unset_in(before)))
    event(f"changes: {min(len(now.changes), 3)}, unset: {bool(_unset_in(before))}")
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


def _hiding(value: Any) -> list[Any]:
    """The value with each of its texts hidden, one at a time."""
    if isinstance(value, dict):
        return [{**value, key: hid} for key, child in value.items() for hid in _hiding(child)]
    if isinstance(value, list):
        return [
            [*value[:at], hid, *value[at + 1 :]]
            for at, child in enumerate(value)
            for hid in _hiding(child)
        ]
    return [HIDDEN] if isinstance(value, str) and value != HIDDEN else []


def _all_unset(change: Change) -> list[Diagnostic]:
    """As if nothing that the change writes had been at hand."""
    pointers = {field.pointer for field in change.fields} | {w.pointer for w in change.writes}
    return [
        Diagnostic("secret-unset", "", address=str(change.address), pointer=f"/spec{pointer}")
        for pointer in sorted(pointers)
    ]


@given(worlds())
@settings(deadline=None)
def test_a_file_in_which_a_value_is_hidden_is_no_approval_of_any_value(world: World) -> None:
    documents, objects = world
    now = plan(documents, objects).plan
    resources = build(documents, TARGET)[0].resources
    warned = tuple(found for change in now.changes for found in _all_unset(change))
    warned = tuple(replace(found, severity=Severity.WARNING) for found in warned)
    forged = 0
    for at, change in enumerate(now.changes):
        for index, field in enumerate(change.fields):
            for hidden in _hiding(field.after):
                other = replace(field, after=hidden, secret=True)
                fields = (*change.fields[:index], other, *change.fields[index + 1 :])
                changes = (
                    *now.changes[:at],
                    replace(change, fields=fields),
                    *now.changes[at + 1 :],
                )
                reviewed = replace(now, changes=changes, diagnostics=(*now.diagnostics, *warned))
                assert not compare(saved(reviewed), now, resources).same
                forged += 1
    event(f"forged: {min(forged, 3)}")
