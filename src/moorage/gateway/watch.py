"""Looking at instances with requests, five times a second: who is silent is asked, who waits too long is sent back.

How many slots each has is settled here as well.

An instance without requests costs nothing. It joins with a request, and is left out again when it has had none from one
look to the next.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

from moorage.gateway.admission import Allowance, Queue
from moorage.gateway.health import Look, Silence
from moorage.gateway.probing import Asked, Prober
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks

LOOK_S: Final = 0.2


class Watched(Asked, Protocol):
    """What is looked at of an instance."""

    in_flight: int
    slots: int
    is_watched: bool
    allowance: Allowance
    queue: Queue[Any]
    """Where requests wait for a slot on it or its like."""


class Watch:
    """Looks from `start` to `close`. Whatever sends a request to an instance that is not watched has to `add` it."""

    def __init__(self, prober: Prober, *, clock: Clock) -> None:
        self._prober = prober
        self._clock = clock
        self._silences: dict[Watched, Silence] = {}
        self._added = asyncio.Event()
        self._tasks = BackgroundTasks()

    def start(self) -> None:
        """Begin to look."""
        self._tasks.keep(self._run, name="watch", clock=self._clock)

    async def close(self) -> None:
        """Look no more, and ask no more."""
        await self._tasks.close()
        await self._prober.close()

    def add(self, instance: Watched) -> None:
        """Look at the instance until it is idle."""
        instance.is_watched = True
        self._silences[instance] = Silence(instance.health, now=self._clock.monotonic())
        self._added.set()

    async def _run(self) -> None:
        while True:
            await self._added.wait()
            await self._clock.sleep(LOOK_S)
            self._look(self._clock.monotonic())
            if not self._silences:
                self._added.clear()

    def _look(self, now: float) -> None:
        for instance, silence in tuple(self._silences.items()):
            instance.slots = instance.allowance.slots(now)
            match silence.look(instance.in_flight, now=now):
                case Look.SILENT:
                    self._prober.ask(instance)
                case Look.IDLE:
                    instance.is_watched = False
                    del self._silences[instance]
                case Look.WELL:
                    pass
            queue = instance.queue
            if queue.waiters:
                queue.expire(now)
                queue.serve(now)
