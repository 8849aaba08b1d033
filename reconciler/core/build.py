"""Documents of a target → Desired, with what is wrong between them (validation stages 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.connector import closest
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.kinds import KINDS
from reconciler.core.model import (
    Address,
    Consent,
    Desired,
    Document,
    Json,
    Lifecycle,
    Ref,
    Resource,
    Spec,
)
from reconciler.core.parse import Findings, display_name
from reconciler.core.tables import check_tables


def build(documents: Iterable[Document], target: str) -> tuple[Desired, tuple[Diagnostic, ...]]:
    """Every resource of the target by address, sorted; diagnostics of all documents at once."""
    resources: dict[Address, Resource] = {}
    findings: dict[Address, Findings] = {}
    diagnostics: list[Diagnostic] = []
    for document in documents:
        address = Address(document.kind, document.data["metadata"]["name"])
        found = Findings(document, address)
        resource = _build_resource(document, address, target, found)
        if address in resources:
            first = resources[address].locate("/metadata/name")
            found.error(
                "duplicate-address",
                "/metadata/name",
                f"{address} is already described at {first.file}:{first.line}",
                "rename one of the two (metadata.name)",
            )
        else:
            resources[address] = resource
            findings[address] = found
        diagnostics += found.found
        found.found.clear()
    for address in sorted(resources):
        _check_references(resources[address], resources, findings[address])
    _check_names(resources, findings)
    check_tables((resources[address] for address in sorted(resources)), findings)
    for found in findings.values():
        diagnostics += found.found
    return Desired({address: resources[address] for address in sorted(resources)}), tuple(
        diagnostics
    )


def _build_resource(document: Document, address: Address, target: str, found: Findings) -> Resource:
    metadata = document.data["metadata"]
    absent = document.data.get("state") == "absent"
    spec: Spec | None = None if absent else KINDS[document.kind].parse(document, found)
    raw = document.data.get("spec") or {}
    return Resource(
        address=address,
        name=display_name(document),
        spec=spec,
        locate=document.locate,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        lifecycle=_build_lifecycle(raw.get("lifecycle") or {}, address.kind, found),
        pin=_pin(metadata, target),
        previous_names=tuple(metadata.get("previousNames") or ()),
        absent=absent,
        reason=str(document.data.get("reason", "")),
    )


def _pin(metadata: Mapping[str, Json], target: str) -> str | None:
    pin = (metadata.get("ids") or {}).get(target)
    return str(pin).lower() if pin is not None else None


def _build_lifecycle(data: Mapping[str, Json], kind: str, found: Findings) -> Lifecycle:
    for index, path in enumerate(data.get("ignoreChanges") or ()):
        if not _can_be_ignored(kind, path):
            known = ", ".join(f"/{field}" for field in KINDS[kind].fields if field != "connector")
            found.error(
                "unknown-ignored-path",
                f"/spec/lifecycle/ignoreChanges/{index}",
                f"nothing of a {kind} can be ignored at {path}: the entry would have no effect",
                f"known: {known}; below /configuration any path, elsewhere whole fields",
            )
    return Lifecycle(
        prevent_destroy=bool(data.get("preventDestroy", False)),
        ignore_changes=tuple(data.get("ignoreChanges") or ()),
        allow=tuple(_build_consent(entry) for entry in data.get("allow") or ()),
    )


def _can_be_ignored(kind: str, path: str) -> bool:
    field, slash, _ = path.removeprefix("/").partition("/")
    known = field in KINDS[kind].fields and field != "connector"
    return known and (not slash or field == "configuration")


def _build_consent(entry: Json) -> Consent:
    if isinstance(entry, str):
        return Consent((entry,))
    return Consent(tuple(entry["effects"]), tuple(entry.get("streams") or ()))


def _check_references(
    resource: Resource, resources: Mapping[Address, Resource], found: Findings
) -> None:
    if resource.spec is None:
        return
    for field, kind in KINDS[resource.address.kind].references.items():
        ref: Ref = getattr(resource.spec, field)
        if ref.address is None:
            continue
        other = resources.get(ref.address)
        if other is None:
            names = [a.name for a in resources if a.kind == kind]
            guess = closest(ref.address.name, names)
            known = (
                f"known here: {', '.join(sorted(names))}"
                if names
                else f"there is no {kind} manifest here"
            )
            found.error(
                "unknown-reference",
                f"/spec/{field}",
                f"{kind} {ref.address.name!r} is not described in any manifest of this target",
                f"did you mean {guess!r}?"
                if guess
                else f"{known}; or use {{id: …}} for one not managed here",
            )
        elif other.absent:
            found.error(
                "reference-to-absent",
                f"/spec/{field}",
                f"{other.address} is to be deleted (state: absent), but this connection still uses it",
                "delete this connection too, or point it elsewhere",
            )


def _check_names(
    resources: Mapping[Address, Resource], findings: Mapping[Address, Findings]
) -> None:
    """Airbyte allows equal names; identity by name needs them to differ (PUB §9)."""
    first: dict[tuple[str, str], Resource] = {}
    for address in sorted(resources):
        resource = resources[address]
        if resource.pin is not None or resource.absent:
            continue
        other = first.setdefault((address.kind, resource.name), resource)
        if other is not resource:
            place = other.locate("/spec/name")
            findings[address].error(
                "duplicate-name",
                "/spec/name",
                f"{other.address} ({place.file}:{place.line}) has the same name: {resource.name!r}",
                "change one spec.name, or pin both in metadata.ids",
            )
