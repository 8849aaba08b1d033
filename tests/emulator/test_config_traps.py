"""The numbered traps of the Configuration API (CFG §9), one test each, in the files beside.

They speak HTTP and nothing else. Where the trap is a client's own doing, its test shows what the server does
that makes it one. A second test of a trap carries its number with a letter.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

FILES = sorted(Path(__file__).parent.glob("test_config_traps_*.py"))


def test_every_trap_has_exactly_one_test_of_its_number():
    names = [
        node.name
        for file in FILES
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    numbers = [re.match(r"test_cfg_t_(\d\d)_", name) for name in names]
    assert None not in numbers, names
    assert sorted(int(match[1]) for match in numbers if match) == list(range(1, 34))


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
    assert ours <= {"reconciler.emulator.settings", "reconciler.emulator.generations"}
