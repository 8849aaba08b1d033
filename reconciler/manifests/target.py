"""One target of the project file as a core Target: its variables and settings with references resolved.

Opens no connection; a folder or URL named here is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.core.diagnostics import Diagnostic, Severity
from reconciler.core.model import UNSET, Json, Keep, Secret
from reconciler.core.target import Auth, Limits, Target
from reconciler.manifests.parse import Parsed
from reconciler.manifests.references import BadReference, Reference, pointer, split, walk
from reconciler.manifests.values import Scope, named, resolve_text

_TAKES_SECRETS: Final = frozenset({"auth", "url", "variables", "workspace"})
SHOWN: Final = ("url", "workspace")
"""Stand at the head of every plan, in pull requests too."""
_BROKEN: Final = BadReference("", "", "")
"""Raised for a variable whose own problem is told where the variable stands."""


class Variables:
    """The variables of one target, resolved on first use; problems are told once, in the project file."""

    def __init__(
        self, project: Parsed, target: str, project_dir: Path, env: Mapping[str, str]
    ) -> None:
        raw = project.data["spec"]["targets"][target].get("variables") or {}
        self.problems: list[Diagnostic] = []
        self.scope = Scope(project_dir, env, self._value, tuple(sorted(raw)))
        self._project = project
        self._raw: Mapping[str, Json] = raw
        self._prefix = ["spec", "targets", target, "variables"]
        self._active: list[str] = []
        self._known: dict[str, Json] = {}

    def all(self) -> dict[str, Json]:
        """Those that can be resolved."""
        values = {}
        for name in sorted(self._raw):
            try:
                values[name] = self._value(name)
            except BadReference:
                continue
        return values

    def _value(self, name: str) -> Json:
        if name in self._active:
            circle = " → ".join([*self._active[self._active.index(name) :], name])
            raise BadReference(
                "variable-cycle",
                f"variables that refer to each other in a circle: {circle}",
                "give one of them a plain value",
            )
        if name not in self._raw:
            raise KeyError(name)
        if name not in self._known:
            self._active.append(name)
            self._known[name] = self._resolve(name)
            self._active.pop()
        value = self._known[name]
        if value is _BROKEN:
            raise _BROKEN
        return value

    def read_files(self, text: str) -> bool:
        """Whether a text that can be resolved has anything in it that comes from a file."""
        parts = [part for part in split(text) if isinstance(part, Reference)]
        return any(
            part.scheme == "file"
            or (part.scheme == "var" and self._reads_files(self._raw.get(part.name)))
            for part in parts
        )

    def _reads_files(self, raw: Json) -> bool:
        if isinstance(raw, dict):
            return any(map(self._reads_files, raw.values()))
        if isinstance(raw, list):
            return any(map(self._reads_files, raw))
        return isinstance(raw, str) and self.read_files(raw)

    def _resolve(self, name: str) -> Json:
        broken = False

        def on_text(text: str, path: list[str | int]) -> Json:
            nonlocal broken
            try:
                value = resolve_text(text, self.scope)
                _refuse_keep(value)
            except BadReference as bad:
                broken = True
                if bad is not _BROKEN:
                    self.problems.append(diagnostic(bad, self._project, pointer(path)))
                return text
            return value

        value = walk(self._raw[name], [*self._prefix, name], on_text)
        return _BROKEN if broken else value


def is_broken(bad: BadReference) -> bool:
    """Whether the problem is already told, at the variable that has it."""
    return bad is _BROKEN


def diagnostic(
    bad: BadReference, document: Parsed, place: str, address: str | None = None
) -> Diagnostic:
    return Diagnostic(
        code=bad.code,
        message=bad.message,
        hint=bad.hint,
        span=document.locate(place),
        address=address,
        pointer=place,
    )


def _refuse_keep(value: Json) -> None:
    if isinstance(value, Keep):
        raise BadReference(
            "reference-not-allowed",
            "${keep} can't stand here: it says that a server's secret stays",
            "write ${keep} under spec.configuration of a source or destination, or as a mapper's key",
        )


def _check_setting(value: Json, setting: object) -> None:
    _refuse_keep(value)
    if isinstance(value, Secret) and setting not in _TAKES_SECRETS:
        raise BadReference(
            "reference-not-allowed",
            f"{named(value)} can't stand here: env and file are for url, workspace, auth and variables",
            "write the value itself, or a variable that holds a plain value",
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one target, without its variables; Secret leaves only in `auth`. `referred`, `origins`: see
    Target."""

    values: Mapping[str, Json]
    referred: Mapping[str, str]
    origins: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]


def resolve_settings(
    project: Parsed, target: str, variables: Variables, *, tolerate_missing: bool
) -> Settings:
    found: list[Diagnostic] = []
    referred: dict[str, str] = {}
    origins: dict[str, str] = {}
    raw = project.data["spec"]["targets"][target]

    def on_text(text: str, path: list[str | int]) -> Json:
        place = pointer(path)
        setting = path[3]
        try:
            value = resolve_text(text, variables.scope)
            _check_setting(value, setting)
            if setting in SHOWN and variables.read_files(text):
                raise _file_where_shown(str(setting))
        except BadReference as bad:
            if not is_broken(bad):
                found.append(diagnostic(bad, project, place))
            return text
        if not isinstance(value, Secret):
            return value
        if not value.known and not tolerate_missing:
            found.append(diagnostic(_unset(value), project, place))
        if setting == "auth":
            return value
        referred[str(setting)] = named(value)
        origins[str(setting)] = value.stated or value.label
        return value.value if value.known else value.label

    settings = {key: value for key, value in raw.items() if key != "variables"}
    values = walk(settings, ["spec", "targets", target], on_text)
    return Settings(values, referred, origins, tuple(found))


def _file_where_shown(setting: str) -> BadReference:
    return BadReference(
        "reference-not-allowed",
        f"what is in a file can't be the {setting}: every plan shows that, in pull requests too",
        "write the value itself, or ${env:NAME}; what nobody may see belongs under auth",
    )


def _unset(secret: Secret) -> BadReference:
    return BadReference(
        "reference-unset",
        f"{named(secret)} has no value, and this target needs it",
        "set it, give it a default (${env:NAME:-default}), or choose another target with -t",
    )


def secrets(node: Json, path: list[str | int]) -> Iterator[tuple[list[str | int], Secret]]:
    if isinstance(node, Secret):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from secrets(value, [*path, key])
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from secrets(value, [*path, index])


def build_target(
    name: str,
    resolved: Settings,
    variables: Mapping[str, Json],
    rules: Mapping[str, str],
    project_dir: Path,
) -> Target:
    """What is resolved fits the schema; paths become absolute."""
    settings = resolved.values
    limits = settings.get("limits") or {}
    return Target(
        name=name,
        url=settings["url"],
        api=settings.get("api", "auto"),
        workspace=settings.get("workspace"),
        auth=_auth(settings.get("auth") or {}),
        variables=variables,
        connectors=_absolute(settings.get("connectors"), project_dir),
        catalogs=_absolute(settings.get("catalogs"), project_dir),
        prune=settings.get("prune", "none"),
        limits=Limits(_percent(limits.get("deletes")), _percent(limits.get("updates"))),
        rules=dict(sorted(rules.items())),
        referred=dict(sorted(resolved.referred.items())),
        origins=dict(sorted(resolved.origins.items())),
    )


def _auth(data: Mapping[str, Any]) -> Auth:
    return Auth(
        client_id=data.get("clientId"),
        client_secret=data.get("clientSecret"),
        token=data.get("token"),
        username=data.get("username"),
        password=data.get("password"),
        headers=dict(sorted((data.get("headers") or {}).items())),
    )


def _absolute(path: str | None, project_dir: Path) -> str | None:
    if path is None or path.startswith(("http://", "https://")):
        return path
    whole = project_dir / path
    return str(whole if "\0" in path else whole.resolve())  # who reads it refuses such a name


def _percent(share: str | float | None) -> float | None:
    if share is None:
        return None
    return float(share.removesuffix("%")) if isinstance(share, str) else float(share)


def plaintext(project: Parsed, target: str, settings: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """Credentials that stand in git in clear."""
    for key in ("clientSecret", "password", "token"):
        if isinstance((settings.get("auth") or {}).get(key, UNSET), str):
            place = pointer(["spec", "targets", target, "auth", key])
            yield Diagnostic(
                code="plaintext-secret",
                message=f"{key} of target {target!r} stands in git in clear",
                hint='write a reference: "${env:NAME}"',
                severity=Severity.WARNING,
                span=project.locate(place),
                pointer=place,
            )
