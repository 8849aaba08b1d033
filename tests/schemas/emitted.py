"""Which diagnostic codes the product's source can emit, found in its syntax tree.

A code is what stands where a function or dataclass of the product has a parameter or field called `code`,
and what comes first in a `_Problem` tuple. Whatever can't be told from the syntax is returned as unclear,
so that no way of emitting a code escapes unseen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "reconciler"
ELSEWHERE = "emulator"
"""Where `code` means something else: what a server answers."""


@dataclass
class Emitted:
    """`codes`: code → where it is written (`core/build.py:37`); `patterns` stand for several codes."""

    codes: dict[str, str] = field(default_factory=dict)
    patterns: dict[str, str] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)


def emitted() -> Emitted:
    found = Emitted()
    modules = {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != ELSEWHERE
    }
    takers = {module: dict(_takers(tree)) for module, tree in modules.items()}
    public = {
        name: at for own in takers.values() for name, at in own.items() if not name.startswith("_")
    }
    for module, tree in modules.items():
        positions = {**public, **takers[module]}
        for function in _functions(tree):
            for node, code in (*_given(function, positions), *_yielded(function)):
                _note(found, f"{module}:{node.lineno}", code, function)
    return found


def _functions(tree: ast.Module) -> Iterator[ast.AST]:
    """Every function, and the module for what stands outside of them."""
    yield tree
    yield from (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own(child)


def _takers(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of what takes a code, each with the position of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args if argument.arg != "self"]
            if "code" in names and node.name != "__init__":
                yield node.name, names.index("code")
        elif isinstance(node, ast.ClassDef):
            names = [
                child.target.id
                for child in node.body
                if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name)
            ]
            made = next(
                (c for c in node.body if isinstance(c, ast.FunctionDef) and c.name == "__init__"),
                None,
            )
            if made is not None:
                names = [argument.arg for argument in made.args.args if argument.arg != "self"]
            if "code" in names:
                yield node.name, names.index("code")


def _given(function: ast.AST, positions: dict[str, int]) -> Iterator[tuple[ast.Call, ast.expr]]:
    for node in _own(function):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else called
        if called not in positions:
            continue
        named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if named or len(node.args) > positions[called]:
            yield node, (named or node.args[positions[called] :])[0]


def _yielded(function: ast.AST) -> Iterator[tuple[ast.Yield, ast.expr]]:
    returns = getattr(function, "returns", None)
    if returns is None or "_Problem" not in ast.unparse(returns):
        return
    for node in _own(function):
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            yield node, node.value.elts[0]


def _note(found: Emitted, place: str, code: ast.expr, function: ast.AST) -> None:
    for text in _texts(code, function):
        if text == "":
            continue  # a marker that is never told
        if text is None:
            found.unclear.append(f"{place} {ast.unparse(code)}")
        elif "*" in text:
            found.patterns.setdefault(text, place)
        else:
            found.codes.setdefault(text, place)


def _texts(code: ast.expr, function: ast.AST) -> Iterator[str | None]:
    """The codes an expression may stand for; `*` for a part that is not written out, None for no idea.
    Nothing where a code is only handed on."""
    if isinstance(code, ast.Constant) and isinstance(code.value, str):
        yield code.value
    elif isinstance(code, ast.IfExp):
        yield from _texts(code.body, function)
        yield from _texts(code.orelse, function)
    elif isinstance(code, ast.JoinedStr):
        yield from _joined(code.values, function)
    elif isinstance(code, ast.Name):
        yield from _named(code.id, function)
    elif not _handed_on(code):
        yield None


def _handed_on(code: ast.expr) -> bool:
    """`problem.code`, and `data["code"]` of a saved plan."""
    if isinstance(code, ast.Attribute):
        return code.attr == "code"
    return isinstance(code, ast.Subscript) and ast.unparse(code.slice) == "'code'"


def _joined(parts: list[ast.expr], function: ast.AST) -> Iterator[str]:
    if not parts:
        yield ""
        return
    value = parts[0].value if isinstance(parts[0], ast.FormattedValue) else parts[0]
    heads = list(_texts(value, function)) or ["*"]
    for rest in _joined(parts[1:], function):
        yield from (f"{head or '*'}{rest}" for head in heads)


def _named(name: str, function: ast.AST) -> Iterator[str | None]:
    """What is assigned to the name; a parameter or loop variable called `code` is only handed on."""
    values = [
        value
        for node in _own(function)
        if isinstance(node, ast.Assign)
        for target, value in _assignments(node)
        if isinstance(target, ast.Name) and target.id == name
    ]
    if not values and name != "code":
        yield None
    for value in values:
        yield from _texts(value, function)


def _assignments(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value
