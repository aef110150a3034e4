"""What both kinds of connection know of back-pressure: whether what was written waits for the peer to take it."""

from __future__ import annotations

import asyncio


class Draining(asyncio.Protocol):
    """A protocol whose writers can wait until the transport's buffer has drained."""

    __slots__ = ("_drained", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._drained: asyncio.Future[None] | None = None
        """Done when the peer has taken enough; None while nothing waits."""

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None
