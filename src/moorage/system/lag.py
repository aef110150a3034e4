"""How late an event loop is: what every call on it waits for beside its own work."""

from __future__ import annotations

from collections import deque
from typing import Final

from moorage.system.clock import Clock

_SECONDS: Final = 60


class LoopLag:
    """Looks once a second by how much a sleep was longer than it should have been."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late_s: deque[float] = deque([0.0], maxlen=_SECONDS)

    @property
    def worst_s(self) -> float:
        """The most within the last minute."""
        return max(self._late_s)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            began = self._clock.monotonic()
            await self._clock.sleep(1.0)
            self._late_s.append(max(0.0, self._clock.monotonic() - began - 1.0))
