"""A deadline that is cheap to move: most are set and met a thousand times a second, and hardly one ever fires.

The loop's timer is left where it is when a deadline moves further away or is lifted, and looks again when it fires.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `on_expire` once the time set last has come. Times are the loop's, in seconds."""

    __slots__ = ("_at", "_loop", "_on_expire", "_timer", "_timer_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_expire: Callable[[], None]) -> None:
        self._loop = loop
        self._on_expire = on_expire
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def set(self, seconds: float) -> None:
        """Expire in `seconds` from now, whatever was set before."""
        self._at = at = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._start(at)

    def lift(self) -> None:
        """Do not expire until set again."""
        self._at = None

    def cancel(self) -> None:
        """Never expire, and let go of the timer: the owner is done."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time():
            self._start(self._at)
            return
        self._at = None
        self._on_expire()

    def _start(self, at: float) -> None:
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._look)
