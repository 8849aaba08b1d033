"""What an address alone tells of the APIs behind it, and where the other one is."""

from __future__ import annotations

import pytest

from reconciler.core.servers import api_of_path, at_api, is_bare, is_cloud

HERE = "https://airbyte.example.com"


@pytest.mark.parametrize(
    ("url", "api"),
    [
        (f"{HERE}/api/public/v1", "public"),
        (f"{HERE}/api/public/v1/", "public"),
        (f"{HERE}/gateway/api/v1", "config"),
        (f"{HERE}/v1", None),
        (HERE, None),
        ("embedded", None),
        ("http://[::1", None),
    ],
)
def test_the_path_tells_the_api(url: str, api: str | None) -> None:
    assert api_of_path(url) == api


@pytest.mark.parametrize(
    ("url", "cloud"),
    [
        ("https://api.airbyte.com/v1", True),
        ("https://CLOUD.airbyte.com", True),
        ("https://airbyte.com.example.com", False),
        ("https://notairbyte.com", False),
        ("embedded", False),
    ],
)
def test_the_cloud_is_known_by_its_host(url: str, cloud: bool) -> None:
    assert is_cloud(url) is cloud


@pytest.mark.parametrize(
    ("url", "bare"),
    [(HERE, True), (f"{HERE}/", True), ("embedded", True), (f"{HERE}/api/v1", False)],
)
def test_a_url_without_a_path_leaves_the_api_open(url: str, bare: bool) -> None:
    assert is_bare(url) is bare


def test_the_cloud_leaves_nothing_open() -> None:
    assert not is_bare("https://api.airbyte.com")


@pytest.mark.parametrize(
    ("url", "api", "there"),
    [
        (f"{HERE}/api/public/v1", "config", f"{HERE}/api/v1"),
        (f"{HERE}/x/api/v1/", "public", f"{HERE}/x/api/public/v1"),
        (f"{HERE}/api/v1", "config", f"{HERE}/api/v1"),
        (HERE, "config", HERE),
        (f"{HERE}/proxy", "config", None),
        ("https://api.airbyte.com/v1", "config", None),
    ],
)
def test_the_same_server_has_its_other_api(url: str, api: str, there: str | None) -> None:
    assert at_api(url, api) == there
