"""/workspaces (CFG §2). How to find one's workspace changed with the generations (CFG-T 1)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.responses import JSONResponse, Response

from reconciler.core.model import Json
from reconciler.emulator import deletion, rows, workspaces
from reconciler.emulator.calls import Call, Endpoint
from reconciler.emulator.config import fields, pages
from reconciler.emulator.config.access import NOBODY
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound

_SETTINGS: Final[Mapping[str, str]] = {
    "sendOnSuccess": "success",
    "sendOnFailure": "failure",
    "sendOnSyncDisabled": "syncDisabled",
    "sendOnSyncDisabledWarning": "syncDisabledWarning",
    "sendOnConnectionUpdate": "connectionUpdate",
    "sendOnConnectionUpdateActionRequired": "connectionUpdateActionRequired",
}
"""The notifications by their names here and in the store."""

_ITEM: Final[fields.Shape] = {
    "notificationType": None,
    "slackConfiguration": fields.leaves("webhook"),
    "customerioConfiguration": None,
}
_OPTIONS: Final[fields.Shape] = {
    **fields.leaves(
        "name email displaySetupWizard anonymousDataCollection news securityUpdates notifications"
        " dataplaneGroupId webhookConfigs"
    ),
    "notificationSettings": dict.fromkeys(
        [*_SETTINGS, "sendOnBreakingChangeWarning", "sendOnBreakingChangeSyncsDisabled"], _ITEM
    ),
}
_PAGE: Final[fields.Shape] = {
    "pagination": fields.leaves("pageSize rowOffset"),
    "nameContains": None,
}


def read(instance: Instance, workspace: rows.Workspace) -> Json:
    where: dict[str, Json] = {}
    if instance.generation.geography:
        where["defaultGeography"] = "auto"
    else:
        where["dataplaneGroupId"] = _derived(NOBODY, "dataplane group")
    return {
        "workspaceId": workspace.id,
        "organizationId": NOBODY,
        "customerId": _derived(workspace.id, "customer"),
        "name": workspace.name,
        "slug": slug(workspace.name),
        "initialSetupComplete": True,
        "displaySetupWizard": False,
        "anonymousDataCollection": False,
        "news": False,
        "securityUpdates": False,
        "notifications": [],
        "notificationSettings": _settings(workspace),
        "webhookConfigs": [],
        "tombstone": workspace.tombstone,
        **where,
    }


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "workspace"


def list_all(instance: Instance, _call: Call) -> Response:
    return _listed(instance, _living(instance))


def list_by_organization(instance: Instance, call: Call) -> Response:
    """There is one organization; another has no workspaces."""
    sent = fields.body(instance, call, {"organizationId": None, **_PAGE})
    mine = fields.required_identifier(instance, sent, "organizationId") == NOBODY
    return _listed(instance, _page(instance, sent) if mine else [])


def list_by_user(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call, {"userId": None, **_PAGE})
    mine = fields.required_identifier(instance, sent, "userId") == NOBODY
    return _listed(instance, _page(instance, sent) if mine else [])


def list_paginated(instance: Instance, call: Call) -> Response:
    """Pages through the workspaces that the caller names: it can't enumerate (CFG §2)."""
    shape = {"workspaceIds": None, "includeDeleted": None, **_PAGE}
    sent = fields.body(instance, call, shape)
    wanted = fields.identifiers(instance, sent, "workspaceIds") or []
    every = fields.flag(sent, "includeDeleted")
    known = instance.store.select(rows.Workspace) if every else _living(instance)
    return _listed(instance, pages.by_offset(sent, [w for w in known if w.id in wanted]))


def get(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call, fields.leaves("workspaceId includeTombstone"))
    identity = fields.required_identifier(instance, sent, "workspaceId")
    if fields.flag(sent, "includeTombstone"):
        workspace = instance.store.get(rows.Workspace, identity)
        if workspace is None:
            raise NotFound("STANDARD_WORKSPACE", identity)
    else:
        workspace = workspaces.get(instance, identity)
    return JSONResponse(read(instance, workspace))


def create(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call, {"organizationId": None, **_OPTIONS})
    name = fields.required_text(sent, "name")
    return JSONResponse(read(instance, workspaces.create(instance, name, _sent_settings(sent))))


def update(instance: Instance, call: Call) -> Response:
    """A patch, whatever its name: what is absent stays."""
    shape = {**fields.leaves("workspaceId initialSetupComplete notificationsConfig"), **_OPTIONS}
    sent = fields.body(instance, call, shape)
    workspace = workspaces.get(instance, fields.required_identifier(instance, sent, "workspaceId"))
    name = fields.text(sent, "name")
    changed = workspaces.patch(instance, workspace, name, _sent_settings(sent))
    return JSONResponse(read(instance, changed))


def update_name(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call, fields.leaves("workspaceId name"))
    workspace = workspaces.get(instance, fields.required_identifier(instance, sent, "workspaceId"))
    name = fields.required_text(sent, "name")
    return JSONResponse(read(instance, workspaces.patch(instance, workspace, name, None)))


def delete(instance: Instance, call: Call) -> Response:
    sent = fields.body(instance, call, fields.leaves("workspaceId"))
    identity = fields.required_identifier(instance, sent, "workspaceId")
    deletion.delete_workspace(instance, workspaces.get(instance, identity))
    return Response(status_code=204)


def _living(instance: Instance) -> list[rows.Workspace]:
    return instance.store.select(rows.Workspace, "tombstone = 0")


def _page(instance: Instance, sent: fields.Body) -> list[rows.Workspace]:
    part = (fields.text(sent, "nameContains") or "").lower()
    found = [w for w in _living(instance) if part in w.name.lower()]
    # Only a page that is asked for is cut: without pagination the server gives all of them.
    return pages.by_offset(sent, found) if fields.child(sent, "pagination") else found


def _listed(instance: Instance, found: Sequence[rows.Workspace]) -> Response:
    return JSONResponse({"workspaces": [read(instance, workspace) for workspace in found]})


def _settings(workspace: rows.Workspace) -> Json:
    """Mail is `customerio`, a webhook `slack`."""
    shown: dict[str, Json] = {}
    for name, known in _SETTINGS.items():
        item = workspace.notifications[known]
        by_mail, by_hook = item["email"].get("enabled"), item["webhook"].get("enabled")
        url = item["webhook"].get("url")
        shown[name] = {
            "notificationType": [
                *(["customerio"] if by_mail else []),
                *(["slack"] if by_hook else []),
            ],
            **fields.present(slackConfiguration={"webhook": url} if url else None),
        }
    return shown


def _sent_settings(sent: fields.Body) -> Json:
    """Only the items that were sent, in the store's form."""
    given = fields.child(sent, "notificationSettings") or {}
    items = {known: fields.child(given, name) for name, known in _SETTINGS.items()}
    return {known: _item(item) for known, item in items.items() if item is not None}


def _item(item: fields.Body) -> Json:
    kinds = fields.texts(item, "notificationType") or []
    slack = fields.child(item, "slackConfiguration") or {}
    url = fields.text(slack, "webhook")
    return {
        "email": {"enabled": "customerio" in kinds},
        "webhook": {"enabled": "slack" in kinds, **fields.present(url=url)},
    }


def _derived(identity: str, what: str) -> str:
    """An id of something that the emulator doesn't keep, the same each time."""
    return str(uuid.uuid5(uuid.UUID(identity), what))


ENDPOINTS = (
    Endpoint("POST", "/workspaces/list", list_all),
    Endpoint("POST", "/workspaces/list_by_organization_id", list_by_organization),
    Endpoint("POST", "/workspaces/list_by_user_id", list_by_user),
    Endpoint("POST", "/workspaces/list_paginated", list_paginated),
    Endpoint("POST", "/workspaces/get", get),
    Endpoint("POST", "/workspaces/create", create),
    Endpoint("POST", "/workspaces/update", update),
    Endpoint("POST", "/workspaces/update_name", update_name),
    Endpoint("POST", "/workspaces/delete", delete),
)
