"""What looks like a secret where no specification says what is one."""

from typing import Any

import pytest

from reconciler.core.encode import encode_plan
from reconciler.core.explanation import explain_resource
from reconciler.core.jsontext import json_text
from reconciler.core.lookalikes import brings_secret, hidden_pointers, looking_secret
from reconciler.core.model import MASK, UNSET, ConnectorDefinition, Live, Workspace
from reconciler.core.plan import TargetLine
from reconciler.core.planning import Planned, Situation, make_plan
from tests.core.build import (
    LAKE,
    POSTGRES,
    PUBLIC,
    SOURCE_ID,
    TARGET,
    desired_of,
    destination,
    live_destination,
    live_source,
    source,
)

CANARY = "canary-9f3c2a17d1e0aa"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "key",
    [
        "password", "Password", "db_password", "passwd", "passphrase", "client_secret", "clientSecret",
        "secret", "secrets", "token", "tokens", "access_token", "api_key", "apiKey", "apikey", "API-KEY",
        "private_key", "ssh_key", "aws_secret_access_key", "aws_access_key_id", "credentials",
        "credentials_json", "service_account_info", "connection_string", "sasl_jaas_config",
        "client_certificate", "azure_blob_storage_account_key", "hmac_key_secret", "signature",
        "signature_header_value", "authorization_header", "Cookie-Header", "bearerHeader", "token_headers",
        "version_token", "password_at", "token_version_secret", "token_header", "secret-header",
        "index_api_key", "object_storage_access_key", "object_storage_access_key_id", "business_api_key",
        "document_db_access_key", "natural_language_api_key", "row_level_private_key",
    ],
)  # fmt: skip
def test_a_secret_is_known_by_its_key(key: str) -> None:
    assert looking_secret(None, {key: CANARY}) == {f"/{key}"}


@pytest.mark.parametrize(
    "key",
    [
        "host", "username", "database", "bucket", "primary_key", "partition_key", "sort_keys",
        "token_url", "token_type", "secret_name", "private_key_path", "max_tokens", "keyspace", "passive",
        "compass", "replication_method", "token_method", "signature_version", "signatureVersion",
        "SIGNATURE-VERSION", "secret_versions", "jwt_algorithm", "signature_algorithms", "token_format",
        "certificate_encoding",
        "token_prefix", "token_expires_in", "jwt_expires_at",
        "token_expiration", "token_lifetime", "token_duration", "token_timeout", "token_refresh_interval",
        "cookie_age", "token_scopes", "jwt_issuer", "jwt_audience", "token_size", "token_kind",
        "password_policy", "password_field", "token_column", "secret_location", "certificate_filename",
        "token_limit", "token_count", "token_ttl", "password_length", "secret_path", "token_uri",
        "secret_arn", "secret_manager", "certificate_verification", "dedup_key", "document_key",
        "surrogate_key", "object_key", "index_keys",
        "token_endpoint", "secret_mode", "password_date", "token_expiry",
    ],
)  # fmt: skip
def test_what_is_none_is_left_alone(key: str) -> None:
    assert looking_secret(None, {key: CANARY}) == frozenset()


@pytest.mark.parametrize(
    ("configuration", "where"),
    [
        ({"a": {"b": [{"password": CANARY}]}}, {"/a/b/0/password"}),
        ({"tokens": [CANARY, CANARY]}, {"/tokens/0", "/tokens/1"}),
        ({"secrets": {"first": CANARY, "type": "plain"}}, {"/secrets/first"}),
        (
            {"secrets": {"version": "v2", "host": CANARY, "email": CANARY, "in": CANARY}},
            {"/secrets/host", "/secrets/email", "/secrets/in"},
        ),
        ({"authorization": {"header": CANARY}}, {"/authorization/header"}),
        ({"secret_headers": {"X-One": CANARY}}, {"/secret_headers/X-One"}),
        ({"token_header": {"X-One": "one"}}, {"/token_header/X-One"}),
        ({"token_header": "X-Api-Key", "apiKeyHeader": "Authorization"}, set()),
        (
            {"token_header": "Bearer abc", "secret_header": "s3cr3t"},
            {"/token_header", "/secret_header"},
        ),
        ({"passwords": {"manager": CANARY, "path": CANARY}}, {"/passwords/manager"}),
        ({"credentials": {"user": "etl", "password": CANARY}}, {"/credentials/password"}),
        ({"password": 12345678, "token": True, "secret": None}, {"/password"}),
        ({"password": "", "token": MASK}, set()),
        ({"anything": PEM, "jdbc": "jdbc:postgresql://etl:pass@db/shop"}, {"/anything", "/jdbc"}),
        ({"api/key": CANARY}, {"/api~1key"}),
    ],
)
def test_where_a_secret_may_stand(configuration: Any, where: set[str]) -> None:
    assert looking_secret(None, configuration) == where


@pytest.mark.parametrize(
    ("stated", "value", "brings"),
    [
        ("ssl=on&password=${env:PW}", UNSET, True),
        ("password='${env:PW}'", UNSET, True),
        ('{"password": "${env:PW}"}', UNSET, True),
        ("password=x${env:PW}", UNSET, True),
        ("Authorization: ${env:A}", UNSET, True),
        ("Authorization: Bearer ${env:A}", UNSET, True),
        ("postgres://me:${env:PW}@db/shop", UNSET, True),
        ("password=x&host=${env:HOST}", UNSET, True),
        ("${env:DB_PASSWORD}", UNSET, True),
        ("${env:DB_PASSWORD:-none|json}", UNSET, True),
        ("${file:secrets/token}", UNSET, True),
        ("${file:secrets/host}", UNSET, False),
        ("${env:HOST:-a/password}", UNSET, False),
        ("${env:}", UNSET, False),
        ("${env:PARAMS}", "user=x&password=hunter2", True),
        ("${env:URL}", "postgres://me:hunter2@db", True),
        ("${env:PARAMS}", "user=x&ssl=on", False),
        ("$${env:DB_PASSWORD}", UNSET, False),
        ("ssl=${env:SSL}&application=airbyte", UNSET, False),
        ("token_type=${env:KIND}", UNSET, False),
        ("https://${env:HOST}/x", "https://db/x", False),
        ("${env:PORT|int}", 5432, False),
    ],
)
def test_a_text_tells_whether_it_holds_a_secret(stated: str, value: Any, *, brings: bool) -> None:
    assert brings_secret(stated, value) is brings


def test_what_a_specification_describes_is_as_it_says() -> None:
    spec = {"properties": {"token": {"type": "string"}, "host": {"airbyte_secret": True}}}
    configuration = {"token": "public", "host": CANARY, "api_key": CANARY}
    assert looking_secret(spec, configuration) == {"/api_key"}
    assert hidden_pointers(spec, configuration) == {"/api_key", "/host"}


# --- in a plan ---------------------------------------------------------------------------------


def planned_without_spec(live: dict[str, Any] | None, **configuration: Any) -> Planned:
    bare = ConnectorDefinition("source", POSTGRES.id, "Postgres", POSTGRES.docker_repository)
    there = [] if live is None else [live_source(live)]
    return make_plan(
        Situation(
            target=TargetLine(TARGET, "https://airbyte.example.com", "public", "Default", "w-1"),
            desired=desired_of(source(configuration=configuration), destination()),
            live=Live(Workspace("w-1", "Default"), (*there, live_destination()), (bare, LAKE)),
            capabilities=PUBLIC,
        )
    )


@pytest.mark.parametrize(
    "live", [None, {}, {"password": f"old-{CANARY}"}, {"password": MASK, "host": "old"}]
)
def test_without_a_specification_no_literal_that_looks_secret_is_in_a_plan(
    live: dict[str, Any] | None,
) -> None:
    planned = planned_without_spec(live, host="db", password=CANARY)
    assert [change.action for change in planned.plan.changes] == [
        "create" if live is None else "update"
    ]
    text = json_text(encode_plan(planned.plan))
    assert CANARY not in text
    assert "(secret)" in text or live == {"password": MASK, "host": "old"}


def test_what_leaves_live_is_hidden_as_well() -> None:
    planned = planned_without_spec({"host": "db", "api_key": CANARY}, host="db")
    (change,) = planned.plan.changes
    assert [(f.pointer, f.before) for f in change.fields] == [
        ("/configuration/api_key", "(secret)")
    ]


def test_it_is_sent_as_it_stands_in_git() -> None:
    planned = planned_without_spec(None, password=CANARY)
    (step,) = planned.steps.values()
    assert step.spec is not None
    assert "canary" not in repr(step.spec)
    (sealed,) = step.spec.configuration.values()  # type: ignore[union-attr]  # a source
    assert sealed.value == CANARY


def test_a_difference_is_found_behind_it() -> None:
    same = planned_without_spec({"password": CANARY}, password=CANARY)
    assert same.plan.changes == ()


def test_explain_shows_it_neither() -> None:
    (resource,) = desired_of(source(configuration={"password": CANARY})).resources.values()
    planned = planned_without_spec({"password": f"old-{CANARY}"}, password=CANARY)
    live = Live(Workspace("w-1", "Default"), (live_source({"password": f"old-{CANARY}"}),))
    rows = explain_resource(resource, live, planned.claims, "public")
    assert SOURCE_ID in {found.id for found in planned.claims.live.values()}
    assert [row.field for row in rows][2:] == ["/configuration/password"]
    assert CANARY not in repr(rows)
