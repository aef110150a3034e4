"""Keeping one process of a part running: another is started when it ends by itself, and a successor when asked for.

start    ─► spawn ─► ready                                   keeper: whenever it ends, spawn again
restart  ─► end it, and wait until the keeper's next one is ready
replace  ─► spawn a successor ─► ready ─► the keeper's now ─► end the one before, which finishes its requests
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final, Protocol

from moorage.app.child_process import ChildProcess
from moorage.app.children import (
    PROBE_INTERVAL_S,
    READY_TIMEOUT_S,
    STARTS_MAX,
    ChildFailed,
    Restarted,
    restart_delay_s,
)
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks

SETTLED_AFTER_S: Final = 5.0

log = logging.getLogger(__name__)


class Part(Protocol):
    """How a process of one part is started and looked at."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def end_within_s(self) -> float:
        """How long it may take to finish what it is doing once it has been told to end."""
        ...

    async def spawn(self) -> ChildProcess:
        """Start a process. Raises OSError."""
        ...

    async def obstacle(self, process: ChildProcess) -> str | None:
        """What keeps a process from being ready: the rest of a sentence that begins with its name. None if it is."""
        ...


class KeptProcess:
    """One process, kept running from `start` to `stop`."""

    def __init__(self, part: Part, clock: Clock) -> None:
        self._part = part
        self._clock = clock
        self._exchanging = asyncio.Lock()
        self._keeper: asyncio.Task[None] | None = None
        self._predecessors: set[ChildProcess] = set()
        self._ends = BackgroundTasks()
        self._failed_starts = 0
        self._is_awaited = False
        """Whether somebody waits for one to be ready, and none has been yet."""
        self._last_end = ""
        self.current: ChildProcess | None = None
        """The one that does the work now; it may just have ended."""

    def processes(self) -> list[ChildProcess]:
        """Those that may be at work now: the current one, and those before it that make way."""
        mine = [*self._predecessors, self.current]
        return [process for process in mine if process is not None and not process.has_ended]

    async def start(self) -> None:
        """Start one and return when it is ready. Raises ChildFailed if several end before they are."""
        self._keeper = asyncio.create_task(self._keep_running(), name=f"keep {self._part.name}")
        await self._until_kept_is_ready()

    async def restart(self) -> Restarted:
        """End it, and return when the next one is ready. Raises ChildFailed."""
        if self.current is not None:
            await self.current.end(within_s=self._part.end_within_s)
        self._failed_starts = 0
        return Restarted(self._part.name, (await self._until_kept_is_ready()).pid)

    async def replace(self, *, make_way_within_s: float) -> Restarted:
        """Put a successor in its place that is ready before it has to end. Raises ChildFailed: then it stays.

        Nobody waits for its end, so it may have longer for that than `end_within_s`.
        """
        successor = await self._spawn_successor()
        try:
            await self._until_ready(successor)
        except BaseException:
            await successor.end(within_s=self._part.end_within_s)
            raise
        async with self._exchanging:
            predecessor, self.current = self.current, successor
        if predecessor is not None:
            self._predecessors.add(predecessor)
            name = f"{self._part.name} {predecessor.pid} makes way"
            self._ends.start(self._make_way(predecessor, make_way_within_s), name=name)
        return Restarted(self._part.name, successor.pid)

    async def stop(self) -> None:
        """End it, and those before it that are still at work, and return when they are gone."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        async with asyncio.TaskGroup() as ends:
            for process in (*self._predecessors, self.current):
                if process is not None:
                    ends.create_task(self._end(process))
        await self._ends.join()

    async def _keep_running(self) -> None:
        while True:
            started = self._clock.monotonic()
            end = await self._run_one()
            if end is None:
                continue
            self._last_end = end
            if not self._is_awaited and self._clock.monotonic() - started > SETTLED_AFTER_S:
                self._failed_starts = 0
            delay_s = restart_delay_s(self._failed_starts)
            self._failed_starts += 1
            log.warning("%s %s, starting it again in %.1f s", self._part.name, end, delay_s)
            await self._clock.sleep(delay_s)

    async def _run_one(self) -> str | None:
        """Start a process, unless a successor is there already, and wait for its end.

        What became of it; None if it ended because we wanted it to.
        """
        async with self._exchanging:
            if self.current is None or self.current.has_ended:
                try:
                    self.current = await self._part.spawn()
                except OSError as error:
                    return f"cannot be started ({error})"
            process = self.current
        end = await process.wait()
        return None if process.was_told_to_end else end

    async def _until_kept_is_ready(self) -> ChildProcess:
        self._is_awaited = True
        try:
            return await self._first_ready()
        finally:
            self._is_awaited = False

    async def _first_ready(self) -> ChildProcess:
        deadline = self._clock.monotonic() + READY_TIMEOUT_S
        while self._failed_starts < STARTS_MAX and self._clock.monotonic() < deadline:
            process = self.current
            if process is not None and not process.has_ended and await self._part.obstacle(process) is None:
                return process
            await self._clock.sleep(PROBE_INTERVAL_S)
        why = f": it {self._last_end}" if self._failed_starts else f" within {READY_TIMEOUT_S:.0f} s"
        raise ChildFailed(f"The {self._part.name} process does not start{why}")

    async def _spawn_successor(self) -> ChildProcess:
        try:
            return await self._part.spawn()
        except OSError as error:
            raise ChildFailed(f"{self._part.name} cannot be started ({error})") from None

    async def _until_ready(self, process: ChildProcess) -> None:
        deadline = self._clock.monotonic() + READY_TIMEOUT_S
        while (obstacle := await self._part.obstacle(process)) is not None:
            if process.has_ended:
                raise ChildFailed(f"{self._part.name} {await process.wait()} before it was ready")
            if self._clock.monotonic() > deadline:
                raise ChildFailed(f"{self._part.name} {obstacle} after {READY_TIMEOUT_S:.0f} s")
            await self._clock.sleep(PROBE_INTERVAL_S)

    async def _end(self, process: ChildProcess) -> None:
        if not await process.end(within_s=self._part.end_within_s):
            self._report_killed(process)

    async def _make_way(self, process: ChildProcess, within_s: float) -> None:
        if not await process.make_way(within_s=within_s):
            self._report_killed(process)
        self._predecessors.discard(process)

    def _report_killed(self, process: ChildProcess) -> None:
        log.warning("%s (pid %d) did not end and was killed", self._part.name, process.pid)
