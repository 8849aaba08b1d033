"""The numbered traps of the public API (PUB §10), one test each: 1-20 and 21-40 in the files beside.

They speak HTTP and nothing else. A second test of a trap carries its number with a letter.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

FILES = sorted(Path(__file__).parent.glob("test_public_traps_*.py"))


def test_every_trap_has_exactly_one_test_of_its_number():
    names = [
        node.name
        for file in FILES
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    numbers = [re.match(r"test_pub_t_(\d\d)_", name) for name in names]
    assert None not in numbers, names
    assert [int(match[1]) for match in numbers if match] == list(range(1, 41))


def test_no_trap_is_shown_by_the_client():
    modules = {
        module
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    ours = {module for module in modules if module.startswith("reconciler")}
    assert ours <= {"reconciler.emulator.settings"}
