"""Cuts source, destination and connection.schema.json out of manifest.schema.json, each whole in itself.

Editors want one file for all kinds and people one kind to read: the shared definitions are written once.
Run it after editing manifest.schema.json; a test compares.
"""

import json
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parents[2] / "schemas"
KINDS = ("source", "destination", "connection")


def cut(manifest: dict[str, Any], kind: str) -> str:
    definitions = manifest["$defs"]
    root = definitions[kind]
    wanted: set[str] = set()
    to_visit = [root]
    while to_visit:
        for name in _references(to_visit.pop()) - wanted:
            wanted.add(name)
            to_visit.append(definitions[name])
    schema = {
        "$schema": manifest["$schema"],
        "$id": manifest["$id"].replace("manifest.", f"{kind}."),
        **root,
        "$defs": {name: definitions[name] for name in sorted(wanted)},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_references, node))
    if not isinstance(node, dict):
        return set()
    here = {node["$ref"].removeprefix("#/$defs/")} if isinstance(node.get("$ref"), str) else set()
    return here.union(*map(_references, node.values()))


if __name__ == "__main__":
    bundle = json.loads((SCHEMAS / "manifest.schema.json").read_text())
    for each in KINDS:
        (SCHEMAS / f"{each}.schema.json").write_text(cut(bundle, each))
