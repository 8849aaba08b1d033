"""discover: what a source offers, ready to paste."""

from __future__ import annotations

from textwrap import indent
from typing import Any

import pytest
import yaml

from reconciler import manifests
from reconciler.core.build import build
from reconciler.core.catalog import match_stream
from reconciler.core.model import Address, Connection, DiscoveredStream
from reconciler.core.plan import TargetLine
from reconciler.render.offered import offered_text, suggested_mode
from tests.cli.conftest import Project
from tests.conftest import Cli

SHOP = "source/shop-postgres"
BRONZE = "destination/bronze"
APIS = ("public", "config")

NAMES = (
    "orders",
    "NO",
    "12:30",
    "null",
    "a: b",
    " # c",
    "x\nsyncMode: evil",
    "${env:HOME}",
    "ünï→",
    "\u202eevil",
    "\x1b[31m",
    "'\"",
    "- a",
    "*a",
    "",
)


@pytest.mark.parametrize("api", APIS)
def test_what_is_printed_can_be_pasted_and_planned(cli: Cli, applied: Project, api: str) -> None:
    ran = cli("discover", SHOP, "--destination", BRONZE, *applied.at, "--api", api)
    assert ran.code == 0
    offered = yaml.safe_load(ran.out)["streams"]
    assert len(offered) == 6

    def paste(data: dict[str, Any]) -> None:
        data["spec"].pop("streamDefaults")
        data["spec"]["streams"] = offered

    applied.edit("connections/shop-to-bronze.yaml", paste)
    planned = cli("plan", *applied.at, "--api", api, "--allow", "state-loss,overwrites-table")
    assert "ERROR" not in planned.out + planned.err
    assert "4 new" in planned.out


@pytest.mark.parametrize("api", APIS)
def test_streams_that_are_selected_already_are_marked(cli: Cli, applied: Project, api: str) -> None:
    ran = cli("discover", SHOP, *applied.at, "--api", api)
    marked = [line for line in ran.out.splitlines() if "# selected by" in line]
    users = "connection/shop-to-bronze, connection/shop-to-staging"
    assert marked == [
        f"  - name: customers   # selected by {users}",
        f"  - name: orders   # selected by {users}",
    ]


@pytest.mark.parametrize("api", APIS)
def test_as_json_there_is_everything(cli: Cli, applied: Project, api: str) -> None:
    body = cli(
        "discover", SHOP, "--destination", BRONZE, *applied.at, "--api", api, "-o", "json"
    ).json
    assert (body["formatVersion"], body["source"], body["destination"]) == ("1.0", SHOP, BRONZE)
    orders = next(s for s in body["streams"] if (s["name"], s["namespace"]) == ("orders", "public"))
    assert "incremental_append" in orders["syncModes"]
    assert orders["sourceDefinedPrimaryKey"] == [["id"]]
    assert orders["selectedBy"] == ["connection/shop-to-bronze", "connection/shop-to-staging"]
    assert ["updated_at"] in orders["fields"]


def test_the_destination_is_known_where_the_project_has_one(cli: Cli, applied: Project) -> None:
    (applied.folder / "connections" / "shop-to-staging.yaml").unlink()
    assert f"to {BRONZE}" in cli("discover", SHOP, *applied.at).out


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (("source/shop-postgre",), 1, "did you mean source/shop-postgres?"),
        (("source/lake",), 1, "no manifest of target local is source/lake"),
        (("source/lake",), 1, f"there is {SHOP}"),
        ((BRONZE,), 1, f"{BRONZE} is no source's address"),
        (("shop-postgres",), 64, "is not an address"),
        ((SHOP, "--destination", SHOP), 1, f"{SHOP} is no destination's address"),
    ],
)
def test_what_can_not_be_asked_is_told(
    cli: Cli, applied: Project, asked: tuple[str, ...], code: int, said: str
) -> None:
    ran = cli("discover", *asked, *applied.at)
    assert ran.code == code
    assert said in ran.err


def test_a_source_that_is_not_live_is_told(cli: Cli, project: Project) -> None:
    ran = cli("discover", SHOP, *project.at)
    assert ran.code == 1
    assert f"{SHOP} isn't live yet" in ran.err


# --- the text itself -------------------------------------------------------------------------


def text_of(*streams: DiscoveredStream) -> str:
    line = TargetLine("t\nx: 1", "https://a", "public", "W\u2028", "w")
    return offered_text(line, Address("source", "s"), None, streams, {})


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_read_back_as_it_is(name: str) -> None:
    paths = ((name,), ("b", name))
    stream = DiscoveredStream(
        name, name or None, ("incremental_append",), (name,), False, paths, paths
    )
    text = text_of(stream)
    (read,) = yaml.safe_load(text)["streams"]
    written = name.replace("${", "$${")
    assert read["name"] == written
    assert read["cursorField"] == written
    assert read.get("namespace", "") == written
    assert read["syncMode"] == "incremental_append"
    assert not set(text) & {"\x1b", "\u202e", "\u2028"}


def test_our_own_loader_reads_them_the_same(project: Project) -> None:
    streams = [DiscoveredStream(name, "ns", fields=((name,),)) for name in NAMES if name]
    (project.folder / "connections" / "shop-to-bronze.yaml").unlink()
    path = project.folder / "connections" / "shop-to-staging.yaml"
    head = path.read_text(encoding="utf-8").partition("  streamDefaults:")[0]
    path.write_text(head + indent(text_of(*streams), "  "), encoding="utf-8")
    loaded = manifests.load(project.folder)
    assert [d.message for d in loaded.diagnostics] == []
    resolved = manifests.resolve(loaded, "local", {})
    (connection,) = [d for d in resolved.documents if d.kind == "connection"]
    assert [s["name"] for s in connection.data["spec"]["streams"]] == [s.name for s in streams]


def test_one_name_with_and_without_a_namespace_is_two_streams(project: Project) -> None:
    offered = (DiscoveredStream("users"), DiscoveredStream("users", "public"))
    (project.folder / "connections" / "shop-to-bronze.yaml").unlink()
    path = project.folder / "connections" / "shop-to-staging.yaml"
    head = path.read_text(encoding="utf-8").partition("  streamDefaults:")[0]
    path.write_text(head + indent(text_of(*offered), "  "), encoding="utf-8")
    resolved = manifests.resolve(manifests.load(project.folder), "local", {})
    desired, problems = build(resolved.documents, "local")
    assert "duplicate-stream" not in [d.code for d in problems]
    (connection,) = [r.spec for a, r in desired.resources.items() if a.kind == "connection"]
    assert isinstance(connection, Connection)
    assert isinstance(connection.streams, tuple)
    assert [match_stream(s, list(offered)) for s in connection.streams] == list(offered)
    assert "namespace" not in text_of(offered[0])


@pytest.mark.parametrize(
    ("stream", "mode"),
    [
        (DiscoveredStream("s"), "full_refresh_overwrite"),
        (DiscoveredStream("s", sync_modes=("incremental_append",)), "incremental_append"),
        (DiscoveredStream("s", sync_modes=("a_new_one",)), "full_refresh_overwrite"),
        (
            DiscoveredStream(
                "s", None, ("full_refresh_append", "incremental_append"), source_defined_cursor=True
            ),
            "incremental_append",
        ),
        (
            DiscoveredStream(
                "s",
                None,
                ("full_refresh_overwrite", "incremental_append", "incremental_deduped_history"),
                ("at",),
                source_defined_primary_key=(("id",),),
            ),
            "incremental_deduped_history",
        ),
        (
            DiscoveredStream(
                "s",
                None,
                ("full_refresh_overwrite", "incremental_append"),
                ("at",),
                source_defined_primary_key=(("id",),),
            ),
            "incremental_append",
        ),
    ],
)
def test_the_suggested_mode_is_one_that_is_supported(stream: DiscoveredStream, mode: str) -> None:
    assert suggested_mode(stream) == mode


def test_what_the_source_defines_itself_is_a_comment() -> None:
    stream = DiscoveredStream(
        "s",
        None,
        ("incremental_deduped_history",),
        ("at",),
        source_defined_cursor=True,
        source_defined_primary_key=(("id",), ("part", "no")),
    )
    text = text_of(stream)
    assert "    # the source defines the cursor itself: at\n" in text
    assert "    # the source defines the key itself: id, part.no\n" in text
    assert yaml.safe_load(text)["streams"] == [
        {"name": "s", "syncMode": "incremental_deduped_history"}
    ]
