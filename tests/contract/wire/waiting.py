"""Waiting for what happens in the same loop, for as long as a machine may take that is busy with other things."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 60.0


async def until(holds: Callable[[], object]) -> None:
    """Return once `holds()` is true."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.001)


async def until_end(reader: asyncio.StreamReader) -> bytes:
    """All that comes on a connection until its other end closes it."""
    async with asyncio.timeout(PATIENCE_S):
        return await reader.read(-1)
