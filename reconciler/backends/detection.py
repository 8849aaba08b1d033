"""Which of Airbyte's APIs a target means, and where on its server that is.

Knows the paths of each API and how servers of each era answer at them; nothing of what an API does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import httpx

from reconciler.core.capabilities import API_NAMES
from reconciler.core.diagnostics import ApiError, ReconcilerError, Refused, Unreachable
from reconciler.core.servers import BASES, CLOUD, api_of_path, at_api, is_bare, is_cloud
from reconciler.core.target import Target
from reconciler.transport import Transport

EMBEDDED: Final = "embedded"
AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an API may live on a server. `only_on`: the one host where the path alone tells the API."""

    api: str
    path: str
    only_on: str | None = None


PLACES: Final = (
    Place("public", BASES["public"]),
    Place("public", "/v1", only_on=CLOUD),
    Place("config", BASES["config"]),
)
"""In the order of the search: where a server has both APIs, `auto` is the public one."""

_EMBEDDED_BASES: Final[Mapping[str, str]] = {
    api: f"http://embedded{base}" for api, base in BASES.items()
}


@dataclass(frozen=True, slots=True)
class Found:
    """The API in use and its base url."""

    api: str
    base_url: str


def stated_api(target: Target) -> str | None:
    """The API that a target's `api` and `url` state by themselves; None where the server must be asked, or
    where they state none that exists."""
    if target.api != AUTO:
        return target.api
    if target.url == EMBEDDED:
        return "public"
    try:
        url = httpx.URL(target.url)
    except httpx.InvalidURL:
        return None
    return next((place.api for place in PLACES if _ends_at(url, place)), None)


def leaves_open(target: Target) -> bool:
    """Whether neither `api` nor `url` states an API, so that a run may use the one that it needs."""
    return target.api == AUTO and is_bare(target.url)


def for_one_run(target: Target, api: str) -> Target:
    """The target with the API that one run asks for. Where the url is the base of the server's other API,
    it becomes that of this one; raises Refused where no url of it can be known."""
    if api in (AUTO, target.api) or is_bare(target.url) or api_of_path(target.url) == api:
        return replace(target, api=api)
    name = API_NAMES.get(api, api)
    if is_cloud(target.url):
        if api == "public":
            return replace(target, api=api)
        raise Refused(f"target {target.name}: Airbyte Cloud has no {name}")
    url = at_api(target.url, api)
    if url is not None:
        return replace(target, api=api, url=url)
    if target.api == AUTO:  # the path tells nothing, and this run says what it is
        return replace(target, api=api)
    raise Refused(
        f"target {target.name}: its url is the base of the {API_NAMES.get(target.api, target.api)}, and "
        f"where its server has the {name} can't be told from it",
        hint=f"state a target of its own for it: that API's base as url, with api: {api}",
    )


def _ends_at(url: httpx.URL, place: Place) -> bool:
    """A gateway may put a path before Airbyte's own."""
    path = url.path.rstrip("/")
    if place.only_on is not None:
        return url.host == place.only_on and path == place.path
    return path.endswith(place.path)


def stated_base(target: Target, url: httpx.URL | None) -> Found | None:
    """What needs no search: the embedded Airbyte, and a url with a path, which is the base as it stands.
    `url` is None for the embedded one. Raises ReconcilerError for a path that tells no API."""
    api = stated_api(target)
    if url is None:
        return Found(api or "public", _EMBEDDED_BASES[api or "public"])
    if not url.path.rstrip("/"):
        return None
    if api is None:
        shown = target.referred.get("url") or url
        raise ReconcilerError(
            f"target {target.name}: the path of {shown} doesn't tell which API it is",
            hint="state api: public or api: config to take the url as that API's base, "
            "or leave the path out",
        )
    return Found(api, str(url).rstrip("/"))


async def search(target: Target, transport: Callable[[str, str], Transport]) -> Found:
    """The first place whose health answers. `transport` opens one for (api, base url).

    Only a definite no moves on: a 404, or a page of HTML where the API would answer JSON, which is what the
    web app of every self-managed server gives for a path that it doesn't know. A 5xx, a timeout, a 401 or
    403 ends the search: whatever answers next would hide that the API meant is down, or wants credentials.

    A 401 or 403 is no no: from 1.0 on health is open to everybody, and a server with auth on answers 401 for
    any path that it hasn't, before it looks for it; the proxy of the docker-compose era asks for its
    password before any path. Either is mended by credentials or by stating the API, not by guessing on.
    """
    origin = target.url.rstrip("/")
    tried: list[str] = []
    for place in _places(target):
        base_url = f"{origin}{place.path}"
        async with transport(place.api, base_url) as candidate:
            try:
                answer = await candidate.probe("/health")
            except ApiError as error:
                raise _ended(error, base_url, tried) from error
        if answer is None:
            return Found(place.api, base_url)
        tried.append(f"{base_url}/health: {answer}")
    raise Unreachable(
        f"no Airbyte API at {origin}: tried {'; '.join(tried)}",
        hint="write the API's whole base path as url, with api: public or api: config",
    )


def _places(target: Target) -> tuple[Place, ...]:
    """Where the target's API may be. A host that an API has to itself has nothing else, and no other server
    is asked there: each request carries credentials. Raises Refused where it is nowhere."""
    host = httpx.URL(target.url).host
    own = tuple(place for place in PLACES if place.only_on == host)
    there = own or tuple(place for place in PLACES if place.only_on is None)
    wanted = tuple(place for place in there if target.api in (AUTO, place.api))
    if not wanted:
        name = API_NAMES.get(target.api, target.api)
        raise Refused(
            f"target {target.name}: {host} has no {name}",
            hint=f"leave api out: the {API_NAMES[own[0].api]} is there",
        )
    return wanted


def _ended(error: ApiError, base_url: str, tried: list[str]) -> ApiError:
    """The same kind of error, with the address that was asked and what was tried before; where a server
    answered, also how not to depend on a search."""
    message = error.message
    if base_url not in message:
        message = message.replace("GET /health", f"GET {base_url}/health", 1)
    if tried:
        message = f"{message} (before that {'; '.join(tried)})"
    stated = "the API is not searched for where the url has its base path, e.g. …/api/public/v1"
    hints = [error.hint, stated if error.status else ""]
    return type(error)(message, hint="; ".join(filter(None, hints)), status=error.status)
