"""Which hosts may be spoken to: patterns that the machine states."""

from __future__ import annotations

import httpx
import pytest

from reconciler.core.diagnostics import Refused
from reconciler.transport.hosts import allowed_hosts, refuse_host


def refused(patterns: str | None, url: str) -> bool:
    try:
        refuse_host(httpx.URL(url), allowed_hosts(patterns), "target t")
    except Refused:
        return True
    return False


@pytest.mark.parametrize(
    ("patterns", "url"),
    [
        (None, "https://anywhere.example.com"),
        ("a.example.com", "https://a.example.com/api/public/v1"),
        ("A.Example.com", "https://a.EXAMPLE.com"),
        ("a.example.com", "https://a.example.com:8443"),
        ("a.example.com:443", "https://a.example.com"),
        ("a.example.com:80", "http://a.example.com"),
        ("*.example.com", "https://a.b.example.com"),
        ("localhost:80*", "http://localhost:8000"),
        ("x.example.com, a.example.com ,", "https://a.example.com"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("*", "https://anywhere.example.com"),
    ],
)
def test_a_host_that_matches_is_allowed(patterns: str | None, url: str) -> None:
    assert not refused(patterns, url)


@pytest.mark.parametrize(
    ("patterns", "url"),
    [
        ("", "https://a.example.com"),
        (" , ", "https://a.example.com"),
        ("a.example.com", "https://a.example.com.evil.org"),
        ("a.example.com", "https://evil.org/a.example.com"),
        ("example.com", "https://a.example.com"),
        ("*.example.com", "https://example.com.evil.org"),
        ("a.example.com:443", "https://a.example.com:8443"),
        ("a.example.com:443", "http://a.example.com"),
        ("[::1]:8000", "http://[::1]:9000"),
    ],
)
def test_any_other_host_is_refused(patterns: str, url: str) -> None:
    assert refused(patterns, url)


def test_a_refusal_names_the_host_the_variable_and_what_is_allowed() -> None:
    with pytest.raises(
        Refused, match=r"host evil\.org:8443 is not in RECONCILER_ALLOWED_HOSTS"
    ) as no:
        refuse_host(httpx.URL("https://evil.org:8443"), ("a.example.com",), "target t")
    assert "a.example.com" in no.value.hint
