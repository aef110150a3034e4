"""Time as an argument: the one place that reads a clock or waits.

Decisions take `now`; whatever has to wait takes a `Clock`. Tests put a simulated clock in its place.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time, monotonic time and waiting."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)  # a gateway asks several times for each request

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
