"""Asking the containers behind a front: for answers, and whether they are there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from moorage.runtime.front.parts import ContainerFailed, FrontContainer
from moorage.wire.answer import Answer
from moorage.wire.client import Client
from moorage.wire.limits import Limits
from moorage.wire.messages import HeaderList, NoAnswer, NotSent, WireError
from moorage.wire.within import within

BODY_BYTES_MAX: Final = 25 * 1024 * 1024
"""As much as an instance takes."""

_TRIES_MAX: Final = 2
_SHORTEST_S: Final = 0.001
_PING_S: Final = 30.0
"""As long as the gateway waits for a ping: one that is not answered must leave it waiting, see `Pinger`."""
_PING_REST_S: Final = 0.1
"""So short that the next ping needs a new connection: whether a container accepts any is part of the question."""
_PING_BYTES_MAX: Final = 65_536
_PING_AGE_S: Final = 1.0


class Containers:
    """Connections to the containers of one instance."""

    def __init__(self) -> None:
        self._client = Client(limits=Limits(body_bytes=BODY_BYTES_MAX))
        self._pings = Client(idle_s=_PING_REST_S)
        self._loop = asyncio.get_running_loop()

    async def ask(self, container: FrontContainer, fields: HeaderList, body: bytes, *, ends_at: float) -> Answer:
        """Its answer to an invocation, which has to begin by `ends_at` (the loop's time). Raises ContainerFailed."""
        for _ in range(_TRIES_MAX):
            left_s = max(_SHORTEST_S, ends_at - self._loop.time())
            try:
                return await self._client.request(
                    container.socket, b"POST", b"/invocations", headers=fields, body=body, head_s=left_s
                )
            except NotSent:
                continue  # a connection that was kept, and closed just then
            except WireError as error:
                raise failed(container, error) from error
        raise ContainerFailed(container.name, "the container does not accept connections")

    async def read(self, container: FrontContainer, answer: Answer, *, ends_at: float) -> bytes:
        """The whole body of its answer. Raises ContainerFailed.

        Held here and not passed on as it comes: what breaks off half way must not reach the next container.
        """
        if answer.content is not None:
            return answer.content
        try:
            return await within(ends_at - asyncio.get_running_loop().time(), answer.read(BODY_BYTES_MAX))
        except TimeoutError as error:
            answer.close()
            raise ContainerFailed(container.name, "the container did not finish its answer", is_late=True) from error
        except WireError as error:
            raise failed(container, error) from error

    async def ping(self, container: FrontContainer) -> bool:
        """Whether it says that it is well."""
        try:
            answer = await self._pings.request(container.socket, b"GET", b"/ping", head_s=_PING_S, total_s=_PING_S)
            await answer.read(_PING_BYTES_MAX)
        except WireError:
            return False
        return answer.status == 200

    def close(self) -> None:
        """Drop every connection."""
        self._client.close()
        self._pings.close()


class Pinger:
    """Asks all containers at once, for everybody who wants to know: that they are well is known for a second.

    It answers no sooner than all of them have. So a ping of the instance waits for a container that hangs, as it would
    for a process that hangs itself, and whoever asked draws the same conclusions.
    """

    def __init__(self, containers: Containers, asked: Sequence[FrontContainer]) -> None:
        self._containers = containers
        self._asked = asked
        self._loop = asyncio.get_running_loop()
        self._running: asyncio.Task[bool] | None = None
        self._well_until = 0.0

    async def __call__(self) -> bool:
        """Whether all containers are well."""
        if self._loop.time() < self._well_until:
            return True
        if self._running is None:
            self._running = self._loop.create_task(self._ask())
        return await asyncio.shield(self._running)

    async def _ask(self) -> bool:
        try:
            is_well = all(await asyncio.gather(*map(self._containers.ping, self._asked)))
        finally:
            self._running = None
        if is_well:
            self._well_until = self._loop.time() + _PING_AGE_S
        return is_well


def failed(container: FrontContainer, error: WireError) -> ContainerFailed:
    """What the wire says of a container."""
    return ContainerFailed(container.name, str(error), is_late=isinstance(error, NoAnswer))
