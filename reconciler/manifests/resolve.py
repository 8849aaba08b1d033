"""Documents for one target: references resolved on values, what they bring checked again (stage 3).

Never changes what was loaded. Every value of env and file leaves as a Secret, or is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core import redact
from reconciler.core.connector import closest, escape
from reconciler.core.diagnostics import Diagnostic, Severity, errors, in_order
from reconciler.core.lookalikes import looking_secret
from reconciler.core.model import KEEP, Document, Json, Keep, Secret
from reconciler.core.target import Target
from reconciler.manifests.loader import Loaded, address_of, schema_diagnostics
from reconciler.manifests.parse import Parsed
from reconciler.manifests.references import (
    BadReference,
    Path,
    Reference,
    pointer,
    split,
    takes_keep,
    takes_secret,
    walk,
)
from reconciler.manifests.target import (
    Variables,
    build_target,
    diagnostic,
    is_broken,
    plaintext,
    resolve_settings,
    secrets,
)
from reconciler.manifests.values import Scope, named, resolve_text

_RESOLVED = " (once its references are resolved)"
_BETWEEN_PARTS: Final = re.compile(r"[/:@?#&=]+")
_LONG_SECRET: Final = 16
_SIGNS_IN: Final = ("auth", "session", "signature")
"""In the name of a header, besides what keys of secrets are called: `X-Auth`, `X-Session-Id`."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """`target` is None only where `diagnostics` holds the error that says why; `documents` are all of the
    target, sorted by file, or none where one of them has an error: what points at it would look as if it
    pointed at nothing. `diagnostics` are this stage's alone."""

    target: Target | None
    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]


def resolve(
    loaded: Loaded,
    target: str | None,
    env: Mapping[str, str],
    *,
    tolerate_missing: bool = False,
) -> Resolved:
    """With `tolerate_missing` a target setting that env or file does not give is no error: its credentials
    are Secrets without a value, its url and workspace read as git writes them."""
    if loaded.project is None:
        return Resolved(None, (), ())
    name, wrong = choose_target(loaded.project, target)
    if name is None:
        return Resolved(None, (), wrong)
    variables = Variables(loaded.project, name, loaded.project_dir, env)
    chosen, wrong = _target(
        loaded, loaded.project, name, variables, tolerate_missing=tolerate_missing
    )
    found = list(wrong)
    documents = []
    for document in loaded.documents:
        only = document.data["metadata"].get("targets")
        if only is None or name in only:
            resolved, problems = _resolve_document(document, variables.scope)
            found += problems
            if resolved is not None:
                documents.append(resolved)
    if chosen is not None:
        found += _shown_secrets(loaded.project, chosen, documents)
    usable = () if errors(found) else tuple(documents)
    return Resolved(chosen, usable, in_order(found))


def choose_target(project: Parsed, target: str | None) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The named one, else the project's default, else the only one."""
    spec = project.data["spec"]
    names = sorted(spec["targets"])
    name = target or spec.get("defaultTarget") or (names[0] if len(names) == 1 else None)
    if name in names:
        return name, ()
    listed = ", ".join(names)
    if name is None:
        code, message = "target-missing", "no target is chosen, and there is no defaultTarget"
        hint = f"name one with -t, or set spec.defaultTarget; there are: {listed}"
    else:
        guess = closest(name, names)
        code, message = "unknown-target", f"reconciler.yaml has no target {name!r}"
        hint = f"did you mean {guess}?" if guess else f"there are: {listed}"
    place = "/spec/targets" if target or name is None else "/spec/defaultTarget"
    return None, (
        Diagnostic(
            code=code, message=message, hint=hint, span=project.locate(place), pointer=place
        ),
    )


def _target(
    loaded: Loaded, project: Parsed, name: str, variables: Variables, *, tolerate_missing: bool
) -> tuple[Target | None, tuple[Diagnostic, ...]]:
    values = variables.all()
    found = list(variables.problems)
    resolved = resolve_settings(project, name, variables, tolerate_missing=tolerate_missing)
    settings = resolved.values
    found += resolved.diagnostics
    if not errors(found):
        spec = {**project.data["spec"], "targets": {name: settings}}
        again = {**project.data, "spec": _shown(spec)}
        found += schema_diagnostics(project, "project", again, _RESOLVED)
    found += plaintext(project, name, settings)
    if errors(found):
        return None, tuple(found)
    rules = project.data["spec"].get("rules") or {}
    target = build_target(name, resolved, values, rules, loaded.project_dir)
    return target, tuple(found)


def _shown_secrets(
    project: Parsed, target: Target, documents: list[Document]
) -> Iterator[Diagnostic]:
    """An address or workspace that a reference brings, and that holds what is a secret elsewhere."""
    elsewhere = [_credentials(target), [*map(_looking_secret, documents)]]
    known, names = redact.secret_texts(elsewhere), _names(elsewhere)
    for setting, origin in sorted(target.origins.items()):
        if names.intersection(_references(origin)) or _holds(getattr(target, setting), known):
            place = pointer(["spec", "targets", target.name, setting])
            yield Diagnostic(
                code="reference-not-allowed",
                message=f"{target.told(setting)} is a secret elsewhere in this project, and every plan "
                f"shows the {setting}",
                hint="give the address or workspace a variable of its own",
                span=project.locate(place),
                pointer=place,
            )


def _names(trees: Json) -> frozenset[str]:
    """The references that secrets are made of."""
    found = [leaf for _, leaf in redact.leaves(trees) if isinstance(leaf, Secret)]
    return frozenset(name for leaf in found for name in _references(leaf.stated or leaf.label))


def _references(text: str) -> Iterator[str]:
    """Without casts and defaults: where the value comes from."""
    for part in split(text):
        if isinstance(part, Reference):
            yield f"{part.scheme}:{part.name}"


def _holds(value: str, known: frozenset[str]) -> bool:
    """As a whole part of it, or anywhere if it is long: a host may well have `postgres` in its name."""
    parts = {value, *_BETWEEN_PARTS.split(value)}
    return not known.isdisjoint(parts) or any(
        text in value for text in known if len(text) >= _LONG_SECRET
    )


def _credentials(target: Target) -> list[Json]:
    """Of the headers those whose name says so: `Host` is the address itself."""
    auth = target.auth
    looking = looking_secret(None, auth.headers)
    headers = [
        value
        for name, value in auth.headers.items()
        if f"/{escape(name)}" in looking or any(word in name.lower() for word in _SIGNS_IN)
    ]
    return [auth.client_secret, auth.token, auth.password, *headers]


def _looking_secret(document: Document) -> list[Json]:
    """A host is one of many values of the environment; what has the key of a secret is meant to be one."""
    spec = document.data.get("spec")
    looking = looking_secret(None, spec)
    return [leaf for at, leaf in redact.leaves(spec) if at in looking or at.endswith("/key")]


def _resolve_document(document: Parsed, scope: Scope) -> tuple[Document | None, list[Diagnostic]]:
    """None where a reference can't be resolved, or what it brings does not fit."""
    kind = document.data["kind"].lower()
    if not document.may_refer:
        return Document(kind, document.data, document.locate), []
    found: list[Diagnostic] = []
    broken: list[BadReference] = []
    address = address_of(document.data)

    def on_text(text: str, path: list[str | int]) -> Json:
        try:
            value = resolve_text(text, scope)
            _check_place(value, path)
        except BadReference as bad:
            broken.append(bad)
            if not is_broken(bad):
                found.append(diagnostic(bad, document, pointer(path), address))
            return text
        for _, secret in secrets(value, []):
            if not secret.known:
                found.append(_secret_unset(secret, document, pointer(path), address))
        return value

    data = walk(document.data, [], on_text)
    if data is not document.data and not broken:
        found += schema_diagnostics(document, kind, _shown(data), _RESOLVED)
    if broken or errors(found):
        return None, found
    return Document(kind, data, document.locate), found


def _check_place(value: Json, path: Path) -> None:
    """Raises BadReference for a secret or ${keep} where Airbyte takes none."""
    if isinstance(value, Keep) and not takes_keep(path):
        raise BadReference(
            "reference-not-allowed",
            "${keep} can't stand here: only in a configuration, or as a mapper's key",
            "write the value itself",
        )
    secret = next((secret for _, secret in secrets(value, [])), None)
    if secret is not None and not takes_secret(path):
        raise BadReference(
            "reference-not-allowed",
            f"{named(secret)} can't stand here: values of env and file are secrets, "
            "for a configuration and mapper arguments",
            "use ${var:NAME} with a plain value under `variables` of the target",
        )


def _secret_unset(secret: Secret, document: Parsed, place: str, address: str | None) -> Diagnostic:
    return Diagnostic(
        code="secret-unset",
        message=f"{named(secret)} has no value in this run: it is neither compared nor checked",
        hint="apply needs it; set it there, or give it a default (${env:NAME:-default})",
        severity=Severity.WARNING,
        span=document.locate(place),
        address=address,
        pointer=place,
    )


def _shown(node: Json) -> Json:
    """For the schema: secrets as git writes them; other text can't pass for a reference any more."""
    if isinstance(node, Secret):
        return node.label
    if node is KEEP:
        return KEEP.value
    if isinstance(node, str):
        return node.replace("${", "$(")
    if isinstance(node, dict):
        return {key: _shown(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_shown(value) for value in node]
    return node
