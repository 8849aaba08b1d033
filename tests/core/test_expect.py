"""Whether a plan is the one that was reviewed: what counts, what does not, and what is said."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.encode import decode_plan, encode_plan
from reconciler.core.expect import Comparison, compare
from reconciler.core.model import MASK, UNSET, Address, Document, LiveObject, Schedule, Secret
from reconciler.core.plan import Plan
from reconciler.core.policy import parse_consent
from reconciler.core.written import written
from tests.core.build import (
    ACTORS,
    CONNECTION_ID,
    MYSQL,
    WORLD,
    absent,
    connection,
    desired_of,
    destination,
    encryption,
    env,
    git_mapper,
    live_connection,
    live_destination,
    live_source,
    live_stream,
    planned,
    source,
)

ORDERS: Final = {"name": "orders", "syncMode": "full_refresh_overwrite"}
ACCEPTED: Final = {"allow": ["overwrites-table", "state-loss"]}
LIVE: Final = [*WORLD, live_connection(live_stream())]


def git(**spec: Any) -> list[Document]:
    """One connection loses its saved position, which its manifest accepts."""
    whole = {"streams": [ORDERS], "lifecycle": ACCEPTED, **spec}
    return [*ACTORS(), connection(**whole)]


def saved(plan: Plan) -> Plan:
    """What comes back from a file."""
    return decode_plan(json.loads(json.dumps(encode_plan(plan))))


def compared(
    before: tuple[Iterable[Document], Iterable[LiveObject]],
    after: tuple[Iterable[Document], Iterable[LiveObject]],
    first: dict[str, Any] | None = None,
    then: dict[str, Any] | None = None,
) -> Comparison:
    """Planned, saved, and planned again with another git and another world."""
    reviewed = planned(*before, **(first or {})).plan
    documents = list(after[0])
    now = planned(documents, after[1], applying=True, **(then or {})).plan
    return compare(saved(reviewed), now, desired_of(*documents).resources)


def told(found: Comparison) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(d.sort, d.subject, tuple(x.name for x in d.details)) for d in found.differences]


# --- the same --------------------------------------------------------------------------------


def test_the_same_plan_is_the_same() -> None:
    assert compared((git(), LIVE), (git(), LIVE)) == Comparison(())


def test_what_is_created_by_somebody_else_does_not_count() -> None:
    other = live_source(name="other", object_id="aaaaaaaa-0000-4000-8000-000000000002")
    assert compared((git(), LIVE), (git(), [*LIVE, other])).same


def test_where_a_manifest_stands_and_its_notes_do_not_count() -> None:
    moved = [*ACTORS(), git()[2]]
    annotated = connection(
        streams=[ORDERS],
        lifecycle=ACCEPTED,
        metadata={"labels": {"team": "x"}, "annotations": {"owner": "#y"}},
    )
    assert compared((git(), LIVE), ([*moved[:2], annotated], LIVE)) == Comparison(())


def test_another_change_of_git_that_is_live_already_does_not_count_and_is_said() -> None:
    after = [source(configuration={"host": "db", "port": 5433}), destination(), git()[2]]
    live = [live_source({"host": "db", "port": 5433}), live_destination(), LIVE[2]]
    assert compared((git(), LIVE), (after, live)) == Comparison((), stated_otherwise=True)


def test_who_changed_a_field_does_not_count() -> None:
    reviewed = planned(git(), LIVE).plan
    (change,) = reviewed.changes
    told_why = replace(change, fields=tuple(replace(f, why="git") for f in change.fields))
    assert compare(saved(replace(reviewed, changes=(told_why,))), reviewed, {}).same


def test_an_update_leaves_alone_what_git_does_not_state_and_says_that_it_moved() -> None:
    found = compared(
        (git(), LIVE), (git(), [*WORLD, live_connection(live_stream(), prefix="clicked_")])
    )
    assert found == Comparison((), aside=(Address("connection", "shop-to-lake"),))


def test_a_tag_that_somebody_made_is_one_less_to_make() -> None:
    tagged = git(tags=["gold"])
    assert compared((tagged, LIVE), (tagged, LIVE), then={"tags": ["gold"]}).same
    found = compared((tagged, LIVE), (tagged, LIVE), first={"tags": ["gold"]})
    assert told(found) == [("new", "tag gold", ())]


# --- not the same ----------------------------------------------------------------------------


def test_a_change_that_was_not_reviewed_is_new() -> None:
    clicked = [live_source({"host": "clicked"}), *LIVE[1:]]
    allow = {"allow": [parse_consent("inconsistent")]}
    found = compared((git(), LIVE), (git(), clicked), then=allow)
    (difference,) = found.differences
    assert (difference.sort, difference.subject) == ("new", "source/shop")
    assert [d.name for d in difference.details] == ["/configuration/host"]
    assert str(difference.span) == "sources/shop.yaml:4:1"


def test_a_change_that_is_done_already_is_gone() -> None:
    done = [*WORLD, live_connection(live_stream(mode="full_refresh_overwrite", cursor=()))]
    (difference,) = compared((git(), LIVE), (git(lifecycle={}), done)).differences
    assert (difference.sort, difference.subject) == ("gone", "connection/shop-to-lake")
    assert "nothing is to be done there now" in difference.note
    assert difference.span is not None


def test_a_manifest_that_left_is_said() -> None:
    (difference,) = compared((git(), LIVE), (ACTORS(), LIVE)).differences
    assert "no manifest has it any more" in difference.note


@pytest.mark.parametrize(
    ("after", "live", "names"),
    [
        # live moved in what git states
        (
            git(schedule="manual"),
            [*WORLD, live_connection(live_stream(), status="inactive")],
            ("/status", "effect reactivate"),
        ),
        # git asks for something else
        (git(streams=[{**ORDERS, "syncMode": "full_refresh_append"}]), LIVE, None),
        # a stream was selected in Airbyte
        (
            git(),
            [*WORLD, live_connection(live_stream(), live_stream("clicked"))],
            ("/streams[clicked]", "effect stops-data"),
        ),
    ],
)
def test_a_change_that_would_do_something_else_differs(
    after: list[Document], live: list[LiveObject], names: tuple[str, ...] | None
) -> None:
    before = git(status="active")
    if names is not None and "/status" in names:
        after = git(status="active")
    found = compared((before, LIVE), (after, live))
    (difference,) = found.differences
    assert (difference.sort, difference.subject) == ("differs", "connection/shop-to-lake")
    if names is not None:
        assert set(names) <= {detail.name for detail in difference.details}


def test_an_object_that_was_made_anew_under_its_name_is_another_one() -> None:
    anew = live_connection(live_stream(), object_id="cccccccc-0000-4000-8000-000000000009")
    (difference,) = compared((git(), LIVE), (git(), [*WORLD, anew])).differences
    (detail,) = difference.details
    assert (detail.name, detail.reviewed) == ("live id", CONNECTION_ID)


def test_a_replacement_is_not_the_update_that_was_reviewed() -> None:
    moved = git(destination="lake-2", lifecycle={"allow": ["replace", "duplicates", *_EVERY]})
    live = [*LIVE, live_destination(name="lake-2", object_id="bbbbbbbb-0000-4000-8000-00000000002")]
    found = compared((git(), LIVE), ([*moved, destination("lake-2")], live))
    (difference,) = found.differences
    assert {"action", "/destination", "effect replace"} <= {d.name for d in difference.details}


_EVERY = ACCEPTED["allow"]


# --- what goes as a whole ----------------------------------------------------------------------


def test_what_is_deleted_must_be_what_was_reviewed_also_where_nothing_of_it_is_shown() -> None:
    gone = [*ACTORS(), absent("connection", "shop-to-lake")]
    clicked = [*WORLD, live_connection(live_stream(), prefix="clicked_")]
    assert compared((gone, LIVE), (gone, LIVE)).same
    assert told(compared((gone, LIVE), (gone, clicked))) == [
        ("differs", "connection/shop-to-lake", ("live",))
    ]


def test_a_connection_that_appeared_on_a_source_that_goes_is_a_difference() -> None:
    gone = [absent("source", "shop"), destination()]
    allow = {"allow": [parse_consent(f"delete=connection/{CONNECTION_ID}")]}
    found = compared((gone, WORLD), (gone, LIVE), then=allow)
    (difference,) = found.differences
    assert {"live", "effect delete"} <= {detail.name for detail in difference.details}


# --- consent ---------------------------------------------------------------------------------

FLAG: Final = {"allow": [parse_consent("overwrites-table,state-loss")]}


@pytest.mark.parametrize(
    ("before", "after", "first", "then", "sides"),
    [
        ({}, {}, FLAG, {}, ("--allow", UNSET)),
        ({}, {}, {}, FLAG, (UNSET, "--allow")),
        ({"lifecycle": ACCEPTED}, {}, {}, FLAG, ("lifecycle.allow", "--allow")),
        ({}, {"lifecycle": ACCEPTED}, FLAG, {}, ("--allow", "lifecycle.allow")),
        ({"lifecycle": ACCEPTED}, {}, {}, {}, ("lifecycle.allow", UNSET)),
    ],
)
def test_what_was_accepted_is_accepted_again_by_the_same_source(
    before: Any, after: Any, first: Any, then: Any, sides: tuple[Any, Any]
) -> None:
    none: dict[str, Any] = {"lifecycle": {}}
    found = compared((git(**none | before), LIVE), (git(**none | after), LIVE), first, then)
    (difference,) = found.differences
    details = {d.name: (d.reviewed, d.now) for d in difference.details}
    assert details == dict.fromkeys(
        ["consent for overwrites-table", "consent for state-loss"], sides
    )


def test_consent_by_the_same_flag_is_the_same() -> None:
    without = git(lifecycle={})
    assert compared((without, LIVE), (without, LIVE), FLAG, FLAG).same


# --- guards and errors -------------------------------------------------------------------------


def error(code: str) -> Diagnostic:
    return Diagnostic(code, "1 of 2", hint="say so")


def test_an_error_on_one_side_is_a_difference_and_a_warning_is_none() -> None:
    plan = planned(git(), LIVE).plan
    with_error = replace(plan, diagnostics=(error("limit-deletes"),))
    (new,) = compare(plan, with_error, {}).differences
    assert (new.sort, new.subject) == ("new", "error limit-deletes")
    assert "say so" in new.note
    (gone,) = compare(with_error, plan, {}).differences
    assert (gone.sort, gone.subject) == ("gone", "error limit-deletes")
    assert compare(with_error, with_error, {}).same
    warning = replace(error("stale-allow"), severity=Severity.WARNING)
    assert compare(plan, replace(plan, diagnostics=(warning,)), {}).same


def test_each_of_several_errors_is_compared() -> None:
    """Those that both have stand between those that only one has."""
    plan = planned(git(), LIVE).plan
    before = replace(plan, diagnostics=tuple(map(error, ("limit-deletes", "zz-gone"))))
    after = replace(plan, diagnostics=tuple(map(error, ("aa-new", "limit-deletes", "yy-new"))))
    assert [(d.sort, d.subject) for d in compare(before, after, {}).differences] == [
        ("new", "error aa-new"),
        ("new", "error yy-new"),
        ("gone", "error zz-gone"),
    ]


def test_another_refusal_is_a_difference() -> None:
    protected = {"preventDestroy": True}
    gone = [*ACTORS(), absent("connection", "shop-to-lake")]
    kept = [*ACTORS(), absent("connection", "shop-to-lake", spec={"lifecycle": protected})]
    (difference,) = compared((gone, LIVE), (kept, LIVE)).differences
    assert [d.name for d in difference.details] == ["refused because"]


# --- secrets: known there and not here ---------------------------------------------------------

SPEC: Final = {"host": "db", "password": env()}


def shop(**configuration: Any) -> list[Document]:
    return [source(configuration=configuration), destination()]


def without_secrets(*places: str) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(
            "secret-unset",
            "no value in this run",
            severity=Severity.WARNING,
            address="source/shop",
            pointer=f"/spec/configuration/{place}",
        )
        for place in places
    )


def compared_secrets(
    before: list[Document],
    after: list[Document],
    live: list[LiveObject],
    *unset: str,
    **more: Any,
) -> Comparison:
    """As in a pull request without production's secrets, and on merge with them."""
    reviewed = planned(before, live, **more).plan
    reviewed = replace(
        reviewed, diagnostics=(*reviewed.diagnostics, *without_secrets(*(unset or ("password",))))
    )
    now = planned(after, live, applying=True, **more).plan
    return compare(saved(reviewed), now, desired_of(*after).resources)


def test_a_create_is_the_same_with_and_without_its_secrets() -> None:
    known = {"password": env(value="the value of it"), "host": "db"}
    assert compared_secrets(shop(**SPEC), shop(**known), [live_destination()]).same


def test_a_secret_inside_a_container_is_the_same_known_or_not() -> None:
    def vault(value: Any) -> list[Document]:
        return shop(host="db", vault={"token": [env("A", value), env("B", "known")]})

    live = [live_destination()]
    assert compared_secrets(vault(UNSET), vault("x" * 16), live, "vault/token").same


@pytest.mark.parametrize("shown", [MASK, "the value of it"])
def test_a_secret_that_live_hides_or_shows_as_it_is_makes_no_difference(shown: str) -> None:
    live = [live_source({"host": "old", "password": shown}), live_destination()]
    known = {"password": env(value="the value of it"), "host": "db"}
    allow = {"allow": [parse_consent("inconsistent")]}
    assert compared_secrets(shop(**SPEC), shop(**known), live, **allow).same


def test_a_secret_that_turns_out_to_differ_was_not_reviewed() -> None:
    live = [live_source({"host": "old-host.internal"}), live_destination()]
    allow = {"allow": [parse_consent("inconsistent")]}
    found = compared_secrets(
        shop(host=env("HOST")), shop(host=env("HOST", "new-host.internal")), live, "host", **allow
    )
    (difference,) = found.differences
    (detail,) = difference.details
    assert (difference.sort, detail.name) == ("new", "/configuration/host")
    assert "was not set where the reviewed plan was made" in detail.note
    assert "internal" not in str(found)


def test_a_secret_to_be_resent_that_live_shows_as_it_is_need_not_be_sent() -> None:
    live = [live_source({"host": "db", "password": MASK}), live_destination()]
    before = shop(host=env("HOST"), password=env())
    after = shop(host=env("HOST", "db"), password=env(value="the value of it"))
    allow = {"resend": ("*",)}
    assert compared_secrets(before, after, live, "host", "password", **allow).same


def test_a_secret_that_is_not_at_hand_is_no_matter_of_review() -> None:
    live = [live_source({"host": "old", "password": MASK}), live_destination()]
    changed = shop(**SPEC)
    found = compared((changed, live), (changed, live))
    assert found.same
    now = planned(changed, live, applying=True).plan
    assert "not set in this environment" in str([c.refusals for c in now.changes])


def test_where_git_takes_a_hidden_secret_from_is_compared_for_what_is_written() -> None:
    """A source is written whole, with secrets that no field of the plan shows."""
    live = [live_source({"host": "old", "password": MASK}), live_destination()]
    other = shop(host="db", password=env("ANOTHER"))
    (difference,) = compared((shop(**SPEC), live), (other, live)).differences
    (detail,) = difference.details
    assert (detail.name, detail.reviewed, detail.now) == (
        "/configuration/password",
        "${env:SHOP_PG_PASSWORD}",
        "${env:ANOTHER}",
    )


def test_a_literal_secret_does_not_pass_for_a_reference() -> None:
    before, after = shop(host="db", password="a literal secret"), shop(**SPEC)
    (difference,) = compared(
        (before, [live_destination()]), (after, [live_destination()])
    ).differences
    assert [d.name for d in difference.details] == ["/configuration/password"]


# --- what is written and no field shows --------------------------------------------------------

INCONSISTENT: Final = {"allow": [parse_consent("inconsistent")]}


@pytest.mark.parametrize("live", [[live_destination()], [live_source({"host": "old"}), LIVE[1]]])
def test_another_value_of_the_environment_is_another_value(live: list[LiveObject]) -> None:
    """What is made or changed shows only where it comes from."""
    then, now = (shop(host=env("HOST", value)) for value in ("reviewed.internal", "other.internal"))
    assert compared((then, live), (then, live), INCONSISTENT, INCONSISTENT).same
    found = compared((then, live), (now, live), INCONSISTENT, INCONSISTENT)
    assert told(found) == [("differs", "source/shop", ("/configuration/host",))]
    assert "internal" not in str(found)


def test_nothing_of_the_environment_can_be_read_from_a_saved_plan() -> None:
    saved_plan = json.dumps(
        encode_plan(planned(shop(host=env("HOST", "reviewed.internal")), []).plan)
    )
    assert "reviewed.internal" not in saved_plan
    assert hashlib.sha256(b'"reviewed.internal"').hexdigest() not in saved_plan


@pytest.mark.parametrize(
    "configuration",
    [
        {"host": "db", "password": env(value="a password of somebody")},
        {"host": "db", "vault": env("VAULT", {"token": "a password of somebody"})},
    ],
)
def test_of_a_secret_no_digest_is_saved(configuration: dict[str, Any]) -> None:
    """It could be guessed at leisure."""
    (change,) = planned(shop(**configuration), [live_destination()]).plan.changes
    assert [w.digest for w in change.writes if "host" not in w.pointer] == [""]


def test_of_a_text_that_calls_what_it_refers_to_a_secret_no_digest_is_saved() -> None:
    text = Secret("ssl=on&password=${env:PW}", "ssl=on&password=hunter2")
    (change,) = planned(shop(host=text), [live_destination()]).plan.changes
    (host,) = (w for w in change.writes if w.pointer == "/configuration/host")
    assert (host.label, host.digest) == ("…${env:PW}", "")


@pytest.mark.parametrize("schema", [None, {"properties": {"port": {}}}])
def test_of_a_reference_that_no_specification_describes_no_digest_is_saved(schema: Any) -> None:
    """It may be a secret."""
    resource = desired_of(*shop(host=env("HOST", "db.internal"))).resources[
        Address("source", "shop")
    ]
    shown = frozenset({"/configuration/host"})
    (host,) = written(resource, shown, action="create", live=None, schema=schema, salt="w")
    assert (host.label, host.digest) == ("${env:HOST}", "")


def test_what_git_and_airbyte_both_changed_is_written_along_and_was_not_reviewed() -> None:
    """A source is written whole: also where live is as git says."""
    then = shop(host="db", port=5433)
    now = shop(host="evil.internal", port=5433)
    before = [live_source({"host": "db", "port": 5432}), LIVE[1]]
    after = [live_source({"host": "evil.internal", "port": 5432}), LIVE[1]]
    found = compared((then, before), (now, after), INCONSISTENT, INCONSISTENT)
    assert told(found) == [("differs", "source/shop", ("/configuration/host",))]
    assert str(found.differences[0].details[0].span) == "sources/shop.yaml:4:1"


def test_a_value_that_git_and_airbyte_both_dropped_is_missing_in_what_is_written() -> None:
    before = [live_source({"host": "db", "database": "d", "port": 5432}), LIVE[1]]
    after = [live_source({"host": "db", "port": 5432}), LIVE[1]]
    then, now = shop(host="db", database="d", port=1), shop(host="db", port=1)
    found = compared((then, before), (now, after), INCONSISTENT, INCONSISTENT)
    assert told(found) == [("differs", "source/shop", ("/configuration/database",))]


def test_a_stream_that_git_and_airbyte_both_changed_is_written_along() -> None:
    def customers(*columns: str) -> dict[str, Any]:
        return {"name": "customers", "syncMode": "incremental_append", "columns": list(columns)}

    def live(*columns: str) -> list[LiveObject]:
        return [*WORLD, live_connection(live_stream(), live_stream("customers", columns=columns))]

    few, more = ("id", "updated_at"), ("id", "ssn", "updated_at")
    then, now = git(streams=[ORDERS, customers(*few)]), git(streams=[ORDERS, customers(*more)])
    assert compared((then, live(*few)), (then, live(*few))).same
    assert told(compared((then, live(*few)), (now, live(*more)))) == [
        ("differs", "connection/shop-to-lake", ("/streams[customers]",))
    ]


def test_what_no_write_holds_may_be_stated_otherwise() -> None:
    """Only the fields of a connection that change are sent."""
    then, now = git(schedule="manual"), git(schedule={"cron": "0 0 1 * * ?"})
    nightly = live_connection(live_stream(), schedule=Schedule(cron="0 0 1 * * ?"))
    found = compared((then, LIVE), (now, [*WORLD, nightly]))
    assert (found.same, found.stated_otherwise) == (True, True)


def test_a_literal_secret_is_compared_by_a_digest_that_shows_nothing_of_it() -> None:
    """Also where the rest of git, or what the file says of it, is another one."""
    live = [live_source({"host": "old", "password": MASK}), LIVE[1]]
    then, now = (shop(host="db", password=f"a literal secret, {n}") for n in (1, 2))
    assert compared((then, live), (then, live), INCONSISTENT, INCONSISTENT).same
    elsewhere = [*then, destination("other", name="MinIO", state="absent")]
    found = compared((then, live), (elsewhere, live), INCONSISTENT, INCONSISTENT)
    assert (found.same, found.stated_otherwise) == (True, True)
    found = compared((then, live), (now, live), INCONSISTENT, INCONSISTENT)
    assert told(found) == [("differs", "source/shop", ("/configuration/password",))]
    assert "literal" not in str(found)


def test_another_digest_in_the_file_lets_no_literal_secret_pass() -> None:
    then, now = (shop(host="db", password=f"a literal secret, {n}") for n in (1, 2))
    merged = planned(now, [live_destination()], applying=True).plan
    forged = replace(planned(then, [live_destination()]).plan, digest=merged.digest)
    (difference,) = compare(saved(forged), merged, {}).differences
    assert [d.name for d in difference.details] == ["/configuration/password"]


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("host=good;pw=${env:PW}", "host=evil;pw=${env:PW}"),
        ("${env:PW:-one}", "${env:PW:-other}"),
        ("${env:PWA}", "${env:PWB}"),
    ],
    ids=["text around it", "its default", "what a variable stands for"],
)
@pytest.mark.parametrize("live", [[], [live_source({"host": "old", "password": MASK})]])
def test_what_git_states_of_a_secret_and_no_label_shows_is_compared(
    then: str, now: str, live: list[LiveObject]
) -> None:
    def stating(text: str) -> tuple[list[Document], list[LiveObject]]:
        secret = Secret("${var:pw}", "the value of it", stated=text)
        return shop(host="db", password=secret), [*live, live_destination()]

    assert compared(stating(then), stating(then), INCONSISTENT, INCONSISTENT).same
    found = compared(stating(then), stating(now), INCONSISTENT, INCONSISTENT)
    assert told(found) == [("differs", "source/shop", ("/configuration/password",))]
    assert "evil" not in str(found)


def test_an_encryption_key_that_stands_in_git_is_compared() -> None:
    def encrypting(key: str) -> tuple[list[Document], list[LiveObject]]:
        mapper = git_mapper(encryption(), targetField="ssn", key=Secret("(secret)", key))
        return git(streams=[{**ORDERS, "mappers": [mapper]}]), WORLD

    allow = {"allow": [parse_consent("overwrites-table,state-loss,pii-exposure,inconsistent")]}
    one, other = encrypting("0123456789abcdef"), encrypting("fedcba9876543210")
    assert compared(one, one, allow, allow).same
    ((sort, _, names),) = told(compared(one, other, allow, allow))
    assert (sort, names) == ("differs", ("/streams[orders]/mappers/0/key",))


# --- a tree that one reference brings ----------------------------------------------------------

TREE: Final = {"password": "a", "host": "b"}


def tree(value: Any) -> list[Document]:
    return shop(port=5433, vault=Secret("${env:VAULT|json}", value))


@pytest.mark.parametrize("live", [[], [live_source({"port": 5432, "vault": MASK})]])
def test_a_tree_that_was_not_set_at_the_review_is_the_same_whatever_it_brings(
    live: list[LiveObject],
) -> None:
    live = [*live, live_destination()]
    assert compared_secrets(tree(UNSET), tree(TREE), live, "vault", **INCONSISTENT).same


def test_what_another_reference_brings_into_a_tree_was_not_reviewed() -> None:
    """However the leaves follow each other: the last of them hides no other."""
    live = [live_source({"port": 5432, "vault": MASK}), live_destination()]
    rest = Secret("${env:VAULT|json}", "b")
    now = shop(port=5433, vault={"password": env("EVIL", "x"), "zone": rest})
    found = compared_secrets(tree(UNSET), now, live, "vault", **INCONSISTENT)
    ((sort, _, names),) = told(found)
    assert sort == "differs"
    assert "/configuration/vault/password" in names


def test_a_secret_that_a_file_calls_unset_further_up_is_compared_where_it_stands() -> None:
    live = [live_source({"port": 5432, "vault": {"password": MASK}}), live_destination()]

    def within(name: str) -> list[Document]:
        return shop(port=5433, vault={"password": env(name)})

    for forged in ("vault/password", "vault", ""):
        found = compared_secrets(within("TOKEN"), within("EVIL"), live, forged, **INCONSISTENT)
        assert told(found) == [("differs", "source/shop", ("/configuration/vault/password",))]


# --- what is no value of its own ---------------------------------------------------------------


def test_a_value_that_is_ignored_is_not_git_s_to_compare() -> None:
    def ignoring(host: str) -> list[Document]:
        lifecycle = {"ignoreChanges": ["/configuration/host"]}
        configuration = {"host": host, "port": 5433}
        return [source(configuration=configuration, lifecycle=lifecycle), destination()]

    live = [live_source({"host": "live", "port": 5432}), LIVE[1]]
    found = compared((ignoring("a"), live), (ignoring("b"), live), INCONSISTENT, INCONSISTENT)
    assert found.same


@pytest.mark.parametrize("live", [[], [live_source({"host": "h"}, connector=MYSQL.id)]])
def test_what_is_made_anew_is_sent_as_git_states_it_and_compared(live: list[LiveObject]) -> None:
    """To ignore a path leaves alone what live has there, and here it has nothing yet."""

    def ignoring(**configuration: Any) -> tuple[list[Document], list[LiveObject]]:
        lifecycle = {"ignoreChanges": [f"/configuration/{key}" for key in configuration]}
        made = source(configuration=configuration, lifecycle=lifecycle)
        return [made, destination()], [*live, live_destination()]

    def secret(stated: str) -> Secret:
        return Secret("${var:pw}", "the value of it", stated=stated)

    allow = {"allow": [parse_consent("replace,inconsistent")]}
    one, other = ignoring(password=secret("${env:A}")), ignoring(password=secret("${env:B}"))
    assert compared(one, one, allow, allow).same
    assert told(compared(one, other, allow, allow)) == [
        ("differs", "source/shop", ("/configuration/password",))
    ]


def test_what_is_ignored_inside_of_what_an_update_adds_is_sent_and_compared() -> None:
    def adding(stated: str) -> tuple[list[Document], list[LiveObject]]:
        vault = {"zone": "z", "token": Secret("${var:t}", "the value of it", stated=stated)}
        lifecycle = {"ignoreChanges": ["/configuration/vault/token"]}
        made = source(configuration={"host": "h", "vault": vault}, lifecycle=lifecycle)
        return [made, destination()], [live_source({"host": "h"}), live_destination()]

    one, other = adding("${env:A}"), adding("${env:B}")
    assert compared(one, one, INCONSISTENT, INCONSISTENT).same
    assert told(compared(one, other, INCONSISTENT, INCONSISTENT)) == [
        ("differs", "source/shop", ("/configuration/vault/token",))
    ]


def test_an_encryption_key_is_compared_by_where_it_comes_from_and_its_column_as_a_value() -> None:
    def encrypting(column: Any, key: Any) -> list[Document]:
        mapper = git_mapper(encryption(), targetField=column, key=key)
        return git(streams=[{**ORDERS, "mappers": [mapper]}])

    def told_of(column: Any, key: Any) -> tuple[str, ...]:
        first = encrypting(env("COLUMN", "ssn"), env("KEY", "0123456789abcdef"))
        allow = {"allow": [parse_consent("overwrites-table,state-loss,pii-exposure,inconsistent")]}
        found = compared((first, WORLD), (encrypting(column, key), WORLD), allow, allow)
        return tuple(detail.name for d in found.differences for detail in d.details)

    assert told_of(env("COLUMN", "ssn"), env("KEY", "fedcba9876543210")) == ()
    assert told_of(env("COLUMN", "email"), env("KEY", "0123456789abcdef")) == (
        "/streams[orders]/mappers/0/targetField",
    )


# --- other targets -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "name"),
    [("name", "target"), ("where", "address"), ("api", "API"), ("workspace_id", "workspace")],
)
def test_a_plan_of_another_target_is_told_by_what_is_other_and_nothing_else(
    field: str, name: str
) -> None:
    plan = planned(git(), LIVE).plan
    other = replace(plan, target=replace(plan.target, **{field: "other"}), changes=())
    (difference,) = compare(other, plan, {}).differences
    assert (difference.subject, [d.name for d in difference.details]) == ("target", [name])


# --- forged files ------------------------------------------------------------------------------


def test_a_forged_secret_stands_in_for_no_value_that_is_none() -> None:
    """Not for a host of git's, though some secret of the same source was not set."""
    live = [live_source({"host": "old", "password": MASK}), live_destination()]
    reviewed = planned(shop(host="good.internal", password=env()), live, **INCONSISTENT).plan
    (change,) = reviewed.changes
    (host,) = change.fields
    forged_plan = replace(
        reviewed,
        changes=(replace(change, fields=(replace(host, after="(secret)", secret=True),)),),
        diagnostics=(*reviewed.diagnostics, *without_secrets("password", "host")),
    )
    evil = shop(host="evil.internal", password=env(value="the value of it"))
    now = planned(evil, live, applying=True, **INCONSISTENT).plan
    found = compare(saved(forged_plan), now, desired_of(*evil).resources)
    assert told(found) == [("differs", "source/shop", ("/configuration/host",))]


def test_a_forged_secret_stands_in_for_nothing_beside_a_secret_in_a_list() -> None:
    def keys(name: str, value: Any = UNSET) -> list[Document]:
        return shop(host="db", keys=[{"name": name, "secret": env(value=value)}])

    live = [live_destination()]
    good, evil = planned(keys("good"), live).plan, keys("evil", "the value of it")
    (change,) = good.changes
    hidden = tuple(
        replace(f, after=[{**f.after[0], "name": "(secret)"}]) if "keys" in f.pointer else f
        for f in change.fields
    )
    forged_plan = replace(
        good,
        changes=(replace(change, fields=hidden),),
        diagnostics=without_secrets("keys/0/name", "keys/0/secret"),
    )
    now = planned(evil, live, applying=True).plan
    assert not compare(saved(forged_plan), now, desired_of(*evil).resources).same


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all parts, whole ones too."""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(data, dict | list):
        parts = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in parts:
        yield (*path, key)
        yield from leaves(value, (*path, key))


def forged(data: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The plan with each of its parts changed, taken away, or there twice."""
    for path in leaves(data):
        for how in ("changed", "gone", "twice"):
            copied = copy.deepcopy(data)
            *parents, last = path
            holder: Any = copied
            for key in parents:
                holder = holder[key]
            value = holder[last]
            if how == "changed":
                holder[last] = _other(value)
            elif how == "gone":
                del holder[last]
            elif isinstance(holder, list):
                holder.append(copy.deepcopy(value))
            else:
                continue
            yield (*path, how), copied


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return f"{value}x" if value else "x"
    return [*value, "x"] if isinstance(value, list) else {}


PASSED_OVER: Final = frozenset(
    {
        # not what is done, but where it stands, who changed it, and what was counted
        "span", "why", "annotations", "level", "dependsOn", "reason", "fingerprint", "digest",
        "complete", "applyable", "errored", "blocked", "counts", "unchanged", "matchedByName",
        "notCovered", "diagnostics", "newTags", "formatVersion", "workspace",
        # told by the effect's name
        "consent",
        # a hidden value is compared as it is shown
        "secret", "stream",
    }
)  # fmt: skip


def test_no_forged_plan_passes_but_for_what_is_not_compared() -> None:
    """And what is not compared is not used: nothing of the file gets any further."""
    documents = [
        *git(lifecycle={}, tags=["gold"]),
        source("new", configuration=SPEC),
        absent("destination", "old"),
    ]
    live = [*LIVE, live_destination(name="old", object_id="bbbbbbbb-0000-4000-8000-00000000002")]
    now = planned(documents, live, **FLAG).plan
    resources = desired_of(*documents).resources
    tried, passed = 0, set()
    for path, data in forged(encode_plan(now)):
        tried += 1
        try:
            reviewed = decode_plan(data)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        if compare(reviewed, now, resources).same:
            passed.add(path)
    unnoticed = {path for path in passed if not PASSED_OVER.intersection(path)}
    assert tried > 300
    assert unnoticed == set()
