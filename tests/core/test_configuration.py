"""Validation stage 5: a configuration against its connector's spec, without a value in any message."""

from typing import Any

import pytest

from reconciler.core.configuration import check_configuration, check_specified
from reconciler.core.connector import (
    find_connector,
    parse_definition,
    same_form,
    scalar_defaults,
    secret_pointers,
    with_specs,
)
from reconciler.core.diagnostics import Diagnostic, Severity, with_rules
from reconciler.core.model import KEEP, MASK, ConnectorDefinition
from tests.core.build import (
    DEFINITIONS,
    LAKE,
    MYSQL,
    POSTGRES,
    connection,
    desired_of,
    destination,
    env,
    live_source,
    plan_of,
    source,
)

CANARY = "canary-9f3c2a17d1e0aa"


def checked(configuration: Any, spec: Any = POSTGRES.spec) -> list[Diagnostic]:
    (resource,) = desired_of(source(configuration=configuration)).resources.values()
    definition = ConnectorDefinition("source", "id", "Shop Postgres", "repo", spec=spec)
    return list(check_configuration(resource, definition))


def said(configuration: Any, spec: Any = POSTGRES.spec) -> list[tuple[str, str]]:
    """(code, pointer below the configuration)."""
    found = checked(configuration, spec)
    assert CANARY not in repr(found)
    return sorted((d.code, d.pointer.removeprefix("/spec/configuration")) for d in found)


def test_a_configuration_that_fits() -> None:
    fitting = {
        "host": "db",
        "port": 1,
        "password": env(value="p"),
        "tunnel": {"method": "Key", "password": KEEP},
        "keys": [{"name": "a", "secret": env()}],
    }
    assert said(fitting) == []


def test_nothing_is_said_where_the_spec_is_not_known() -> None:
    assert said({"anything": 1}, None) == []


def test_a_connection_has_no_configuration() -> None:
    document = connection(source={"id": "s"}, destination={"id": "d"})
    (resource,) = desired_of(document).resources.values()
    assert check_configuration(resource, POSTGRES) == ()


def test_a_missing_key_says_what_it_is() -> None:
    (diagnostic,) = checked({"database": "x"})
    assert (diagnostic.code, diagnostic.message, diagnostic.hint) == (
        "config-missing-key",
        "Shop Postgres: host is missing",
        "add it under spec.configuration: Host",
    )
    assert diagnostic.pointer == "/spec/configuration/host"
    assert (diagnostic.address, diagnostic.severity) == ("source/shop", Severity.ERROR)
    assert diagnostic.span is not None


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"host": 3}, "host must be text"),
        ({"host": "db", "port": CANARY}, "port must be a whole number"),
        ({"host": "db", "port": env(value=CANARY)}, "port must be a whole number"),
        ({"host": "db", "keys": {"a": CANARY}}, "keys must be a list"),
        ({"host": "db", "keys": [CANARY]}, "keys.0 must be a mapping"),
        ({"host": "db", "tunnel": CANARY}, "tunnel must be a mapping"),
    ],
)
def test_a_wrong_type_is_said_in_plain_words(configuration: Any, message: str) -> None:
    messages = [d.message for d in checked(configuration) if d.code == "config-wrong-type"]
    assert f"Shop Postgres: {message}" in messages
    assert CANARY not in repr(messages)


def test_an_unknown_form_lists_those_there_are() -> None:
    (diagnostic,) = checked({"host": "db", "tunnel": {"method": CANARY}})
    assert diagnostic.code == "config-wrong-value"
    assert diagnostic.message.endswith("tunnel.method must be one of: Standard, Tunnel, Key")
    assert CANARY not in repr(diagnostic)


def test_the_form_that_is_meant_explains_what_it_lacks() -> None:
    assert said({"host": "db", "tunnel": {"method": "Tunnel", "user": "u"}}) == [
        ("config-missing-key", "/tunnel/password")
    ]


def test_without_a_form_it_says_by_what_to_choose() -> None:
    (diagnostic,) = checked({"host": "db", "tunnel": {"user": CANARY}})
    assert diagnostic.code == "config-no-form"
    assert diagnostic.message.endswith(
        "tunnel fits none of the 3 forms of the spec: say which by method"
    )


def test_forms_may_be_told_apart_by_an_enum_of_one() -> None:
    spec = {"oneOf": [{"properties": {"kind": {"enum": ["a"]}, "n": {"type": "integer"}}}]}
    assert said({"kind": "a", "n": "x"}, spec) == [("config-wrong-type", "/n")]
    assert said({"kind": "b"}, spec) == [("config-wrong-value", "/kind")]


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ({"enum": ["a", "b"]}, CANARY),
        ({"const": "a"}, CANARY),
        ({"pattern": "^[0-9]+$"}, CANARY),
        ({"minLength": 100}, CANARY),
        ({"maximum": 3}, 4),
    ],
)
def test_a_wrong_value_names_the_rule_and_not_the_value(rule: Any, value: Any) -> None:
    assert said({"k": value}, {"properties": {"k": rule}}) == [("config-wrong-value", "/k")]


@pytest.mark.parametrize("unknown", [env(), KEEP])
def test_what_is_not_known_is_not_checked(unknown: Any) -> None:
    spec = {
        "properties": {
            "k": {"type": "integer", "minimum": 3},
            "o": {"oneOf": [{"properties": {"n": {"type": "integer"}}}]},
            "l": {"items": {"type": "integer"}},
        }
    }
    assert said({"k": unknown, "o": {"n": unknown}, "l": [unknown]}, spec) == []
    assert said({"o": unknown}, spec) == []


def test_a_form_that_is_not_known_is_not_checked() -> None:
    assert said({"host": "db", "tunnel": {"method": env()}}) == []


def test_what_is_known_beside_the_unknown_is_checked() -> None:
    tunnel = {"method": "Tunnel", "password": env()}
    assert said({"host": "db", "tunnel": tunnel}) == [("config-missing-key", "/tunnel/user")]


# --- keys that the spec does not know --------------------------------------------------------------


def unknown_keys(configuration: Any, spec: Any = POSTGRES.spec) -> dict[str, str]:
    found = [d for d in checked(configuration, spec) if d.code == "unknown-config-key"]
    assert all(d.severity is Severity.WARNING for d in found)
    return {d.pointer.removeprefix("/spec/configuration"): d.hint for d in found}


def test_an_unknown_key_is_a_warning_with_a_guess() -> None:
    assert unknown_keys({"host": "db", "databse": "x"}) == {"/databse": "did you mean 'database'?"}


def test_an_unknown_key_is_found_in_forms_and_lists_too() -> None:
    configuration = {
        "host": "db",
        "tunnel": {"method": "Key", "password": KEEP, "zzz": 1},
        "keys": [{"name": "a"}, {"nam": "b"}],
    }
    assert set(unknown_keys(configuration)) == {"/tunnel/zzz", "/keys/1/nam"}


def test_an_object_without_described_keys_holds_any() -> None:
    assert unknown_keys({"host": "db", "options": {"anything": 1}}) == {}


def test_keys_of_a_form_that_does_not_fit_are_left_to_the_error() -> None:
    assert unknown_keys({"host": "db", "tunnel": {"method": "none", "zzz": 1}}) == {}


# --- secrets in clear --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configuration", "where"),
    [
        ({"password": CANARY}, "/password"),
        ({"tunnel": {"method": "Key", "password": CANARY}}, "/tunnel/password"),
        ({"keys": [{"secret": CANARY}]}, "/keys/0/secret"),
        ({"vault": {"token": 12345}}, "/vault/token"),
    ],
)
def test_a_secret_in_clear_is_found_by_its_path(configuration: Any, where: str) -> None:
    assert ("plaintext-secret", where) in said({"host": "db", **configuration})


@pytest.mark.parametrize("value", [env(value=CANARY), env(), KEEP, "", None])
def test_references_and_empty_values_are_not_in_clear(value: Any) -> None:
    assert "plaintext-secret" not in {code for code, _ in said({"host": "db", "password": value})}


def test_a_secret_that_is_an_object_is_secret_in_every_part() -> None:
    spec = {"properties": {"k": {"type": "object", "airbyte_secret": True}}}
    found = said({"k": {"a": CANARY, "b": env(value=CANARY)}}, spec)
    assert found == [("plaintext-secret", "/k/a")]


@pytest.mark.parametrize("spec", [None, POSTGRES.spec])
def test_what_no_spec_describes_and_looks_like_a_secret_in_clear_is_a_warning(spec: Any) -> None:
    found = checked({"host": "db", "api_token": CANARY}, spec)
    (diagnostic,) = [d for d in found if d.code == "looks-like-a-secret"]
    assert "plaintext-secret" not in {d.code for d in found}
    assert (diagnostic.severity, diagnostic.pointer) == (
        Severity.WARNING,
        "/spec/configuration/api_token",
    )
    assert CANARY not in repr(found)


def test_what_a_specification_calls_no_secret_does_not_look_like_one() -> None:
    spec = {"properties": {"api_token": {"type": "string"}}}
    assert said({"api_token": "public"}, spec) == []


@pytest.mark.parametrize("value", [env(value=CANARY), env(), KEEP, "", None, True])
def test_references_and_empty_values_do_not_look_like_one(value: Any) -> None:
    assert said({"host": "db", "api_token": value}, None) == []


def test_a_connector_without_a_specification_is_said_once() -> None:
    bare = ConnectorDefinition("source", POSTGRES.id, "Postgres", POSTGRES.docker_repository)
    resources = desired_of(source(), source("other"), destination()).resources.values()
    found = check_specified(resources, [bare])
    assert [(d.code, d.severity, d.address) for d in found] == [
        ("specification-unknown", Severity.WARNING, "destination/lake"),
        ("specification-unknown", Severity.WARNING, "source/other"),
    ]
    assert all("`connectors`" in d.hint for d in found)
    assert check_specified(resources, DEFINITIONS) == ()


# --- reading a spec ------------------------------------------------------------------------------------


def test_secrets_of_all_forms_count() -> None:
    value = {"tunnel": {"password": "x"}, "keys": [{}, {"secret": "x"}], "password": None}
    assert secret_pointers(POSTGRES.spec, value) == {
        "/tunnel/password",
        "/keys/1/secret",
        "/password",
    }


def test_the_marks_presence_counts_not_its_value() -> None:
    spec = {"properties": {"a/b": {"airbyte_secret": False}, "odd": True}}
    assert secret_pointers(spec, {"a/b": 1, "odd": 2}) == {"/a~1b"}
    assert secret_pointers(None, {"a": 1}) == frozenset()


def test_valid_scalar_defaults_of_the_form_that_fits() -> None:
    value = {"port": 1, "tunnel": {"method": "Standard", "batch": 3}, "host": "x"}
    assert scalar_defaults(POSTGRES.spec, value) == {"/port": 5432, "/tunnel/batch": 10}
    other = {"tunnel": {"method": "Key", "password": MASK, "batch": 3}}
    assert scalar_defaults(POSTGRES.spec, other) == {}
    invalid = {"properties": {"n": {"type": "integer", "default": "x"}, "l": {"default": []}}}
    assert scalar_defaults(invalid, {"n": 1, "l": []}) == {}


@pytest.mark.parametrize(
    ("live", "changes"),
    [
        ({"host": "db", "port": 5432}, 0),
        ({"host": "db", "port": 5432.0}, 0),
        ({"host": "db", "port": 5433}, 1),
        ({"host": "db", "database": ""}, 1),
    ],
)
def test_an_extra_live_key_that_equals_its_default_is_no_difference(
    live: Any, changes: int
) -> None:
    assert len(plan_of([source()], [live_source(live)]).changes) == changes


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ({"method": "Key"}, {"method": "Key"}, True),
        ({"method": "Key"}, {"method": "Tunnel", "user": "u"}, False),
        ({"method": env(value="Key")}, {"method": "Key"}, True),
        ({}, {"method": "Key"}, False),
    ],
)
def test_a_secret_belongs_to_its_form(ours: Any, theirs: Any, same: bool) -> None:
    path = ["tunnel", "password"]
    assert same_form(POSTGRES.spec, {"tunnel": ours}, {"tunnel": theirs}, path) is same
    assert same_form(None, {"tunnel": ours}, {"tunnel": theirs}, path)


def test_a_connector_file_is_read() -> None:
    data = {
        "type": "source",
        "definitionId": "x",
        "name": "N",
        "dockerRepository": "airbyte/source-n",
        "connectionSpecification": {"properties": {}},
    }
    found = parse_definition(data)
    assert (found.short_name, found.spec) == ("n", {"properties": {}})
    with pytest.raises(ValueError, match="neither source nor destination"):
        parse_definition({**data, "type": "sink"})
    with pytest.raises(KeyError):
        parse_definition({"type": "source"})


def test_the_server_s_own_spec_goes_before_one_from_a_file() -> None:
    served = [
        ConnectorDefinition("source", "1", "A", "repo/a"),
        ConnectorDefinition("source", "2", "B", "repo/b", spec={"b": 1}),
        ConnectorDefinition("destination", "3", "C", "repo/a"),
    ]
    known = [
        ConnectorDefinition("source", "1", "A", "", spec={"id": 1}),
        ConnectorDefinition("source", "9", "B", "repo/b", spec={"file": 1}),
        ConnectorDefinition("source", "8", "A", "repo/a", spec={"repo": 1}),
    ]
    assert [d.spec for d in with_specs(served, known)] == [{"id": 1}, {"b": 1}, None]
    assert [d.spec for d in with_specs(served[:1], known[2:])] == [{"repo": 1}]


def test_one_name_may_mean_several_connectors() -> None:
    twins = [ConnectorDefinition("source", str(i), "Custom", f"me/source-{i}") for i in (1, 2)]
    assert len(find_connector("custom", "source", twins)) == 2
    assert find_connector("s3", "source", DEFINITIONS) == ()
    assert find_connector("s3", "destination", DEFINITIONS) == (LAKE,)
    assert find_connector("airbyte/source-mysql", "source", DEFINITIONS) == (MYSQL,)


def test_a_project_may_switch_a_code() -> None:
    found = checked({"host": "db", "databse": "x", "password": CANARY})
    rules = {"unknown-config-key": "error", "plaintext-secret": "off"}
    assert [(d.code, d.severity.value) for d in with_rules(found, rules)] == [
        ("unknown-config-key", "error")
    ]


@pytest.mark.parametrize(
    ("rules", "severities"),
    [
        ({"plaintext-secret": "error"}, ["warning"]),
        ({"plaintext-secret": "off"}, ["warning"]),
        ({"looks-like-a-secret": "off"}, []),
        ({"looks-like-a-secret": "error"}, ["error"]),
    ],
)
def test_a_guess_is_switched_by_itself(rules: dict[str, str], severities: list[str]) -> None:
    found = checked({"host": "db", "api_token": CANARY}, None)
    assert [d.severity.value for d in with_rules(found, rules)] == severities
