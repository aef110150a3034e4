"""Ends a process that is stuck in one call of the model, wherever that hangs.

An alarm in a thread of C code (`faulthandler`), which needs no lock of Python's and so goes off also when the model's
native code never gives that lock back. A healthy event loop puts the alarm off every few seconds, unless the model's
thread has been busy with the same call all the time. When it goes off, the log gets `Timeout (0:01:00)!` with what
every thread is doing, and the process ends with status 1.
"""

from __future__ import annotations

import asyncio
import faulthandler
from typing import Final, Protocol

EXIT_STUCK: Final = 1
"""How `faulthandler` ends a process."""
_PERIOD_MAX_S: Final = 5.0


class Busy(Protocol):
    """Where models work."""

    def busy_s(self) -> float:
        """For how long it has been busy with one call; 0 if it is not."""
        ...


class Watchdog:
    """Watches the loop it is made on, and the model's thread. A call may take `timeout_s`, and a quarter more."""

    def __init__(self, thread: Busy, timeout_s: float) -> None:
        self._thread = thread
        self._timeout_s = timeout_s
        self._period_s = min(_PERIOD_MAX_S, timeout_s / 4)
        self._loop = asyncio.get_running_loop()
        self._next: asyncio.TimerHandle | None = None
        self._put_off()

    def close(self) -> None:
        """Watch no more."""
        if self._next is not None:
            self._next.cancel()
        faulthandler.cancel_dump_traceback_later()

    def _put_off(self) -> None:
        # A call on the event loop may begin right before the next turn of this, hence the period on top.
        left_s = self._timeout_s + self._period_s - self._thread.busy_s()
        faulthandler.dump_traceback_later(max(left_s, 0.001), exit=True)
        self._next = self._loop.call_later(self._period_s, self._put_off)
