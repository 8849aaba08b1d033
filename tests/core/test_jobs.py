"""Running connections: what a selection means, what is refused, what runs already, and what comes of it."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from reconciler.core.again import Again
from reconciler.core.capabilities import Capabilities
from reconciler.core.diagnostics import Diagnostic, ReconcilerError, Refused
from reconciler.core.jobs import (
    Job,
    JobKind,
    JobResult,
    Operation,
    RefreshMode,
    Standing,
    actors_meant,
    called,
    config_in_reach,
    connections_meant,
    does_the_same,
    exit_code,
    pauses,
    refuse_erasing,
    refuse_missing,
    streams_meant,
    watched,
)
from reconciler.core.model import Address, Consent, Desired
from reconciler.core.normalize import StreamKey
from reconciler.core.select import Selection
from reconciler.core.target import Target
from tests.core.build import absent, codes, connection, desired_of, destination, source

HERE = "https://airbyte.example.com"
CLOUD = "https://api.airbyte.com/v1"


# --- What an API can't do ------------------------------------------------------------------------


def _refused(operation: Operation, url: str = HERE, api: str = "public") -> Refused:
    with pytest.raises(Refused) as caught:
        refuse_missing(Capabilities(api), operation, Target("production", url))
    return caught.value


def test_what_an_api_can_do_is_not_refused() -> None:
    able = Capabilities("public", operations=frozenset({"sync"}))
    refuse_missing(able, "sync", Target("production", HERE))
    with pytest.raises(Refused):
        refuse_missing(able, "clear", Target("production", HERE))


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("check", "connection tests"),
        ("refresh", "refreshes"),
        ("clear-streams", "way to clear single streams"),
        ("discover", "way to discover"),
        ("cancel", "way to cancel"),
    ],
)
def test_what_an_api_has_none_of_is_said_in_plain_words(operation: Operation, words: str) -> None:
    assert called(operation) == words
    refused = _refused(operation)
    assert refused.message == f"target production: the public API has no {words}"


def test_an_api_without_a_name_of_its_own_is_named_as_it_is() -> None:
    assert _refused("sync", api="graphql").message.startswith("target production: the graphql has")


@pytest.mark.parametrize("operation", ["check", "refresh", "clear-streams"])
def test_the_way_to_the_other_api_is_shown_for_what_only_that_one_has(
    operation: Operation,
) -> None:
    assert "--api config" in _refused(operation).hint


@pytest.mark.parametrize("operation", ["sync", "clear", "discover", "cancel", "jobs"])
def test_no_other_api_is_promised_to_have_what_both_should(operation: Operation) -> None:
    assert _refused(operation).hint == ""


@pytest.mark.parametrize("operation", ["check", "refresh", "clear-streams"])
def test_the_api_in_use_is_never_recommended(operation: Operation) -> None:
    assert _refused(operation, api="config").hint == ""


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        (HERE, "the Configuration API has: add --api config, or api: config to the target"),
        ("embedded", "the Configuration API has: add --api config, or api: config to the target"),
        (f"{HERE}/api/public/v1", "the Configuration API has: add --api config"),
        (f"{HERE}/gateway/api/public/v1/", "the Configuration API has: add --api config"),
        (
            f"{HERE}/gateway",
            (
                "the Configuration API of a self-managed server has: state a target of its own for it, "
                "with that API's base as url and api: config"
            ),
        ),
        (CLOUD, "Airbyte Cloud has no other API: do it on Airbyte's own pages"),
        (
            "https://airbyte.com",
            "Airbyte Cloud has no other API: do it on Airbyte's own pages",
        ),
    ],
)
def test_the_way_to_the_other_api_is_one_that_leads_there(url: str, hint: str) -> None:
    assert _refused("check", url).hint == hint


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        (HERE, True),
        ("embedded", True),
        (f"{HERE}/api/public/v1", True),
        (f"{HERE}/gateway", False),
        (CLOUD, False),
    ],
)
def test_a_flag_reaches_the_other_api_where_its_place_is_known(url: str, reached: bool) -> None:
    assert config_in_reach(url) is reached


# --- What a selection means ----------------------------------------------------------------------

TEAM = {"labels": {"team": "data"}}


def _project() -> Desired:
    """Two connections of one source, an actor that nothing uses, and one of each kind that is to go."""
    return desired_of(
        connection("shop-to-lake", metadata=TEAM),
        connection("shop-to-bay", destination="bay"),
        absent("connection", "old-flow", metadata=TEAM),
        source("shop"),
        source("idle", metadata=TEAM),
        absent("source", "old-shop"),
        destination("lake"),
        destination("bay"),
    )


def _selection(include: str = "", exclude: str = "") -> Selection:
    return Selection(tuple(include.split()), tuple(exclude.split()))


def _names(found: tuple[Address, ...]) -> list[str]:
    return [str(address) for address in found]


BOTH = ["connection/shop-to-bay", "connection/shop-to-lake"]


@pytest.mark.parametrize(
    ("include", "exclude", "meant"),
    [
        ("", "", BOTH),
        ("connection/shop-to-lake", "", ["connection/shop-to-lake"]),
        ("connection/shop-to-lake connection/shop-to-bay", "", BOTH),
        ("connection/*", "", BOTH),
        ("*", "", BOTH),
        ("label:team=data", "", ["connection/shop-to-lake"]),
        ("", "connection/*-lake", ["connection/shop-to-bay"]),
        ("connection/*", "label:team=data", ["connection/shop-to-bay"]),
        ("connection/*", "connection/*", []),
    ],
)
def test_connections_that_are_to_exist_and_are_selected_are_meant_in_order(
    include: str, exclude: str, meant: list[str]
) -> None:
    found, problems = connections_meant(_selection(include, exclude), _project().resources)
    assert (_names(found), problems) == (meant, ())


EVERY_ACTOR = ["destination/bay", "destination/lake", "source/idle", "source/shop"]


@pytest.mark.parametrize(
    ("include", "exclude", "meant"),
    [
        ("", "", EVERY_ACTOR),
        ("*", "", EVERY_ACTOR),
        ("source/*", "", ["source/idle", "source/shop"]),
        ("connection/shop-to-lake", "", ["destination/lake", "source/shop"]),
        ("connection/*", "", ["destination/bay", "destination/lake", "source/shop"]),
        ("connection/shop-to-lake source/idle", "", ["destination/lake", "source/idle", "source/shop"]),
        ("label:team=data", "", ["destination/lake", "source/idle", "source/shop"]),
        ("connection/shop-to-lake", "source/shop", ["destination/lake"]),
        ("", "destination/*", ["source/idle", "source/shop"]),
        ("", "connection/*", EVERY_ACTOR),
        ("connection/*", "connection/shop-to-bay", ["destination/lake", "source/shop"]),
        ("source/shop", "source/shop", []),
    ],
)  # fmt: skip
def test_actors_are_meant_by_themselves_or_by_a_connection_on_them_in_order(
    include: str, exclude: str, meant: list[str]
) -> None:
    found, problems = actors_meant(_selection(include, exclude), _project().resources)
    assert (_names(found), problems) == (meant, ())


def test_an_end_that_no_manifest_describes_is_not_meant() -> None:
    flow = connection("out", source={"id": "aaaaaaaa-0000-4000-8000-000000000009"})
    resources = desired_of(flow, destination("lake")).resources
    found, _ = actors_meant(_selection("connection/out"), resources)
    assert _names(found) == ["destination/lake"]


@pytest.mark.parametrize("include", ["connection/shop-to-lake", "*"])
def test_an_end_that_is_to_go_or_is_nowhere_is_not_meant(include: str) -> None:
    gone = desired_of(absent("destination", "lake")).resources
    resources = {a: r for a, r in _project().resources.items() if a.name == "shop-to-lake"}
    found, _ = actors_meant(_selection(include), {**resources, **gone})
    assert found == ()


@pytest.mark.parametrize("means", [connections_meant, actors_meant])
def test_what_is_meant_comes_in_order_whatever_order_it_is_given_in(means: Any) -> None:
    resources = _project().resources
    backwards = {address: resources[address] for address in sorted(resources, reverse=True)}
    found, _ = means(_selection("*"), backwards)
    assert list(found) == sorted(found)
    assert len(found) > 1


def _problem(problems: tuple[Diagnostic, ...]) -> tuple[str, str]:
    assert codes(problems) == ["nothing-selected"]
    return problems[0].message, problems[0].hint


FORMS = "write kind/name, a glob such as 'connection/*', or label:key=value"


@pytest.mark.parametrize("side", ["include", "exclude"])
@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        (
            "connection/shop-to-lak",
            "no connection of this target is meant by 'connection/shop-to-lak'",
            "did you mean connection/shop-to-lake?",
        ),
        ("zzz", "no connection of this target is meant by 'zzz'", FORMS),
        ("label:team=none", "no connection of this target is meant by 'label:team=none'", FORMS),
        (
            "source/shop",
            "'source/shop' means no connection that is to exist",
            "name a connection, a glob such as 'connection/*', or label:key=value",
        ),
        (
            "connection/old-flow",
            "'connection/old-flow' means no connection that is to exist",
            "name a connection, a glob such as 'connection/*', or label:key=value",
        ),
    ],
)
def test_a_pattern_that_means_no_connection_is_an_error(
    side: str, pattern: str, message: str, hint: str
) -> None:
    _, problems = connections_meant(_selection(**{side: pattern}), _project().resources)
    assert _problem(problems) == (message, hint)


@pytest.mark.parametrize("side", ["include", "exclude"])
@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        (
            "source/shp",
            "no manifest of this target is meant by 'source/shp'",
            "did you mean source/shop?",
        ),
        ("zzz", "no manifest of this target is meant by 'zzz'", FORMS),
        (
            "source/old-shop",
            "'source/old-shop' means no manifest that is to exist",
            "leave it out: its manifest says state: absent",
        ),
    ],
)
def test_a_pattern_that_means_no_actor_is_an_error(
    side: str, pattern: str, message: str, hint: str
) -> None:
    _, problems = actors_meant(_selection(**{side: pattern}), _project().resources)
    assert _problem(problems) == (message, hint)


def test_a_misspelling_is_never_answered_with_what_is_to_go() -> None:
    _, problems = connections_meant(_selection("connection/old-flo"), _project().resources)
    assert "old-flow" not in _problem(problems)[1]


def test_each_pattern_without_meaning_is_told_and_the_others_still_hold() -> None:
    selection = _selection("zzz connection/shop-to-lake", "yyy")
    found, problems = connections_meant(selection, _project().resources)
    assert _names(found) == ["connection/shop-to-lake"]
    assert [problem.message.rsplit(" ", 1)[-1] for problem in problems] == ["'zzz'", "'yyy'"]


# --- Single streams ------------------------------------------------------------------------------

ORDERS: StreamKey = ("public", "orders")
LOGS: StreamKey = ("", "logs")
SELECTED = (ORDERS, ("sales", "items"), ("public", "items"), LOGS)


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        ((), ()),
        (("orders",), (ORDERS,)),
        (("public.orders",), (ORDERS,)),
        (("logs",), (LOGS,)),
        (("sales.items",), (("sales", "items"),)),
        (("orders", "logs"), (LOGS, ORDERS)),
        (("orders", "public.orders"), (ORDERS,)),
    ],
)
def test_streams_are_called_with_or_without_their_namespace(
    names: tuple[str, ...], meant: tuple[StreamKey, ...]
) -> None:
    assert streams_meant(names, SELECTED) == meant


def test_the_stream_without_a_namespace_comes_before_one_that_has_one() -> None:
    assert streams_meant(["orders"], [ORDERS, ("", "orders")]) == (("", "orders"),)


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        (
            "items",
            "2 streams of the connection are called 'items'",
            "write its namespace too: public.items or sales.items",
        ),
        ("ordrs", "the connection syncs no stream 'ordrs'", "did you mean 'orders'?"),
        (
            "pubic.orders",
            "the connection syncs no stream 'pubic.orders'",
            "did you mean 'public.orders'?",
        ),
        (
            "xyz",
            "the connection syncs no stream 'xyz'",
            "it syncs logs, public.items, public.orders, sales.items",
        ),
    ],
)
def test_a_name_that_means_none_or_several_streams_is_an_error(
    name: str, message: str, hint: str
) -> None:
    with pytest.raises(ReconcilerError) as caught:
        streams_meant(["orders", name], SELECTED)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_connection_without_streams_says_so() -> None:
    with pytest.raises(ReconcilerError) as caught:
        streams_meant(["orders"], [])
    assert caught.value.hint == "it syncs none"


def test_of_many_streams_the_first_ten_are_named() -> None:
    with pytest.raises(ReconcilerError) as caught:
        streams_meant(["zzzzzz"], [("", f"t{number:02}") for number in range(20, 0, -1)])
    assert caught.value.hint == "it syncs " + ", ".join(f"t{n:02}" for n in range(1, 11))


# --- Consent to erase ----------------------------------------------------------------------------

HERE_TOO = Address("connection", "shop-to-lake")
ELSEWHERE = Address("connection", "shop-to-bay")


def _erasing(kind: JobKind = "clear", streams: Any = (ORDERS,), allow: Any = ()) -> Refused:
    with pytest.raises(Refused) as caught:
        refuse_erasing(kind, HERE_TOO, streams, allow)
    return caught.value


@pytest.mark.parametrize(
    "allow",
    [
        [Consent(("data-erase",))],
        [Consent(("data-erase",), address=HERE_TOO)],
        [Consent(("replace", "data-erase"))],
        [Consent(("delete",)), Consent(("data-erase",), address=HERE_TOO)],
    ],
)
def test_erasing_goes_on_with_consent_to_it(allow: list[Consent]) -> None:
    refuse_erasing("clear", HERE_TOO, (ORDERS,), allow)


@pytest.mark.parametrize(
    "allow",
    [
        [],
        [Consent(("delete", "state-loss", "overwrites-table"))],
        [Consent(("data-erase",), address=ELSEWHERE)],
        [Consent(("delete",), address=HERE_TOO), Consent(("data-erase",), address=ELSEWHERE)],
    ],
)
def test_erasing_is_refused_without_consent_to_it_for_this_connection(allow: list[Consent]) -> None:
    assert _erasing(allow=allow).hint == (
        "if that is meant: --allow data-erase=connection/shop-to-lake"
    )


def test_what_would_be_erased_is_said_by_what_erases_it() -> None:
    assert _erasing("clear").message == (
        "clear empties the tables of connection/shop-to-lake and deletes the saved positions of its "
        "streams (public.orders); nothing was done"
    )
    assert _erasing("refresh").message.startswith(
        "a truncating refresh drops the rows of earlier syncs from the tables of connection/shop-"
    )


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "(none)"),
        (1, "(s1)"),
        (6, "(s1, s2, s3, s4, s5, s6)"),
        (7, "(s1, s2, s3, s4, s5, s6 and 1 more)"),
        (9, "(s1, s2, s3, s4, s5, s6 and 3 more)"),
    ],
)
def test_six_streams_are_named_and_the_others_counted(count: int, told: str) -> None:
    streams = tuple(("", f"s{number}") for number in range(1, count + 1))
    assert told in _erasing(streams=streams).message


# --- What runs already ---------------------------------------------------------------------------


def _job(kind: str = "sync", status: str = "running", **more: Any) -> Job:
    return Job("7", "c-1", kind, status, **more)


A: StreamKey = ("", "a")
B: StreamKey = ("", "b")
C: StreamKey = ("", "c")


@pytest.mark.parametrize("asked", ["sync", "refresh", "clear"])
@pytest.mark.parametrize("running", ["sync", "refresh", "clear", "a word of next year"])
def test_only_a_job_of_the_same_kind_does_the_same(asked: JobKind, running: str) -> None:
    job = _job(running, streams=frozenset({A, B}))
    assert does_the_same(job, asked, (), (A, B)) is (asked == running)


@pytest.mark.parametrize("told", [None, frozenset(), frozenset({A})])
def test_a_sync_is_always_of_the_whole_connection(told: frozenset[StreamKey] | None) -> None:
    assert does_the_same(_job("sync", streams=told), "sync", (), (A, B))


@pytest.mark.parametrize("kind", ["refresh", "clear"])
@pytest.mark.parametrize(
    ("running", "asked", "same"),
    [
        ({A}, (A,), True),
        ({A, B}, (B, A), True),
        ({A, B}, (A,), False),  # it does more than is asked
        ({A}, (A, B), False),
        ({B}, (A,), False),
        ({A, B}, (), True),
        ({A, B, C}, (), True),  # one that was since deselected is no harm
        ({A}, (), False),
        (set(), (), False),
        (None, (), False),
        (None, (A,), False),
    ],
)
def test_a_job_of_single_streams_does_the_same_for_just_these(
    kind: JobKind, running: set[StreamKey] | None, asked: tuple[StreamKey, ...], same: bool
) -> None:
    job = _job(kind, streams=None if running is None else frozenset(running))
    assert does_the_same(job, kind, asked, (A, B)) is same


@pytest.mark.parametrize(("mode", "same"), [("merge", True), ("truncate", False)])
def test_of_a_running_refresh_nobody_knows_whether_it_truncates(
    mode: RefreshMode, same: bool
) -> None:
    job = _job("refresh", streams=frozenset({A}))
    assert does_the_same(job, "refresh", (A,), (A, B), mode) is same


# --- What a run comes to -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("succeeded", True),
        ("failed", True),
        ("cancelled", True),
        ("pending", False),
        ("queued", False),
        ("running", False),
        ("incomplete", False),
        ("a word of next year", False),
    ],
)
def test_only_three_statuses_are_an_end_and_tell_the_outcome(status: str, ended: bool) -> None:
    job = _job(status=status)
    assert job.ended is ended
    assert watched("connection/a", "sync", job).standing == (status if ended else "running")


def test_looks_begin_after_a_second_grow_by_half_and_never_pass_ten() -> None:
    seconds = list(islice(pauses(), 12))
    assert seconds[:3] == [1.0, 1.5, 2.25]
    assert seconds == sorted(seconds)
    assert seconds[-3:] == [10.0] * 3


def test_a_job_that_ended_is_told_in_the_server_s_words_and_needs_nothing_more() -> None:
    job = _job(status="failed", failure="disk full")
    result = watched("connection/a", "sync", job, 12.5, joined=True)
    assert result == JobResult(
        "connection/a", "sync", "failed", job, "disk full", "", 12.5, joined=True
    )


def test_a_job_that_goes_on_is_told_with_how_to_wait_for_it_and_how_to_stop_it() -> None:
    result = watched("connection/a", "sync", _job(failure="first attempt: disk full"))
    assert (result.standing, result.message) == ("running", "it goes on in Airbyte")
    assert result.hint == "reconciler jobs wait 7, or: reconciler jobs cancel 7"
    assert (result.seconds, result.joined) == (0.0, False)


def test_both_commands_reach_what_this_run_reached() -> None:
    result = watched("connection/a", "sync", _job(), again=Again(target="production"))
    assert result.hint == (
        "reconciler jobs wait 7 -t production, or: reconciler jobs cancel 7 -t production"
    )


def _results(*standings: Standing) -> list[JobResult]:
    return [JobResult(f"connection/{s}", "sync", s) for s in standings]


@pytest.mark.parametrize(
    ("standings", "code"),
    [
        ((), 0),
        (("succeeded",), 0),
        (("started",), 0),
        (("succeeded", "started"), 0),
        (("failed",), 1),
        (("cancelled",), 1),
        (("not-started",), 1),
        (("succeeded", "failed"), 1),
        (("running",), 4),
        (("unknown",), 4),
        (("failed", "running"), 4),
        (("unknown", "not-started", "succeeded"), 4),
    ],
)
def test_what_is_not_known_weighs_more_than_what_went_wrong(
    standings: tuple[Standing, ...], code: int
) -> None:
    assert exit_code(_results(*standings), interrupted=False) == code


@pytest.mark.parametrize("standing", ["succeeded", "failed", "running", "unknown"])
def test_an_interrupted_run_says_so_whatever_came_of_it(standing: Standing) -> None:
    assert exit_code(_results(standing), interrupted=True) == 130
