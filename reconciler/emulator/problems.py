"""How the emulator says no: what went wrong, as exceptions, and the bodies that both APIs share.

Knows nothing of HTTP frameworks; which status an API gives for each of these is decided in that API's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core.model import Json

REFERENCE: Final = "https://reference.airbyte.com/reference/errors"


class Refusal(Exception):
    """The server said no on purpose: what was written before it stays written."""


class NotFound(Refusal):
    """`resource_type` is Airbyte's own name: SOURCE_CONNECTION, STANDARD_SYNC, … (PUB §8)."""

    def __init__(self, resource_type: str, resource_id: str) -> None:
        super().__init__(f"{resource_type} {resource_id}")
        self.resource_type = resource_type
        self.resource_id = resource_id


class InvalidConfiguration(Refusal):
    """A configuration does not fit its connector's spec; the text names paths, never values."""

    def __init__(self, text: str, schema: Mapping[str, Json]) -> None:
        super().__init__(text)
        self.schema = schema


class IllegalArgument(Refusal):
    """What the real server answers with a 500 although the caller is at fault (PUB-T 28)."""


class TooLarge(Refusal):
    """A catalog beyond the limits; a 500 on the public API, a 400 on the other (PUB §4.3, CFG §5.5)."""


class ConnectorFailed(Refusal):
    """A connector could not do what it was started for; the text is its message."""


class Opaque(Refusal):
    """Refused with nothing but an errorId: bean validation 400, unreadable JSON 422, uncaught 500."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Unreadable(Refusal):
    """JSON that doesn't fit what the call takes, as the framework says it before any handler runs; only the
    Configuration API (CFG §8)."""


class Known(Refusal):
    """Refused with a status and a sentence of the handler's own (CFG §8): 400, 403, 409, 410, 422, 423."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Problem(Refusal):
    """One of PROBLEMS, with the data that its body carries."""

    def __init__(self, kind: str, data: Mapping[str, Json] | None = None) -> None:
        super().__init__(f"{kind}: {data}")
        self.kind = kind
        self.data = data


@dataclass(frozen=True, slots=True)
class Form:
    status: int
    type: str
    title: str
    detail: str


PROBLEMS: Final[Mapping[str, Form]] = {
    "bad-request": Form(
        400,
        f"{REFERENCE}#bad-request",
        "bad-request",
        "The request could not be understood by the server due to malformed syntax.",
    ),
    "value-not-found": Form(
        400, REFERENCE, "value-not-found", "The submitted value could not be found."
    ),
    "forbidden": Form(403, f"{REFERENCE}#forbidden", "forbidden", "The request is forbidden."),
    "resource-not-found": Form(
        404,
        f"{REFERENCE}#resource-not-found",
        "resource-not-found",
        "The requested resource could not be found.",
    ),
    "try-again-later": Form(
        409, f"{REFERENCE}#try-again-later", "try-again-later", "Please try again later."
    ),
    "state-conflict": Form(
        409, f"{REFERENCE}#409-state-conflict", "state-conflict", "State conflict"
    ),
    "unprocessable-entity": Form(
        422,
        f"{REFERENCE}#unprocessable-entity",
        "unprocessable-entity",
        "The body of the request was not understood",
    ),
    "unexpected-problem": Form(
        500,
        REFERENCE,
        "unexpected-problem",
        "An unexpected problem has occurred. If this is an error that needs to be addressed,"
        " please submit a pull request or github issue.",
    ),
    "locked": Form(
        409,
        "error:connection/locked",
        "Connection is locked",
        "The connection is locked and cannot be modified.",
    ),
    "cron-invalid-expression": Form(
        400,
        "error:cron-validation/invalid-expression",
        "Invalid cron expression",
        "The cron expression is invalid",
    ),
    "cron-missing": Form(
        400,
        "error:cron-validation/missing-cron",
        "Missing cron expression or time zone",
        "A cron schedule has an expression and a time zone",
    ),
    "cron-invalid-timezone": Form(
        400,
        "error:cron-validation/invalid-timezone",
        "Invalid cron time zone",
        "The time zone of the cron schedule is invalid",
    ),
    "cron-under-one-hour": Form(
        400,
        "error:cron-validation/under-one-hour-not-allowed",
        "Cron sync schedules more frequent than once per hour are not allowed",
        "Syncs",
    ),
    "mapper-invalid": Form(
        400,
        "error:mapper-validation",
        "Mapper validation failed",
        "The mapper configuration is invalid",
    ),
    "mapper-secret-not-found": Form(
        400,
        "error:mapper-validation/secret-not-found",
        "Mapper secret not found",
        "A masked mapper secret has no stored value to stand for.",
    ),
    "file-transfer-unsupported": Form(
        400,
        "error:connection-validation/file-transfer/connection-unsupported",
        "Connection does not support file transfers",
        "Files were asked for where they can't be moved.",
    ),
    "file-transfer-unsupported-by-stream": Form(
        400,
        "error:connection-validation/file-transfer/stream-unsupported",
        "Stream does not support file transfers",
        "Files were asked for of a stream that has none.",
    ),
    "tag-name-too-long": Form(
        400,
        "error:tag-name-too-long",
        "Tag name too long",
        "A tag's name has 30 characters at most.",
    ),
    "tag-invalid-hex-color": Form(
        400,
        "error:tag-invalid-hex-color",
        "Invalid tag color",
        "A tag's color is six hexadecimal digits without #.",
    ),
    "tag-already-exists": Form(
        409,
        "error:tag-already-exists",
        "Tag already exists",
        "The workspace has a tag of this name.",
    ),
    "tag-limit": Form(
        400,
        "error:tag-limit-for-workspace-reached",
        "Tag limit reached",
        "The workspace has as many tags as it may have.",
    ),
}


def body(problem: Problem) -> dict[str, Json]:
    """The problem as JSON: nulls are present, unlike everywhere else (PUB §8)."""
    form = PROBLEMS[problem.kind]
    return {
        "status": form.status,
        "type": form.type,
        "title": form.title,
        "detail": form.detail,
        "documentationUrl": None,
        "data": dict(problem.data) if problem.data is not None else None,
    }


def body_of_status(status: int, message: str) -> dict[str, Json]:
    """The body of the first problem that has this status, or of the one for everything unforeseen."""
    kinds = [kind for kind, form in PROBLEMS.items() if form.status == status]
    kind = kinds[0] if kinds else "unexpected-problem"
    return {**body(Problem(kind, {"message": message})), "status": status}


def framework_body(message: str) -> dict[str, Json]:
    """The web framework's own form, for what no handler saw (PUB §8, form 4)."""
    return {"message": message, "_links": {}, "_embedded": {"errors": [{"message": message}]}}


def bad_request(message: str) -> Problem:
    return Problem("bad-request", {"message": message})
