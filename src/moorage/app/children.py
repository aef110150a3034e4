"""What a supervisor expects of the parts of Moorage that run in processes of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Protocol

import msgspec

READY_TIMEOUT_S: Final = 60.0
"""A second or two as a rule, but with a dozen other processes at work half a minute."""
PROBE_INTERVAL_S: Final = 0.01
RESTART_DELAY_MAX_S: Final = 1.0
"""With the start itself, no part that was killed is away for more than three seconds, however often it is killed."""
STARTS_MAX: Final = 3


class ChildFailed(Exception):
    """A process does not become ready; the message says which and why."""


class Restarted(msgspec.Struct, frozen=True, tag=True):
    """A process has taken the place of another of the same part."""

    part: str
    pid: int


class Child(Protocol):
    """One part of Moorage."""

    async def start(self) -> None:
        """Start it, keep it running from now on, and return once it is ready. Raises ChildFailed."""
        ...

    def restart(self) -> AsyncIterator[Restarted]:
        """Exchange its processes one after another, each as soon as the one before is ready. Raises ChildFailed."""
        ...

    async def stop(self) -> None:
        """End it in order and return when it is gone."""
        ...


def restart_delay_s(failures_before: int) -> float:
    """None for the first failure, then a tenth of a second doubling to `RESTART_DELAY_MAX_S`."""
    return min(RESTART_DELAY_MAX_S, 0.1 * 2 ** (failures_before - 1)) if failures_before > 0 else 0.0


async def accepts(path: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True
