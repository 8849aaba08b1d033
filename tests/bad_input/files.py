"""Files that can't be read, are not YAML, or do not fit the schemas (validation stages 1 and 2)."""

from __future__ import annotations

from tests.bad_input.case import case
from tests.bad_input.project import CONNECTION, CUSTOMERS, FILES, ORDERS, PROJECT, SOURCE

_DEEP = "[" * 70 + "]" * 70

CASES = (
    case(
        "project-missing",
        files={PROJECT: None},
        codes=("project-missing",),
    ),
    case(
        "empty-glob",
        (PROJECT, '"manifests/*.yaml"', '"manifest/*.yaml"'),
        codes=("manifests-empty",),
    ),
    case(
        "pattern-outside",
        (PROJECT, '"manifests/*.yaml"', '"../shared/*.yaml"'),
        codes=("manifest-outside-project",),
    ),
    case(
        "foreign-yaml",
        (PROJECT, '"manifests/*.yaml"', '"**/*.yaml"'),
        files={"docker-compose.yaml": "services:\n  db: {image: postgres}\n"},
        codes=("not-a-manifest",),
    ),
    case(
        "file-unreadable",
        links={"manifests/gone.yaml": "nowhere.yaml"},
        codes=("file-unreadable",),
    ),
    case(
        "connector-file-invalid",
        (
            PROJECT,
            "url: https://airbyte.example.com",
            "url: https://airbyte.example.com\n      connectors: connectors",
        ),
        files={"connectors/shop.json": '{"name": "Shop"}\n'},
        command=("validate", "-t", "production"),
        codes=("connector-file-invalid",),
    ),
    # YAML
    case(
        "broken-yaml",
        (CONNECTION, '"0 0 */6 * * ?"}', '"0 0 */6 * * ?}'),
        codes=("yaml-syntax",),
    ),
    case(
        "unquoted-reference",
        (
            SOURCE,
            "password: ${env:SHOP_PASSWORD}",
            "ssl_mode: {mode: verify-ca, ca_certificate: ${env:SHOP_PASSWORD}}",
        ),
        codes=("yaml-syntax",),
    ),
    case(
        "duplicate-key",
        (SOURCE, "    port: 5432\n", "    port: 5432\n    host: replica.example.com\n"),
        codes=("yaml-duplicate-key",),
    ),
    case(
        "unknown-alias",
        (SOURCE, "host: db.example.com", "host: *database_host"),
        codes=("yaml-alias",),
    ),
    case(
        "nested-too-deep",
        (SOURCE, "    port: 5432\n", f"    port: {_DEEP}\n"),
        codes=("yaml-limit",),
    ),
    case(
        "yaml-tag",
        (SOURCE, "password: ${env:SHOP_PASSWORD}", "password: !vault shop/password"),
        codes=("yaml-unsupported",),
    ),
    # JSON Schema
    case(
        "unknown-key",
        (SOURCE, "  connector: postgres", "  conector: postgres"),
        codes=("schema-unknown-key",),
    ),
    case(
        "key-of-another-format",
        (
            CONNECTION,
            "  destinationNamespace: source",
            "  destinationNamespace: source\n  nonBreakingSchemaUpdatesBehavior: ignore",
        ),
        codes=("schema-unknown-key",),
    ),
    case(
        "missing-key",
        (CONNECTION, "  destinationNamespace: source\n", ""),
        codes=("schema-missing-key",),
    ),
    case(
        "wrong-type",
        (CONNECTION, f"  streams:\n{ORDERS}{CUSTOMERS}", "  streams: orders\n"),
        codes=("schema-wrong-type",),
    ),
    case(
        "wrong-value",
        (CONNECTION, "syncMode: incremental_append}", "syncMode: incremental_append_dedup}"),
        codes=("schema-wrong-value",),
    ),
    case(
        "conflicting-keys",
        (CONNECTION, '{cron: "0 0 */6 * * ?"}', '{cron: "0 0 */6 * * ?", every: 6 hours}'),
        codes=("schema-conflict",),
    ),
    case(
        "everything-at-once",
        files={
            SOURCE: FILES[SOURCE].replace("connector", "conector"),
            CONNECTION: FILES[CONNECTION].replace("source: shop", "sourceId: shop"),
        },
        codes=("schema-unknown-key", "schema-unknown-key"),
    ),
)
