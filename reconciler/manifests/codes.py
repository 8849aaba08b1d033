"""Every diagnostic code of stages 1 to 3 that comes from reading files, with what it stands for.

Codes are stable: projects switch them in `rules`. Holds words only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    # the project and its files
    "connector-file-invalid": "a file of `connectors` is neither a definition nor a registry",
    "file-unreadable": "a file that is named can't be opened",
    "manifest-outside-project": "a pattern or link leads out of the project",
    "manifests-empty": "no manifest was found at all",
    "not-a-manifest": "a document of another program, or of another version of the format",
    "project-missing": "no reconciler.yaml, or one that is not a single Project",
    # YAML
    "yaml-alias": "an alias without anchor, inside itself, or standing for too much",
    "yaml-duplicate-key": "a key twice in one mapping",
    "yaml-limit": "too large or too deep",
    "yaml-syntax": "not YAML, or not UTF-8",
    "yaml-unsupported": "YAML that JSON can't hold: tags, other keys than text, infinity",
    # JSON Schema
    "schema-conflict": "keys that can't stand together",
    "schema-missing-key": "a key that must be there and is not",
    "schema-unknown-key": "a key that has no meaning at this place",
    "schema-wrong-type": "text where a list is expected, and the like",
    "schema-wrong-value": "the right type with a value that is not allowed",
    # targets and references
    "plaintext-secret": "a credential that stands in git in clear",
    "reference-cast": "a value that does not fit its cast or its place in a text",
    "reference-not-allowed": "a reference, or one of its scheme, where none is resolved",
    "reference-syntax": "a reference that is not complete",
    "reference-unknown-scheme": "a reference of a scheme there is not",
    "reference-unreadable": "a file that can't be read as text",
    "reference-unset": "a target setting that env or file does not give",
    "secret-unset": "a secret without a value in this run",
    "target-missing": "no target is chosen",
    "unknown-target": "a target there is not",
    "variable-cycle": "variables that refer to each other in a circle",
    "variable-unset": "a variable the target does not have",
}
