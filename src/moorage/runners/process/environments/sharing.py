"""Work that is done once for everybody who asks while it lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

from moorage.runners.process.environments.uv import Say

T = TypeVar("T")


class Sharing(Generic[T]):
    """Work under way, by key. Whoever joins late is told what was said before."""

    def __init__(self) -> None:
        self._running: dict[str, _Work[T]] = {}

    async def join(self, key: str, begin: Callable[[Say], Coroutine[Any, Any, T]], say: Say) -> T:
        """The result of the work under `key`, begun if it is not under way; what goes wrong goes wrong for all.

        It goes on when this caller is cancelled: others may wait for it, or come soon.
        """
        work = self._running.get(key)
        if work is None:
            work = self._running[key] = _Work(begin)
            work.task.add_done_callback(lambda _: self._running.pop(key, None))
        with work.told(say):
            return await asyncio.shield(work.task)

    async def close(self) -> None:
        """Give up all work."""
        tasks = [work.task for work in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Work(Generic[T]):
    def __init__(self, begin: Callable[[Say], Coroutine[Any, Any, T]]) -> None:
        self._said: list[str] = []
        self._listeners: list[Say] = []
        self.task = asyncio.create_task(begin(self._say))

    @contextlib.contextmanager
    def told(self, say: Say) -> Iterator[None]:
        """Tell `say` what was said, and what is going to be."""
        for line in self._said:
            say(line)
        self._listeners.append(say)
        try:
            yield
        finally:
            self._listeners.remove(say)

    def _say(self, line: str) -> None:
        self._said.append(line)
        for say in self._listeners:
            say(line)
