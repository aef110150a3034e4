"""Keys to be worked on: deduplicated, each by one worker at a time, now or at a time to come.

The queue holds keys only. Work reads the world when it starts, so however often a key is added meanwhile, one more
pass is enough.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime
from typing import Generic, TypeVar

from moorage.system.clock import Clock

K = TypeVar("K", bound=Hashable)

_log = logging.getLogger(__name__)


class WorkQueue(Generic[K]):
    """Runs `work(key)` for every key added. Work for different keys runs concurrently, for one key never.

    `work` is expected to deal with its own errors; one that escapes is logged and costs that pass only.
    """

    def __init__(self, work: Callable[[K], Awaitable[None]], clock: Clock) -> None:
        self._work = work
        self._clock = clock
        self._running: dict[K, asyncio.Task[None]] = {}
        self._again: set[K] = set()
        self._timers: dict[K, tuple[datetime, asyncio.Task[None]]] = {}

    def add(self, key: K) -> None:
        """Work on `key` now, or once more when the pass that is running has ended."""
        self._cancel_timer(key)
        if key in self._running:
            self._again.add(key)
            return
        self._running[key] = asyncio.create_task(self._run(key), name=f"work on {key}")

    def add_at(self, key: K, when: datetime) -> None:
        """Work on `key` at `when`, unless that happens earlier: of several times the earliest counts."""
        if key in self._timers and self._timers[key][0] <= when:
            return
        self._cancel_timer(key)
        self._timers[key] = (when, asyncio.create_task(self._wait(key, when), name=f"timer of {key}"))

    async def close(self) -> None:
        """Cancel everything and wait for it to end."""
        tasks = [*self._running.values(), *(timer for _, timer in self._timers.values())]
        self._again.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: K) -> None:
        try:
            await self._work(key)
        except Exception:
            _log.exception("work on %s failed", key)
        finally:
            del self._running[key]
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def _wait(self, key: K, when: datetime) -> None:
        await self._clock.sleep(max(0.0, (when - self._clock.now()).total_seconds()))
        del self._timers[key]
        self.add(key)

    def _cancel_timer(self, key: K) -> None:
        if key in self._timers:
            _, timer = self._timers.pop(key)
            timer.cancel()
