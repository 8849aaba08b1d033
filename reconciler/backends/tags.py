"""What has a unique name needs no luck: made, or there already, it is the one of that name.

Knows no endpoint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from reconciler.core.diagnostics import ApiError, OutcomeUnknown, ReconcilerError
from reconciler.core.model import Tag


async def made_or_there(
    make: Callable[[], Awaitable[Tag]], find: Callable[[], Awaitable[Tag | None]]
) -> Tag:
    """What `make` makes; where it exists, or the answer doesn't say whether it was made, what `find` finds.

    Raises what `make` raised where there is none, and OutcomeUnknown where nobody can tell.
    """
    try:
        return await make()
    except ApiError as error:
        # Airbyte may fail after it has written (design §6.6).
        failed = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        doubtful = failed or isinstance(error, OutcomeUnknown)
        if not doubtful and error.status != HTTPStatus.CONFLICT:
            raise
        try:
            found = await find()
        except ReconcilerError:
            if doubtful:
                raise _unknown(error) from None
            raise
        if found is None:
            raise
        return found


def _unknown(error: ApiError) -> OutcomeUnknown:
    hint = "plan again to see what became of it"
    return OutcomeUnknown(error.message, hint=hint, status=error.status)
