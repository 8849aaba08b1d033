"""The reading of documents, without any server: what the comparison sees and what it lets pass."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.contract.documents import Shell, blocks, missing, shown


def test_blocks_are_found_by_line_and_language() -> None:
    found = blocks('a\n```bash title="x"\necho 1\n```\nb\n```\nplain\n```\n')
    assert [(b.line, b.language, b.text) for b in found.values()] == [
        (2, "bash", "echo 1\n"),
        (6, "", "plain\n"),
    ]


def test_a_block_that_never_ends_is_no_block() -> None:
    with pytest.raises(ValueError, match="line 1"):
        blocks("```bash\necho\n")


def test_what_a_document_leaves_out_is_not_asked_for() -> None:
    text = '{"a": {...}, "u": "http://x//y", // more\n "b": [ /* results */ ], "c": 1,\n}'
    assert shown(text) == {"a": {}, "u": "http://x//y", "b": [], "c": 1}


@pytest.mark.parametrize(
    ("actual", "expected", "paths"),
    [
        ({"a": 1, "b": 2}, {"a": 5}, []),
        ({"a": "1"}, {"a": 1}, ["/a"]),
        ({"a": True}, {"a": 1}, ["/a"]),
        ({"a": None}, {"a": 1}, ["/a"]),
        ({}, {"a": {"b": 1}}, ["/a"]),
        ({"a": {}}, {"a": {"b": 1}}, ["/a/b"]),
        ({"a": [{"x": 1}, {"y": 1}]}, {"a": [{"y": 2}]}, []),
        ({"a": []}, {"a": [{"y": 2}]}, ["/a/0"]),
        ([], {"a": 1}, [""]),
    ],
)
def test_what_is_shown_must_be_there(actual: object, expected: object, paths: list[str]) -> None:
    assert missing(actual, expected) == paths


def test_a_shell_keeps_what_blocks_set_and_tells_how_they_ended(tmp_path: Path) -> None:
    with Shell(tmp_path / "errors", os.environ) as shell:
        assert shell.run("X=1") == (0, "")
        assert shell.run('echo "$X"; printf no-newline') == (0, "1\nno-newline")
        assert shell.run("false") == (1, "")
