"""`plan --out` in a pull request, `apply --expect` on merge: what was reviewed is applied, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.core.encode import FORMAT_VERSION
from tests.cli.conftest import Project, Served, found
from tests.conftest import Cli, Ran
from tests.emulator.builders import Airbyte

BRONZE = "connections/shop-to-bronze.yaml"
SOURCE = "sources/shop-postgres.yaml"
MINIO = "PostgreSQL → MinIO"
LOSING = "overwrites-table,state-loss"


class Merge:
    """A pull request that plans, and its merge."""

    def __init__(self, cli: Cli, project: Project, folder: Path) -> None:
        self.cli, self.project, self.file = cli, project, folder / "plan.json"

    def plan(self, *options: str) -> Ran:
        return self.cli("plan", *self.project.at, "--out", str(self.file), *options)

    def apply(self, *options: str) -> Ran:
        return self.cli("apply", *self.project.at, "--expect", str(self.file), "--yes", *options)

    @property
    def saved(self) -> Any:
        return json.loads(self.file.read_text(encoding="utf-8"))

    def forge(self, change: Callable[[Any], None]) -> None:
        data = self.saved
        change(data)
        self.file.write_text(json.dumps(data), encoding="utf-8")


@pytest.fixture
def merge(cli: Cli, applied: Project, tmp_path: Path) -> Merge:
    return Merge(cli, applied, tmp_path)


def rescheduled(data: dict[str, Any]) -> None:
    data["spec"]["schedule"] = {"cron": "0 0 1 * * ?"}


def losing(data: dict[str, Any]) -> None:
    data["spec"]["streams"][0] = {"name": "orders", "syncMode": "full_refresh_overwrite"}


def click(airbyte: Airbyte, **fields: Any) -> None:
    live = found(airbyte, "connection", MINIO)
    airbyte.made("PATCH", f"/connections/{live['connectionId']}", json=fields)


def state(airbyte: Airbyte) -> Any:
    kinds = ("sources", "destinations", "connections", "tags")
    return {kind: airbyte.made("GET", f"/{kind}")["data"] for kind in kinds}


# --- the same --------------------------------------------------------------------------------


def test_what_was_reviewed_is_applied(merge: Merge, airbyte: Airbyte) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    ran = merge.apply()
    assert ran.code == 0, ran.out + ran.err
    assert f"The same 1 change as reviewed in {merge.file}." in " ".join(ran.out.split())
    assert found(airbyte, "connection", MINIO)["schedule"]["cronExpression"] == "0 0 1 * * ? UTC"


def test_a_project_is_made_from_nothing_as_reviewed(
    cli: Cli, project: Project, tmp_path: Path
) -> None:
    merge = Merge(cli, project, tmp_path)
    assert merge.plan().code == 0
    ran = merge.apply("-o", "json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["reviewed"]["same"] is True
    assert len(ran.json["results"]) == 5


def test_a_squash_merge_that_moves_reorders_and_comments_is_the_same(merge: Merge) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    digest = merge.saved["digest"]
    folder = merge.project.folder
    data = yaml.safe_load((folder / BRONZE).read_text(encoding="utf-8"))
    spec = data["spec"]
    spec["streams"].reverse()
    shuffled = {**data, "spec": dict(reversed(spec.items()))}
    text = "# squashed\n\n" + yaml.safe_dump(shuffled, sort_keys=False)
    (folder / BRONZE).unlink()
    merge.project.write("flows/all-of-them.yaml", text)
    ran = merge.apply("-o", "json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["plan"]["digest"] == digest
    assert ran.json["reviewed"]["statedOtherwise"] is False


def test_what_happens_elsewhere_in_airbyte_does_not_count(merge: Merge, airbyte: Airbyte) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    airbyte.source("clicked by somebody")
    ran = merge.apply("-o", "json")
    assert ran.code == 0, ran.out + ran.err
    assert [u["name"] for u in ran.json["plan"]["notCovered"]["unmanaged"]] == [
        "clicked by somebody"
    ]


def test_what_git_does_not_state_may_move_and_is_named(merge: Merge, airbyte: Airbyte) -> None:
    def without_tags(data: dict[str, Any]) -> None:
        rescheduled(data)
        data["spec"].pop("tags", None)

    merge.project.edit(BRONZE, without_tags)
    assert merge.plan().code == 0
    tag = airbyte.made(
        "POST", "/tags", json={"name": "x", "color": "000000", "workspaceId": airbyte.workspace}
    )
    click(airbyte, tags=[tag])
    ran = merge.apply("-o", "json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.json["reviewed"]["movedAside"] == ["connection/shop-to-bronze"]


def test_a_plan_of_no_changes_is_expected_too(merge: Merge) -> None:
    assert merge.plan().code == 0
    assert merge.apply().code == 0


# --- not the same ----------------------------------------------------------------------------


def test_what_was_clicked_since_the_review_is_refused_and_not_overwritten(
    merge: Merge, airbyte: Airbyte
) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    click(airbyte, status="inactive")
    before = state(airbyte)
    ran = merge.apply()
    assert ran.code == 3
    assert "Refused: 1 thing is not as reviewed in" in ran.out
    assert "and nothing was written." in " ".join(ran.out.split())
    assert "DIFFERS  connection/shop-to-bronze" in ran.out
    assert f"{BRONZE}:" in ran.out
    assert "reviewed: (not in it)   now: inactive -> active" in ran.out
    assert state(airbyte) == before


def test_the_difference_is_json_too(merge: Merge, airbyte: Airbyte) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    click(airbyte, schedule={"scheduleType": "manual"})
    ran = merge.apply("-o", "json")
    assert ran.code == 3
    assert (ran.json["written"], ran.json["results"]) == (False, [])
    (difference,) = ran.json["reviewed"]["differences"]
    assert (difference["difference"], difference["subject"]) == (
        "differs",
        "connection/shop-to-bronze",
    )
    (detail,) = difference["details"]
    assert detail["name"] == "/schedule"
    assert detail["reviewed"]["before"]["cron"] == "0 0 */6 * * ?"
    assert detail["now"]["before"] == "manual"
    assert detail["reviewed"]["after"] == detail["now"]["after"]
    assert detail["span"]["file"] == BRONZE


def test_what_another_merge_brought_along_is_new(merge: Merge) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    merge.project.edit(
        "connections/shop-to-staging.yaml", lambda data: data["spec"].update(schedule="manual")
    )
    ran = merge.apply()
    assert ran.code == 3
    assert "NEW      connection/shop-to-staging" in ran.out
    assert "connections/shop-to-staging.yaml:" in ran.out


def test_a_second_run_of_the_same_merge_finds_nothing_left(merge: Merge) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    assert merge.apply().code == 0
    again = merge.apply()
    assert again.code == 3
    assert "GONE     connection/shop-to-bronze" in again.out
    assert "nothing is left to do" in again.out


def test_nobody_is_asked_before_it_is_compared(merge: Merge, airbyte: Airbyte) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    click(airbyte, status="inactive")
    asked = merge.cli("apply", *merge.project.at, "--expect", str(merge.file))
    assert asked.code == 3


# --- consent ---------------------------------------------------------------------------------


def test_consent_is_given_again_and_never_taken_from_the_file(
    merge: Merge, airbyte: Airbyte
) -> None:
    merge.project.edit(BRONZE, losing)
    assert merge.plan("--allow", LOSING).code == 0
    before = state(airbyte)
    without = merge.apply()
    assert without.code == 3
    assert "consent for state-loss" in without.out
    assert "reviewed: --allow   now: (not in it)" in without.out
    assert state(airbyte) == before
    assert merge.apply("--allow", LOSING).code == 0


def test_consent_in_the_manifest_needs_no_flag(merge: Merge) -> None:
    def accepted(data: dict[str, Any]) -> None:
        losing(data)
        data["spec"]["lifecycle"] = {"allow": LOSING.split(",")}

    merge.project.edit(BRONZE, accepted)
    assert merge.plan().code == 0
    assert merge.apply().code == 0


def test_what_was_blocked_at_the_review_is_not_let_through_by_a_flag(merge: Merge) -> None:
    merge.project.edit(BRONZE, losing)
    assert merge.plan().code == 1
    assert merge.apply("--allow", LOSING).code == 3
    assert merge.apply().code == 1


# --- options of the plan -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ("connection/shop-to-bronze",),
        ("-s", "connection/*"),
        ("--exclude", "connection/shop-to-staging"),
        ("--resend-secrets", "source/*"),
        ("--resend-secrets",),
    ],
)
def test_the_same_options_give_the_same_plan_and_none_come_from_the_file(
    merge: Merge, airbyte: Airbyte, options: tuple[str, ...]
) -> None:
    for name in (BRONZE, "connections/shop-to-staging.yaml"):
        merge.project.edit(name, rescheduled)
    assert merge.plan(*options).code == 0
    before = state(airbyte)
    narrowed = options[0] != "-s"
    assert merge.apply().code == (3 if narrowed else 0)
    if narrowed:
        assert state(airbyte) == before
        assert merge.apply(*options).code == 0


@pytest.mark.parametrize("options", [("--online",), ("--max-updates", "9")])
def test_options_that_change_no_change_need_not_be_repeated(
    merge: Merge, options: tuple[str, ...]
) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan(*options).code == 0
    assert merge.apply().code == 0


def test_a_number_that_was_stated_is_stated_again(merge: Merge) -> None:
    merge.project.edit(
        "reconciler.yaml", lambda d: d["spec"]["targets"]["local"].update(limits={"updates": 0})
    )
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan("--max-updates", "1").code == 0
    refused = merge.apply()
    assert refused.code == 3
    assert "NEW      error limit-updates" in refused.out
    assert merge.apply("--max-updates", "1").code == 0


# --- secrets ---------------------------------------------------------------------------------


def test_a_pull_request_without_secrets_is_applied_by_a_merge_that_has_them(
    cli: Cli, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def from_environment(data: dict[str, Any]) -> None:
        data["spec"]["configuration"]["password"] = "${env:SHOP_PASSWORD_OF_TEST}"

    project.edit(SOURCE, from_environment)
    merge = Merge(cli, project, tmp_path)
    monkeypatch.delenv("SHOP_PASSWORD_OF_TEST", raising=False)
    planned = merge.plan()
    assert planned.code == 0
    assert "secret-unset" in planned.out
    assert merge.apply().code == 1  # the same, and the secret is not at hand
    monkeypatch.setenv("SHOP_PASSWORD_OF_TEST", "canary-0123456789abcdef")
    ran = merge.apply()
    assert ran.code == 0, ran.out + ran.err
    assert "canary" not in ran.out + ran.err + merge.file.read_text(encoding="utf-8")
    # And a change beside a secret that nobody could compare.
    project.edit(SOURCE, lambda data: data["spec"].update(name="PostgreSQL - Shop"))
    project.edit(
        SOURCE, lambda data: data["metadata"].update(previousNames=["PostgreSQL - Ecommerce"])
    )
    monkeypatch.delenv("SHOP_PASSWORD_OF_TEST")
    assert merge.plan().code == 0
    monkeypatch.setenv("SHOP_PASSWORD_OF_TEST", "canary-0123456789abcdef")
    assert merge.apply().code == 0


def test_what_only_the_secret_shows_was_not_reviewed(
    cli: Cli, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.edit(
        SOURCE, lambda data: data["spec"]["configuration"].update(host="${env:HOST_OF_TEST}")
    )
    monkeypatch.setenv("HOST_OF_TEST", "old-host.internal")
    assert cli("apply", *project.at, "--yes").code == 0
    project.edit(BRONZE, rescheduled)
    merge = Merge(cli, project, tmp_path)
    monkeypatch.delenv("HOST_OF_TEST")
    assert merge.plan().code == 0
    monkeypatch.setenv("HOST_OF_TEST", "new-host.internal")
    ran = merge.apply("--allow", "inconsistent")
    assert ran.code == 3
    assert "was not set where the reviewed plan was made" in " ".join(ran.out.split())
    assert "host.internal" not in ran.out
    monkeypatch.setenv("HOST_OF_TEST", "old-host.internal")
    assert merge.apply().code == 0


def test_a_value_of_the_environment_that_is_another_one_by_now_was_not_reviewed(
    cli: Cli, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.edit(
        SOURCE, lambda data: data["spec"]["configuration"].update(host="${env:HOST_OF_TEST}")
    )
    merge = Merge(cli, project, tmp_path)
    monkeypatch.setenv("HOST_OF_TEST", "reviewed.internal")
    assert merge.plan().code == 0
    monkeypatch.setenv("HOST_OF_TEST", "evil.internal")
    ran = merge.apply()
    assert ran.code == 3
    assert "configuration.host" in ran.out or "/configuration/host" in ran.out
    assert "its value is not the one of the review" in " ".join(ran.out.split())
    assert ".internal" not in ran.out + ran.err + merge.file.read_text(encoding="utf-8")
    monkeypatch.setenv("HOST_OF_TEST", "reviewed.internal")
    assert merge.apply().code == 0


def test_a_forged_secret_is_no_approval_of_any_host(
    cli: Cli, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def host(name: str) -> None:
        project.edit(
            SOURCE,
            lambda data: data["spec"]["configuration"].update(
                host=name, password="${env:SHOP_PASSWORD_OF_TEST}"
            ),
        )

    def hidden(data: Any) -> None:
        (change,) = (c for c in data["changes"] if c["address"] == "source/shop-postgres")
        (field,) = (f for f in change["fields"] if f["pointer"] == "/configuration/host")
        field["after"] = "(secret)"

    host("good.example.com")
    merge = Merge(cli, project, tmp_path)
    monkeypatch.delenv("SHOP_PASSWORD_OF_TEST", raising=False)
    assert merge.plan().code == 0
    merge.forge(hidden)
    monkeypatch.setenv("SHOP_PASSWORD_OF_TEST", "canary-0123456789abcdef")
    host("evil.example.com")
    assert merge.apply().code == 3


def test_another_secret_behind_the_same_variable_was_not_reviewed(
    cli: Cli, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behind(reference: str) -> None:
        def change(data: dict[str, Any]) -> None:
            for target in data["spec"]["targets"].values():
                target.setdefault("variables", {})["password"] = reference

        project.edit("reconciler.yaml", change)

    project.edit(
        SOURCE, lambda data: data["spec"]["configuration"].update(password="${var:password}")
    )
    behind("${env:PASSWORD_OF_TEST}")
    merge = Merge(cli, project, tmp_path)
    monkeypatch.delenv("PASSWORD_OF_TEST", raising=False)
    assert merge.plan().code == 0
    monkeypatch.setenv("PASSWORD_OF_TEST", "canary-0123456789abcdef")
    monkeypatch.setenv("ANOTHER_OF_TEST", "canary-abcdef0123456789")
    behind("${env:ANOTHER_OF_TEST}")
    ran = merge.apply()
    assert ran.code == 3, ran.out + ran.err
    assert "/configuration/password" in ran.out
    behind("${env:PASSWORD_OF_TEST}")
    assert merge.apply().code == 0


def test_where_a_hidden_secret_that_is_sent_along_comes_from_is_shown(merge: Merge) -> None:
    """No field of an update shows it, and `show` is what people approve."""

    def elsewhere(data: Any) -> None:
        (change,) = data["changes"]
        (one,) = (w for w in change["writes"] if w["pointer"] == "/configuration/password")
        one["label"] = "${env:EVIL}"

    merge.project.edit(SOURCE, lambda data: data["spec"]["configuration"].update(port=5433))
    planned = merge.plan()
    assert "sent along            password ${var:shop_password}\n" in planned.out
    shown = merge.cli("show", str(merge.file)).out
    assert "sent along            password ${var:shop_password}\n" in shown
    merge.forge(elsewhere)
    assert "sent along            password ${env:EVIL}\n" in merge.cli("show", str(merge.file)).out


def test_what_a_field_shows_is_not_told_twice(cli: Cli, project: Project) -> None:
    assert "sent along" not in cli("plan", *project.at).out


# --- files that are no approval ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[: len(text) // 2], "not JSON"),
        (lambda _text: "", "not JSON"),
        (lambda _text: "{}", "not a "),
        (lambda _text: "[1, 2]", "not a "),
        (lambda text: text.replace(f'"{FORMAT_VERSION}"', '"2.0"'), "2.0"),
        (lambda text: text.replace(f'"{FORMAT_VERSION}"', '"0.9"'), "0.9"),
        (lambda text: text.replace('"address": "connection/', '"address": "conection/'), "not a "),
    ],
)
def test_a_file_that_is_no_plan_is_one_clear_error(
    merge: Merge, airbyte: Airbyte, spoil: Callable[[str], str], said: str
) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    merge.file.write_text(spoil(merge.file.read_text(encoding="utf-8")), encoding="utf-8")
    before = state(airbyte)
    ran = merge.apply()
    assert ran.code == 1
    assert ran.err.count("Error:") == 1
    assert "plan.json" in ran.err
    assert said in ran.err, ran.err
    assert state(airbyte) == before


def test_a_newer_minor_step_only_adds(merge: Merge) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0

    def newer(data: Any) -> None:
        data["formatVersion"] = "1.99"
        data["changes"][0]["addedLater"] = {"x": 1}

    merge.forge(newer)
    assert merge.apply().code == 0


@pytest.mark.parametrize(
    ("field", "said"),
    [("name", "target"), ("where", "address"), ("api", "API"), ("workspaceId", "workspace")],
)
def test_a_plan_of_another_target_is_refused(
    merge: Merge, airbyte: Airbyte, field: str, said: str
) -> None:
    merge.project.edit(BRONZE, rescheduled)
    assert merge.plan().code == 0
    other = {"api": "config"}.get(field, "elsewhere")
    merge.forge(lambda data: data["target"].update({field: other}))
    before = state(airbyte)
    ran = merge.apply()
    assert ran.code == 3
    assert "DIFFERS  target" in ran.out
    assert said in ran.out
    assert state(airbyte) == before


def test_the_target_is_never_taken_from_the_file(
    cli: Cli, project: Project, served: Served, tmp_path: Path
) -> None:
    merge = Merge(cli, project, tmp_path)
    assert merge.plan("-t", "remote").code == 0
    ran = merge.apply()
    assert ran.code == 3
    assert "reviewed: remote   now: local" in ran.out
    assert served.requests("POST") == []
    assert merge.apply("-t", "remote").code == 0


# --- forged files ------------------------------------------------------------------------------

FORGED: dict[str, Callable[[Any], None]] = {
    "a change more": lambda d: d["changes"].append(
        {
            **d["changes"][0],
            "address": "destination/bronze",
            "action": "delete",
            "effects": [],
            "fields": [],
        }
    ),
    "a change less": lambda d: d["changes"].clear(),
    "an action": lambda d: d["changes"][0].update(action="delete"),
    "another address": lambda d: d["changes"][0].update(address="connection/shop-to-staging"),
    "another id": lambda d: d["changes"][0].update(liveId="00000000-0000-4000-8000-000000000000"),
    "another name": lambda d: d["changes"][0].update(name="mine"),
    "a value": lambda d: d["changes"][0]["fields"][0].update(after="hourly"),
    "a value before": lambda d: d["changes"][0]["fields"][0].update(before="hourly"),
    "a pointer": lambda d: d["changes"][0]["fields"][0].update(pointer="/prefix"),
    "a hidden value": lambda d: d["changes"][0]["fields"][0].update(after="(secret)", secret=True),
    "a hidden value, unset": lambda d: (
        d["changes"][0]["fields"][0].update(after="(secret)", secret=True),
        d["diagnostics"].append(
            {
                "code": "secret-unset",
                "severity": "warning",
                "message": "",
                "hint": "",
                "address": "connection/shop-to-bronze",
                "pointer": "/spec/streams/0/mappers/0/key",
            }
        ),
    ),
    "what is written along": lambda d: d["changes"][0]["writes"][0].update(digest="0" * 64),
    "nothing written along": lambda d: d["changes"][0]["writes"].clear(),
    "a field more": lambda d: d["changes"][0]["fields"].append(
        {**d["changes"][0]["fields"][0], "pointer": "/prefix", "after": "mine_"}
    ),
    "a field less": lambda d: d["changes"][0]["fields"].pop(),
    "a field twice": lambda d: d["changes"][0]["fields"].append(d["changes"][0]["fields"][0]),
    "consent": lambda d: [
        e.update(accepted="--allow") for e in d["changes"][0]["effects"] if e["consent"] == "needed"
    ],
    "consent by a manifest": lambda d: [
        e.update(accepted="lifecycle.allow")
        for e in d["changes"][0]["effects"]
        if e["consent"] == "needed"
    ],
    "no effects": lambda d: d["changes"][0]["effects"].clear(),
    "an effect's streams": lambda d: d["changes"][0]["effects"][0].update(streams=["public.x"]),
    "what an effect says": lambda d: d["changes"][0]["effects"][0].update(says=["harmless"]),
    "an effect's rule": lambda d: d["changes"][0]["effects"][0].update(rule="deselected"),
    "a refusal": lambda d: d["changes"][0].update(refusals=["no"]),
    "applyable": lambda d: d.update(applyable=True, errored=False, complete=True),
    "not blocked": lambda d: d["changes"][0].update(blocked=False),
    "order": lambda d: d["changes"][0].update(level=0, dependsOn=["source/x"]),
    "a fingerprint": lambda d: d["changes"][0].update(fingerprint="0" * 64),
    "the digest": lambda d: d.update(digest="0" * 64),
    "notes": lambda d: d["changes"][0].update(annotations={"owner": "me"}, reason="because"),
    "places": lambda d: d["changes"][0].update(span={"file": "x.yaml", "line": 1, "column": 1}),
    "tags": lambda d: d.update(newTags=["mine"]),
    "counts": lambda d: d.update(unchanged=0, matchedByName=0),
    "diagnostics": lambda d: d.update(diagnostics=[]),
    "what is not covered": lambda d: d.update(
        notCovered={"unmanaged": [], "unstated": [], "secrets": []}
    ),
}
PLAIN = frozenset(
    {
        "applyable", "not blocked", "order", "a fingerprint", "the digest", "notes", "places",
        "tags", "counts", "diagnostics", "what is not covered",
    }
)  # fmt: skip
"""What is not compared, and not used either: apply does what it would do without the file."""


@pytest.mark.parametrize("forgery", FORGED)
@pytest.mark.parametrize("flags", [(), ("--allow", LOSING)])
def test_a_forged_file_is_refused_or_changes_nothing_of_what_apply_does(
    merge: Merge, airbyte: Airbyte, forgery: str, flags: tuple[str, ...]
) -> None:
    merge.project.edit(BRONZE, losing)
    assert merge.plan(*flags).code == (0 if flags else 1)
    honest = merge.saved
    merge.forge(FORGED[forgery])
    before = state(airbyte)
    ran = merge.apply(*flags, "-o", "json")
    if ran.code in (1, 3):
        assert state(airbyte) == before
        assert flags == () or forgery not in PLAIN
        return
    assert ran.code == 0, ran.out
    assert flags != ()
    assert forgery in PLAIN or merge.saved == honest
    after = state(airbyte)
    changed = [
        new["name"]
        for kind in after
        for old, new in zip(before[kind], after[kind], strict=True)
        if old != new
    ]
    assert changed == [MINIO]
    modes = {s["name"]: s["syncMode"] for s in after["connections"][0]["configurations"]["streams"]}
    assert modes["orders"] == "full_refresh_overwrite"


# --- what the documents say --------------------------------------------------------------------

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "examples" / "real-airbyte" / ".github" / "workflows" / "airbyte.yml"


def _commands(text: str) -> list[list[str]]:
    lines = (line.strip().removeprefix("- run: ") for line in text.splitlines())
    return [line.split()[1:] for line in lines if line.startswith("reconciler ")]


@pytest.mark.parametrize("path", [WORKFLOW, ROOT / "README.md"], ids=["workflow", "README"])
def test_the_documents_review_and_apply_with_options_that_there_are(cli: Cli, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        text = text.split("# in a pull request\n")[1].split("```")[0]
    commands = _commands(text)
    assert {command[0] for command in commands} >= {"validate", "plan", "apply"}
    for command in commands:
        words = [str(path) if word == "plan.json" else word for word in command]
        assert cli(*words, "--help").code == 0, command
    assert any("--out" in command for command in commands)
    assert any("--expect" in command and "-t" in command for command in commands)


def test_the_workflow_pins_what_it_uses_and_grants_nothing_by_default() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert all(len(name.partition("@")[2]) == 40 for name in used)


def test_what_a_file_says_reaches_no_terminal_as_it_stands(merge: Merge) -> None:
    """An escape sequence, a line of its own that a runner would obey, and text that turns around."""
    evil = "\x1b[31mred\n::error::owned\u202e"
    merge.project.edit(BRONZE, losing)
    assert merge.plan("--allow", LOSING).code == 0

    def forge(data: Any) -> None:
        change = data["changes"][0]
        change.update(name=evil, liveId=evil, refusals=[evil])
        change["fields"][0].update(before=evil)
        change["effects"][0].update(says=[evil], streams=[evil])
        data["changes"].append({**change, "address": f"source/{evil.replace(chr(10), '')}"})
        data["diagnostics"] = [
            {"code": evil, "severity": "error", "message": evil, "hint": evil, "pointer": ""}
        ]

    merge.forge(forge)
    forged = merge.saved
    # What a plan says of itself has to follow from its changes.
    forged["changes"][0]["blocked"] = forged["changes"][1]["blocked"] = True
    forged["counts"].update(update=2, blocked=2)
    forged.update(applyable=False, errored=True)
    merge.file.write_text(json.dumps(forged), encoding="utf-8")
    ran = merge.apply()
    assert ran.code == 3, ran.err
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert not any(line.lstrip().startswith("::") for line in ran.out.splitlines())
