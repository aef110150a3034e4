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
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from moorage.runners.process.environment import nursery_environment
from moorage.runners.process.environments.environment import Environment
from moorage.runners.process.images import Framework
from moorage.system.clock import Clock

_MESSAGE_BYTES_MAX: Final = 65_536
_STATUSES_MAX: Final = 1_000
_STATUS_WAIT_S: Final = 10.0
"""A nursery says it at once, unless something holds it up: it may be short of a processor as anybody."""
_IMPORT_TIMEOUT_S: Final = 120.0
_STARTS_MAX: Final = 3
"""A nursery that ends while it imports is started again: whoever killed it need not have meant its instances."""

log = logging.getLogger(__name__)


class FrameworkAbsent(Exception):
    """The framework cannot be imported; the message is the sentence that says so."""


class NurseryLost(Exception):
    """The nursery ended."""


class Nursery:
    """A running nursery. Made by `Nurseries`."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self.process = process
        self._channel = channel
        self._statuses = _ExitStatuses()
        self._listener: asyncio.Task[None] | None = None
        self._children = 0

    @property
    def is_alive(self) -> bool:
        return self._listener is not None and not self._listener.done()

    @property
    def has_children(self) -> bool:
        """Whether an instance that it forked lives, or is being forked."""
        return self._children > 0

    async def warm_up(self, environment: Environment, framework: Framework) -> None:
        """Wait until the framework is imported. Raises FrameworkAbsent, NurseryLost."""
        try:
            async with asyncio.timeout(_IMPORT_TIMEOUT_S):
                message = await self._receive()
        except TimeoutError:
            raise NurseryLost(f"importing {framework.title} took more than {_IMPORT_TIMEOUT_S:.0f} s") from None
        if "absent" in message:
            raise FrameworkAbsent(f"{framework.title} cannot be imported in {environment.title}: {message['absent']}")
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
        self._children += 1
        return reading

    async def status_of(self, child: int) -> int | None:
        """The wait status of an instance that has just ended; None if the nursery ended before it said it."""
        said = self._statuses.of(child)
        if not said.done() and self._listener is not None:
            either: set[asyncio.Future[Any]] = {said, self._listener}
            await asyncio.wait(either, timeout=_STATUS_WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        self._statuses.forget(child)
        return said.result() if said.done() else None

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
                self._children -= 1
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


class _ExitStatuses:
    """How the instances of a nursery ended. Some are never asked for, so the oldest are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, asyncio.Future[int]] = OrderedDict()

    def put(self, pid: int, status: int) -> None:
        """The process with this pid has ended."""
        future = self.of(pid)
        if not future.done():
            future.set_result(status)

    def of(self, pid: int) -> asyncio.Future[int]:
        """Its wait status, when that is known."""
        future = self._known.get(pid)
        if future is None:
            future = self._known[pid] = asyncio.get_running_loop().create_future()
            if len(self._known) > _STATUSES_MAX:
                self._known.popitem(last=False)
        return future

    def forget(self, pid: int) -> None:
        """Nobody will ask for it any more."""
        self._known.pop(pid, None)


class Nurseries:
    """One nursery an environment and framework, started when first wanted and again when it is gone."""

    def __init__(self, clock: Clock, *, idle_s: float) -> None:
        self._clock = clock
        self._idle_s = idle_s
        self._running: dict[_Key, Nursery] = {}
        self._wanted_at: dict[_Key, float] = {}
        self._starting: dict[_Key, asyncio.Task[Nursery]] = {}

    async def get(self, environment: Environment, framework: Framework) -> Nursery:
        """A warm nursery. Raises FrameworkAbsent, NurseryLost."""
        key = (environment, framework.name)
        nursery = self._running.get(key)
        if nursery is None or not nursery.is_alive:
            task = self._starting.get(key)
            if task is None:
                task = self._starting[key] = asyncio.create_task(self._start(environment, framework))
                task.add_done_callback(lambda _: self._starting.pop(key, None))
            nursery = await asyncio.shield(task)
        self._wanted_at[key] = self._clock.monotonic()
        return nursery

    def retire(self) -> None:
        """End the nurseries that nobody has wanted for long and that have no living instance."""
        for key, wanted_at in list(self._wanted_at.items()):
            nursery = self._running[key]
            if nursery.has_children or self._clock.monotonic() - wanted_at < self._idle_s:
                continue
            del self._running[key], self._wanted_at[key]
            nursery.close()

    def close(self) -> None:
        """End every nursery. Instances live on."""
        for task in self._starting.values():
            task.cancel()
        for nursery in self._running.values():
            nursery.close()
        self._running.clear()

    async def _start(self, environment: Environment, framework: Framework) -> Nursery:
        for starts_left in reversed(range(_STARTS_MAX)):
            nursery = _spawn(environment, framework)
            try:
                await nursery.warm_up(environment, framework)
            except NurseryLost:
                nursery.close()
                if not starts_left:
                    raise
            except BaseException:
                nursery.close()
                raise
            else:
                self._running[environment, framework.name] = nursery
                return nursery
        raise AssertionError("the last start returns or raises")


_Key = tuple[Environment, str]


def _spawn(environment: Environment, framework: Framework) -> Nursery:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    optional = (*framework.optional_modules, f"moorage.runtime.frameworks.{framework.name}")
    arguments = (str(theirs.fileno()), ",".join(framework.modules), ",".join(optional))
    with theirs:
        process = subprocess.Popen(
            environment.nursery_command(*arguments),
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env=nursery_environment(),
            cwd="/",
        )
    return Nursery(process, ours)
