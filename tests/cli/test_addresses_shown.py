"""The address and the workspace of a target are shown by every plan: what a reference brings there and is
neither may be any variable of the machine."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project, Served
from tests.conftest import Cli

CANARY = "canary-0123456789abcdef"


@pytest.mark.parametrize("api", ["public", "config"])
def test_a_workspace_that_is_none_is_told_by_its_reference(
    project: Project, served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    monkeypatch.setenv("TOPSECRET", CANARY)
    project.edit(
        "reconciler.yaml",
        lambda data: data["spec"]["targets"]["remote"].update(workspace="${env:TOPSECRET}"),
    )
    ran = cli("plan", *project.at, "-t", "remote", "--api", api)
    assert ran.code == 1
    assert "there is no workspace ${env:TOPSECRET}" in " ".join(ran.err.split())
    assert CANARY not in ran.out + ran.err


def test_a_workspace_and_an_address_from_the_environment_are_what_they_are(
    project: Project, served: Served, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRBYTE_URL_OF_TEST", served.url)
    monkeypatch.setenv("WORKSPACE_OF_TEST", "Default Workspace")
    references = {"url": "${env:AIRBYTE_URL_OF_TEST}", "workspace": "${env:WORKSPACE_OF_TEST}"}
    project.edit(
        "reconciler.yaml", lambda data: data["spec"]["targets"]["remote"].update(references)
    )
    ran = cli("plan", *project.at, "-t", "remote")
    assert ran.code == 0
    assert served.url in ran.out
    assert 'workspace "Default Workspace"' in ran.out
