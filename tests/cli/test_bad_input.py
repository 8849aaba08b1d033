"""What the product prints for each kind of bad input, word for word, in tests/golden/bad-input/*.txt.

After a change that is meant, one command records them anew; then read the difference:

    RECONCILER_UPDATE_GOLDEN=1 pytest tests/cli/test_bad_input.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from reconciler.manifests.codes import ALL_CODES
from tests.bad_input.case import CANARIES, Case, Shown, shown, told
from tests.bad_input.cases import CASES, UNREACHABLE

GOLDEN = Path(__file__).parents[1] / "golden" / "bad-input"
UPDATE = os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1"

WITHOUT_NEXT_STEP = {
    # The message itself says what the value must be.
    "config-no-form",
    "config-wrong-type",
    "config-wrong-value",
    # Tells what is done, not what is wrong.
    "selection-widened",
}
OFFLINE = ("validate",)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def bad(request: pytest.FixtureRequest) -> Case:
    case: Case = request.param
    if case.name == "file-unreadable" and sys.platform == "win32":
        pytest.skip("links need rights there")
    return case


@pytest.fixture(scope="module")
def printed(bad: Case) -> Shown:
    return shown(bad)


def _golden(bad: Case, ran: Shown) -> str:
    parts = [f"$ reconciler {' '.join(bad.command)}", ran.out.rstrip("\n")]
    if ran.err:
        parts += ["--- stderr", ran.err.rstrip("\n")]
    return "\n".join([*(part for part in parts if part), f"--- exit {ran.exit}", ""])


def test_it_prints_what_is_recorded(bad: Case, printed: Shown) -> None:
    path = GOLDEN / f"{bad.name}.txt"
    text = _golden(bad, printed)
    if UPDATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_it_exits_as_designed(bad: Case, printed: Shown) -> None:
    assert printed.exit == bad.exit


def test_it_writes_nothing(bad: Case, printed: Shown) -> None:
    assert printed.after == printed.before


def test_it_names_the_place_and_a_next_step(bad: Case, printed: Shown) -> None:
    found = told(printed.text)
    assert tuple(diagnostic.code for diagnostic in found) == bad.codes
    for diagnostic in found:
        place = diagnostic.where.rsplit(":", 2)
        assert (len(place) == 3 and all(part.isdigit() for part in place[1:])) is bad.placed
        assert diagnostic.has_next_step or diagnostic.code in WITHOUT_NEXT_STEP
    if not found:
        # The message about a mistyped effect lists all there are.
        assert "\n  -> " in printed.err or bad.name == "unknown-effect"


def test_it_shows_no_secret(bad: Case, printed: Shown) -> None:
    assert [name for name, canary in CANARIES.items() if canary in printed.text] == []


@pytest.mark.parametrize(
    "bad",
    [case for case in CASES if case.command == OFFLINE and case.exit == 1],
    ids=lambda case: case.name,
)
def test_apply_refuses_what_validate_refuses(bad: Case) -> None:
    applied = shown(bad, command=("apply", "--yes", "-t", "local"))
    assert applied.exit == 1
    assert [d.lines for d in told(applied.text)] == [d.lines for d in told(shown(bad).text)]
    assert applied.after == applied.before


def test_every_code_has_a_case() -> None:
    seen = {code for case in CASES for code in case.codes}
    assert set(ALL_CODES) - seen == set(UNREACHABLE)


def test_no_recording_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {case.name for case in CASES}
    assert len({case.name for case in CASES}) == len(CASES)
