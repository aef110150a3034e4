"""Tasks that nobody waits for, those whose answers are wanted together, and work that is never left half done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar

from moorage.system.clock import Clock

T = TypeVar("T")

BEGUN_ANEW_AFTER_S: Final = 1.0

_log = logging.getLogger(__name__)


class BackgroundTasks:
    """Tasks kept alive until they end, and ended when their owner closes. What one raises is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run `work` beside its caller."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def keep(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        name: str,
        clock: Clock,
        pause_s: float = BEGUN_ANEW_AFTER_S,
    ) -> None:
        """Run `work`, which goes on for ever, and begin it anew some time after whatever it has raised."""
        self.start(_again_and_again(work, name, clock, pause_s), name=name)

    async def join(self) -> None:
        """Wait until all have ended by themselves."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s failed", task.get_name(), exc_info=error)


async def _again_and_again(
    work: Callable[[], Coroutine[Any, Any, None]], name: str, clock: Clock, pause_s: float
) -> None:
    while True:
        try:
            await work()
        except Exception:
            _log.exception("%s failed, and begins anew", name)
        await clock.sleep(pause_s)


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all of it at once, and answer what each answers. The first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]


async def to_its_end(work: Awaitable[T]) -> T:
    """What `work` answers. It never goes on behind its caller: one that is cancelled is told so once it has ended.

    For what a thread does, which cannot be cancelled: whoever cleans up after it must not find it still at work.
    """
    future = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise
