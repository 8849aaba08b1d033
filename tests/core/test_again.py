"""Commands that are printed to be pasted, and what is never broken over lines."""

from __future__ import annotations

import shlex

import pytest

from reconciler.core.again import NOTHING, Again, command
from reconciler.render.layout import wrap

TYPED = Again("my project", "staging", "config", ".env")


def test_a_command_repeats_what_was_typed() -> None:
    assert command(TYPED, ("apply", "source/shop")) == (
        "reconciler apply source/shop -C 'my project' -t staging --api config --env-file .env"
    )


def test_nothing_typed_adds_nothing() -> None:
    assert command(NOTHING, ("jobs", "list")) == "reconciler jobs list"


def test_the_api_that_a_command_needs_goes_before_the_one_in_use() -> None:
    asked = command(Again(api="public"), ("refresh", "connection/x"), api="config")
    assert asked == "reconciler refresh connection/x --api config"


@pytest.mark.parametrize("name", ["a b", "it's", "$(rm)", "a;b", "`x`", "-x", 'say "x"', "ü, ö"])
def test_a_shell_reads_the_words_as_they_were(name: str) -> None:
    line = command(Again(directory=name), ("refresh", "connection/x", f"--stream={name}"))
    assert shlex.split(line)[1:] == ["refresh", "connection/x", f"--stream={name}", "-C", name]


@pytest.mark.parametrize("stream", ["orders", "line items", "public.a, b", "it's", "a;b"])
@pytest.mark.parametrize("around", ["wait for it: {}; or leave it", "({})", "{}", "once: {}."])
def test_a_command_in_a_text_stays_on_one_line(stream: str, around: str) -> None:
    line = command(TYPED, ("refresh", "connection/shop", f"--stream={stream}"))
    assert any(line in part for part in wrap(around.format(line), 40))


def test_the_words_around_a_command_are_wrapped() -> None:
    text = f"{'word ' * 20}, then: {command(NOTHING, ('jobs', 'list'))}; {'more ' * 20}"
    lines = wrap(text, 40)
    assert max(map(len, lines)) <= 40
    assert " ".join(lines) == " ".join(text.split())
