"""The agent's end of a nursery: `moorage.runtime.nursery` has the other, and says what the messages are."""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from moorage.runners.process.environment import nursery_environment
from moorage.runners.process.images import Framework

_MESSAGE_BYTES_MAX: Final = 65_536
_STATUSES_MAX: Final = 1_000
_STATUS_WAIT_S: Final = 0.2
_IMPORT_TIMEOUT_S: Final = 120.0

log = logging.getLogger(__name__)


class FrameworkAbsent(Exception):
    """The framework is not installed here; the message is the sentence that says so."""


class NurseryLost(Exception):
    """The nursery ended."""


class Nursery:
    """A running nursery. Made by `start_nursery`."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, statuses: ExitStatuses) -> None:
        self.process = process
        self.versions: dict[str, str] = {}
        self._channel = channel
        self._statuses = statuses
        self._listener: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        return self._listener is not None and not self._listener.done()

    async def warm_up(self, framework: Framework) -> None:
        """Wait until the framework is imported. Raises FrameworkAbsent, NurseryLost."""
        try:
            async with asyncio.timeout(_IMPORT_TIMEOUT_S):
                message = await self._receive()
        except TimeoutError:
            raise NurseryLost(f"importing {framework.title} took more than {_IMPORT_TIMEOUT_S:.0f} s") from None
        if "absent" in message:
            raise FrameworkAbsent(
                f"{framework.title} is not installed in Moorage's environment ({message['absent']}): install"
                f" {framework.title}, then create the endpoint again"
            )
        self.versions = message["hello"]
        self._listener = asyncio.create_task(self._listen())

    def fork(self, folder: Path, token: str) -> int:
        """Ask for an instance; answers the reading end of the pipe it reports on. Raises NurseryLost."""
        reading, writing = os.pipe2(os.O_CLOEXEC)
        message = json.dumps({"folder": str(folder), "token": token}).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writing]))]
        try:
            self._channel.sendmsg([message], rights)
        except OSError as error:
            os.close(reading)
            raise NurseryLost(str(error)) from error
        finally:
            os.close(writing)
        return reading

    def close(self) -> None:
        """Hang up, which ends the nursery and not its children."""
        if self._listener is not None:
            self._listener.cancel()
        self._channel.close()
        self.process.terminate()
        self.process.wait()

    async def _listen(self) -> None:
        with contextlib.suppress(NurseryLost):
            while True:
                message = await self._receive()
                self._statuses.put(message["exited"], message["status"])
        log.warning("the nursery (pid %d) ended", self.process.pid)
        self._channel.close()
        self.process.wait()

    async def _receive(self) -> dict[str, Any]:
        try:
            data = await asyncio.get_running_loop().sock_recv(self._channel, _MESSAGE_BYTES_MAX)
        except OSError as error:
            raise NurseryLost(str(error)) from error
        if not data:
            raise NurseryLost("the nursery ended")
        message: dict[str, Any] = json.loads(data)
        return message


class ExitStatuses:
    """How instances ended, as their nursery says it. Some are never asked for, so the oldest are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, asyncio.Future[int]] = OrderedDict()

    def put(self, pid: int, status: int) -> None:
        """The process with this pid has ended."""
        future = self._future(pid)
        if not future.done():
            future.set_result(status)

    async def take(self, pid: int) -> int | None:
        """The wait status of a process that has just ended; None if nobody will say it."""
        try:
            async with asyncio.timeout(_STATUS_WAIT_S):
                return await self._future(pid)
        except TimeoutError:
            return None
        finally:
            self._known.pop(pid, None)

    def _future(self, pid: int) -> asyncio.Future[int]:
        future = self._known.get(pid)
        if future is None:
            future = self._known[pid] = asyncio.get_running_loop().create_future()
            if len(self._known) > _STATUSES_MAX:
                self._known.popitem(last=False)
        return future


class Nurseries:
    """One nursery a framework, started when first wanted and again when it is gone."""

    def __init__(self) -> None:
        self.statuses = ExitStatuses()
        self._running: dict[str, Nursery] = {}
        self._starting: dict[str, asyncio.Task[Nursery]] = {}

    async def get(self, framework: Framework) -> Nursery:
        """A warm nursery. Raises FrameworkAbsent, NurseryLost."""
        running = self._running.get(framework.name)
        if running is not None and running.is_alive:
            return running
        task = self._starting.get(framework.name)
        if task is None:
            task = asyncio.create_task(self._start(framework))
            self._starting[framework.name] = task
            task.add_done_callback(lambda _: self._starting.pop(framework.name, None))
        return await asyncio.shield(task)

    def close(self) -> None:
        """End every nursery. Instances live on."""
        for task in self._starting.values():
            task.cancel()
        for nursery in self._running.values():
            nursery.close()
        self._running.clear()

    async def _start(self, framework: Framework) -> Nursery:
        nursery = _spawn(framework, self.statuses)
        try:
            await nursery.warm_up(framework)
        except BaseException:
            nursery.close()
            raise
        self._running[framework.name] = nursery
        return nursery


def _spawn(framework: Framework, statuses: ExitStatuses) -> Nursery:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "moorage.runtime.nursery", str(theirs.fileno()), *framework.modules],
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env=nursery_environment(),
            cwd="/",
        )
    return Nursery(process, ours, statuses)
