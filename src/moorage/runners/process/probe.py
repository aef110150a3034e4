"""One `/ping`, as small as it can be: a new connection each time, so that accepting connections is tested too."""

from __future__ import annotations

import asyncio
from pathlib import Path

_REQUEST = b"GET /ping HTTP/1.1\r\nHost: instance\r\nConnection: close\r\n\r\n"
_OK = b"HTTP/1.1 200 "


async def ping(socket_path: Path, *, timeout_s: float) -> bool:
    """Whether the instance answers `GET /ping` with 200 in time."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(socket_path)
            try:
                writer.write(_REQUEST)
                return (await reader.read(len(_OK))).startswith(_OK)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
