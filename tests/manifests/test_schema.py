"""The published schemas, and why something does not fit them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.effects import EFFECTS
from reconciler.core.model import SYNC_MODES
from reconciler.manifests.codes import CODES
from reconciler.manifests.explain import Validator
from reconciler.manifests.parse import parse
from reconciler.manifests.schema import KINDS, problems, schema, schema_text
from tests.manifests.cut_schemas import KINDS as CUT_KINDS
from tests.manifests.cut_schemas import cut

PROJECT = """\
apiVersion: airbyte.reconciler/v1
kind: Project
metadata: {name: acme-pipelines}
spec:
  manifests: ["**/*.yaml", "**/*.yml"]   # the default; relative to this file; hidden folders and project files skipped; nothing found is an error
  defaultTarget: local
  targets:
    local: {url: embedded}               # Airbyte emulated in this process, SQLite in .reconciler/local.db (git-ignored by `init`)
    production:
      url: https://airbyte.example.com   # API found by probing; or a full base: …/api/public/v1, https://api.airbyte.com/v1, …/api/v1
      api: public                        # public | config | auto (default). One run uses one API and names it; given with a url that has a path, that url is the base as it stands
      workspace: Default Workspace       # name or id; may be left out when there is exactly one
      auth: {clientId: "${env:AIRBYTE_CLIENT_ID}", clientSecret: "${env:AIRBYTE_CLIENT_SECRET}"}   # or token, or username+password, + headers, or nothing
      variables: {bucket: acme-lake}
      connectors: connectors/            # connector specs where the API serves none: a folder, or Airbyte's registry JSON as file or URL
      prune: none                        # none (default) | recorded
      limits: {deletes: 30%, updates: 50%}
  rules: {plaintext-secret: error}       # off | warning | error, per diagnostic code
"""  # noqa: E501 - the documented example, word for word
SOURCE = """\
apiVersion: airbyte.reconciler/v1
kind: Source
metadata:
  name: shop-postgres                    # [a-z0-9][a-z0-9_-]*
  labels: {team: data}                   # ours only; for --select
  annotations: {owner: "#data-oncall", runbook: https://wiki.example.com/shop}   # printed in plan, drift, alerts
spec:
  name: PostgreSQL - Ecommerce           # the name Airbyte shows; default metadata.name
  connector: postgres                    # short name | docker repository | exact display name | definition id
  configuration:                         # the connector's own keys, whole: what is not here is not configured
    host: postgres
    port: 5432
    database: ecommerce
    username: postgres
    password: ${env:SHOP_PG_PASSWORD}
    replication_method: {method: Standard}
  lifecycle:
    preventDestroy: true
    ignoreChanges: [/configuration/jdbc_url_params]
    allow: [replace]
"""  # noqa: E501 - the documented example, word for word
CONNECTION = """\
apiVersion: airbyte.reconciler/v1
kind: Connection
metadata: {name: shop-to-lake}
spec:
  name: PostgreSQL → MinIO
  source: shop-postgres                  # metadata.name, or {id: <uuid>} / {name: …} of something we don't manage
  destination: lake
  status: active                         # active | inactive
  schedule: {cron: "0 0 */6 * * ?", timezone: UTC}     # or {every: 6 hours} or manual
  destinationNamespace: source           # required: source | destination | {format: "raw_${SOURCE_NAMESPACE}"}
  prefix: ""
  schemaChanges: ignore                  # ignore | disable | propagate_columns | propagate_fully
  tags: [gold]
  streamDefaults: {namespace: public, syncMode: incremental_append, cursorField: updated_at, columns: all, mappers: []}
  streams:                               # the whole selection: a stream that is not here is not synced
    - orders
    - name: customers
      primaryKey: id                     # or [a, b] or [[path, parts], …]
      columns: [id, email, updated_at]   # or all, or {except: [password]} (resolved by discovery, frozen in the plan)
      mappers: [{type: hashing, targetField: email, method: SHA-256, fieldNameSuffix: _hashed}]
  lifecycle: {allow: [{effects: [state-loss], streams: [public.customers]}]}
"""  # noqa: E501 - the documented example, word for word
WORDED = {"project": PROJECT, "source": SOURCE, "connection": CONNECTION}


def data(text: str) -> Any:
    documents, wrong = parse(text.encode(), "a.yaml")
    assert wrong == ()
    return documents[0].data


def with_spec(line: str, kind: str = "connection") -> Any:
    """The example, with one key of its spec written anew."""
    example = data(WORDED[kind])
    spec = {**example["spec"], **data(line)}
    return {**example, "spec": spec}


def found(kind: str, value: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in problems(kind, value)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_schema_is_a_valid_one_and_names_itself(kind: str) -> None:
    Draft202012Validator.check_schema(schema(kind))
    assert schema(kind)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema(kind)["$id"] == f"https://airbyte-reconciler.dev/schemas/v1/{kind}.schema.json"


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkout_finds_its_schemas(kind: str) -> None:
    file = Path(__file__).parents[2] / "schemas" / f"{kind}.schema.json"
    assert schema_text(kind) == schema_text(kind.upper()) == file.read_text(encoding="utf-8")


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="connection, destination, manifest, project, source"):
        schema_text("../secrets")


@pytest.mark.parametrize("kind", CUT_KINDS)
def test_the_schema_of_one_kind_is_cut_from_the_one_of_all(kind: str) -> None:
    """Run `python -m tests.manifests.cut_schemas` after editing manifest.schema.json."""
    assert schema_text(kind) == cut(schema("manifest"), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_no_schema_reaches_out_of_its_file(kind: str) -> None:
    assert set(_references(schema(kind))) <= {f"#/$defs/{name}" for name in schema(kind)["$defs"]}


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_described_and_every_closed_mapping_is_closed(kind: str) -> None:
    undescribed = {
        place
        for place, node in _properties(schema(kind), "")
        if "description" not in _followed(node, schema(kind)) and "const" not in node
    }
    assert undescribed == set()
    free = {
        place.rsplit("/", 1)[-1]
        for place, node in _nodes(schema(kind), "")
        if node.get("type") == "object" and "additionalProperties" not in node
    }
    assert free <= {"configuration", "variables", "mapper", "encryptionMapper", "rowCondition", ""}


def test_the_enums_are_those_of_the_model() -> None:
    definitions = schema("connection")["$defs"]
    assert definitions["syncMode"]["anyOf"][0]["enum"] == list(SYNC_MODES)
    consenting = [effect.name for effect in EFFECTS.values() if effect.consent == "needed"]
    assert definitions["effect"]["enum"] == consenting


@pytest.mark.parametrize("kind", WORDED)
def test_the_format_as_it_is_documented_is_valid(kind: str) -> None:
    assert problems(kind, data(WORDED[kind])) == ()
    assert problems("manifest", data(WORDED[kind])) == ()


@pytest.mark.parametrize(
    "line",
    [
        "schedule: manual",
        "schedule: {every: 6 hours}",
        "schedule: {every: 1 hour}",
        "schedule: {cron: '${var:cron}'}",
        "schedule: ${var:schedule}",
        "destinationNamespace: destination",
        'destinationNamespace: {format: "raw_${SOURCE_NAMESPACE}"}',
        "source: {id: 0b6b2d3c-4a51-4c0e-9b1e-6f0f8a1f2c3d}",
        "source: {name: Shop}",
        "source: ${var:source}",
        "tags: []",
        "status: ${var:status}",
        "lifecycle: {preventDestroy: '${var:keep}', allow: ['${var:e}', delete, {effects: [replace]}]}",
        "streamDefaults: {namespace: null, primaryKey: [a, b]}",
        "streamDefaults: {primaryKey: [[a, b], [c]], cursorField: [meta, at], columns: {except: [a]}}",
        "streams: [{name: a, includeFiles: true, destinationObjectName: b, syncMode: '${var:m}'}]",
    ],
)
def test_every_form_the_design_names_is_accepted(line: str) -> None:
    assert found("connection", with_spec(line)) == []


MAPPERS = """\
mappers:
  - {type: hashing, targetField: a, method: SHA-256, fieldNameSuffix: ""}
  - {type: field-filtering, targetField: a}
  - {type: field-renaming, originalFieldName: a, newFieldName: b}
  - {type: row-filtering, conditions: &equal {type: EQUAL, fieldName: a, comparisonValue: b}}
  - {type: row-filtering, conditions: {type: NOT, conditions: [*equal, *equal]}}
  - type: encryption
    algorithm: AES
    key: ${keep}
    mode: GCM
    padding: NoPadding
    targetField: a
    fieldNameSuffix: _e
  - {type: encryption, algorithm: RSA, publicKey: "${file:k}", targetField: a, fieldNameSuffix: _e}
  - {type: "${var:type}", anything: 1}
"""


def test_every_mapper_of_airbyte_is_accepted() -> None:
    assert found("connection", with_spec("streamDefaults: " + json.dumps(data(MAPPERS)))) == []


@pytest.mark.parametrize(
    ("line", "code", "pointer"),
    [
        ("columns: []", "schema-wrong-value", "/columns"),
        ("primaryKey: []", "schema-wrong-value", "/primaryKey"),
        ("primaryKey: [[]]", "schema-wrong-value", "/primaryKey"),
        ("primaryKey: [a, [b]]", "schema-wrong-value", "/primaryKey"),
        ("cursorField: []", "schema-wrong-value", "/cursorField"),
        ("columns: {except: []}", "schema-wrong-value", "/columns/except"),
        ("columns: id", "schema-wrong-value", "/columns"),
        ("columns: {exept: [a]}", "schema-unknown-key", "/columns/exept"),
        ("syncMode: incremental", "schema-wrong-value", "/syncMode"),
        ("syncMode: null", "schema-wrong-type", "/syncMode"),
        ("mappers: {}", "schema-wrong-type", "/mappers"),
        ("mappers: [{type: hashing, targetField: a, method: SHA-3, fieldNameSuffix: x}]",
         "schema-wrong-value", "/mappers/0/method"),
        ("mappers: [{type: hashed}]", "schema-wrong-value", "/mappers/0/type"),
        ("mappers: [{targetField: a}]", "schema-missing-key", "/mappers/0/type"),
        ("mappers: [{type: field-filtering, targetField: a, id: b}]",
         "schema-unknown-key", "/mappers/0/id"),
        ("mappers: [{type: row-filtering, conditions: {type: NOT, conditions: []}}]",
         "schema-wrong-value", "/mappers/0/conditions/conditions"),
        ("mappers: [{type: row-filtering, conditions: {type: EQUAL, fieldName: a, comparisonValue: 1}}]",
         "schema-wrong-type", "/mappers/0/conditions/comparisonValue"),
    ],
)  # fmt: skip
def test_what_a_stream_can_not_say(line: str, code: str, pointer: str) -> None:
    assert found("connection", with_spec("streamDefaults: {" + line + "}")) == [
        (code, f"/spec/streamDefaults{pointer}")
    ]


@pytest.mark.parametrize(
    ("line", "code", "pointer"),
    [
        ("schedule: daily", "schema-wrong-value", "/spec/schedule"),
        ("schedule: {every: 6 fortnights}", "schema-wrong-value", "/spec/schedule/every"),
        ("schedule: {cron: a, every: 6 hours}", "schema-conflict", "/spec/schedule"),
        ("schedule: {}", "schema-conflict", "/spec/schedule"),
        ("schedule: {every: 6 hours, timezone: UTC}", "schema-missing-key", "/spec/schedule/cron"),
        ("source: {id: a}", "schema-wrong-value", "/spec/source/id"),
        ("source: Shop DB", "schema-wrong-value", "/spec/source"),
        ("destinationNamespace: custom_format", "schema-wrong-value", "/spec/destinationNamespace"),
        ("status: deprecated", "schema-wrong-value", "/spec/status"),
        ("prefix: null", "schema-wrong-type", "/spec/prefix"),
        ("tags: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]", "schema-wrong-value", "/spec/tags/0"),
        ("streams: [7]", "schema-wrong-type", "/spec/streams/0"),
        ("lifecycle: {allow: [stops-data]}", "schema-wrong-value", "/spec/lifecycle/allow/0"),
        ("lifecycle: {ignoreChanges: [a]}", "schema-wrong-value", "/spec/lifecycle/ignoreChanges/0"),
        ("lifecycle: {preventDestroy: yes}", "schema-wrong-type", "/spec/lifecycle/preventDestroy"),
    ],
)  # fmt: skip
def test_what_a_connection_can_not_say(line: str, code: str, pointer: str) -> None:
    assert found("connection", with_spec(line)) == [(code, pointer)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"spec": None}, [("schema-wrong-type", "/spec")]),
        ({"state": "absent", "spec": {"name": "x"}}, []),
        ({"state": "absent", "reason": "replaced", "spec": {}}, []),
        ({"state": "gone"}, [("schema-wrong-value", "/state")]),
        ({"reason": "replaced"}, [("schema-missing-key", "/state")]),
        ({"metadata": {"name": "Shop"}}, [("schema-wrong-value", "/metadata/name")]),
        ({"metadata": {"name": "shop\n"}}, [("schema-wrong-value", "/metadata/name")]),
        ({"metadata": {"name": "a", "targets": []}}, [("schema-wrong-value", "/metadata/targets")]),
        ({"metadata": {"name": "a", "ids": {"x": "y"}}}, [("schema-wrong-value", "/metadata/ids/x")]),
        ({"metadata": {"name": "a", "labels": {"x": 1}}}, [("schema-wrong-type", "/metadata/labels/x")]),
        ({"metadata": {}}, [("schema-missing-key", "/metadata/name")]),
        ({"specs": {}}, [("schema-unknown-key", "/specs")]),
    ],
)  # fmt: skip
def test_what_surrounds_the_spec(change: dict[str, Any], expected: Any) -> None:
    assert found("source", {**data(SOURCE), **change}) == expected


def test_a_manifest_without_spec_needs_state_absent() -> None:
    bare = {key: value for key, value in data(SOURCE).items() if key != "spec"}
    assert found("source", bare) == [("schema-missing-key", "/spec")]
    assert found("source", {**bare, "state": "absent"}) == []


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ("{}", []),
        ("{token: '${env:T}', headers: {X-Key: a}}", []),
        ("{headers: {X-Key: a}}", []),
        ("{username: a, password: b}", []),
        ("{clientId: a}", ["schema-missing-key"]),
        ("{username: a, password: b, token: c}", ["schema-conflict"]),
        ("{clientid: a, clientSecret: b}", ["schema-unknown-key"]),
    ],
)
def test_a_target_signs_in_one_way(auth: str, expected: list[str]) -> None:
    target = data("targets: {a: {url: 'https://x', auth: " + auth + "}}")
    example = data(PROJECT)
    codes = [code for code, _ in found("project", {**example, "spec": target})]
    assert codes == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("{url: 'ftp://x'}", [("schema-wrong-value", "/url")]),
        ("{}", [("schema-missing-key", "/url")]),
        ("{url: embedded, limits: {deletes: 130%}}", [("schema-wrong-value", "/limits/deletes")]),
        ("{url: embedded, limits: {deletes: 130}}", [("schema-wrong-value", "/limits/deletes")]),
        ("{url: embedded, limits: {deletes: 12.5, updates: 0%}, catalogs: c}", []),
        ("{url: 'https://x', catalogs: c}", [("schema-wrong-value", "/url")]),
        ("{url: embedded, prune: all}", [("schema-wrong-value", "/prune")]),
    ],
)
def test_what_a_target_says(settings: str, expected: list[tuple[str, str]]) -> None:
    example = {**data(PROJECT), "spec": data("targets: {a: " + settings + "}")}
    assert found("project", example) == [(code, f"/spec/targets/a{p}") for code, p in expected]


def test_a_target_name_of_the_wrong_form_is_told_at_its_key() -> None:
    wrong = problems("project", {**data(PROJECT), "spec": data("targets: {Prod: {url: embedded}}")})
    assert [(p.pointer, p.at_key) for p in wrong] == [("/spec/targets/Prod", True)]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("sync_mode: x", "syncMode"),
        ("syncmode: x", "syncMode"),
        ("selectedFields: x", "columns"),
        ("cursor: x", "cursorField"),
        ("syncMode: incremental_append_dedup", "incremental_deduped_history"),
        ("syncMode: incremental-append", "incremental_append"),
        ("syncMode: full_refresh", "full_refresh_overwrite"),
        ("syncMode: incremental_apend", "incremental_append"),
    ],
)
def test_the_likely_meaning_is_suggested(line: str, hint: str) -> None:
    wrong = problems("connection", with_spec("streamDefaults: {" + line + "}"))
    assert [p.hint for p in wrong] == [f"did you mean {hint}?"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("namespaceDefinition: source", "did you mean destinationNamespace?"),
        ("status: enabled", "did you mean active?"),
        ("zzz: 1", "known here: backfillPreference, destination, destinationNamespace"),
        ("prefix: 1", "put it in quotes: YAML reads it as a number"),
        ("name:", "write a value, or leave the key out"),
    ],
)
def test_every_problem_has_a_next_step(line: str, hint: str) -> None:
    wrong = problems("connection", with_spec(line))
    assert len(wrong) == 1
    assert wrong[0].hint.startswith(hint)


def test_a_missing_key_is_shown_as_it_could_be_written() -> None:
    example = data(CONNECTION)
    spec = {k: v for k, v in example["spec"].items() if k != "destinationNamespace"}
    (wrong,) = problems("connection", {**example, "spec": spec})
    assert wrong.message == "spec: the key 'destinationNamespace' is missing"
    assert wrong.hint == "add it: destinationNamespace: source"


def test_messages_say_where_and_what_is_expected() -> None:
    (wrong,) = problems("connection", with_spec("streams: [{name: a, columns: 7}]"))
    assert wrong.message == (
        "spec.streams[0].columns: expected all, a non-empty list of columns, or {except: [columns]}, "
        "found a number"
    )


def test_all_problems_are_told_at_once() -> None:
    wrong = with_spec("{status: on, prefix: 1, tags: x, schedule: 7}")
    assert [p for _, p in found("connection", wrong)] == [
        "/spec/prefix", "/spec/schedule", "/spec/status", "/spec/tags",
    ]  # fmt: skip


CANARY = "correct-horse-battery-staple-4711"
LEAVES = st.sampled_from(
    [CANARY, [CANARY], {"type": CANARY}, {"name": CANARY, "columns": CANARY}, [], {}, None, 7]
)


@st.composite
def _spoilt(draw: st.DrawFn, node: Any) -> Any:
    """The node with some of its values replaced: nearly valid data."""
    if draw(st.integers(0, 9)) == 0:
        return draw(LEAVES)
    if isinstance(node, dict):
        return {
            key: draw(_spoilt(value)) for key, value in node.items() if draw(st.integers(0, 19))
        }
    if isinstance(node, list):
        return [draw(_spoilt(value)) for value in node]
    return node


@given(
    st.sampled_from(sorted(WORDED)).flatmap(
        lambda k: st.tuples(st.just(k), _spoilt(data(WORDED[k])))
    )
)
def test_no_message_quotes_a_value_and_every_rejection_is_explained(case: tuple[str, Any]) -> None:
    kind, value = case
    wrong = problems(kind, value)
    assert bool(wrong) is not Validator(schema(kind)).is_valid(value)
    assert CANARY not in repr(wrong)
    assert all(p.code in CODES and p.message and p.hint for p in wrong)


@given(
    st.sampled_from(sorted(WORDED)).flatmap(
        lambda k: st.tuples(st.just(k), _spoilt(data(WORDED[k])))
    )
)
def test_the_quick_and_the_explaining_validator_agree(case: tuple[str, Any]) -> None:
    quick = pytest.importorskip("jsonschema_rs", reason="jsonschema-rs is not installed")
    kind, value = case
    assert quick.Draft202012Validator(schema(kind)).is_valid(value) is Validator(
        schema(kind)
    ).is_valid(value)


def test_the_schemas_are_plain_json_as_editors_want_it() -> None:
    for kind in KINDS:
        assert yaml.safe_load(schema_text(kind)) == json.loads(schema_text(kind))


def _nodes(node: Any, place: str) -> Any:
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            yield from _nodes(value, f"{place}/{key}")
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value, place)


def _references(node: Any) -> list[str]:
    return [n["$ref"] for _, n in _nodes(node, "") if isinstance(n.get("$ref"), str)]


def _properties(node: Any, _place: str) -> Any:
    for place, parent in _nodes(node, ""):
        if "additionalProperties" in parent:
            for key, value in parent.get("properties", {}).items():
                yield f"{place}/{key}", value


def _followed(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    return {**root["$defs"][node["$ref"].rsplit("/", 1)[-1]], **node}
