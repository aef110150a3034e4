"""Trying again where packages could not be had just now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from moorage.runners.process.environments.uv import PackagesUnavailable, Say
from moorage.system.clock import Clock

RETRY_DELAYS_S: Final = (1.0, 4.0)
"""uv itself tries each download a few times; this is for an index that is away for a moment longer."""

T = TypeVar("T")


async def patiently(attempt: Callable[[], Awaitable[T]], clock: Clock, say: Say) -> T:
    """What the first successful attempt answers. Raises what it raises, PackagesUnavailable only from the last one."""
    for delay_s in RETRY_DELAYS_S:
        try:
            return await attempt()
        except PackagesUnavailable as error:
            say(f"trying again in {delay_s:.0f} s: {error}")
        await clock.sleep(delay_s)
    return await attempt()
