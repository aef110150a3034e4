"""What the runner sees, asked for once by everybody who wants to know at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from moorage.core.model import Observation
from moorage.runners.base import Runner


class Observer:
    """Shares calls of `Runner.observe`: at most one runs, and one more serves all who asked while it ran.

    An answer is never older than its question, or a launch that has just been recorded would be missing from it.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._running: asyncio.Task[Sequence[Observation]] | None = None
        self._next: asyncio.Task[Sequence[Observation]] | None = None

    async def observe(self) -> Sequence[Observation]:
        """Every instance, as of now. Raises RunnerError."""
        if self._next is None:
            self._next = asyncio.create_task(self._ask(after=self._running), name="observe")
        return await asyncio.shield(self._next)

    async def _ask(self, *, after: asyncio.Task[Sequence[Observation]] | None) -> Sequence[Observation]:
        if after is not None:
            await asyncio.wait([after])
        self._running, self._next = self._next, None
        return await self._runner.observe()
