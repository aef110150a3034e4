"""The processes a supervisor keeps: how each is started, when it counts as ready, how it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol

from moorage.app.settings import Settings, dump
from moorage.runners.process.client import shut_down_agent
from moorage.system.clock import Clock

PROBE_INTERVAL_S: Final = 0.01
RESTART_DELAY_MAX_S: Final = 1.0
"""With the start itself, no part that was killed is away for more than three seconds, however often it is killed."""
SETTLED_AFTER_S: Final = 5.0
STARTS_MAX: Final = 3
KILL_AFTER_S: Final = 35.0

log = logging.getLogger(__name__)
Probe = Callable[[], Awaitable[bool]]


class ChildFailed(Exception):
    """A process ends again and again before it is ready."""


class Child(Protocol):
    """One part of Moorage that runs in a process of its own."""

    async def start(self) -> None:
        """Start it, keep it running from now on, and return once it is ready. Raises ChildFailed."""
        ...

    async def stop(self) -> None:
        """End it in order and return when it is gone."""
        ...


class ManagedProcess:
    """A process that lives and dies with the supervisor, and is started again when it ends by itself."""

    def __init__(
        self, name: str, settings: Settings, probe: Probe, clock: Clock, *, pass_fds: tuple[int, ...] = ()
    ) -> None:
        self._name = name
        self._settings = settings
        self._probe = probe
        self._clock = clock
        self._pass_fds = pass_fds
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._failed_starts = 0
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep_running())
        while not await self._probe():
            if self._failed_starts >= STARTS_MAX:
                raise ChildFailed(f"The {self._name} process does not start")
            await self._clock.sleep(PROBE_INTERVAL_S)

    async def stop(self) -> None:
        self._stopping.set()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                async with asyncio.timeout(KILL_AFTER_S):
                    await self._process.wait()
            except TimeoutError:
                log.warning("%s does not end, killing it", self._name)
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def _keep_running(self) -> None:
        delay = 0.0
        while not self._stopping.is_set():
            await self._clock.sleep(delay)
            started = self._clock.monotonic()
            end = await self._run_once()
            if self._stopping.is_set():
                return
            if self._clock.monotonic() - started > SETTLED_AFTER_S:
                self._failed_starts = 0
            delay = _restart_delay_s(self._failed_starts)
            self._failed_starts += 1
            log.warning("%s %s, starting it again in %.1f s", self._name, end, delay)

    async def _run_once(self) -> str:
        """Start it and wait for its end; answers what became of it."""
        try:
            self._process = await self._spawn()
        except OSError as error:
            return f"cannot be started ({error})"
        return f"ended with code {await self._process.wait()}"

    async def _spawn(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *_command(self._name, self._pass_fds),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=self._pass_fds,
            process_group=0,  # Ctrl-C in the terminal is for the supervisor, which ends its children in order
        )
        assert process.stdin is not None
        process.stdin.write(dump(self._settings))
        process.stdin.close()
        return process


class DetachedAgent:
    """The host agent: found if one runs already, else started in a session of its own, where it outlives us."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._keeper: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        reader, writer = await self._connect_or_spawn(starts_max=STARTS_MAX)
        self._keeper = asyncio.create_task(self._keep_running(reader, writer))

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if await shut_down_agent(self._settings.agent_socket) or not (self._is_starting() or self._has_instances()):
            return
        with contextlib.suppress(ChildFailed):
            _, writer = await self._connect_or_spawn(starts_max=STARTS_MAX)
            writer.close()
            await shut_down_agent(self._settings.agent_socket)
        if self._process is not None:
            self._process.poll()  # reaps it

    def _has_instances(self) -> bool:
        """Whether a dead agent left instances, which only another agent can end."""
        return any((self._settings.data_dir / "instances").glob("i-*"))

    def _is_starting(self) -> bool:
        """Whether there is an agent of ours that could not be asked yet."""
        return self._process is not None and self._process.poll() is None

    async def _keep_running(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            with contextlib.suppress(OSError):
                await reader.read()  # nothing is ever sent to us unasked: this ends when the agent is gone
            writer.close()
            log.warning("the agent is gone, starting another")
            reader, writer = await self._connect_or_spawn()

    async def _connect_or_spawn(
        self, *, starts_max: float = math.inf
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        starts = 0
        while True:
            with contextlib.suppress(OSError):
                return await asyncio.open_unix_connection(self._settings.agent_socket)
            if not self._is_starting():
                if starts == starts_max:
                    raise ChildFailed("The agent process does not start")
                await self._clock.sleep(_restart_delay_s(starts - 1))
                try:
                    self._process = self._spawn()
                except OSError as error:
                    log.warning("the agent cannot be started: %s", error)
                starts += 1
            await self._clock.sleep(PROBE_INTERVAL_S)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with open(self._settings.platform_log_path, "ab") as output:
            process = subprocess.Popen(
                _command("agent", ()),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self._settings.data_dir,
            )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died at once: the next look at it says so
            process.stdin.write(dump(self._settings))
            process.stdin.close()
        return process


def control_child(settings: Settings, clock: Clock) -> Child:
    """The control process: ready when its socket answers."""
    return ManagedProcess("control", settings, lambda: _accepts(settings.control_socket), clock)


def gateway_child(settings: Settings, listener: socket.socket, clock: Clock) -> Child:
    """The gateway process: ready when its admin socket answers."""
    admin = gateway_admin_socket(settings, 0)
    return ManagedProcess("gateway", settings, lambda: _accepts(admin), clock, pass_fds=(listener.fileno(),))


def agent_child(settings: Settings, clock: Clock) -> Child:
    """The host agent."""
    return DetachedAgent(settings, clock)


def gateway_admin_socket(settings: Settings, worker: int) -> Path:
    """Where control tells a gateway worker about new routes."""
    return settings.run_dir / f"gateway-{worker}.sock"


def _restart_delay_s(failures_before: int) -> float:
    """None for the first failure, then a tenth of a second doubling to `RESTART_DELAY_MAX_S`."""
    return min(RESTART_DELAY_MAX_S, 0.1 * 2 ** (failures_before - 1)) if failures_before > 0 else 0.0


def _command(name: str, fds: tuple[int, ...]) -> list[str]:
    return [sys.executable, "-m", "moorage.app", name, str(os.getpid()), *map(str, fds)]


async def _accepts(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True
