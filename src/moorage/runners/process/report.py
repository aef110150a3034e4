"""What an instance says while it starts: words on a pipe."""

from __future__ import annotations

import asyncio
import os


class Report:
    """The reading end of an instance's report."""

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.BaseTransport) -> None:
        self._reader = reader
        self._transport = transport

    @classmethod
    async def open(cls, descriptor: int) -> Report:
        """Take over the descriptor."""
        reader = asyncio.StreamReader()
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        return cls(reader, transport)

    async def read(self) -> bytes:
        """The next word; empty when the instance has closed its end, which its death does too."""
        return (await self._reader.readline()).strip()

    def close(self) -> None:
        """Listen no longer."""
        self._transport.close()
