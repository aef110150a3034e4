"""Ending a gateway worker whose event loop has stopped turning.

The kernel goes on giving it its share of new connections, and nobody else can take them: a hung worker is worse than a
dead one. Ten seconds are far beyond anything a worker does at one go, and what it may have to wait for a processor.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from moorage.app.child_process import ChildProcess
from moorage.app.kept_process import KeptProcess
from moorage.system.clock import Clock

INTERVAL_S: Final = 2.0
HUNG_AFTER_S: Final = 10.0

log = logging.getLogger(__name__)


class Watched(Protocol):
    """A part that can be asked."""

    name: str

    async def is_alive(self, process: ChildProcess, *, within_s: float) -> bool:
        """Whether it answers in that time, or is not to be asked."""
        ...


async def watch(kept: KeptProcess, part: Watched, clock: Clock) -> None:
    """Kill whichever process hangs: the one that is kept, which its keeper then replaces, or one that makes way."""
    while True:
        await clock.sleep(INTERVAL_S)
        await asyncio.gather(*(_look_at(process, part) for process in kept.processes()))


async def _look_at(process: ChildProcess, part: Watched) -> None:
    if await part.is_alive(process, within_s=HUNG_AFTER_S) or process.has_ended:
        return
    log.error("%s (pid %d) has not answered for %.0f s, killing it", part.name, process.pid, HUNG_AFTER_S)
    await process.abort()
