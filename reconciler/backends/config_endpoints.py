"""The Configuration API's endpoints, each with what it does in the words of HTTP (CFG §3-§7).

A table and nothing else: every call is a POST, and a path that is not here counts as a write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_READS: Final = (
    "/workspaces/list",
    "/workspaces/list_by_organization_id",
    "/workspaces/list_by_user_id",
    "/workspaces/get",
    "/source_definitions/list",
    "/source_definitions/list_for_workspace",
    "/source_definition_specifications/get",
    "/destination_definitions/list",
    "/destination_definitions/list_for_workspace",
    "/destination_definition_specifications/get",
    "/destination_definition_specifications/get_for_destination",
    "/sources/list",
    "/sources/list_paginated",
    "/sources/get",
    "/sources/discover_schema",  # without connectionId: with it, a connection may be changed (CFG-T 9)
    "/sources/check_connection",
    "/destinations/list",
    "/destinations/get",
    "/destinations/check_connection",
    "/connections/list",
    "/connections/get",
    "/tags/list",
    "/jobs/list",
    "/jobs/list_for_workspaces",
    "/jobs/get",
    "/jobs/get_without_logs",
)
_WHOLE_WRITES: Final = ("/sources/update", "/destinations/update")
_MERGES: Final = (
    "/sources/partial_update",
    "/destinations/partial_update",
    "/connections/update",
)
_DELETES: Final = ("/sources/delete", "/destinations/delete", "/connections/delete", "/jobs/cancel")
_ONCE: Final = (
    "/sources/create",
    "/destinations/create",
    "/connections/create",
    "/tags/create",
    "/connections/sync",
    "/connections/refresh",
    "/connections/clear",
    "/connections/clear/stream",
    "/connections/reset",
    "/connections/reset/stream",
)

MEANINGS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_READS, "GET"),
    **dict.fromkeys(_WHOLE_WRITES, "PUT"),
    **dict.fromkeys(_MERGES, "PATCH"),
    **dict.fromkeys(_DELETES, "DELETE"),
    **dict.fromkeys(_ONCE, "POST"),
}
"""Path below the base → the method that would say it. All that this client asks for is here."""
