"""The agent as control sees it: a runner. One connection a call, so an agent that was replaced is found by the next."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, Observation
from moorage.runners.base import ContainerFiles, RunnerError
from moorage.runners.process.protocol import (
    LINE_BYTES_MAX,
    Changed,
    Describe,
    Described,
    Launch,
    MeasureUsage,
    NotDone,
    Note,
    Observe,
    Observed,
    Prepare,
    Reply,
    Request,
    ShutDown,
    StandBy,
    Stop,
    UsageMeasured,
    Watch,
    decode_reply,
    encode,
)
from moorage.runners.usage import Usage
from moorage.system.clock import Clock
from moorage.system.process import has_ended

_RECONNECT_DELAY_S: Final = 0.05
_RECONNECT_DELAY_MAX_S: Final = 1.0
_SHUT_DOWN_TIMEOUT_S: Final = 60.0
LOOK_TIMEOUT_S: Final = 60.0
"""For an answer that the agent has at hand: one that takes longer hangs, and the log has to say so."""


class ProcessRunner:
    """Instances as processes of this machine, by way of its agent. See `runners.base.Runner`."""

    def __init__(self, socket_path: Path, clock: Clock) -> None:
        self._path = socket_path
        self._clock = clock
        self._known: set[EndpointKey] = set()
        """What may have had instances since the agent was last connected to: whoever takes its place may lack them."""

    async def prepare(self, image: str) -> None:
        with contextlib.suppress(RunnerError):
            await self._ask(Prepare(image))

    async def stand_by(self, spec: InstanceSpec) -> None:
        with contextlib.suppress(RunnerError):
            await self._ask(StandBy(spec))

    async def note(self, spec: InstanceSpec, text: str) -> None:
        with contextlib.suppress(RunnerError):
            await self._ask(Note(spec, text))

    async def launch(self, spec: InstanceSpec, files: tuple[ContainerFiles, ...]) -> None:
        self._known.add(spec.endpoint)
        await self._ask(Launch(spec, files))

    async def stop(self, instance: InstanceId) -> None:
        await self._ask(Stop(instance))

    async def observe(self) -> Sequence[Observation]:
        reply = await self._ask(Observe(), within_s=LOOK_TIMEOUT_S)
        assert isinstance(reply, Observed)
        self._known.update(observation.endpoint for observation in reply.observations)
        return reply.observations

    async def describe(self, instance: InstanceId) -> Described:
        """Diagnostics of an instance, one line each, and its pid. Raises RunnerError."""
        reply = await self._ask(Describe(instance))
        assert isinstance(reply, Described)
        return reply

    async def measure_usage(self, *, with_memory: bool) -> Sequence[Usage]:
        """As `usage.Meters`."""
        reply = await self._ask(MeasureUsage(with_memory), within_s=LOOK_TIMEOUT_S)
        assert isinstance(reply, UsageMeasured)
        return reply.usages

    async def changes(self) -> AsyncIterator[EndpointKey]:
        delay_s = _RECONNECT_DELAY_S
        while True:
            with contextlib.suppress(OSError, RunnerError):
                async with contextlib.aclosing(self._watch()) as changes:
                    async for endpoint in changes:
                        delay_s = _RECONNECT_DELAY_S
                        yield endpoint
            await self._clock.sleep(delay_s)
            delay_s = min(_RECONNECT_DELAY_MAX_S, delay_s * 2)

    async def _watch(self) -> AsyncGenerator[EndpointKey, None]:
        """Every known endpoint, then what changes, for as long as one connection lasts."""
        reader, writer = await asyncio.open_unix_connection(self._path, limit=LINE_BYTES_MAX)
        try:
            writer.write(encode(Watch()))
            known, self._known = self._known, set()
            for endpoint in known:
                yield endpoint
            while line := await reader.readline():
                change = decode(line)
                if isinstance(change, Changed):
                    self._known.add(change.endpoint)
                    yield change.endpoint
        finally:
            writer.close()

    async def _ask(self, request: Request, *, within_s: float | None = None) -> Reply:
        try:
            async with asyncio.timeout(within_s):
                return await exchange(self._path, request)
        except TimeoutError:
            raise RunnerError(f"The agent at {self._path} does not answer") from None
        except OSError as error:
            raise RunnerError(f"The agent at {self._path} cannot be reached: {error}") from error


async def shut_down_agent(socket_path: Path) -> bool:
    """Stop every instance and the agent; returns when they are gone, whether there was an agent to ask."""
    return await asyncio.to_thread(shut_down_agent_now, socket_path)


def shut_down_agent_now(socket_path: Path) -> bool:
    """`shut_down_agent` for a caller without an event loop."""
    try:
        with _reach(socket_path) as agent:
            agent.connection.sendall(encode(ShutDown()))
            return agent.has_gone()
    except OSError:
        return False


async def end_agent(socket_path: Path) -> int | None:
    """End the agent and leave its instances to the next one; its pid once it is gone, None if there was none."""
    return await asyncio.to_thread(_end_agent, socket_path)


def agent_pid(socket_path: Path) -> int | None:
    """The pid of the agent that listens now, if one does."""
    try:
        with _reach(socket_path) as agent:
            return agent.pid
    except OSError:
        return None


def _end_agent(socket_path: Path) -> int | None:
    try:
        with _reach(socket_path) as agent:
            signal.pidfd_send_signal(agent.handle, signal.SIGTERM)
            agent.has_gone()
            return agent.pid
    except OSError:
        return None


class _ReachedAgent(NamedTuple):
    connection: socket.socket
    pid: int
    handle: int
    """A pidfd."""

    def has_gone(self) -> bool:
        """Whether it ends in time."""
        return has_ended(self.handle, within_s=_SHUT_DOWN_TIMEOUT_S)


@contextlib.contextmanager
def _reach(socket_path: Path) -> Iterator[_ReachedAgent]:
    """A connection to the agent. Raises OSError if there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SHUT_DOWN_TIMEOUT_S)
        connection.connect(str(socket_path))
        pid = _peer_pid(connection)
        handle = os.pidfd_open(pid)
        try:
            yield _ReachedAgent(connection, pid, handle)
        finally:
            os.close(handle)


async def exchange(path: Path, request: Request) -> Reply:
    """The agent's answer to one request. Raises OSError, RunnerError."""
    reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES_MAX)
    try:
        writer.write(encode(request))
        return decode(await reader.readline())
    finally:
        writer.close()


def decode(line: bytes) -> Reply:
    """The agent's words. Raises RunnerError for what is no reply, and for one that says it could not be done."""
    if not line:
        raise RunnerError("The agent ended before it answered")
    try:
        reply = decode_reply(line)
    except msgspec.MsgspecError as error:
        raise RunnerError(f"The agent does not speak our language: {error}") from error
    if isinstance(reply, NotDone):
        raise RunnerError(reply.reason)
    return reply


def _peer_pid(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])
