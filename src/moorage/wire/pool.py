"""The connections to one upstream. The last one used is the first used again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from moorage.wire.limits import Limits
from moorage.wire.messages import NotSent
from moorage.wire.upstream import UpstreamConnection
from moorage.wire.within import within

_CONNECT_S = 1.0
# Far above what is idle for good: a burst of answers in one turn of the loop must not close what the next turn needs.
_IDLE_MAX = 512


class Pool:
    """Connections to the Unix socket at `address`, or those that `dial` makes, which may raise OSError.

    `idle_s` must be shorter than what the upstream allows, so that it is us who close.
    """

    __slots__ = ("_connecting", "_dial", "_idle", "_idle_s", "_limits", "_open", "address")

    def __init__(
        self, address: str, limits: Limits, *, idle_s: float = 30.0, dial: Callable[[], socket.socket] | None = None
    ) -> None:
        self.address = address
        self._dial = dial
        self._limits = limits
        self._idle_s = idle_s
        self._idle: list[UpstreamConnection] = []
        self._open: set[UpstreamConnection] = set()
        self._connecting = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is no connection, nor one being made."""
        return not self._open and not self._connecting

    def take(self) -> UpstreamConnection | None:
        """A connection that may be used at once."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.is_usable:
                return connection
        return None

    async def connect(self) -> UpstreamConnection:
        """A new connection. Raises NotSent."""
        loop = asyncio.get_running_loop()
        connection = UpstreamConnection(loop, self._limits, on_free=self._keep, on_lost=self._forget)
        self._connecting += 1
        try:
            if self._dial is not None:
                connecting = loop.create_unix_connection(lambda: connection, sock=self._dial())
            else:
                connecting = loop.create_unix_connection(lambda: connection, self.address)
            await within(_CONNECT_S, connecting)
        except (OSError, TimeoutError) as error:
            connection.abort()
            raise NotSent(f"{self.address} does not accept connections") from error
        except asyncio.CancelledError:
            connection.abort()
            raise
        finally:
            self._connecting -= 1
        if not connection.is_usable:
            raise NotSent(f"{self.address} closes connections at once")
        self._open.add(connection)
        return connection

    def close(self) -> None:
        """Drop every connection and whatever is going on with it."""
        for connection in tuple(self._open):
            connection.abort()

    def _keep(self, connection: UpstreamConnection) -> None:
        if len(self._idle) >= _IDLE_MAX:
            connection.abort()
            return
        self._idle.append(connection)
        connection.rest(self._idle_s)

    def _forget(self, connection: UpstreamConnection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
