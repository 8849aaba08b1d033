"""The plan as JSON and back: `formatVersion`, where a minor step only adds.

Pure: text and files are the business of planfile and render. An unset value is an absent key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.core.diagnostics import Diagnostic, Severity, Span
from reconciler.core.diff import FieldChange
from reconciler.core.effects import EFFECTS, Effect
from reconciler.core.model import UNSET, Address, Json
from reconciler.core.plan import (
    Change,
    HiddenSecret,
    NotCovered,
    Plan,
    TargetLine,
    Unmanaged,
    Unstated,
)
from reconciler.core.written import Written

FORMAT_VERSION: Final = "1.0"


def encode_plan(plan: Plan) -> dict[str, Json]:
    """Sorted where order has no meaning, so that equal plans are equal bytes."""
    return {
        "formatVersion": FORMAT_VERSION,
        "target": {
            "name": plan.target.name,
            "where": plan.target.where,
            "api": plan.target.api,
            "workspace": plan.target.workspace,
            "workspaceId": plan.target.workspace_id,
        },
        "digest": plan.digest,
        "complete": plan.complete,
        "applyable": plan.applyable,
        "errored": plan.errored,
        "changes": [encode_change(change) for change in plan.changes],
        "diagnostics": [encode_diagnostic(diagnostic) for diagnostic in plan.diagnostics],
        "unchanged": plan.unchanged,
        "matchedByName": plan.matched_by_name,
        "newTags": list(plan.new_tags),
        "notCovered": {
            "unmanaged": [
                {"kind": u.kind, "id": u.id, "name": u.name} for u in plan.not_covered.unmanaged
            ],
            "unstated": [
                {"address": str(u.address), "field": u.field, "count": u.count}
                for u in plan.not_covered.unstated
            ],
            "secrets": [
                {"address": str(s.address), "pointer": s.pointer, "label": s.label}
                for s in plan.not_covered.secrets
            ],
        },
        "counts": {
            "create": plan.count("create"),
            "update": plan.count("update"),
            "replace": plan.count("replace"),
            "delete": plan.count("delete"),
            "blocked": len(plan.blocked),
        },
    }


def encode_change(change: Change) -> dict[str, Json]:
    return {
        "address": str(change.address),
        "action": change.action,
        "name": change.name,
        "reason": change.reason,
        "liveId": change.live_id,
        "level": change.level,
        "blocked": change.blocked,
        "refusals": list(change.refusals),
        "fields": [encode_field(field) for field in change.fields],
        "effects": [_encode_effect(effect) for effect in change.effects],
        "dependsOn": [str(address) for address in change.depends_on],
        "fingerprint": change.fingerprint,
        "annotations": dict(sorted(change.annotations.items())),
        "writes": [
            {"pointer": one.pointer, "label": one.label, "digest": one.digest, "stated": one.stated}
            for one in change.writes
        ],
        **({"inactive": True} if change.inactive else {}),
        **({"span": encode_span(change.span)} if change.span else {}),
    }


def encode_field(field: FieldChange) -> dict[str, Json]:
    return {
        "pointer": field.pointer,
        **({} if field.before is UNSET else {"before": field.before}),
        **({} if field.after is UNSET else {"after": field.after}),
        "secret": field.secret,
        "stream": field.stream,
        "why": field.why,
    }


def _encode_effect(effect: Effect) -> dict[str, Json]:
    return {
        "effect": effect.name,
        "rule": effect.rule,
        "streams": list(effect.streams),
        "says": list(effect.says),
        "consent": effect.consent,
        "accepted": effect.accepted,
        **({"span": encode_span(effect.span)} if effect.span else {}),
    }


def encode_span(span: Span) -> dict[str, Json]:
    return {"file": span.file, "line": span.line, "column": span.column}


def encode_diagnostic(diagnostic: Diagnostic) -> dict[str, Json]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "pointer": diagnostic.pointer,
        **({"address": diagnostic.address} if diagnostic.address else {}),
        **({"span": encode_span(diagnostic.span)} if diagnostic.span else {}),
    }


def decode_plan(data: Mapping[str, Any]) -> Plan:
    """Raises KeyError, TypeError or ValueError where `data` is no plan of a version that is known."""
    version = str(data["formatVersion"])
    if version.split(".", maxsplit=1)[0] != FORMAT_VERSION.split(".")[0]:
        raise ValueError(f"format {version} is not {FORMAT_VERSION}")
    target = data["target"]
    covered = data["notCovered"]
    addresses = [change["address"] for change in data["changes"]]
    if len(addresses) != len(set(addresses)):
        raise ValueError("an address stands in it twice")
    return Plan(
        target=TargetLine(
            target["name"],
            target["where"],
            target["api"],
            target["workspace"],
            target["workspaceId"],
        ),
        digest=data["digest"],
        changes=tuple(_decode_change(change) for change in data["changes"]),
        diagnostics=tuple(_decode_diagnostic(diagnostic) for diagnostic in data["diagnostics"]),
        unchanged=int(data["unchanged"]),
        matched_by_name=int(data["matchedByName"]),
        new_tags=tuple(data["newTags"]),
        not_covered=NotCovered(
            unmanaged=tuple(Unmanaged(u["kind"], u["id"], u["name"]) for u in covered["unmanaged"]),
            unstated=tuple(
                Unstated(Address.parse(u["address"]), u["field"], int(u["count"]))
                for u in covered["unstated"]
            ),
            secrets=tuple(
                HiddenSecret(Address.parse(s["address"]), s["pointer"], s["label"])
                for s in covered["secrets"]
            ),
        ),
        complete=bool(data["complete"]),
    )


def _decode_change(data: Mapping[str, Any]) -> Change:
    writes = tuple(
        Written(w["pointer"], w["label"], w["digest"], w["stated"]) for w in data["writes"]
    )
    if len({one.pointer for one in writes}) != len(writes):
        raise ValueError("a value that is written stands in it twice")
    if data["action"] not in ("create", "update", "replace", "delete"):
        raise ValueError(f"no action is called {data['action']!r}")
    return Change(
        address=Address.parse(data["address"]),
        action=data["action"],
        name=data["name"],
        reason=data["reason"],
        live_id=data["liveId"],
        fields=tuple(
            FieldChange(
                f["pointer"],
                f.get("before", UNSET),
                f.get("after", UNSET),
                f["secret"],
                f["stream"],
                f["why"],
            )
            for f in data["fields"]
        ),
        effects=tuple(_decode_effect(effect) for effect in data["effects"]),
        refusals=tuple(data["refusals"]),
        depends_on=tuple(Address.parse(address) for address in data["dependsOn"]),
        level=int(data["level"]),
        fingerprint=data["fingerprint"],
        span=_decode_span(data.get("span")),
        annotations=dict(data["annotations"]),
        writes=writes,
        inactive=bool(data.get("inactive", False)),
    )


def _decode_effect(data: Mapping[str, Any]) -> Effect:
    if data["effect"] not in EFFECTS:
        raise ValueError(f"no effect is called {data['effect']!r}")
    return Effect(
        data["effect"],
        data["rule"],
        tuple(data["streams"]),
        tuple(data["says"]),
        data["accepted"],
        _decode_span(data.get("span")),
    )


def _decode_span(data: Mapping[str, Any] | None) -> Span | None:
    return Span(data["file"], int(data["line"]), int(data["column"])) if data else None


def _decode_diagnostic(data: Mapping[str, Any]) -> Diagnostic:
    return Diagnostic(
        code=data["code"],
        message=data["message"],
        hint=data["hint"],
        severity=Severity(data["severity"]),
        span=_decode_span(data.get("span")),
        address=data.get("address"),
        pointer=data["pointer"],
    )
