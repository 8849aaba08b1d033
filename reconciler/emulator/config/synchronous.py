"""The `jobInfo` of calls that block until a connector is done, or that only look as if one had run
(CFG §3, §4)."""

from __future__ import annotations

from typing import Final

from reconciler.core.model import Json
from reconciler.emulator.config import fields
from reconciler.emulator.instance import Instance

_NOTHING: Final = "NoConfiguration"


def ran(
    instance: Instance, config_type: str, definition_id: str, *, failure: Json = None
) -> dict[str, Json]:
    """`failure` is a FailureReason; a job without one succeeded, whatever the connector then said."""
    return {
        "id": instance.new_id(),
        "configType": config_type,
        "configId": definition_id,
        "createdAt": instance.now,
        "endedAt": instance.now,
        "succeeded": failure is None,
        "connectorConfigurationUpdated": False,
        "logType": "formatted",
        "logs": {"logLines": []},
        **fields.present(failureReason=failure),
    }


def made_up(instance: Instance, config_type: str) -> dict[str, Json]:
    """Of a job that never ran: its times are zero and it is about nothing."""
    return {
        **ran(instance, config_type, _NOTHING),
        "createdAt": 0,
        "endedAt": 0,
    }


def failure(instance: Instance, origin: str, message: str) -> Json:
    return {
        "failureOrigin": origin,
        "failureType": "system_error",
        "externalMessage": message,
        "internalMessage": message,
        "retryable": False,
        "timestamp": instance.now * 1000,
    }
