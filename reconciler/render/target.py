"""Where a command goes: the line that stands above its result, and the same as JSON."""

from __future__ import annotations

from reconciler.core.capabilities import API_NAMES
from reconciler.core.model import Json
from reconciler.core.plan import TargetLine
from reconciler.render.clean import clean
from reconciler.render.layout import wrapped


def target_lines(target: TargetLine) -> list[str]:
    """The workspace is left out where none was chosen."""
    like = f", {clean(target.generation)}" if target.generation else ""
    chosen = f", {target.chosen}" if target.chosen else ""
    where = f"{clean(target.where)} ({API_NAMES.get(target.api, target.api)}{chosen}{like})"
    workspace = f', workspace "{clean(target.workspace)}"' if target.workspace_id else ""
    return wrapped(f"Target {clean(target.name)}: {where}{workspace}")


def encode_target(target: TargetLine) -> dict[str, Json]:
    return {
        "name": target.name,
        "where": target.where,
        "api": target.api,
        **(
            {"workspace": target.workspace, "workspaceId": target.workspace_id}
            if target.workspace_id
            else {}
        ),
    }
