"""`${scheme:ref[:-default][|cast]}`: what it means, where it may stand, and that no value is ever told."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.diagnostics import Severity
from reconciler.core.model import KEEP, UNSET, Secret
from reconciler.core.redact import references_only
from reconciler.manifests import load, resolve
from reconciler.manifests.references import BadReference, Literal, Reference, split
from reconciler.manifests.values import Scope, resolve_text
from tests.manifests.build import (
    SOURCE,
    configuration,
    project,
    project_with,
    resolved,
    source_with,
    text_of,
    told,
)

CONNECTION = """\
apiVersion: airbyte.reconciler/v1
kind: Connection
metadata: {name: shop-to-lake}
spec:
  source: {name: a}
  destination: {name: b}
  destinationNamespace: source
  streams:
    - name: users
      syncMode: incremental_append
      mappers:
        - type: encryption
          algorithm: AES
          key: "KEY"
          mode: CBC
          padding: NoPadding
          targetField: "FIELD"
          fieldNameSuffix: _x
"""


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain", (Literal("plain", "plain"),)),
        ("${env:A}", (Reference("env", "A"),)),
        ("${env:A:-b:-c}", (Reference("env", "A", "b:-c"),)),
        ("${env:A:-}", (Reference("env", "A", ""),)),
        ("${var:a|int}", (Reference("var", "a", None, "int"),)),
        ("${file:a/b.txt:-x|json}", (Reference("file", "a/b.txt", "x", "json"),)),
        ("${keep}", (Reference("keep"),)),
        ("raw_${SOURCE_NAMESPACE}", (Literal("raw_${SOURCE_NAMESPACE}", "raw_${SOURCE_NAMESPACE}"),)),
        ("$${env:A}", (Literal("${", "$${"), Literal("env:A}", "env:A}"))),
        ("a${var:b}c", (Literal("a", "a"), Reference("var", "b"), Literal("c", "c"))),
        ("$5 {x} $", (Literal("$5 {x} $", "$5 {x} $"),)),
    ],
)  # fmt: skip
def test_text_is_taken_apart(text: str, parts: Any) -> None:
    assert split(text) == parts


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("${evn:A}", "reference-unknown-scheme", "did you mean env?"),
        ("${ENV:A}", "reference-unknown-scheme", "did you mean env?"),
        ("${vault:A}", "reference-unknown-scheme", "write $${ for a literal ${"),
        ("${keep:x}", "reference-unknown-scheme", "did you mean keep?"),
        ("${env:A", "reference-syntax", "close it"),
        ("${var:a:-{}|json}", "reference-syntax", "close it"),
        ("${env:}", "reference-syntax", "write ${env:NAME}"),
        ("${env::-x}", "reference-syntax", "write ${env:NAME}"),
        ("${env:A|float}", "reference-syntax", "correct what follows the |"),
        ("${Keep}", "reference-syntax", "did you mean ${keep}?"),
        ("${kep}", "reference-syntax", "did you mean ${keep}?"),
        ("${env}", "reference-syntax", "did you mean ${env:NAME}?"),
    ],
)
def test_what_is_nearly_a_reference_is_never_sent_as_text(text: str, code: str, hint: str) -> None:
    with pytest.raises(BadReference) as caught:
        split(text)
    assert caught.value.code == code
    assert hint in caught.value.hint


def test_env_and_file_become_secrets_labelled_without_their_defaults(tmp_path: Path) -> None:
    text = source_with(
        '{a: "${env:A}", b: "${env:B:-fallback}", c: "${file:key.txt}", d: "x-${env:A}-${env:B:-y}"}'
    )
    project(tmp_path, {"a.yaml": text, "key.txt": "line\n\n"})
    found = configuration(tmp_path, {"A": "1"})
    assert found == {
        "a": Secret("${env:A}", "1"),
        "b": Secret("${env:B}", "fallback"),
        "c": Secret("${file:key.txt}", "line\n"),
        "d": Secret("x-${env:A}-${env:B}", "x-1-y"),
    }


def test_casts_give_the_type_and_stay_in_the_label(tmp_path: Path) -> None:
    text = source_with(
        '{a: "${env:P|int}", b: "${env:T|bool}", c: "${env:J|json}", d: "${var:n|int}", e: "${env:Q:-7|int}"}'
    )
    project(tmp_path, {"a.yaml": text}, root=project_with("{n: '5'}"))
    assert configuration(tmp_path, {"P": "5432", "T": "True", "J": '{"k": [1]}'}) == {
        "a": Secret("${env:P|int}", 5432),
        "b": Secret("${env:T|bool}", True),
        "c": Secret("${env:J|json}", {"k": [1]}),
        "d": 5,
        "e": Secret("${env:Q|int}", 7),
    }


def test_variables_keep_their_type_as_whole_values_and_join_as_text(tmp_path: Path) -> None:
    variables = "{n: 5, t: true, f: 1.5, l: [1, a], m: {k: null}, s: x, none: null}"
    text = source_with(
        '{n: "${var:n}", l: "${var:l}", m: "${var:m}", none: "${var:none}", '
        'all: "${var:n}/${var:t}/${var:f}/${var:s}", d: "${var:gone:-dflt}"}'
    )
    project(tmp_path, {"a.yaml": text}, root=project_with(variables))
    assert configuration(tmp_path) == {
        "n": 5,
        "l": [1, "a"],
        "m": {"k": None},
        "none": None,
        "all": "5/true/1.5/x",
        "d": "dflt",
    }


def test_a_variable_that_holds_env_is_a_secret_where_it_is_used(tmp_path: Path) -> None:
    variables = "{pw: '${env:PW}', db: {host: h, password: '${env:PW}'}, both: '${var:pw}!'}"
    text = source_with('{a: "${var:pw}", b: "${var:db}", c: "${var:both}", d: "u:${var:pw}"}')
    project(tmp_path, {"a.yaml": text}, root=project_with(variables))
    assert configuration(tmp_path, {"PW": "hush"}) == {
        "a": Secret("${var:pw}", "hush"),
        "b": {"host": "h", "password": Secret("${env:PW}", "hush")},
        "c": Secret("${var:both}", "hush!"),
        "d": Secret("u:${var:pw}", "u:hush"),
    }


def test_what_git_states_of_a_secret_is_known_in_full_where_its_label_is_not(
    tmp_path: Path,
) -> None:
    variables = "{pw: '${env:PW:-none}', port: 5, both: '${var:pw}!', tree: '${env:T|json}'}"
    text = source_with(
        '{a: "${env:PW}", b: "${env:PW:-x}", c: "${var:pw}", d: "${var:both}@${var:port}", '
        'e: "${var:tree}", f: "${env:N:-7|int}", g: "${var:gone:-y}/${env:PW}"}'
    )
    project(tmp_path, {"a.yaml": text}, root=project_with(variables))
    found = configuration(tmp_path, {"PW": "hush", "T": '{"k": "v"}'})
    assert {key: secret.stated or secret.label for key, secret in found.items()} == {
        "a": "${env:PW}",
        "b": "${env:PW:-x}",
        "c": "${env:PW:-none}",
        "d": "${env:PW:-none}!@5",
        "e": "${env:T|json}",
        "f": "${env:N:-7|int}",
        "g": "y/${env:PW}",
    }
    assert "none" not in repr(found)


def test_a_text_that_only_looks_like_a_reference_is_stated_as_no_other(tmp_path: Path) -> None:
    text = source_with('{a: "${var:x}${env:C}", b: "${env:B}${env:C}", c: "$${env:B}${env:C}"}')
    project(tmp_path, {"a.yaml": text}, root=project_with("{x: '$${env:B}'}"))
    found = configuration(tmp_path, {"B": "b", "C": "c"})
    assert found["a"].stated == found["c"].stated == "$${env:B}${env:C}"
    assert found["b"].stated == "${env:B}${env:C}"
    assert references_only(found["c"].label) == "…${env:C}"
    assert references_only(found["b"].label) == "${env:B}${env:C}"


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("a${CANARY}${env:C}${NAME}", "…${env:C}…"),
        ("${file:a b|json}", "${file:a b|json}"),
        ("$$${env:A}", "…"),
        ("plain", "…"),
        ("", ""),
    ],
)
def test_of_the_text_of_a_secret_only_its_references_are_shown(label: str, shown: str) -> None:
    assert references_only(label) == shown


def test_airbytes_own_names_and_escapes_stay_text(tmp_path: Path) -> None:
    project(
        tmp_path,
        {
            "a.yaml": source_with(
                '{a: "${NAMESPACE}/${STREAM_NAME}", b: "$${env:A}", c: "\\x24{env:A}"}'
            )
        },
    )
    assert configuration(tmp_path, {"A": "1"}) == {
        "a": "${NAMESPACE}/${STREAM_NAME}",
        "b": "${env:A}",
        "c": Secret("${env:A}", "1"),
    }


@pytest.mark.parametrize("env", [{}, {"A": ""}])
def test_a_missing_secret_is_unset_with_a_warning_never_an_empty_text(
    tmp_path: Path, env: dict[str, str]
) -> None:
    project(tmp_path, {"a.yaml": source_with('{password: "${env:A}", url: "u:${env:A}@h"}')})
    outcome = resolved(tmp_path, env)
    assert outcome.documents[0].data["spec"]["configuration"] == {
        "password": Secret("${env:A}", UNSET),
        "url": Secret("u:${env:A}@h", UNSET),
    }
    assert [(str(d.span), d.code, d.severity, d.address, d.pointer) for d in outcome.diagnostics] == [
        ("a.yaml:6:29", "secret-unset", Severity.WARNING, "source/shop", "/spec/configuration/password"),
        ("a.yaml:6:46", "secret-unset", Severity.WARNING, "source/shop", "/spec/configuration/url"),
    ]  # fmt: skip
    assert outcome.diagnostics[0].message.startswith("${env:A} has no value in this run")


def test_a_default_that_is_empty_was_meant_to_be(tmp_path: Path) -> None:
    project(tmp_path, {"a.yaml": source_with('{a: "${env:A:-}"}')})
    assert configuration(tmp_path) == {"a": Secret("${env:A}", "")}


def test_a_missing_file_is_a_missing_secret(tmp_path: Path) -> None:
    project(tmp_path, {"a.yaml": source_with('{a: "${file:no/such}", b: "${file:no:-x}"}')})
    assert configuration(tmp_path) == {
        "a": Secret("${file:no/such}", UNSET),
        "b": Secret("${file:no}", "x"),
    }


def test_absolute_file_paths_are_allowed_and_ways_out_are_not(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("s3cr3t-outside")
    folder = project(
        tmp_path / "p", {"a.yaml": source_with(f'{{a: "${{file:{tmp_path}/outside}}"}}')}
    )
    assert configuration(folder)["a"].value == "s3cr3t-outside"
    (folder / "link").symlink_to(tmp_path / "outside")
    for way in ("../outside", "link", "x/../../outside"):
        project(folder, {"a.yaml": source_with(f'{{a: "${{file:{way}}}"}}')})
        outcome = resolved(folder)
        assert told(outcome.diagnostics) == [("a.yaml:6:22", "reference-not-allowed")]
        assert "s3cr3t" not in text_of(outcome.diagnostics)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (1024 * 1024 + 1)])
def test_a_file_that_is_no_secret_text_is_told(tmp_path: Path, content: bytes) -> None:
    project(tmp_path, {"a.yaml": source_with('{a: "${file:key}", b: "${file:.}"}')})
    (tmp_path / "key").write_bytes(content)
    assert told(resolved(tmp_path).diagnostics) == [
        ("a.yaml:6:22", "reference-unreadable"),
        ("a.yaml:6:40", "reference-unreadable"),
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("${env:S|int}", "reference-cast"),
        ("${env:S|bool}", "reference-cast"),
        ("${env:S|json}", "reference-cast"),
        ("${env:NAN|json}", "reference-cast"),
        ("x${env:S|int}", "reference-syntax"),
        ("x${keep}", "reference-syntax"),
        ("x${var:l}", "reference-cast"),
        ("${var:lst}", "variable-unset"),
        ("${nev:S}", "reference-unknown-scheme"),
    ],
)
def test_what_can_not_be_resolved_is_an_error_without_the_value(
    tmp_path: Path, value: str, code: str
) -> None:
    project(
        tmp_path,
        {"a.yaml": source_with(f'{{a: "{value}"}}')},
        root=project_with("{l: [hush-hush]}"),
    )
    outcome = resolved(tmp_path, {"S": "hush-hush", "NAN": "[NaN]"})
    assert told(outcome.diagnostics) == [("a.yaml:6:22", code)]
    assert outcome.documents == ()
    assert "hush" not in text_of(outcome.diagnostics)


def test_a_missing_variable_suggests_the_nearest(tmp_path: Path) -> None:
    project(
        tmp_path, {"a.yaml": source_with("{a: '${var:buckt}'}")}, root=project_with("{bucket: b}")
    )
    (wrong,) = resolved(tmp_path).diagnostics
    assert wrong.hint.startswith("did you mean bucket?")


def test_variables_in_a_circle_are_told_once_at_the_variable(tmp_path: Path) -> None:
    root = project_with("{a: '${var:b}', b: 'x${var:c}', c: '${var:a}'}")
    project(tmp_path, {"a.yaml": source_with("{a: '${var:a}', b: '${var:c}'}")}, root=root)
    outcome = resolved(tmp_path)
    (wrong,) = outcome.diagnostics
    assert (wrong.code, wrong.span and wrong.span.file) == ("variable-cycle", "reconciler.yaml")
    assert "a → b → c → a" in wrong.message
    assert (outcome.target, outcome.documents) == (None, ())


def test_keep_stands_for_a_servers_secret(tmp_path: Path) -> None:
    text = CONNECTION.replace("KEY", "${keep}").replace("FIELD", "ssn")
    project(tmp_path, {"a.yaml": source_with("{a: {b: ['${keep}']}}"), "b.yaml": text})
    outcome = resolved(tmp_path)
    assert outcome.diagnostics == ()
    assert outcome.documents[0].data["spec"]["configuration"] == {"a": {"b": [KEEP]}}
    assert outcome.documents[1].data["spec"]["streams"][0]["mappers"][0]["key"] is KEEP


def test_a_mapper_takes_secrets_in_its_arguments(tmp_path: Path) -> None:
    text = CONNECTION.replace("KEY", "${env:K}").replace("FIELD", "${var:f}")
    project(tmp_path, {"b.yaml": text}, root=project_with("{f: ssn}"))
    mapper = resolved(tmp_path, {"K": "hush"}).documents[0].data["spec"]["streams"][0]["mappers"][0]
    assert (mapper["key"], mapper["targetField"]) == (Secret("${env:K}", "hush"), "ssn")


def test_a_mapper_of_the_defaults_takes_them_too(tmp_path: Path) -> None:
    mapper = "{type: hashing, targetField: '${env:F}', method: MD5, fieldNameSuffix: _x}"
    text = (
        CONNECTION.split("  streams:", maxsplit=1)[0]
        + "  streamDefaults: {mappers: ["
        + mapper
        + "]}\n"
    )
    project(tmp_path, {"b.yaml": text})
    (document,) = resolved(tmp_path, {"F": "ssn"}).documents
    assert document.data["spec"]["streamDefaults"]["mappers"][0]["targetField"] == Secret(
        "${env:F}", "ssn"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{name: a}", '{name: "${env:X}"}'),
        ("{name: a}", '{name: "${file:key}"}'),
        ("{name: a}", '{name: "x${var:secret}"}'),
        ("{name: a}", '{name: "${keep}"}'),
        ("incremental_append", "${env:X}"),
        ('"FIELD"', '"${keep}"'),
        ("type: encryption", 'type: "${env:X}"'),
    ],
)
def test_secrets_are_refused_where_airbyte_takes_none(tmp_path: Path, old: str, new: str) -> None:
    root = project_with("{secret: '${env:X}'}")
    project(tmp_path, {"b.yaml": CONNECTION.replace(old, new), "key": "hush-hush"}, root=root)
    outcome = resolved(tmp_path, {"X": "hush-hush"})
    assert [d.code for d in outcome.diagnostics] == ["reference-not-allowed"]
    assert "hush" not in text_of(outcome.diagnostics)
    assert outcome.documents == ()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("incremental_append_dedup", "schema-wrong-value"),
        ("7", "schema-wrong-type"),
        ("[a]", "schema-wrong-type"),
        ("'$${x:y}'", "schema-wrong-value"),
        ("'$${keep}'", "schema-wrong-value"),
    ],
)
def test_a_variable_can_not_smuggle_in_what_the_schema_refuses(
    tmp_path: Path, value: str, code: str
) -> None:
    text = CONNECTION.replace("incremental_append", "${var:mode}")
    project(tmp_path, {"b.yaml": text}, root=project_with("{mode: " + value + "}"))
    (wrong,) = resolved(tmp_path).diagnostics
    assert (str(wrong.span), wrong.code) == ("b.yaml:10:17", code)
    assert "once its references are resolved" in wrong.message


def test_a_problem_inside_what_a_variable_brings_is_told_where_it_is_used(tmp_path: Path) -> None:
    text = CONNECTION.replace("destinationNamespace: source", "destinationNamespace: ${var:ns}")
    project(tmp_path, {"b.yaml": text}, root=project_with("{ns: {fromat: x}}"))
    (wrong,) = resolved(tmp_path).diagnostics
    assert (str(wrong.span), wrong.code) == ("b.yaml:7:25", "schema-unknown-key")


def test_documents_share_what_holds_no_reference_and_never_change_what_was_loaded(
    tmp_path: Path,
) -> None:
    project(
        tmp_path,
        {
            "a.yaml": source_with('{a: "${env:A}", big: {list: [1, 2]}}'),
            "b.yaml": SOURCE.replace("shop", "b"),
        },
    )
    loaded = load(tmp_path)
    before = copy.deepcopy([document.data for document in loaded.documents])
    first, second = resolve(loaded, None, {"A": "x"}).documents
    assert [document.data for document in loaded.documents] == before
    assert (
        first.data["spec"]["configuration"]["big"]
        is loaded.documents[0].data["spec"]["configuration"]["big"]
    )
    assert second.data is loaded.documents[1].data


CANARY = "zq7-canary-4711-zq7"
PIECES = st.sampled_from(
    ["${env:A}", "${env:N:-" + CANARY + "}", "${file:key}", "${var:pw}", "${var:plain}", "${var:tree}",
     "${env:A|int}", "${env:A|json}", "${env:A|bool}", "${keep}", "$${", "${X}", "${", "}", ":", "a",
     "${env:", "|int", ":-", "${evn:A}", "${env:M}"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=4).map("".join), st.lists(PIECES, max_size=3).map("".join))
def test_no_secret_leaves_in_a_diagnostic_or_a_label(
    tmp_path_factory: pytest.TempPathFactory, in_configuration: str, in_name: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "canary"
    if not folder.exists():
        root = project_with("{pw: '${env:A}', plain: x, tree: {deep: ['${file:key}']}}")
        project(folder, {"key": f"{CANARY}\n", "a.yaml": SOURCE}, root=root)
    text = SOURCE.replace("{host: db}", "{host: 'CONF'}\n  name: 'NAME'")
    (folder / "a.yaml").write_text(text.replace("CONF", in_configuration).replace("NAME", in_name))
    outcome = resolve(load(folder), None, {"A": CANARY})
    labels = [secret.label for document in outcome.documents for secret in _secrets(document.data)]
    assert CANARY not in text_of(outcome.diagnostics)
    assert CANARY not in "".join(labels)
    assert CANARY not in repr([document.data for document in outcome.documents])


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_text_without_references_is_left_alone(text: str) -> None:
    scope = Scope(Path(), {}, {}.__getitem__)
    assert resolve_text(text.replace("${", "$${"), scope) == text


@given(
    st.text(st.characters(codec="utf-8"), min_size=1),
    st.text(st.characters(codec="utf-8"), max_size=9).filter(
        lambda t: "${" not in t and not t.endswith("$")
    ),
)
def test_values_are_never_read_for_references_themselves(value: str, before: str) -> None:
    scope = Scope(Path(), {"A": value}, {}.__getitem__)
    assert resolve_text(f"{before}${{env:A}}", scope) == Secret(
        f"{before}${{env:A}}", before + value
    )


def _secrets(node: Any) -> list[Secret]:
    if isinstance(node, Secret):
        return [node]
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [secret for child in children for secret in _secrets(child)]
