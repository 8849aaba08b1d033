"""Whatever bytes a file holds, reading it ends in documents or in mistakes with a place; never in a bug."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.core.build import build
from reconciler.manifests import load, resolve
from reconciler.manifests.parse import parse
from tests.bad_input.project import CATALOG, FILES
from tests.fuzz.mutations import mutated_bytes, mutated_json

MANIFESTS = {name: text for name, text in FILES.items() if name != CATALOG}
VALID = [text.encode() for text in MANIFESTS.values()]
DATA = [yaml.safe_load(text) for text in MANIFESTS.values()]
ENVIRONMENT = {"SHOP_PASSWORD": "canary-" * 4, "LAKE_PASSWORD": "canary-" * 5}
slow_is_fine = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def whole(files: dict[str, bytes]) -> tuple[str, ...]:
    """Loaded, resolved and built, as every command begins; the messages of it all."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        loaded = load(folder)
        found = list(loaded.diagnostics)
        for target in ("local", "production"):
            resolved = resolve(loaded, target, ENVIRONMENT, tolerate_missing=True)
            found += resolved.diagnostics
            found += build(resolved.documents, target)[1]
    for diagnostic in found:
        assert diagnostic.message
        assert diagnostic.code
        if diagnostic.span is not None:
            assert diagnostic.span.line >= 1
            assert diagnostic.span.column >= 1
    return tuple(f"{d.message} {d.hint}" for d in found)


def project(**changed: bytes) -> dict[str, bytes]:
    return {name: text.encode() for name, text in MANIFESTS.items()} | changed


@slow_is_fine
@given(st.one_of(st.binary(max_size=2_000), st.text(max_size=2_000).map(str.encode)))
@example(b"a: \xed\xa0\x80")
@example(b"? [a]\n: b\n? {c: d}\n: e")
@example("a: \ufeff b".encode())
@example(b"%YAML 9.9\n---\na: !<!x> b\n...\n%TAG ! x\n--- *a")
def test_any_bytes_are_documents_or_mistakes(content: bytes) -> None:
    documents, problems = parse(content, "any.yaml")
    for document in documents:
        json.dumps(document.data, allow_nan=False).encode()
        assert document.locate("/nowhere/at/all").line >= 1
    for problem in problems:
        assert problem.span is not None
        assert problem.hint


@slow_is_fine
@given(st.sampled_from(sorted(MANIFESTS)), st.data())
def test_a_valid_file_with_some_bytes_changed(name: str, data: st.DataObject) -> None:
    content = data.draw(mutated_bytes(MANIFESTS[name].encode(), VALID))
    messages = whole(project(**{name: content}))
    assert all("canary-" not in message for message in messages)


@slow_is_fine
@given(st.integers(0, len(DATA) - 1), st.data())
def test_a_valid_file_with_some_values_changed(index: int, data: st.DataObject) -> None:
    name = list(MANIFESTS)[index]
    changed: Any = data.draw(mutated_json(DATA[index], DATA))
    messages = whole(project(**{name: yaml.safe_dump(changed).encode("utf-8", "replace")}))
    assert all("canary-" not in message for message in messages)
