"""Every diagnostic code of stages 1 to 3 that comes from reading files, with what it stands for.

Codes are stable: projects switch them in `rules`. Holds words only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reconciler.core import codes
from reconciler.core.codes import Code
from reconciler.core.diagnostics import Severity

CODES: Final[Mapping[str, Code]] = {
    # the project and its files
    "connector-file-invalid": Code("a file of `connectors` is neither a definition nor a registry"),
    "file-unreadable": Code("a file that is named can't be opened"),
    "fixed-rule": Code("a rule that would switch off what always holds"),
    "manifest-outside-project": Code("a pattern or link leads out of the project"),
    "manifests-empty": Code("no manifest was found at all"),
    "not-a-manifest": Code("a document of another program, or of another version of the format"),
    "project-missing": Code("no reconciler.yaml, or one that is not a single Project"),
    # YAML
    "yaml-alias": Code("an alias without anchor, inside itself, or standing for too much"),
    "yaml-duplicate-key": Code("a key twice in one mapping"),
    "yaml-limit": Code("too large or too deep"),
    "yaml-syntax": Code("not YAML, or not UTF-8"),
    "yaml-unsupported": Code("YAML that JSON can't hold: tags, other keys than text, infinity"),
    # JSON Schema
    "schema-conflict": Code("keys that can't stand together"),
    "schema-missing-key": Code("a key that must be there and is not"),
    "schema-unknown-key": Code("a key that has no meaning at this place"),
    "schema-wrong-type": Code("text where a list is expected, and the like"),
    "schema-wrong-value": Code("the right type with a value that is not allowed"),
    # targets and references
    "plaintext-secret": Code(
        "a credential that stands in git in clear",
        except_="a warning for a target's own credentials",
        switchable=True,
    ),
    "reference-cast": Code("a value that does not fit its cast or its place in a text"),
    "reference-not-allowed": Code("a reference, or one of its scheme, where none is resolved"),
    "reference-syntax": Code("a reference that is not complete"),
    "reference-unknown-scheme": Code("a reference of a scheme there is not"),
    "reference-unreadable": Code("a file that can't be read as text"),
    "reference-unset": Code("a target setting that env or file does not give"),
    "secret-unset": Code("a secret without a value in this run", Severity.WARNING, switchable=True),
    "target-missing": Code("no target is chosen"),
    "unknown-rule": Code("a rule for a code there is not"),
    "unknown-target": Code("a target there is not"),
    "variable-cycle": Code("variables that refer to each other in a circle"),
    "variable-unset": Code("a variable the target does not have"),
}

ALL_CODES: Final[Mapping[str, Code]] = {**codes.CODES, **CODES}
"""Those of the whole product, which `rules` may name."""
