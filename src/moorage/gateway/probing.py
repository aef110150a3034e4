"""Asking instances whether they are alive: `GET /ping`, until it is answered.

A process that is stopped, or swapped out, or spins in a lock accepts connections and answers nothing. Its ping does not
come back either, while that of one which only works for long does. An instance whose ping is out is suspended; the ping
is left waiting, so that its answer is the first thing that is heard when the process goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from weakref import WeakSet, ref

from moorage.core.model import InstanceId
from moorage.gateway.health import PING_S, Health
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks
from moorage.wire.client import Client
from moorage.wire.messages import WireError

_log = logging.getLogger(__name__)

RETRY_S: Final = 0.5
"""Between a ping that failed and the next."""
_LONGEST_PING_S: Final = 30.0
_IDLE_S: Final = 2.0
_ANSWER_BYTES_MAX: Final = 65_536

Ping = Callable[[str], Awaitable[bool]]
"""Whether the instance at an address answered, which may take as long as the instance likes to take."""


class Asked(Protocol):
    """What is needed of an instance."""

    id: InstanceId
    health: Health

    @property
    def address(self) -> str:
        """Where it listens."""
        ...


class Pinger:
    """Pings over connections of its own: those for requests may all be taken."""

    def __init__(self) -> None:
        self._client = Client(idle_s=_IDLE_S)

    async def __call__(self, address: str) -> bool:
        """Whether there was an answer. What it says is for control to judge, which asks as well."""
        try:
            answer = await self._client.request(
                address, b"GET", b"/ping", head_s=_LONGEST_PING_S, total_s=_LONGEST_PING_S
            )
            await answer.read(_ANSWER_BYTES_MAX)
        except WireError:
            return False
        return True

    def close(self) -> None:
        """Drop every connection."""
        self._client.close()


class Prober:
    """Asks instances. One that does not answer in `PING_S` is suspended until it does."""

    def __init__(self, ping: Ping, *, clock: Clock) -> None:
        self._ping = ping
        self._clock = clock
        self._asked: WeakSet[Asked] = WeakSet()
        self._tasks = BackgroundTasks()

    def ask(self, instance: Asked) -> None:
        """Ask until there is an answer, or nobody else is interested in the instance any more."""
        if instance not in self._asked:
            self._asked.add(instance)
            self._tasks.start(self._ask(ref(instance)), name="ping")

    async def close(self) -> None:
        """Stop asking."""
        await self._tasks.close()

    async def _ask(self, asked: ref[Asked]) -> None:
        while (instance := asked()) is not None:
            id_, address, health = instance.id, instance.address, instance.health
            del instance  # not to be kept in existence by being asked
            if await self._is_answered(id_, address, health):
                _resume(id_, health)
                break
            _suspend(id_, health)
            await self._clock.sleep(RETRY_S)
        if (instance := asked()) is not None:
            self._asked.discard(instance)

    async def _is_answered(self, id_: InstanceId, address: str, health: Health) -> bool:
        out = asyncio.get_running_loop().call_later(PING_S, _suspend, id_, health)
        try:
            return await self._ping(address)
        finally:
            out.cancel()


def _suspend(id_: InstanceId, health: Health) -> None:
    if not health.is_suspended:
        _log.warning("%s answers neither requests nor its ping: left alone until it does", id_)
        health.suspend()


def _resume(id_: InstanceId, health: Health) -> None:
    if health.is_suspended:
        _log.warning("%s answers its ping again", id_)
    health.resume()
