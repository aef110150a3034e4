"""Client of the gateways' admin sockets: have them reload the routes, and hear when instances are free of requests.

Gateways come and go without telling control. Where nobody listens there is no gateway, and whatever is asked of it is
done: one that starts binds its admin socket first and then reads the snapshot, so it cannot miss a change.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from moorage.control.errors import GatewayUnsure
from moorage.core.model import InstanceId

RELOAD_TIMEOUT_S: Final = 2.0
_GRACE_S: Final = 2.0
_ANSWER_BYTES_MAX: Final = 1 << 20


class Gateways:
    """All gateways with an admin socket `gateway-<n>.sock` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def reload(self, version: int) -> None:
        """Have every gateway use the snapshot of at least `version`. Raises GatewayUnsure."""
        answers = await asyncio.gather(
            *(_ask(socket, "/reload", {}, timeout_s=RELOAD_TIMEOUT_S) for socket in self._sockets())
        )
        for answer in answers:
            if answer is not None and answer.get("version", -1) < version:
                raise GatewayUnsure(f"a gateway stays with routes of version {answer.get('version')}")

    async def drain(self, instances: Collection[InstanceId], *, timeout_s: float) -> frozenset[InstanceId]:
        """Those of `instances` that no gateway has a request in flight on, as soon as that is all, or at the timeout.

        Raises GatewayUnsure.
        """
        question = {"instances": sorted(instances), "timeout_s": timeout_s}
        answers = await asyncio.gather(
            *(_ask(socket, "/drain", question, timeout_s=timeout_s + _GRACE_S) for socket in self._sockets())
        )
        drained = frozenset(instances)
        for answer in answers:
            if answer is not None:
                drained &= frozenset(answer["drained"])
        return drained

    def _sockets(self) -> list[Path]:
        return sorted(self._folder.glob("gateway-*.sock"))


async def _ask(socket: Path, path: str, question: dict[str, Any], *, timeout_s: float) -> dict[str, Any] | None:
    """The answer of the gateway at `socket`, or None if there is none. Raises GatewayUnsure."""
    try:
        async with asyncio.timeout(timeout_s):
            try:
                reader, writer = await asyncio.open_unix_connection(socket)
            except (FileNotFoundError, ConnectionRefusedError):
                return None
            try:
                return await _exchange(reader, writer, path, json.dumps(question).encode())
            finally:
                writer.close()
    except (OSError, EOFError, ValueError, TimeoutError) as error:
        raise GatewayUnsure(f"the gateway at {socket} did not answer {path}: {error!r}") from error


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes
) -> dict[str, Any]:
    head = f"POST {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    answer_head, _, answer = (await reader.read(_ANSWER_BYTES_MAX)).partition(b"\r\n\r\n")
    while piece := await reader.read(_ANSWER_BYTES_MAX):
        answer += piece
    if b" 200 " not in answer_head.partition(b"\r\n")[0] + b" ":
        raise ValueError(answer_head.decode("latin-1"))
    parsed = json.loads(answer)
    if not isinstance(parsed, dict):
        raise TypeError("an object was expected")
    return parsed
