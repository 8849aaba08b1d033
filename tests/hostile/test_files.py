"""Files of a project that are not what they seem: bombs, pipes, devices, links, names that lead elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.hostile.shop import CORES, Shop

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pipes and devices there")
SOURCE = "manifests/source.yaml"


def appended(shop: Shop, text: str, name: str = "manifests/more.yaml") -> None:
    path = shop.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def replaced(shop: Shop, old: str, new: str, name: str = SOURCE) -> None:
    path = shop.folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9)
)
BOMBS = {
    "a billion laughs": _LAUGHS,
    "10,000 levels": "[" * 10_000 + "]" * 10_000,
    "10,000 mappings": "".join(f"{' ' * i}a:\n" for i in range(2_000)),
    "an alias of itself": "a: &a [*a]",
    "merges of merges": "a: &a {x: 1}\n"
    + "".join(
        f"b{i}: &b{i} {{<<: [{', '.join([f'*b{i - 1}' if i else '*a'] * 10)}]}}\n"
        for i in range(20)
    ),
    "15 MB of one scalar": f"a: {'x' * 15_000_000}",
    "17 MB": "a: " + "x" * 17 * 1024 * 1024,
    "a key of a megabyte": f"{{{'k' * 1_000_000}: 1, {'k' * 1_000_000}: 2}}",
    "a number of a megabyte": f"apiVersion: {'9' * 1_000_000}",
    "a hexadecimal number of a megabyte": f"apiVersion: 0x{'f' * 1_000_000}",
    "a float that is none": "apiVersion: 1e999",
    "not a number": "apiVersion: .nan",
    "100,000 documents": "--- 1\n" * 100_000,
    "a null byte": "a: \x00b",
    "an anchor of a megabyte": f"a: &{'x' * 1_000_000} 1\nb: *{'y' * 1_000_000}",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_a_mistake_with_a_place(cli: Cli, shop: Shop, bomb: str) -> None:
    appended(shop, BOMBS[bomb])
    ran = cli("validate", *shop.at)
    assert ran.code == 1, ran.err
    assert "manifests/more.yaml:" in ran.out
    assert len(ran.out) < 100_000 or bomb == "100,000 documents"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_as_the_project_file_is_one_too(cli: Cli, shop: Shop, bomb: str) -> None:
    appended(shop, BOMBS[bomb], "reconciler.yaml")
    ran = cli("plan", *shop.at)
    assert ran.code == 1
    assert "reconciler.yaml:" in ran.err


@pytest.mark.parametrize("name", ["manifests/pipe.yaml", "reconciler.yaml", SOURCE])
def test_a_pipe_is_not_waited_for(cli: Cli, shop: Shop, name: str) -> None:
    (shop.folder / name).unlink(missing_ok=True)
    os.mkfifo(shop.folder / name)
    ran = cli("validate", *shop.at)
    assert ran.code == 1
    assert "can't be read: it is no regular file" in ran.out + ran.err


@pytest.mark.parametrize("name", ["manifests/endless.yaml", "reconciler.yaml"])
def test_a_device_is_not_read(cli: Cli, shop: Shop, name: str) -> None:
    (shop.folder / name).unlink(missing_ok=True)
    (shop.folder / name).symlink_to("/dev/zero")
    ran = cli("validate", *shop.at)
    assert ran.code == 1
    assert "no regular file" in ran.out + ran.err or "leads out of the project" in ran.out


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/stdin", "pipe", "."])
def test_a_reference_to_no_file_is_refused_at_once(cli: Cli, shop: Shop, name: str) -> None:
    os.mkfifo(shop.folder / "pipe")
    replaced(shop, "${file:key.pem}", f"${{file:{name}}}")
    ran = cli("validate", *shop.at)
    assert ran.code == 1
    assert "can't be read" in ran.out


@pytest.mark.parametrize(
    "name", ["../outside", "a/../../outside", "link", "links/outside", "./../outside", "\\0x"]
)
def test_a_reference_never_leads_out_of_the_project(cli: Cli, shop: Shop, name: str) -> None:
    outside = shop.folder.parent / "outside"
    outside.write_text(CORES["LAKE"], encoding="utf-8")
    (shop.folder / "link").symlink_to(outside)
    (shop.folder / "links").symlink_to(shop.folder.parent)
    replaced(shop, '"${file:key.pem}"', f'"${{file:{name}}}"')
    shop.server.forget()
    for command in (("validate",), ("plan",), ("apply", "--yes")):
        ran = cli(*command, *shop.at)
        assert ran.code == 1
        assert CORES["LAKE"] not in ran.out + ran.err
    assert shop.server.asked == []


def test_a_manifest_that_is_a_link_to_the_outside_is_refused(cli: Cli, shop: Shop) -> None:
    outside = shop.folder.parent / "outside.yaml"
    outside.write_text(f"{CORES['LAKE']}: 1", encoding="utf-8")
    (shop.folder / "manifests" / "link.yaml").symlink_to(outside)
    ran = cli("validate", *shop.at)
    assert ran.code == 1
    assert "this link leads out of the project" in ran.out
    assert CORES["LAKE"] not in ran.out


@pytest.mark.parametrize(
    "pattern",
    [
        "../*.yaml",
        "/etc/*",
        "manifests/../../*.yaml",
        "a\\0b/*.yaml",
        "**/" * 200 + "*.yaml",
        "[" * 50,
    ],
)
def test_a_pattern_never_leads_out_and_never_takes_long(cli: Cli, shop: Shop, pattern: str) -> None:
    deep = shop.folder.joinpath(*["d"] * 25)
    deep.mkdir(parents=True)
    (deep / "file.yml").write_text("", encoding="utf-8")
    replaced(shop, "manifests/*.yaml", pattern, "reconciler.yaml")
    assert cli("validate", *shop.at).code in (0, 1)


@pytest.mark.parametrize("setting", ["connectors", "catalogs"])
@pytest.mark.parametrize("value", ["/dev/zero", "pipe", "a\\0b", "../../../../etc", "folder"])
def test_what_a_target_names_is_read_to_an_end(
    cli: Cli, shop: Shop, setting: str, value: str
) -> None:
    os.mkfifo(shop.folder / "pipe")
    (shop.folder / "folder").mkdir()
    os.mkfifo(shop.folder / "folder" / "pipe.json")
    (shop.folder / "folder" / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    (shop.folder / "folder" / "postgres.json").symlink_to("/dev/zero")
    text = (shop.folder / "reconciler.yaml").read_text(encoding="utf-8")
    for url in (f'url: "{shop.server.url}"', "url: embedded"):
        changed = text.replace(f'url: "{shop.server.url}"', f'{url}\n      {setting}: "{value}"')
        changed = changed if url != "url: embedded" else changed.split("      auth:")[0]
        (shop.folder / "reconciler.yaml").write_text(changed, encoding="utf-8")
        for command in (("validate",), ("plan",), ("discover", "source/shop")):
            ran = cli(*command, *shop.at)
            assert ran.code in (0, 1), ran.err


def test_a_lock_that_is_a_link_empties_no_other_file(cli: Cli, shop: Shop) -> None:
    other = shop.folder / "key.pem"
    before = other.read_bytes()
    lock = shop.folder / ".reconciler" / "apply.lock"
    lock.unlink()
    lock.symlink_to(other)
    ran = cli("apply", "--yes", *shop.at)
    assert ran.code == 1
    assert "can't be made, and nothing was written" in ran.err
    assert other.read_bytes() == before


def test_links_of_an_earlier_commit_lead_nowhere(cli: Cli, shop: Shop) -> None:
    (shop.folder / "manifests" / "link.yml").symlink_to("../../outside.yaml")
    (shop.folder / "absolute").symlink_to("/etc/passwd")
    author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(shop.folder), *author, *command], check=True)
    ran = cli("plan", *shop.at, "--since", "HEAD")
    assert ran.code == 0, ran.err


# --- saved plans ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[" * 10_000,
        b'{"formatVersion": "1.0"}',
        b'{"formatVersion": "1.x", "target": 1, "changes": [], "digest": ""}',
        b"\xff\xfe{}",
        b'{"a": 1, "a": 2}',
        b'{"formatVersion": ' + b"9" * 5_000 + b"}",
        b'{"formatVersion": NaN}',
        b"apiVersion: airbyte.reconciler/v1\nkind: Source\n",
    ],
    ids=range(10),
)
def test_what_is_no_plan_is_said_to_be_none(cli: Cli, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(content)
    ran = cli("show", str(file))
    assert ran.code == 1
    assert "is not a plan that this version reads" in ran.err
    assert len(ran.err) < 1_000


def test_a_device_is_no_plan(cli: Cli) -> None:
    ran = cli("show", "/dev/zero")
    assert ran.code == 1
    assert "too large to be a saved plan" in ran.err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"applyable": true', '"applyable": false'),
        ('"action": "update"', '"action": "create"'),
        ('"update": 1', '"update": 0'),
        ('"blocked": false', '"blocked": true'),
        ('"formatVersion": "1.0"', '"formatVersion": "1.0", "formatVersion": "1.0"'),
        ('"level": 0', '"level": 1e999'),
        ('"address": "source/shop"', '"address": "shop"'),
    ],
)
def test_a_plan_that_was_edited_is_none(cli: Cli, shop: Shop, old: str, new: str) -> None:
    replaced(shop, "database: shop", "database: other")
    saved = shop.folder / "saved.json"
    assert cli("plan", *shop.at, "--out", str(saved), "--allow", "inconsistent").code == 0
    assert cli("show", str(saved)).code == 0
    text = saved.read_text(encoding="utf-8")
    assert old in text
    saved.write_text(text.replace(old, new, 1), encoding="utf-8")
    ran = cli("show", str(saved))
    assert ran.code == 1
    assert "is not a plan that this version reads" in ran.err


def test_a_plan_of_a_later_minor_version_may_say_more(cli: Cli, shop: Shop) -> None:
    saved = shop.folder / "saved.json"
    text = saved.read_text(encoding="utf-8")
    saved.write_text(text.replace('"formatVersion": "1.0"', '"formatVersion": "1.7", "new": [1]'))
    assert cli("show", str(saved)).code == 0
