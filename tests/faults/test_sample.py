"""A sample of the sweep (`python -m tests.faults.sweep` makes all of it), another one each day of the year.

A failure names its trial; `FAULTS_SEED=<n> pytest tests/faults` makes the same sample again.
"""

from __future__ import annotations

import os
import random
import sys
import time

import pytest

from tests.faults import world
from tests.faults.faults import FAULTS
from tests.faults.killing import KILLS
from tests.faults.shape import shape_of
from tests.faults.sweep import APIS, violations
from tests.faults.trial import MEMORIES, STATE, Ground, Trial, apply
from tests.faults.verdicts import Ran, leftovers

SEED = int(os.environ.get("FAULTS_SEED", time.gmtime().tm_yday))


def by_chance(ground: Ground, fault: str) -> Trial:
    """Every other one at a create, which is where most can go wrong."""
    chance = random.Random(f"{SEED} {fault}")
    api = chance.choice(APIS)
    anywhere, create = chance.randint(1, ground.requests[api]), chance.choice(ground.creates[api])
    return Trial(api, fault, chance.choice((anywhere, create)), (chance.choice(MEMORIES),))


def test_the_world_is_large_and_holds_every_kind_of_write(ground: Ground) -> None:
    with ground.server() as server:
        ran = apply(server, ground.folder, "public")
    assert sum(ground.goals["public"].texts.values()) >= 60
    made = {(change.address.kind, change.action) for change in ran.changes}
    kinds, actions = (
        ("source", "destination", "connection"),
        ("create", "update", "replace", "delete"),
    )
    assert made == {(kind, action) for kind in kinds for action in actions}


def test_both_apis_end_with_the_same_objects(ground: Ground) -> None:
    public, config = (ground.goals[api] for api in APIS)
    assert {key: len(found) for key, found in public.objects.items()} == {
        key: len(found) for key, found in config.objects.items()
    }
    assert public.tags == config.tags


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_and_one_more_apply_end_in_the_same_world(ground: Ground, fault: str) -> None:
    trial = by_chance(ground, fault)
    assert violations(ground, trial) == [], (SEED, trial.again)


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed in another way there")
@pytest.mark.parametrize("fault", KILLS)
def test_a_process_that_is_killed_leaves_nothing_that_the_next_apply_does_not_finish(
    ground: Ground, fault: str
) -> None:
    trial = by_chance(ground, fault)
    assert violations(ground, trial) == [], (SEED, trial.again)


def test_the_journal_of_all_that_holds_no_secret(ground: Ground) -> None:
    with ground.server() as server:
        apply(server, ground.folder, "config")
        journal = (ground.folder / STATE / "config.journal.jsonl").read_text()
    assert journal.count('"event": "sent"') > 60
    assert [name for name, canary in world.ENV.items() if canary in journal] == []


def test_a_trial_that_leaves_something_behind_is_found(ground: Ground) -> None:
    """The sweep itself can fail: a person who makes a twin meanwhile is what it would call a duplicate."""
    with ground.server() as server:
        apply(server, ground.folder, "public")
        store = server.store
        with store.transaction():
            store._db.execute(
                "INSERT INTO actor SELECT 'twin', kind, workspace_id, definition_id, name, configuration,"
                " resources, created_at, tombstone FROM actor WHERE name = 'new-1'"
            )
            store._db.execute("DELETE FROM stream_state")
            store._db.execute("DELETE FROM tag WHERE name = 'gold'")
        end = shape_of(store)
    found = list(leftovers(Ran(4, message="broke"), ground.start, end, ground.goals["public"]))
    assert [violation.partition(":")[0] for violation in found] == [
        "second apply exits 4",
        "after the second apply",
        "tags are ('pii', 'silver')",
        "saved positions are not as they should be",
    ]
    assert "source 'new-1'" in found[1]
