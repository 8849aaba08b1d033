"""The fields of the published schemas, section by section, as the manifest reference shows them.

A section is a document or a definition that has fields; fields of mappings written in place are named by
their path. Reads schemas only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.manifests.schema import schema

Node = Mapping[str, Any]

DEFINITIONS: Final = "#/$defs/"
_ABSENT = re.compile(r"\bAbsent(?: or [^:]*)?: (?P<meaning>.+?)(?:\.(?= |$)|$)")


@dataclass(frozen=True)
class Field:
    """`refers` is the definition that says more of it; `example` is YAML: `key: value`."""

    path: str
    required: bool
    value: str
    meaning: str
    absent: str
    example: str
    node: Node
    refers: str = ""


@dataclass(frozen=True)
class Section:
    """`definition` is empty for a whole document."""

    kind: str
    definition: str
    title: str
    meaning: str
    fields: tuple[Field, ...]


def definitions(kind: str) -> Node:
    found: Node = schema(kind)["$defs"]
    return found


def document(kind: str) -> Section:
    root = schema(kind)
    needed = {*root["required"], *root.get("then", {}).get("required", ())}
    return _section(kind, "", {**root, "required": sorted(needed)})


def section(kind: str, name: str) -> Section:
    """Of one definition. A spec's required fields are those that its document asks for."""
    then = schema(kind).get("then", {}).get("properties", {}).get("spec", {})
    node = definitions(kind)[name]
    if name.endswith("Spec"):
        node = {**node, "required": then["required"]}
    return _section(kind, name, node)


def has_fields(kind: str, name: str) -> bool:
    return bool(_section(kind, name, definitions(kind)[name]).fields)


def _section(kind: str, name: str, node: Node) -> Section:
    found = tuple(_fields(kind, node, ""))
    return Section(kind, name, node.get("title", name), node.get("description", ""), found)


def _fields(kind: str, node: Node, at: str) -> Iterator[Field]:
    """Those of a mapping and of what is written in place inside it, not of definitions it refers to."""
    for key, child in node.get("properties", {}).items():
        path = f"{at}.{key}" if at else key
        yield _field(kind, path, child, required=key in node.get("required", ()))
        if "$ref" not in child:
            yield from _inside(kind, child, path)
    for branch in node.get("anyOf", ()):
        if "$ref" not in branch:
            yield from _fields(kind, branch, at)


def _inside(kind: str, node: Node, path: str) -> Iterator[Field]:
    yield from _fields(kind, node, path)
    items = node.get("items", {})
    if "$ref" not in items:
        yield from _fields(kind, items, f"{path}[]")


def _field(kind: str, path: str, node: Node, *, required: bool) -> Field:
    whole, refers = _resolved(kind, node)
    meaning = whole.get("description", "")
    absent = _ABSENT.search(meaning)
    return Field(
        path=path,
        required=required,
        value=_value(whole),
        meaning=meaning,
        absent=absent["meaning"] if absent else "",
        example=_example(path.rsplit(".", 1)[-1], whole),
        node=node,
        refers=refers,
    )


def _example(key: str, node: Node) -> str:
    given = [*node.get("examples", ()), node.get("const"), node.get("default")]
    for branch in (node, *node.get("anyOf", ())):
        given += branch.get("enum", ())
    value = next((value for value in given if value is not None), None)
    return "" if value is None else f"{key}: {_flow(value)}"


def _resolved(kind: str, node: Node) -> tuple[dict[str, Any], str]:
    """The node laid over the definition it refers to, and the definition that has fields of its own:
    its own, or that of its items or values."""
    name = node.get("$ref", "").removeprefix(DEFINITIONS)
    whole = {**definitions(kind).get(name, {}), **node}
    inner = [name, *(_named(whole.get(part)) for part in ("items", "additionalProperties"))]
    return whole, next((n for n in inner if (n and has_fields(kind, n)) or n == "mapper"), "")


def _named(node: Any) -> str:
    return node.get("$ref", "").removeprefix(DEFINITIONS) if isinstance(node, Mapping) else ""


def _value(node: Node) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "title" in node:
        return str(node["title"])
    values = [v for branch in node.get("anyOf", ()) for v in branch.get("enum", ())]
    return ", ".join(f"`{value}`" for value in values)


_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./:@-]*")


def _flow(value: Any) -> str:
    """YAML in flow style; quotes where a reader of YAML 1.1 or 1.2 could take it for something else."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and not value.endswith(":"):
        return value
    return json.dumps(value, ensure_ascii=False)
