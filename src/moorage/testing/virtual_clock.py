"""The clock of an event loop whose time is virtual: wall time follows the loop's."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from moorage.testing.builders import T0


class LoopClock:
    """Starts at `T0` when the loop's time is zero. With looptime, waiting takes no time at all."""

    def now(self) -> datetime:
        return T0 + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)  # noqa: TID251 - this is the clock
