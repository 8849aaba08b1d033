"""Several calls at once: results in order, the first failure bare, the rest cancelled."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from reconciler.backends.concurrently import concurrently
from reconciler.core.diagnostics import ApiError

pytestmark = pytest.mark.anyio


async def test_results_come_in_the_order_of_the_calls_however_long_each_takes() -> None:
    async def after(seconds: float, value: str) -> str:
        await anyio.sleep(seconds)
        return value

    assert await concurrently(lambda: after(0.02, "slow"), lambda: after(0, "fast")) == (
        "slow",
        "fast",
    )


async def test_a_failure_is_raised_bare_and_ends_the_others() -> None:
    ended = []

    async def forever() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async def fail() -> None:
        await anyio.lowlevel.checkpoint()
        raise ApiError("no", status=500)

    with pytest.raises(ApiError, match="no"):
        await concurrently(forever, lambda: concurrently(fail, forever))
    assert ended == [True, True]
