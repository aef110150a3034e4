"""A body on its way in: the connection puts pieces here, one reader takes them.

What is held is bounded: the connection is told to stop reading its socket when the window is full.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from moorage.wire.messages import BodyTooLarge, WireError


class Body:
    """One body. `on_read` is called when its reader first waits for bytes, `on_taken` whenever it has taken some."""

    __slots__ = (
        "_error",
        "_loop",
        "_on_read",
        "_on_taken",
        "_pieces",
        "_waiter",
        "complete",
        "held_bytes",
        "kept_bytes",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        on_taken: Callable[[], None],
        on_read: Callable[[], None] | None = None,
    ) -> None:
        self._loop = loop
        self._on_taken = on_taken
        self._on_read = on_read
        self._pieces: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._error: WireError | None = None
        self.complete = False
        self.held_bytes = 0
        """What has arrived and nobody has taken."""
        self.kept_bytes = 0
        """What `read` has taken and keeps until it has the whole."""

    def put(self, pieces: list[bytes], *, complete: bool) -> None:
        """Add what has arrived."""
        for piece in pieces:
            self._pieces.append(piece)
            self.held_bytes += len(piece)
        self.complete = complete
        self._wake()

    def fail(self, error: WireError) -> None:
        """Nothing more will come. What is held can still be taken; then `error` is raised."""
        if not self.complete and self._error is None:
            self._error = error
            self._wake()

    async def read(self, limit: int) -> bytes:
        """All of it. Raises BodyTooLarge once more than `limit` bytes are known of; WireError."""
        if self.complete:
            if self.held_bytes > limit:
                raise BodyTooLarge
            return self.whole()
        taken: list[bytes] = []
        size = 0
        while piece := await self.next():
            size += len(piece)
            if size > limit:
                raise BodyTooLarge
            taken.append(piece)
            self.kept_bytes = size
            self._on_taken()  # once more: what was held is now kept, and counts as ever
        return b"".join(taken)

    async def next(self) -> bytes:
        """What has arrived since the last call, waiting for it; empty at the end. Raises WireError."""
        while not self._pieces:
            if self.complete:
                return b""
            if self._error is not None:
                raise self._error
            await self._arrival()
        taken = self.whole()
        self._on_taken()
        return taken

    def drop(self) -> None:
        """Throw away what is held."""
        self._pieces.clear()
        self.held_bytes = 0

    def whole(self) -> bytes:
        """What is held, and it is not held any more."""
        joined = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self.drop()
        return joined

    async def _arrival(self) -> None:
        if self._on_read is not None:
            self._on_read()
            self._on_read = None
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
