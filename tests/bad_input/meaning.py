"""What one manifest means, and configurations against their connectors' specs (stages 4 and 5)."""

from __future__ import annotations

import json

from tests.bad_input.case import case
from tests.bad_input.project import CONNECTION, CUSTOMERS, FILES, ORDERS, PROJECT, SOURCE

_MANY = "".join(f"    - {{name: t{n}, cursorField: updated_at}}\n" for n in range(1000))
_DEDUPED = """\
    - name: orders
      syncMode: incremental_deduped_history
      cursorField: updated_at
      primaryKey: id
      columns: [total, updated_at]
"""
_TUNNEL = """\
    tunnel_method:
      tunnel_method: SSH_KEY_AUTH
      tunnel_host: bastion.example.com
      tunnel_port: many
      tunnel_user: etl
      ssh_key: ${env:SHOP_PASSWORD}
"""
_ANOTHER_POSTGRES = {
    "definitionId": "11111111-1111-4111-8111-111111111111",
    "name": "Postgres of ours",
    "type": "source",
    "dockerRepository": "acme/source-postgres",
    "connectionSpecification": {"type": "object"},
}

_OF_THE_PUBLIC_API = (
    PROJECT,
    "      url: https://airbyte.example.com\n",
    "      url: https://airbyte.example.com/api/public/v1\n",
)

CASES = (
    case(
        "five-field-cron",
        (CONNECTION, '"0 0 */6 * * ?"', '"0 */6 * * *"'),
        codes=("invalid-cron",),
    ),
    case(
        "field-not-in-api",
        (CONNECTION, "  streamDefaults:", "  notifySchemaChanges: true\n  streamDefaults:"),
        codes=("field-not-in-api",),
    ),
    case(
        "mask-as-value",
        (SOURCE, "${env:SHOP_PASSWORD}", '"**********"'),
        codes=("mask-as-value",),
    ),
    case(
        "ignored-field",
        (CONNECTION, "{name: orders,", "{name: orders, syncMode: full_refresh_append,"),
        codes=("ignored-field",),
    ),
    case(
        "sync-mode-missing",
        (CONNECTION, "  streamDefaults: {syncMode: incremental_append}\n", ""),
        codes=("sync-mode-missing", "sync-mode-missing"),
    ),
    case(
        "empty-streams",
        (CONNECTION, f"  streams:\n{ORDERS}{CUSTOMERS}", "  streams: []\n"),
        codes=("empty-streams",),
    ),
    case(
        "too-many-streams",
        (CONNECTION, ORDERS, _MANY),
        codes=("too-many-streams",),
    ),
    case(
        "duplicate-stream",
        (CONNECTION, ORDERS, ORDERS * 2),
        codes=("duplicate-stream",),
    ),
    case(
        "duplicate-tag",
        (CONNECTION, "  source: shop\n", "  source: shop\n  tags: [gold, gold]\n"),
        codes=("duplicate-tag",),
    ),
    case(
        "selection-without-key",
        (
            CONNECTION,
            ORDERS,
            _DEDUPED,
        ),
        codes=("selection-misses-column",),
    ),
    case(
        "same-table",
        files={
            "manifests/more.yaml": FILES[CONNECTION].replace(
                "{name: shop-to-warehouse}", "{name: again}"
            )
        },
        codes=("same-table", "same-table"),
    ),
    case(
        "unknown-ignored-path",
        (CONNECTION, "  source: shop\n", "  lifecycle: {ignoreChanges: [/cron]}\n  source: shop\n"),
        codes=("unknown-ignored-path",),
    ),
    # configurations
    case(
        "unknown-connector",
        (SOURCE, "connector: postgres", "connector: postgress"),
        command=("plan",),
        codes=("unknown-connector",),
    ),
    case(
        "ambiguous-connector",
        (
            PROJECT,
            "      catalogs: catalogs\n",
            "      catalogs: catalogs\n      connectors: connectors\n",
        ),
        files={"connectors/ours.json": json.dumps(_ANOTHER_POSTGRES)},
        command=("plan",),
        codes=("ambiguous-connector",),
    ),
    case(
        "plaintext-secret",
        (SOURCE, "${env:SHOP_PASSWORD}", "@PASSWORD@"),
        codes=("plaintext-secret",),
    ),
    case(
        "specification-unknown",
        _OF_THE_PUBLIC_API,
        command=("validate", "-t", "production"),
        exit=0,
        codes=("specification-unknown", "specification-unknown"),
    ),
    case(
        "plaintext-lookalike",
        _OF_THE_PUBLIC_API,
        (SOURCE, "${env:SHOP_PASSWORD}", "@PASSWORD@"),
        command=("validate", "-t", "production"),
        exit=0,
        codes=("specification-unknown", "specification-unknown", "looks-like-a-secret"),
    ),
    case(
        "config-missing-key",
        (SOURCE, "    username: etl\n", ""),
        codes=("config-missing-key",),
    ),
    case(
        "config-wrong-type",
        (SOURCE, "port: 5432", 'port: "5432"'),
        codes=("config-wrong-type",),
    ),
    case(
        "config-wrong-value",
        (SOURCE, "    port: 5432\n", "    port: 5432\n    ssl_mode: {mode: always}\n"),
        codes=("config-wrong-value",),
    ),
    case(
        "config-inside-a-form",
        (
            SOURCE,
            "    port: 5432\n",
            f"    port: 5432\n{_TUNNEL}",
        ),
        codes=("config-wrong-type",),
    ),
    case(
        "config-key-missing-inside-a-form",
        (SOURCE, "    port: 5432\n", "    port: 5432\n    ssl_mode: {mode: verify-ca}\n"),
        codes=("config-missing-key",),
    ),
    case(
        "config-no-form",
        (SOURCE, "    port: 5432\n", "    port: 5432\n    ssl_mode: {}\n"),
        codes=("config-no-form",),
    ),
    case(
        "unknown-configuration-key",
        (SOURCE, "    username: etl\n", "    username: etl\n    shemas: [public]\n"),
        exit=0,
        codes=("unknown-config-key",),
    ),
)
