"""Blocking work off the event loop: one thread for the index, a few for files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from moorage.system.tasks import to_its_end

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """A pool of threads whose work is never left running behind its caller.

    A cancelled caller is told so only when its work has ended, so that what it cleans up then is not being written to.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `work` in a thread and answer what it answers."""
        loop = asyncio.get_running_loop()
        return await to_its_end(loop.run_in_executor(self._pool, lambda: work(*args, **kwargs)))

    def post(self, work: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Have `work` done some time before `close` ends. For work that may as well be lost in a crash."""
        self._pool.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Wait for all work to end. Blocks."""
        self._pool.shutdown()
