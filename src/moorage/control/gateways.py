"""Client of the gateways' admin sockets: have them reload the routes, and hear when instances are free of requests.

Gateways come and go without telling control. Where nobody listens there is no gateway, and whatever is asked of it is
done: one that starts binds its admin socket first and then reads the snapshot, so it cannot miss a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import msgspec

from moorage.control.errors import GatewayUnsure
from moorage.core.model import InstanceId
from moorage.wire.client import Client
from moorage.wire.messages import WireError

RELOAD_TIMEOUT_S: Final = 5.0
"""Milliseconds as a rule, but on a busy machine both of us may be held up. A gateway that hangs is killed after ten."""
_GRACE_S: Final = 2.0
_ANSWER_BYTES_MAX: Final = 1 << 20
_CONNECT_TIMEOUT_S: Final = 1.0


class GatewayClient:
    """Asks a gateway on its admin socket."""

    def __init__(self) -> None:
        self._client = Client()

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()

    async def ask(
        self, socket: Path, path: bytes, question: dict[str, Any], *, timeout_s: float
    ) -> dict[str, Any] | None:
        """The answer of the gateway at `socket`, or None if there is none, or none any more. Raises GatewayUnsure."""
        try:
            answer = await self._client.request(
                str(socket), b"POST", path, body=msgspec.json.encode(question), head_s=timeout_s, total_s=timeout_s
            )
            content = await answer.read(_ANSWER_BYTES_MAX)
        except WireError as error:
            if await _nobody_listens(socket):
                return None
            raise GatewayUnsure(f"the gateway at {socket} did not answer {path.decode()}: {error!r}") from error
        if answer.status != 200:
            raise GatewayUnsure(f"the gateway at {socket} answered {path.decode()} with {content!r}")
        try:
            return msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise GatewayUnsure(f"the gateway at {socket} answered {path.decode()} with {content!r}") from error


class Gateways:
    """All gateways with an admin socket `gateway-<worker>-<pid>.sock` in `folder`, those included that are ending."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._client = GatewayClient()

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()

    async def reload(self, version: int) -> None:
        """Have every gateway use the snapshot of at least `version`. Raises GatewayUnsure."""
        answers = await asyncio.gather(
            *(self._client.ask(socket, b"/reload", {}, timeout_s=RELOAD_TIMEOUT_S) for socket in self._sockets())
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
            *(
                self._client.ask(socket, b"/drain", question, timeout_s=timeout_s + _GRACE_S)
                for socket in self._sockets()
            )
        )
        drained = frozenset(instances)
        for answer in answers:
            if answer is not None:
                drained &= frozenset(answer["drained"])
        return drained

    def _sockets(self) -> list[Path]:
        return sorted(self._folder.glob("gateway-*.sock"))


async def _nobody_listens(socket: Path) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_unix_connection(socket)
    except (FileNotFoundError, ConnectionRefusedError):
        return True
    except (OSError, TimeoutError):
        return False
    writer.close()
    return False
