"""Targets and references that can't be resolved, and manifests that do not fit together (stage 3)."""

from __future__ import annotations

from tests.bad_input.case import case
from tests.bad_input.project import CONNECTION, DESTINATION, FILES, PROJECT, SOURCE

_VARIABLES = "variables: {warehouse: db.example.com}"

CASES = (
    case(
        "unknown-target",
        command=("plan", "-t", "prodution"),
        codes=("unknown-target",),
    ),
    case(
        "unknown-target-in-a-manifest",
        (SOURCE, "{name: shop}", "{name: shop, targets: [prod]}"),
        codes=("unknown-target",),
    ),
    case(
        "no-target-chosen",
        (PROJECT, "  defaultTarget: local\n", ""),
        command=("plan",),
        codes=("target-missing",),
    ),
    case(
        "unknown-rule",
        (
            PROJECT,
            "  defaultTarget: local\n",
            "  defaultTarget: local\n  rules: {plaintext-secrets: error}\n",
        ),
        codes=("unknown-rule",),
    ),
    case(
        "fixed-rule",
        (
            PROJECT,
            "  defaultTarget: local\n",
            "  defaultTarget: local\n  rules: {pin-not-live: off}\n",
        ),
        codes=("fixed-rule",),
    ),
    case(
        "missing-variable",
        (DESTINATION, "${var:warehouse}", "${var:warehous}"),
        codes=("variable-unset",),
    ),
    case(
        "variable-cycle",
        (PROJECT, _VARIABLES, 'variables: {warehouse: "${var:host}", host: "${var:warehouse}"}'),
        codes=("variable-cycle",),
    ),
    case(
        "missing-secret",
        command=("plan",),
        env={"SHOP_PASSWORD": None},
        exit=0,
        codes=("secret-unset",),
    ),
    case(
        "missing-secret-in-apply",
        command=("apply", "--yes"),
        env={"SHOP_PASSWORD": None},
        codes=("secret-unset",),
    ),
    case(
        "missing-credentials",
        (
            PROJECT,
            "url: https://airbyte.example.com",
            'url: https://airbyte.example.com\n      auth: {token: "${env:AIRBYTE_TOKEN}"}',
        ),
        command=("plan", "-t", "production"),
        codes=("reference-unset",),
    ),
    case(
        "reference-cast",
        (PROJECT, _VARIABLES, "variables: {warehouse: db.example.com, port: many}"),
        (SOURCE, "port: 5432", "port: ${var:port|int}"),
        codes=("reference-cast",),
    ),
    case(
        "reference-not-allowed",
        (CONNECTION, "  source: shop\n", "  source: ${env:SOURCE_NAME}\n"),
        codes=("reference-not-allowed",),
    ),
    case(
        "reference-syntax",
        (SOURCE, "${env:SHOP_PASSWORD}", "${env}"),
        codes=("reference-syntax",),
    ),
    case(
        "reference-unknown-scheme",
        (SOURCE, "${env:SHOP_PASSWORD}", "${vault:shop/password}"),
        codes=("reference-unknown-scheme",),
    ),
    case(
        "reference-unreadable",
        (SOURCE, "${env:SHOP_PASSWORD}", "${file:catalogs}"),
        codes=("reference-unreadable",),
    ),
    case(
        "plaintext-credentials",
        (
            PROJECT,
            "url: https://airbyte.example.com",
            "url: https://airbyte.example.com\n      auth: {token: @TOKEN@}",
        ),
        command=("validate", "-t", "production"),
        exit=0,
        codes=("plaintext-secret",),
    ),
    # manifests together
    case(
        "duplicate-address",
        files={"manifests/more.yaml": FILES[SOURCE]},
        codes=("duplicate-address",),
    ),
    case(
        "duplicate-name",
        files={
            "manifests/more.yaml": FILES[SOURCE].replace(
                "{name: shop}\nspec:", "{name: store}\nspec:\n  name: shop"
            )
        },
        codes=("duplicate-name",),
    ),
    case(
        "missing-reference",
        (CONNECTION, "  source: shop\n", "  source: shopp\n"),
        codes=("unknown-reference",),
    ),
    case(
        "reference-to-absent",
        files={SOURCE: FILES[SOURCE] + "state: absent\n"},
        codes=("reference-to-absent",),
    ),
)
