"""Laws over generated worlds: the same input gives the same bytes, nothing is mutated, no secret leaves."""

import copy
import json
import random
import string
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.build import build
from reconciler.core.encode import encode_plan
from reconciler.core.merge import merge_connection
from reconciler.core.model import (
    KEEP,
    MASK,
    UNSET,
    Connection,
    Document,
    LiveObject,
    Mapper,
    Schedule,
    Stream,
)
from reconciler.core.normalize import canonical_connection, naming_for
from reconciler.core.plan import Plan, TargetLine
from reconciler.core.planning import Planned, Situation, make_plan
from tests.core.build import (
    AES,
    PUBLIC,
    SOURCE_ID,
    TARGET,
    absent,
    connection,
    destination,
    document,
    env,
    live_connection,
    live_destination,
    live_of,
    live_source,
    live_stream,
    source,
)

MODES = st.sampled_from(
    [
        "full_refresh_overwrite",
        "full_refresh_append",
        "full_refresh_overwrite_deduped",
        "incremental_append",
        "incremental_deduped_history",
        "incremental_soft_delete",
    ]
)
STREAM_NAMES = ("orders", "customers", "items")
COLUMNS = st.lists(st.sampled_from(["id", "updated_at", "email", "ssn"]), min_size=1, unique=True)
MAPPERS = st.lists(
    st.sampled_from(
        [
            {"type": "hashing", "targetField": "email", "method": "MD5", "fieldNameSuffix": "_h"},
            {"type": "field-filtering", "targetField": "ssn"},
            {"type": "encryption", **AES, "targetField": "ssn", "key": KEEP},
        ]
    ),
    max_size=2,
    unique_by=lambda mapper: mapper["type"],
)


@st.composite
def git_streams(draw: st.DrawFn) -> list[Any]:
    names = draw(st.lists(st.sampled_from(STREAM_NAMES), min_size=1, unique=True))
    return [
        {
            "name": name,
            "syncMode": draw(MODES),
            **draw(st.fixed_dictionaries({}, optional={"columns": COLUMNS, "mappers": MAPPERS})),
        }
        for name in names
    ]


@st.composite
def live_streams(draw: st.DrawFn) -> list[Stream]:
    names = draw(st.lists(st.sampled_from(STREAM_NAMES), unique=True))
    return [
        live_stream(
            name,
            draw(st.one_of(MODES, st.none())),
            namespace=draw(st.sampled_from([None, "public"])),
            columns=draw(st.one_of(st.none(), COLUMNS)),
            mappers=[_live_mapper(m, f"{name}-{i}") for i, m in enumerate(draw(MAPPERS))],
        )
        for name in names
    ]


def _live_mapper(written: dict[str, Any], mapper_id: str) -> Mapper:
    config = {key: MASK if value is KEEP else value for key, value in written.items()}
    return Mapper(config.pop("type"), config, mapper_id)


CONFIGURATIONS = st.fixed_dictionaries(
    {"host": st.sampled_from(["db", "new"])},
    optional={
        "port": st.sampled_from([5432, 5432.0, 1]),
        "password": st.sampled_from([KEEP, env(value="p-1234567"), env()]),
        "tunnel": st.sampled_from(
            [
                {"method": "Standard"},
                {"method": "Key", "password": KEEP},
                {"method": "Standard", "x": []},
            ]
        ),
        "keys": st.lists(
            st.sampled_from([{"name": "a"}, {"name": "b", "secret": KEEP}]), max_size=2
        ),
    },
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "prefix": st.sampled_from(["", "x_"]),
        "status": st.sampled_from(["active", "inactive"]),
        "schedule": st.sampled_from(["manual", {"every": "6 hours"}, {"cron": "0 0 6 * * ?"}]),
        "schemaChanges": st.sampled_from(["ignore", "propagate_columns", "propagate_fully"]),
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
        "source": st.sampled_from(["shop", "second", {"name": "shop"}, {"id": SOURCE_ID}]),
    },
)


def _masked(configuration: Any) -> Any:
    """How a server shows what these manifests may mean."""
    return {
        key: MASK
        if key in ("password", "secret")
        else _masked(value)
        if isinstance(value, dict)
        else [_masked(item) for item in value]
        if isinstance(value, list)
        else value
        for key, value in configuration.items()
    }


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Document], list[LiveObject]]:
    documents = [
        source("shop", draw(CONFIGURATIONS)),
        source(
            "second", draw(CONFIGURATIONS), connector=draw(st.sampled_from(["postgres", "mysql"]))
        ),
        destination(),
        *(
            connection(f"c{i}", draw(st.one_of(st.just(UNSET), git_streams())), **draw(SPECS))
            for i in range(draw(st.integers(0, 2)))
        ),
    ]
    if draw(st.booleans()):
        documents.append(absent("connection", "gone"))
    objects = [
        live_source(_masked(draw(CONFIGURATIONS))),
        live_source(_masked(draw(CONFIGURATIONS)), name="second", object_id="second"),
        live_destination(),
        *(
            live_connection(
                *draw(live_streams()),
                name=name,
                object_id=f"id-{name}-{i}",
                status=draw(st.sampled_from(["active", "inactive", "locked"])),
                schedule=draw(st.sampled_from([Schedule(), Schedule(every=6, unit="hours")])),
                schema_changes=draw(st.sampled_from(["ignore", "propagate_fully"])),
                tags=draw(st.sampled_from([(), ("a",), ("a", "c")])),
            )
            for i, name in enumerate(
                draw(st.lists(st.sampled_from(["c0", "c1", "gone", "by hand"])))
            )
        ),
    ]
    kept = draw(st.lists(st.sampled_from(range(len(objects))), unique=True))
    return documents, [objects[i] for i in sorted(kept)]


def plan(documents: list[Document], objects: list[LiveObject]) -> Planned:
    desired, _ = build(documents, TARGET)
    line = TargetLine(TARGET, "https://airbyte.example.com", "public", "Default", "w-1")
    return make_plan(Situation(line, desired, live_of(*objects), PUBLIC))


def text(found: Plan) -> str:
    return json.dumps(encode_plan(found), sort_keys=False)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same manifest, written in another order where order means nothing."""
    if isinstance(value, dict):
        items = [
            (key, _any_order(child, chance) if key in ("streams", "tags", "columns") else child)
            for key, child in value.items()
        ]
        chance.shuffle(items)
        return {key: shuffled(child, chance) for key, child in items}
    return [shuffled(child, chance) for child in value] if isinstance(value, list) else value


def _any_order(value: Any, chance: random.Random) -> Any:
    return chance.sample(value, len(value)) if isinstance(value, list) else value


@given(worlds(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_what_has_none_does_not_show(
    world: tuple[list[Document], list[LiveObject]], chance: random.Random
) -> None:
    documents, objects = world
    again = [
        document(
            d.kind, d.data["metadata"]["name"], shuffled(d.data.get("spec"), chance), **_rest(d)
        )
        for d in chance.sample(documents, len(documents))
    ]
    others = [_shuffled_streams(o, chance) for o in chance.sample(objects, len(objects))]
    one, other = plan(documents, objects).plan, plan(again, others).plan
    assert text(replace(one, diagnostics=())) == text(replace(other, diagnostics=()))
    assert told(one) == told(other)


def told(found: Plan) -> list[tuple[str, str, str | None]]:
    """What is said, without the places: a stream that moved in its file is said to stand elsewhere."""
    return sorted((d.code, d.message, d.address) for d in found.diagnostics)


def _rest(found: Document) -> dict[str, Any]:
    return {key: value for key, value in found.data.items() if key not in ("metadata", "spec")}


def _shuffled_streams(found: LiveObject, chance: random.Random) -> LiveObject:
    if not isinstance(found.spec, Connection) or not isinstance(found.spec.streams, tuple):
        return found
    streams = tuple(chance.sample(found.spec.streams, len(found.spec.streams)))
    return replace(found, spec=replace(found.spec, streams=streams))


@given(worlds())
@settings(deadline=None)
def test_a_plan_changes_nothing_that_it_reads(
    world: tuple[list[Document], list[LiveObject]],
) -> None:
    documents, objects = world
    before = copy.deepcopy([d.data for d in documents]), copy.deepcopy(objects)
    plan(documents, objects)
    assert ([d.data for d in documents], objects) == before


@given(worlds())
@settings(deadline=None)
def test_a_plan_counts_what_it_claims_once(world: tuple[list[Document], list[LiveObject]]) -> None:
    documents, objects = world
    made = plan(documents, objects)
    on_live = sum(1 for change in made.plan.changes if change.live_id)
    assert 0 <= made.plan.unchanged <= len(made.claims.live) - on_live
    for change in made.plan.changes:
        assert (change.live_id == "") == (change.action == "create")
        assert set(change.depends_on) <= set(made.steps)
        levels = [made.steps[address].change.level for address in change.depends_on]
        assert all(level < change.level for level in levels)
        step = made.steps[change.address]
        assert (step.update is not None) <= (change.action == "update")
        assert step.update or change.refusals or change.action != "update"


@given(live_streams(), SPECS)
def test_what_git_is_silent_about_stays_as_it_is(
    streams: list[Stream], spec: dict[str, Any]
) -> None:
    live = live_connection(*streams, tags=("a",), prefix="p").spec
    assert isinstance(live, Connection)
    silent = Connection(name=live.name, source=live.source, destination=live.destination)
    assert merge_connection(silent, live) == live
    named = Connection(
        name=live.name,
        source=live.source,
        destination=live.destination,
        streams=tuple(Stream(s.name, sync_mode=s.sync_mode) for s in streams),
    )
    naming = naming_for({})
    merged = merge_connection(named, live)
    assert canonical_connection(merged, naming) == canonical_connection(live, naming)
    assert merge_connection(named, merged) == merged


@given(git_streams())
def test_merging_again_changes_nothing(streams: list[Any]) -> None:
    desired, _ = build(
        [connection(streams=streams, source={"id": "s"}, destination={"id": "d"})], TARGET
    )
    (resource,) = desired.resources.values()
    assert isinstance(resource.spec, Connection)
    created = merge_connection(resource.spec, None)
    assert merge_connection(resource.spec, created) == created


# --- no secret leaves --------------------------------------------------------------------------------

CANARIES = st.text(string.digits, min_size=16, max_size=20).map("canary-{}".format)
PLACES: dict[str, Any] = {
    "top": lambda value: {"password": value},
    "nested": lambda value: {"vault": {"token": value}},
    "form": lambda value: {"tunnel": {"method": "Key", "password": value}},
    "no form": lambda value: {"tunnel": {"method": "None", "password": value}},
    "list": lambda value: {"keys": [{"name": "a", "secret": value}]},
    "longer list": lambda value: {"keys": [{"name": "a"}, {"name": "b", "secret": value}]},
    "object": lambda value: {"password": {"a": [value]}},
}
OPEN_PLACES: dict[str, Any] = {
    **PLACES,
    "unmarked": lambda value: {"options": {"token": value, "list": [value, "x"]}},
    "host": lambda value: {"host": value},
}


def _texts(documents: list[Document], objects: list[LiveObject]) -> str:
    desired, found = build(documents, TARGET)
    line = TargetLine(TARGET, "https://airbyte.example.com", "public", "Default", "w-1")
    texts = [repr(found)]
    for applying in (False, True):
        made = make_plan(Situation(line, desired, live_of(*objects), PUBLIC, applying=applying))
        texts += [repr(made.plan), text(made.plan), repr([s.change for s in made.steps.values()])]
    return "\n".join(texts)


@given(
    CANARIES,
    CANARIES,
    st.sampled_from(sorted(OPEN_PLACES)),
    st.sampled_from(sorted(OPEN_PLACES)),
    st.sampled_from(["env", "unknown", "keep", "literal"]),
    st.booleans(),
)
@settings(deadline=None, max_examples=200)
def test_no_secret_of_a_configuration_leaves(
    ours: str, theirs: str, place: str, live_place: str, how: str, same: bool
) -> None:
    """`theirs` is live in clear, at a place where the spec marks a secret or, if it equals ours, anywhere."""
    value = {"env": env(value=ours), "unknown": env(), "keep": KEEP, "literal": ours}[how]
    if how == "literal" and place not in PLACES:
        place = "top"
    shown = ours if same and how in ("env", "literal") else theirs
    if shown is theirs and live_place not in PLACES:
        live_place = "top"
    documents = [source(configuration={"host": "db", **OPEN_PLACES[place](value)})]
    for objects in (
        [],
        [live_source({"host": "old", **OPEN_PLACES[live_place](shown)})],
        [live_source({"host": "old", **OPEN_PLACES[live_place](MASK)})],
        [live_source({"host": "old", **OPEN_PLACES[live_place](shown)}, connector="other")],
    ):
        said = _texts(documents, objects)
        assert ours not in said
        assert theirs not in said


@given(
    CANARIES,
    CANARIES,
    st.sampled_from(["env", "unknown", "keep", "literal", "silent"]),
    st.booleans(),
)
@settings(deadline=None)
def test_no_key_of_a_mapper_leaves(ours: str, theirs: str, how: str, masked: bool) -> None:
    keys = {"env": env(value=ours), "unknown": env(), "keep": KEEP, "literal": ours}
    mapper = {"type": "encryption", **AES, "targetField": "ssn"}
    stream = {"name": "orders", "syncMode": "full_refresh_overwrite"}
    if how != "silent":
        stream["mappers"] = [{**mapper, "key": keys[how]}]  # type: ignore[assignment]
    live = Mapper(
        "encryption", {**AES, "targetField": "ssn", "key": MASK if masked else theirs}, "m"
    )
    documents = [source(), destination(), connection(streams=[stream])]
    for objects in (
        [],
        [live_connection(live_stream(mappers=[live]))],
        [live_connection(live_stream("gone", mappers=[live]))],
        [live_connection(live_stream("orders", "incremental_append", mappers=[live, live]))],
    ):
        said = _texts(documents, [live_source(), live_destination(), *objects])
        assert ours not in said
        assert theirs not in said
