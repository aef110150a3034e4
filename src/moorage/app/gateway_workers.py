"""The gateway workers as the supervisor sees them: one process for each listening socket of the port.

A worker inherits its socket, which the supervisor keeps open: when it dies, callers wait in the kernel's queue until
the next one is there. For a while two workers may serve one socket, the one that ends and its successor, so the name
of an admin socket has the pid in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from moorage.app.child_process import ChildProcess
from moorage.app.children import Restarted
from moorage.app.kept_process import KeptProcess
from moorage.app.settings import Settings
from moorage.app.watchdog import watch
from moorage.control.errors import GatewayUnsure
from moorage.control.gateways import GatewayClient
from moorage.gateway.stream import STREAM_S
from moorage.system.clock import Clock

ANSWER_TIMEOUT_S: Final = 2.0
MAKE_WAY_WITHIN_S: Final = STREAM_S + 10.0
"""A little more than what a worker that makes way gives to streams."""


class GatewayPart:
    """How the worker of one listening socket is started, and when it is ready."""

    end_within_s: Final = 70.0
    """A little more than a worker gives what is in flight on it, see `gateway_process`."""

    def __init__(self, settings: Settings, worker: int, listener: socket.socket, client: GatewayClient) -> None:
        self.name = f"gateway-{worker}"
        self._settings = settings
        self._worker = worker
        self._listener = listener
        self._client = client

    async def spawn(self) -> ChildProcess:
        _sweep(self._settings.run_dir)
        descriptor = self._listener.fileno()
        return await ChildProcess.spawn(
            "gateway", self._settings, arguments=(self._worker, descriptor), pass_fds=(descriptor,)
        )

    async def obstacle(self, process: ChildProcess) -> str | None:
        """It is ready when it has read the routes: without them it would answer that nothing is there."""
        try:
            answer = await self._client.ask(self._socket(process), b"/reload", {}, timeout_s=ANSWER_TIMEOUT_S)
        except GatewayUnsure as error:
            return f"is not ready ({error})"
        return None if answer is not None else "does not answer"

    async def is_alive(self, process: ChildProcess, *, within_s: float) -> bool:
        """Whether its event loop turns. One that does not listen yet, or no more, is not to be judged by that."""
        try:
            async with asyncio.timeout(within_s):
                await self._client.ask(self._socket(process), b"/status", {}, timeout_s=2 * within_s)
        except TimeoutError:
            return False
        except GatewayUnsure:
            return True  # that, too, is an answer
        return True

    def _socket(self, process: ChildProcess) -> Path:
        return self._settings.gateway_socket(self._worker, process.pid)


class GatewayWorkers:
    """All of them, kept running."""

    def __init__(self, settings: Settings, listeners: Sequence[socket.socket], clock: Clock) -> None:
        self._clock = clock
        self._client = GatewayClient()
        self._parts = [GatewayPart(settings, *each, self._client) for each in enumerate(listeners)]
        self._processes = [KeptProcess(part, clock) for part in self._parts]
        self._watches: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await asyncio.gather(*(process.start() for process in self._processes))
        self._watches = [
            asyncio.create_task(watch(process, part, self._clock), name=f"watch {part.name}")
            for process, part in zip(self._processes, self._parts, strict=True)
        ]

    async def restart(self) -> AsyncIterator[Restarted]:
        for process in self._processes:
            yield await process.replace(make_way_within_s=MAKE_WAY_WITHIN_S)

    async def stop(self) -> None:
        for task in self._watches:
            task.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        await asyncio.gather(*(process.stop() for process in self._processes))
        self._client.close()


def _sweep(folder: Path) -> None:
    """Remove the admin sockets of workers that are dead. One that ends still answers, and keeps its own."""
    for path in folder.glob("gateway-*.sock"):
        found = re.fullmatch(r"gateway-\d+-(\d+)\.sock", path.name)
        if found is not None and not Path("/proc", found[1]).exists():
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
