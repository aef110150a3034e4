"""The agent's requests to an instance with many models, on the socket where that serves."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

import msgspec

from moorage.runners.process.multi_model.messages import Measured, Refusal, Report, Supply, Unchanged, Wanted
from moorage.wire.client import Client
from moorage.wire.messages import WireError

T = TypeVar("T")

_ANSWER_BYTES_MAX: Final = 64 << 20
_SLACK_S: Final = 10.0
"""How much longer than it was told an instance may take to say that there is nothing new."""
_LOAD_S: Final = 600.0
"""It gives up loading a model sooner."""
_REPORT_S: Final = 10.0
_HOST: Final = (b"Host", b"instance")


class InstanceAway(Exception):
    """The instance does not answer, or not as it should."""


class Channel:
    """An instance, by the path of its socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)
        self._client = Client()

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()

    async def wants(self, known: int, *, wait_s: int) -> Wanted:
        """What is wanted, as soon as that is more than number `known` said, or after a while. Raises InstanceAway."""
        target = b"/moorage/wants?known=%d&wait=%d" % (known, wait_s)
        return await self._ask(b"GET", target, b"", Wanted, head_s=wait_s + _SLACK_S)

    async def hand(self, hand: Supply | Unchanged | Refusal) -> None:
        """Bring a model, or say why there is none; returns when it is loaded, or is not. Raises InstanceAway."""
        await self._ask(b"POST", b"/moorage/models", msgspec.json.encode(hand), dict, head_s=_LOAD_S)

    async def report(self) -> Report:
        """What is loaded. Raises InstanceAway."""
        return await self._ask(b"GET", b"/moorage/models", b"", Report, head_s=_REPORT_S)

    async def measured(self, known: int) -> Measured:
        """What was measured since page `known`. Raises InstanceAway."""
        return await self._ask(b"GET", b"/moorage/measured?known=%d" % known, b"", Measured, head_s=_REPORT_S)

    async def _ask(self, method: bytes, target: bytes, body: bytes, kind: type[T], *, head_s: float) -> T:
        try:
            answer = await self._client.request(self._socket, method, target, headers=[_HOST], body=body, head_s=head_s)
            said = await answer.read(_ANSWER_BYTES_MAX)
        except WireError as error:
            raise InstanceAway(str(error)) from error
        if answer.status != 200:
            raise InstanceAway(f"the instance answered {answer.status}: {said[:200].decode(errors='replace')}")
        try:
            return msgspec.json.decode(said, type=kind)
        except msgspec.MsgspecError as error:
            raise InstanceAway(str(error)) from error
