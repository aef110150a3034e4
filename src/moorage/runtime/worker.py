"""One of several processes that serve a model, forked when it was loaded. Its parent deals connections to it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
from functools import partial
from typing import Final

from moorage.runtime.dispatch import Dispatcher
from moorage.runtime.model_thread import ModelThread
from moorage.runtime.replies import render
from moorage.runtime.server import STOP_GRACE_S, Invocations, Router, limits, routes_of
from moorage.runtime.termination import hear_termination
from moorage.runtime.toolkit import LoadedModel
from moorage.runtime.watchdog import Watchdog
from moorage.runtime.worker_sessions import Sessions
from moorage.wire.limits import Limits
from moorage.wire.messages import Begin
from moorage.wire.replying import Replying
from moorage.wire.server import Server

UP: Final = b"u"
TAKEN: Final = b"+"
GONE: Final = b"-"
OTHER: Final = b">"
"""What a worker tells its parent: that it serves; of each connection, that it has it, and that it has ended; and, with
a connection and a number, that this is for the worker of that number."""
_PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int) -> None:
    """End as soon as `parent` does, however that happens."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


async def serve_dealt(model: LoadedModel, number: int, channel: socket.socket) -> None:
    """Serve the connections that come down `channel` until SIGTERM, then finish what is in flight and return."""
    loop = asyncio.get_running_loop()
    terminated = hear_termination()
    with ModelThread() as thread:
        bounds = limits(model.settings.body_bytes_max)
        begin = Sessions(Invocations(Dispatcher(model, thread)), number, partial(_hand_over, channel), bounds)
        server = DealtServer(Router(routes_of(begin)), bounds, channel)
        watchdog = Watchdog(thread, model.settings.timeout_s)
        loop.add_reader(channel, server.take_what_came)
        server.tell(UP)
        await terminated.wait()
        loop.remove_reader(channel)
        await server.finish()
        watchdog.close()


class DealtServer(Server):
    """A server that does not listen: connections come down `channel`, and it says there when one has ended."""

    def __init__(self, begin: Begin, bounds: Limits, channel: socket.socket) -> None:
        super().__init__(begin, limits=bounds, render=render)
        self._channel = channel
        self._arriving: set[asyncio.Task[None]] = set()

    def take_what_came(self) -> None:
        """Take the connections that are waiting in the channel."""
        with contextlib.suppress(BlockingIOError):
            while True:
                message, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
                if not message:
                    return  # the parent is gone, and the kernel is about to end us
                for descriptor in descriptors:
                    self.tell(TAKEN)
                    self._take(socket.socket(fileno=descriptor))

    async def finish(self) -> None:
        """Take what was dealt before the end, then close."""
        self.take_what_came()
        if self._arriving:
            await asyncio.wait(self._arriving)
        await self.close(grace_s=STOP_GRACE_S)

    def forget(self, connection: Replying) -> None:
        """A connection is gone."""
        super().forget(connection)
        self.tell(GONE)

    def tell(self, word: bytes) -> None:
        """Say one of the words above to the parent."""
        with contextlib.suppress(OSError):  # it is gone, or has not looked for a long time
            self._channel.send(word)

    def _take(self, sock: socket.socket) -> None:
        task = self.loop.create_task(self.take(sock))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)


def _hand_over(channel: socket.socket, number: int, connection: socket.socket) -> None:
    socket.send_fds(channel, [b"%b%d" % (OTHER, number)], [connection.fileno()])
