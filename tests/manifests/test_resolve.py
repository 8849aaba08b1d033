"""A target chosen, its settings resolved, and the documents that are for it."""

from pathlib import Path

import pytest

from reconciler.core.diagnostics import Severity
from reconciler.core.model import UNSET, Secret
from reconciler.core.redact import redactor, secret_texts
from reconciler.core.target import Auth, Limits, Target
from reconciler.manifests import load, resolve
from tests.manifests.build import (
    PROJECT,
    SOURCE,
    project,
    project_with,
    resolved,
    source_with,
    text_of,
    told,
)

TWO = PROJECT + "    production: {url: 'https://airbyte.example.com'}\n"


def test_a_target_is_resolved_whole(tmp_path: Path) -> None:
    root = """\
apiVersion: airbyte.reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  rules: {unknown-column: off, cursor-missing: warning}
  targets:
    production:
      url: https://${var:host}
      api: public
      workspace: ${env:WS}
      auth: {clientId: "${env:ID}", clientSecret: "${env:SECRET}", headers: {X-Key: "k ${env:ID}", A: b}}
      variables: {host: airbyte.example.com, pw: "${env:SECRET}", n: 5}
      connectors: connectors/
      prune: recorded
      limits: {deletes: 30%, updates: 12.5}
"""
    project(tmp_path, {"a.yaml": SOURCE}, root=root)
    outcome = resolved(tmp_path, {"WS": "Default", "ID": "id", "SECRET": "hush"})
    assert outcome.diagnostics == ()
    assert outcome.target == Target(
        name="production",
        url="https://airbyte.example.com",
        api="public",
        workspace="Default",
        auth=Auth(
            client_id=Secret("${env:ID}", "id"),
            client_secret=Secret("${env:SECRET}", "hush"),
            headers={"A": "b", "X-Key": Secret("k ${env:ID}", "k id")},
        ),
        variables={"host": "airbyte.example.com", "n": 5, "pw": Secret("${env:SECRET}", "hush")},
        connectors=str(tmp_path.resolve() / "connectors"),
        prune="recorded",
        limits=Limits(30.0, 12.5),
        rules={"cursor-missing": "warning", "unknown-column": "off"},
    )


def test_a_registry_url_stays_a_url(tmp_path: Path) -> None:
    root = project_with(connectors="https://registry.example.com/x.json", catalogs="/abs/c")
    project(tmp_path, {"a.yaml": SOURCE}, root=root)
    target = resolved(tmp_path).target
    assert target is not None
    assert (target.connectors, target.catalogs) == ("https://registry.example.com/x.json", "/abs/c")


@pytest.mark.parametrize(
    ("root", "chosen", "expected"),
    [
        (PROJECT, None, "local"),
        (TWO, "production", "production"),
        (TWO.replace("spec:\n", "spec:\n  defaultTarget: production\n"), None, "production"),
        (TWO.replace("spec:\n", "spec:\n  defaultTarget: production\n"), "local", "local"),
    ],
)
def test_the_target_is_named_or_the_default_or_the_only_one(
    tmp_path: Path, root: str, chosen: str | None, expected: str
) -> None:
    outcome = resolved(project(tmp_path, {"a.yaml": SOURCE}, root=root), target=chosen)
    assert outcome.target is not None
    assert outcome.target.name == expected


@pytest.mark.parametrize(
    ("chosen", "code", "hint"),
    [
        (None, "target-missing", "there are: local, production"),
        ("prodction", "unknown-target", "did you mean production?"),
        ("x", "unknown-target", "there are: local, production"),
    ],
)
def test_without_a_target_nothing_is_resolved(
    tmp_path: Path, chosen: str | None, code: str, hint: str
) -> None:
    outcome = resolved(project(tmp_path, {"a.yaml": SOURCE}, root=TWO), target=chosen)
    assert (outcome.target, outcome.documents) == (None, ())
    assert [d.code for d in outcome.diagnostics] == [code]
    assert hint in outcome.diagnostics[0].hint


def test_an_invalid_project_resolves_to_nothing_and_says_nothing_twice(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    outcome = resolve(loaded, "local", {})
    assert (outcome.target, outcome.documents, outcome.diagnostics) == (None, (), ())
    assert [d.code for d in loaded.diagnostics] == ["project-missing"]


def test_documents_are_those_of_the_target_with_their_kind_and_places(tmp_path: Path) -> None:
    files = {
        "a.yaml": SOURCE,
        "b.yaml": SOURCE.replace("{name: shop}", "{name: b, targets: [production]}"),
        "c.yaml": SOURCE.replace("{name: shop}", "{name: c, targets: [local, production]}").replace(
            "kind: Source", "kind: Destination"
        ),
    }
    project(tmp_path, files, root=TWO)
    documents = resolved(tmp_path, target="local").documents
    assert [(d.kind, d.data["metadata"]["name"]) for d in documents] == [
        ("source", "shop"),
        ("destination", "c"),
    ]
    assert str(documents[1].locate("/spec/configuration/host")) == "c.yaml:6:25"
    assert len(resolved(tmp_path, target="production").documents) == 3


SIGNED_IN = project_with(auth='{token: "${env:TOKEN}"}', workspace="${env:WS}")


def test_a_missing_credential_is_an_error_of_the_target_that_is_used(tmp_path: Path) -> None:
    root = SIGNED_IN + "    other: {url: embedded}\n"
    project(tmp_path, {"a.yaml": SOURCE}, root=root)
    outcome = resolved(tmp_path, target="local")
    assert told(outcome.diagnostics) == [
        ("reconciler.yaml:9:21", "reference-unset"),
        ("reconciler.yaml:10:18", "reference-unset"),
    ]
    assert outcome.target is None
    assert resolved(tmp_path, target="other").diagnostics == ()


def test_what_is_missing_is_tolerated_where_nothing_is_sent(tmp_path: Path) -> None:
    project(tmp_path, {"a.yaml": SOURCE}, root=SIGNED_IN)
    outcome = resolved(tmp_path, tolerate_missing=True)
    assert outcome.diagnostics == ()
    assert outcome.target is not None
    assert outcome.target.auth.token == Secret("${env:TOKEN}", UNSET)
    assert outcome.target.workspace == "${env:WS}"


def test_a_missing_value_of_a_variable_is_told_where_it_is_used(tmp_path: Path) -> None:
    project(tmp_path, {"a.yaml": SOURCE}, root=project_with("{a: 1, b: {c: '${env:X}'}}"))
    # Nothing uses it; where something did, it would be told there.
    assert resolved(tmp_path).diagnostics == ()
    target = resolved(tmp_path).target
    assert target is not None
    assert target.variables == {"a": 1, "b": {"c": Secret("${env:X}", UNSET)}}


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"prune": "${env:X}"}, "reference-not-allowed"),
        ({"connectors": "${file:x}"}, "reference-not-allowed"),
        ({"workspace": "${keep}"}, "reference-not-allowed"),
        ({"workspace": "${var:nope}"}, "variable-unset"),
        ({"prune": "${var:x}"}, "schema-wrong-value"),
        ({"limits": "{deletes: '${var:x}'}"}, "schema-wrong-value"),
    ],
)
def test_what_a_setting_can_not_hold(tmp_path: Path, settings: dict[str, str], code: str) -> None:
    project(tmp_path, {"a.yaml": SOURCE}, root=project_with("{x: hush-hush}", **settings))
    outcome = resolved(tmp_path, {"X": "hush-hush"})
    assert [d.code for d in outcome.diagnostics] == [code]
    assert outcome.target is None
    assert "hush" not in text_of(outcome.diagnostics)


def test_an_address_from_the_environment_is_checked_like_any_other(tmp_path: Path) -> None:
    root = PROJECT.replace("url: embedded", 'url: "${env:URL}"')
    project(tmp_path, {"a.yaml": SOURCE}, root=root)
    assert [d.code for d in resolved(tmp_path, {"URL": "ftp://x"}).diagnostics] == [
        "schema-wrong-value"
    ]
    target = resolved(tmp_path, {"URL": "https://x"}).target
    assert target is not None
    assert target.url == "https://x"


@pytest.mark.parametrize("setting", ["url", "workspace"])
@pytest.mark.parametrize(
    "text", ["${file:key}", "https://${file:key}/x", "${var:k}", "${var:deep}"]
)
def test_what_a_file_holds_is_no_address_and_no_workspace(
    tmp_path: Path, setting: str, text: str
) -> None:
    """Every plan shows these two."""
    variables = "{k: '${file:key}', deep: '${var:k}'}"
    root = project_with(variables, **{setting: f'"{text}"'})
    if setting == "url":
        root = root.replace("url: embedded\n      ", "")
    project(tmp_path, {"a.yaml": SOURCE, "key": "https://hush-hush"}, root=root)
    outcome = resolved(tmp_path)
    assert [(d.code, d.pointer) for d in outcome.diagnostics] == [
        ("reference-not-allowed", f"/spec/targets/local/{setting}")
    ]
    assert outcome.target is None
    assert "hush" not in text_of(outcome.diagnostics)


@pytest.mark.parametrize(
    ("auth", "configuration"),
    [
        ("{token: '${env:TOP}'}", "{host: db}"),
        ("{headers: {X-Key: 'k ${env:TOP}'}}", "{host: db}"),
        ("{headers: {Cookie: 'sid=${env:TOP}'}}", "{host: db}"),
        ("{headers: {CF-Access-Client-Secret: '${env:TOP}'}}", "{host: db}"),
        ("{headers: {Host: airbyte, Proxy-Authorization: 'Basic ${env:TOP}'}}", "{host: db}"),
        ("{headers: {X-Auth: '${env:TOP}'}}", "{host: db}"),
        ("{headers: {x-session-id: '${env:TOP}'}}", "{host: db}"),
        ("{headers: {X-Signature-Version: '${env:TOP}'}}", "{host: db}"),
        ("{}", "{host: db, password: '${env:TOP}'}"),
    ],
)
@pytest.mark.parametrize("setting", ["url", "workspace"])
def test_an_address_that_is_a_secret_elsewhere_is_refused(
    tmp_path: Path, auth: str, configuration: str, setting: str
) -> None:
    root = project_with(auth=auth, **{setting: '"https://x/${env:TOP}"'})
    if setting == "url":
        root = root.replace("url: embedded\n      ", "")
    project(tmp_path, {"a.yaml": source_with(configuration)}, root=root)
    outcome = resolved(tmp_path, {"TOP": "hush-hush"})
    assert [(d.code, d.pointer) for d in outcome.diagnostics] == [
        ("reference-not-allowed", f"/spec/targets/local/{setting}")
    ]
    assert "${env:TOP}" in outcome.diagnostics[0].message
    assert "hush" not in text_of(outcome.diagnostics)


@pytest.mark.parametrize(
    "text", ["http://x/x-${env:PW}", "http://x/${var:k}", "http://x/a${env:PW:-x}"]
)
@pytest.mark.parametrize("secret", ["hunter2abc", "hunt/er2:abc"])
def test_a_reference_that_is_a_secret_elsewhere_is_no_part_of_an_address(
    tmp_path: Path, text: str, secret: str
) -> None:
    root = project_with("{k: '${env:PW}'}", url=f'"{text}"').replace("url: embedded\n      ", "")
    configuration = "{host: db, password: 'x${env:PW}'}"
    project(tmp_path, {"a.yaml": source_with(configuration)}, root=root)
    found = resolved(tmp_path, {"PW": secret}).diagnostics
    assert "reference-not-allowed" in [d.code for d in found]
    assert secret not in text_of(found)


@pytest.mark.parametrize(
    ("url", "secret", "refused"),
    [
        ("http://airbyte-for-postgres.internal:8000", "postgres", False),
        ("http://postgres:8000/api", "postgres", True),
        ("http://x.internal/hush-hush", "hush-hush", True),
        ("http://airbyte-hush-hush-hush-hush.internal", "hush-hush-hush-hush", True),
    ],
)
def test_a_host_may_have_a_word_in_its_name_that_is_a_password_elsewhere(
    tmp_path: Path, url: str, secret: str, *, refused: bool
) -> None:
    root = project_with(url='"${env:URL}"').replace("url: embedded\n      ", "")
    configuration = "{host: db, password: '${env:PW}'}"
    project(tmp_path, {"a.yaml": source_with(configuration)}, root=root)
    found = resolved(tmp_path, {"URL": url, "PW": secret}).diagnostics
    assert [d.code for d in found] == ["reference-not-allowed"] * refused


@pytest.mark.parametrize(
    ("setting", "header"), [("url", "Host"), ("workspace", "X-Airbyte-Workspace")]
)
def test_an_address_may_stand_in_a_header_that_holds_no_secret(
    tmp_path: Path, setting: str, header: str
) -> None:
    auth = f"{{headers: {{{header}: '${{env:TOP}}', Authorization: '${{env:KEY}}'}}}}"
    root = project_with(auth=auth, **{setting: '"https://${env:TOP}"'})
    if setting == "url":
        root = root.replace("url: embedded\n      ", "")
    project(tmp_path, {"a.yaml": SOURCE}, root=root)
    outcome = resolved(tmp_path, {"TOP": "airbyte.example.com", "KEY": "hush-hush"})
    assert outcome.diagnostics == ()
    assert outcome.target is not None
    assert getattr(outcome.target, setting) == "https://airbyte.example.com"


def test_an_address_that_is_a_host_elsewhere_is_none(tmp_path: Path) -> None:
    root = PROJECT.replace("url: embedded", 'url: "https://${env:HOST}"')
    project(tmp_path, {"a.yaml": source_with("{host: '${env:HOST}'}")}, root=root)
    outcome = resolved(tmp_path, {"HOST": "db.example.com"})
    assert outcome.diagnostics == ()
    assert outcome.target is not None
    assert outcome.target.url == "https://db.example.com"
    assert outcome.target.told("url") == "${env:HOST}"


def test_a_credential_in_clear_is_warned_about(tmp_path: Path) -> None:
    project(
        tmp_path, {"a.yaml": SOURCE}, root=project_with(auth="{username: u, password: hush-hush}")
    )
    outcome = resolved(tmp_path)
    assert [(str(d.span), d.code, d.severity) for d in outcome.diagnostics] == [
        ("reconciler.yaml:9:37", "plaintext-secret", Severity.WARNING)
    ]
    assert outcome.target is not None
    assert "hush" not in text_of(outcome.diagnostics)


def test_resolving_twice_gives_the_same(tmp_path: Path) -> None:
    project(
        tmp_path, {"a.yaml": SOURCE, "b.yaml": SOURCE.replace("db", "${env:A}")}, root=SIGNED_IN
    )
    loaded = load(tmp_path)
    assert resolve(loaded, None, {}) == resolve(loaded, None, {})


def test_each_part_of_a_composite_secret_is_kept_out_of_foreign_text(tmp_path: Path) -> None:
    text = SOURCE.replace("{host: db}", "{url: 'postgres://u:${env:X}@host/db'}")
    project(tmp_path, {"a.yaml": text})
    (document,) = resolved(tmp_path, {"X": "part-canary-0123456789"}).documents
    hide = redactor(secret_texts([document.data]))
    assert hide("auth failed for part-canary-0123456789") == "auth failed for (secret)"
