"""Whatever bytes a plan file holds, it is read as what it says or refused; never a bug, nothing left out."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler import planfile
from reconciler.cli.boundary import run
from reconciler.core.diagnostics import ReconcilerError
from reconciler.core.encode import encode_plan
from reconciler.render.drift import drift_text
from reconciler.render.text import plan_text
from tests.fuzz.mutations import mutated_bytes, mutated_json
from tests.hostile.test_content import broken_rules

slow_is_fine = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A plan with every kind of thing in it."""
    folder = tmp_path_factory.mktemp("plans") / "shop"
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert run(["init", str(folder)]) == 0
        assert run(["apply", "-C", str(folder), "-t", "local", "--yes"]) == 0
        _change(folder / "sources" / "sample-data.yaml", "count: 1000", "count: 7")
        _change(folder / "connections" / "sample-to-nowhere.yaml", "[users, products]", "[users]")
        _change(
            folder / "connections" / "sample-to-nowhere.yaml",
            "full_refresh_append",
            "full_refresh_overwrite",
        )
        run(["plan", "-C", str(folder), "-t", "local", "--out", str(folder / "plan.json")])
    assert (folder / "plan.json").is_file(), out.getvalue() + err.getvalue()
    return (folder / "plan.json").read_bytes()


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def read(content: bytes) -> None:
    """What is taken for a plan says all that the file says, and can be shown."""
    try:
        plan = planfile.read_plan(content, "plan.json")
    except ReconcilerError:
        return
    said = json.loads(content.decode("utf-8-sig"))
    assert says_all({**encode_plan(plan), "formatVersion": said["formatVersion"]}, said)
    for text in (plan_text(plan), plan_text(plan, verbose=True), drift_text(plan)):
        assert list(broken_rules(text)) == []


def says_all(read: Any, said: Any) -> bool:
    """Whether the one holds what the other says. Keys that only the file has are those of a later version."""
    if isinstance(read, dict) and isinstance(said, dict):
        return all(key in said and says_all(read[key], said[key]) for key in read)
    if isinstance(read, list) and isinstance(said, list):
        return len(read) == len(said) and all(map(says_all, read, said))
    return isinstance(read, bool) == isinstance(said, bool) and bool(read == said)


@slow_is_fine
@given(st.one_of(st.binary(max_size=500), st.text(max_size=500).map(str.encode)))
def test_any_bytes_are_no_plan(content: bytes) -> None:
    with pytest.raises(ReconcilerError) as refused:
        planfile.read_plan(content, "plan.json")
    assert len(refused.value.message) < 1_000


@slow_is_fine
@given(data=st.data())
def test_a_plan_with_some_bytes_changed(saved: bytes, data: st.DataObject) -> None:
    read(data.draw(mutated_bytes(saved, [saved])))


@slow_is_fine
@given(data=st.data())
def test_a_plan_with_some_values_changed(saved: bytes, data: st.DataObject) -> None:
    plan = json.loads(saved)
    read(json.dumps(data.draw(mutated_json(plan, [plan]))).encode())
