"""Tags of a workspace and their limits (PUB §7)."""

from __future__ import annotations

import re
from typing import Final

from reconciler.emulator import workspaces
from reconciler.emulator.instance import Instance
from reconciler.emulator.problems import NotFound, Problem
from reconciler.emulator.rows import Tag

MAX_NAME: Final = 30
MAX_TAGS: Final = 100
_COLOR = re.compile(r"[0-9A-Fa-f]{6}")


def get(instance: Instance, tag_id: str) -> Tag:
    tag = instance.store.get(Tag, tag_id)
    if tag is None:
        raise NotFound("TAG", tag_id)
    return tag


def create(instance: Instance, workspace_id: str, name: str, color: str) -> Tag:
    workspaces.get(instance, workspace_id)
    _check(instance, workspace_id, name, color, but="")
    if instance.store.count(Tag, "workspace_id = ?", (workspace_id,)) >= MAX_TAGS:
        raise Problem("tag-limit")
    tag = Tag(instance.new_id(), workspace_id, name, color)
    instance.store.put(tag)
    return tag


def update(instance: Instance, tag: Tag, name: str, color: str) -> Tag:
    _check(instance, tag.workspace_id, name, color, but=tag.id)
    changed = Tag(tag.id, tag.workspace_id, name, color)
    instance.store.put(changed)
    return changed


def _check(instance: Instance, workspace_id: str, name: str, color: str, *, but: str) -> None:
    if len(name) > MAX_NAME:
        raise Problem("tag-name-too-long")
    if not _COLOR.fullmatch(color):
        raise Problem("tag-invalid-hex-color")
    if instance.store.count(
        Tag, "workspace_id = ? AND name = ? AND id <> ?", (workspace_id, name, but)
    ):
        raise Problem("tag-already-exists")
