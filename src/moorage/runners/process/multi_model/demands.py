"""Model data that running instances ask for: control watches for it, fetches it, and says where it lies.

What is demanded stays so until it has been answered, however often control comes and goes meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from moorage.core.model import ModelData
from moorage.runners.base import ModelFiles


class Refused(Exception):
    """Control cannot have it; the message is the sentence that says why."""

    def __init__(self, reason: str, *, is_gone: bool) -> None:
        super().__init__(reason)
        self.is_gone = is_gone
        """Whether there is no such data, or it may not be read."""


class Demands:
    """What is demanded now. Whoever demands the same waits for the same answer."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[ModelData, asyncio.Future[ModelFiles]]] = {}
        self._watchers: set[asyncio.Queue[ModelData]] = set()

    async def fetch(self, data: ModelData) -> ModelFiles:
        """The data on this machine, for a while: link or unpack it at once. Raises Refused."""
        found = self._open.get(data.uri)
        if found is None:
            found = self._open[data.uri] = (data, asyncio.get_running_loop().create_future())
            for watcher in self._watchers:
                watcher.put_nowait(data)
        return await asyncio.shield(found[1])

    def supply(self, data: ModelData, files: ModelFiles) -> None:
        """It is there."""
        answer = self._take(data)
        if answer is not None:
            answer.set_result(files)

    def refuse(self, data: ModelData, refused: Refused) -> None:
        """It cannot be had."""
        answer = self._take(data)
        if answer is not None:
            answer.set_exception(refused)
            answer.exception()  # looked at here, for whoever waited may be gone

    async def watch(self) -> AsyncIterator[ModelData]:
        """All that is demanded now, then what is as it comes."""
        watcher: asyncio.Queue[ModelData] = asyncio.Queue()
        for data, _ in self._open.values():
            watcher.put_nowait(data)
        self._watchers.add(watcher)
        try:
            while True:
                yield await watcher.get()
        finally:
            self._watchers.discard(watcher)

    def _take(self, data: ModelData) -> asyncio.Future[ModelFiles] | None:
        found = self._open.pop(data.uri, None)
        return found[1] if found is not None else None
