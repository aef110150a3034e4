"""An event loop by whose time no turn takes long, however long the machine takes for it.

On it a deadline may be short, so that a test is, and yet does not pass for what only waits for a processor.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import Final

from moorage.system.clock import SystemClock

TURN_S: Final = 0.002


class PatientLoop(asyncio.SelectorEventLoop):
    """Idle it is as fast as any clock; a turn with something to do counts as `TURN_S` at most."""

    def __init__(self) -> None:
        self._turns = _Turns()
        super().__init__(self._turns)

    def time(self) -> float:
        return self._turns.time


class _Turns(selectors.EpollSelector):
    def __init__(self) -> None:
        super().__init__()
        self._monotonic = SystemClock().monotonic
        self._seen = self._monotonic()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(TURN_S if timeout is None else min(timeout, TURN_S))
        now = self._monotonic()
        self.time += min(now - self._seen, TURN_S)
        self._seen = now
        return found
