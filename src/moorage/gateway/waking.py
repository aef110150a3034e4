"""Looking after requests that are held, and having control wake those variants that sleep, as long as anyone waits.

Asking is a datagram and never waits: while control is away the request only waits longer, and it is asked again.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Collection
from typing import Final, Protocol

from moorage.core.model import VariantKey
from moorage.gateway.live import VariantQueue
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks

LOOK_S: Final = 0.2
REPEAT_S: Final = 0.5
"""Between two askings for the same variant."""


class WakeMode(enum.Enum):
    """What becomes of requests to a variant that has no instance, asleep or down, and is not serverless."""

    HOLD = "hold"
    """They wait for one."""
    STRICT = "strict"
    """They are refused, as AWS does."""


class Bell(Protocol):
    """What wakes."""

    def ring(self, key: VariantKey) -> bool:
        """Ask for the variant to be woken; whether that was sent off."""
        ...


class Waker:
    """Rings for variants that sleep. Who is held waits in a queue; `occupied` are all with somebody in them."""

    def __init__(
        self, bell: Bell, occupied: Collection[VariantQueue], *, clock: Clock, mode: WakeMode = WakeMode.HOLD
    ) -> None:
        self._bell = bell
        self._occupied = occupied
        self._clock = clock
        self._mode = mode
        self._rung = asyncio.Event()
        self._tasks = BackgroundTasks()

    def start(self) -> None:
        """Begin to ring again, to give turns to those who are held, and to send back who has waited too long."""
        self._tasks.keep(self._run, name="waker", clock=self._clock)

    async def close(self) -> None:
        """Ring no more."""
        await self._tasks.close()

    def wake(self, queue: VariantQueue, *, is_serverless: bool) -> bool:
        """Ask for the queue's variant to be woken if it sleeps; whether a request is to be held for an instance."""
        self._ring(queue, self._clock.monotonic())
        self._rung.set()
        return is_serverless or self._mode is WakeMode.HOLD

    async def _run(self) -> None:
        while True:
            await self._rung.wait()
            await self._clock.sleep(LOOK_S)
            self._look(self._clock.monotonic())

    def _look(self, now: float) -> None:
        self._rung.clear()
        for queue in tuple(self._occupied):
            if queue.is_held:
                queue.expire(now)
                queue.serve(now)
            if queue.is_held:
                self._ring(queue, now)
                self._rung.set()

    def _ring(self, queue: VariantQueue, now: float) -> None:
        is_time = queue.wakes and now - queue.asked_at >= REPEAT_S
        if is_time and self._bell.ring(VariantKey(queue.endpoint, queue.variant)):
            queue.asked_at = now
