"""The published JSON Schemas: where they are, whether data fits them, and if not, why.

Works for the installed package and for a checkout. Knows nothing of files of a project or of targets.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import import_module, resources
from importlib.util import find_spec
from typing import Any, Final

from reconciler.core.model import Json
from reconciler.manifests.explain import Problem, Validator, explain

KINDS: Final = ("connection", "destination", "manifest", "project", "source")
PUBLISHED: Final = (*KINDS, "plan")
"""Those of files that users write, and the one of what the product writes."""


def schema_text(kind: str) -> str:
    """The schema of a kind (any case) as published, of all manifests (`manifest`) or of a saved `plan`.

    Raises ValueError for a kind there is none for."""
    name = kind.lower()
    if name not in PUBLISHED:
        raise ValueError(f"no schema for {kind!r}; there are: {', '.join(PUBLISHED)}")
    package = resources.files("reconciler")
    file = f"{name}.schema.json"
    installed = package / "schemas" / file
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    return (package / ".." / "schemas" / file).read_text(encoding="utf-8")


@cache
def schema(kind: str) -> dict[str, Any]:
    """The same as data; shared, so not to be changed."""
    parsed: dict[str, Any] = json.loads(schema_text(kind))
    return parsed


def problems(kind: str, data: Json) -> tuple[Problem, ...]:
    """Everything that keeps `data` from fitting the schema of a kind, each cause once."""
    if _validator(kind)(data):
        return ()
    return explain(kind, schema(kind), data)


@cache
def _validator(kind: str) -> Callable[[Json], bool]:
    """The Rust validator where it is installed: it decides alike, only quicker."""
    validator: Any = Validator
    if find_spec("jsonschema_rs"):
        validator = import_module("jsonschema_rs").Draft202012Validator
    decide: Callable[[Json], bool] = validator(schema(kind)).is_valid
    return decide
