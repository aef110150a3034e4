"""A limit of time in Python 3.10 too, where instances may run: there is no `asyncio.timeout` there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_LAST_TURNS: Final = 16
"""Of the loop. A connection that was made takes five until that is known."""


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` answers. Raises TimeoutError if that takes longer, once the work has given up.

    A process that stood still until the time was over has not seen what came meanwhile: it has a few turns for that.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=max(0.0, seconds))
        for _ in range(_LAST_TURNS):
            if task.done():
                break
            await asyncio.wait({task}, timeout=0.0)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        raise TimeoutError
    return task.result()
