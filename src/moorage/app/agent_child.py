"""The host agent as the supervisor sees it: in a session of its own, where it and its instances outlive everybody."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import subprocess
from collections.abc import AsyncIterator

from moorage.app.child_process import command_line
from moorage.app.children import (
    PROBE_INTERVAL_S,
    READY_TIMEOUT_S,
    STARTS_MAX,
    ChildFailed,
    Restarted,
    restart_delay_s,
)
from moorage.app.settings import Settings, dump
from moorage.runners.process.client import agent_pid, end_agent, shut_down_agent
from moorage.system.clock import Clock

log = logging.getLogger(__name__)


class AgentChild:
    """The host agent: found if one runs already, else started in a session of its own, where it outlives us."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._keeper: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        reader, writer = await self._connect_or_spawn(starts_max=STARTS_MAX)
        self._keeper = asyncio.create_task(self._keep_running(reader, writer))

    async def restart(self) -> AsyncIterator[Restarted]:
        before = await end_agent(self._settings.agent_socket)
        deadline = self._clock.monotonic() + READY_TIMEOUT_S
        while (pid := agent_pid(self._settings.agent_socket)) in (None, before):
            if self._clock.monotonic() > deadline:
                raise ChildFailed(f"agent is not there again after {READY_TIMEOUT_S:.0f} s")
            await self._clock.sleep(PROBE_INTERVAL_S)
        assert pid is not None
        yield Restarted("agent", pid)

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
                await self._clock.sleep(restart_delay_s(starts - 1))
                try:
                    self._process = self._spawn()
                except OSError as error:
                    log.warning("the agent cannot be started: %s", error)
                starts += 1
            await self._clock.sleep(PROBE_INTERVAL_S)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with open(self._settings.platform_log_path, "ab") as output:
            process = subprocess.Popen(
                command_line("agent"),
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
