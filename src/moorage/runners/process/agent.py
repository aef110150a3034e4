"""The host agent: answers clients on its socket, and keeps the instances of this machine.

It outlives everybody but its own folders. Ended by a signal, it leaves the instances to the next agent; told to shut
down, or if its run folder vanishes or another takes its socket's place, it stops them first: nobody could reach them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Final

import msgspec

from moorage.core.model import EndpointKey
from moorage.runners.process.host import Host
from moorage.runners.process.multi_model import reports
from moorage.runners.process.multi_model.demands import Demands, Refused
from moorage.runners.process.protocol import (
    LINE_BYTES_MAX,
    Changed,
    Demanded,
    Describe,
    Done,
    Launch,
    MeasureModels,
    MeasureUsage,
    ModelsMeasured,
    ModelsReported,
    NotDone,
    Note,
    Observe,
    Observed,
    Prepare,
    Refuse,
    Reply,
    ReportModels,
    Request,
    ShutDown,
    StandBy,
    Stop,
    Supply,
    UsageMeasured,
    Watch,
    WatchDemands,
    decode_request,
    encode,
)
from moorage.runners.process.settings import AgentSettings
from moorage.runners.process.usage import measure
from moorage.system.clock import Clock
from moorage.system.process import AlreadyLocked, become_subreaper, lock_for_life

SOCKET_PATH_BYTES_MAX: Final = 107
_LONGEST_NAME: Final = "0123456789abcdef0-15.sock"
_LOCK_WAIT_S: Final = 40.0
_LOCK_DELAY_S: Final = 0.02

log = logging.getLogger(__name__)


class AgentError(Exception):
    """The agent cannot run; the message says why."""


async def serve_agent(settings: AgentSettings, clock: Clock) -> None:
    """Be the agent until told to shut down or signalled. Raises AgentError."""
    _check_path_length(settings)
    for folder in settings.folders:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = await _lock(settings.instances_dir / ".agent.lock", clock)
    become_subreaper()
    try:
        await _Agent(settings, clock).run()
    finally:
        os.close(lock)


class _Agent:
    def __init__(self, settings: AgentSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._host = Host(settings, clock, self._publish)
        self._watchers: set[asyncio.Queue[EndpointKey]] = set()
        self._finished = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._finished.set)
        self._host.adopt()
        server = await self._listen()
        inode = _inode(self._settings.socket_path)
        watch = asyncio.create_task(self._watch_over_itself(inode))
        try:
            await self._finished.wait()
        finally:
            watch.cancel()
            server.close()
            self._host.let_go()
            if _inode(self._settings.socket_path) == inode:
                self._settings.socket_path.unlink(missing_ok=True)

    async def _listen(self) -> asyncio.Server:
        path = self._settings.socket_path
        path.unlink(missing_ok=True)  # left by a dead agent: we hold the lock
        before = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(self._serve_client, path, limit=LINE_BYTES_MAX)
        finally:
            os.umask(before)

    async def _watch_over_itself(self, socket_inode: int | None) -> None:
        while _inode(self._settings.socket_path) == socket_inode and self._settings.instances_dir.is_dir():
            self._host.tidy()
            await self._clock.sleep(self._settings.watch_interval_s)
        log.warning("%s is no longer this agent's: stopping its instances", self._settings.socket_path)
        try:
            await self._host.stop_all()
        finally:
            self._finished.set()

    # -- clients ------------------------------------------------------------------------------------------------------

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                request = decode_request(line)
                if isinstance(request, Watch):
                    await self._send_changes(reader, writer)
                    return
                if isinstance(request, WatchDemands):
                    await _until_hung_up(reader, _send_demands(self._host.demands, writer))
                    return
                writer.write(encode(await self._answer(request)))
                await writer.drain()
                if isinstance(request, ShutDown):
                    self._finished.set()
        except (ValueError, msgspec.MsgspecError) as error:
            log.warning("a client does not speak our language: %s", error)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the agent is about to be: asyncio.streams would log that as an error
        finally:
            writer.close()

    async def _answer(self, request: Request) -> Reply:
        try:
            match request:
                case Prepare(image=image):
                    self._host.prepare(image)
                case StandBy(spec=spec):
                    self._host.stand_by(spec)
                case Note(spec=spec, text=text):
                    await self._host.note(spec, text)
                case Launch(spec=spec, files=files):
                    await self._host.launch(spec, files)
                case Stop(instance=instance):
                    await self._host.stop(instance)
                case Observe():
                    return Observed(tuple(self._host.observe()))
                case Describe(instance=instance):
                    return self._host.describe(instance)
                case ReportModels(endpoint=endpoint):
                    asked = [shop for shop in self._host.shops() if shop[0].endpoint == endpoint]
                    return ModelsReported(await reports.report(asked))
                case MeasureModels(known=known):
                    return ModelsMeasured(await reports.measure(self._host.shops(), dict(known)))
                case MeasureUsage(with_memory=with_memory):
                    metered = tuple(self._host.metered())
                    at_s = self._clock.monotonic()
                    found = await asyncio.to_thread(measure, metered, at_s=at_s, with_memory=with_memory)
                    return UsageMeasured(tuple(found))
                case Supply(data=data, files=files):
                    self._host.demands.supply(data, files)
                case Refuse(data=data, reason=reason, is_gone=is_gone):
                    self._host.demands.refuse(data, Refused(reason, is_gone=is_gone))
                case ShutDown():
                    await self._host.stop_all()
                case Watch() | WatchDemands():
                    raise AssertionError("a watch has no single answer")
        except OSError as error:
            return NotDone(str(error))
        return Done()

    async def _send_changes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Every endpoint there is, then every change, until the client hangs up."""
        changes: asyncio.Queue[EndpointKey] = asyncio.Queue()
        for endpoint in {observation.endpoint: None for observation in self._host.observe()}:
            changes.put_nowait(endpoint)
        self._watchers.add(changes)
        try:
            await _until_hung_up(reader, _send_all(changes, writer))
        finally:
            self._watchers.discard(changes)

    def _publish(self, endpoint: EndpointKey) -> None:
        for changes in self._watchers:
            changes.put_nowait(endpoint)


async def _send_all(changes: asyncio.Queue[EndpointKey], writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(encode(Changed(await changes.get())))
            await writer.drain()


async def _send_demands(demands: Demands, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        async for data in demands.watch():
            writer.write(encode(Demanded(data)))
            await writer.drain()


async def _until_hung_up(reader: asyncio.StreamReader, sending: Coroutine[None, None, None]) -> None:
    """Send to a client that watches until it is gone."""
    task = asyncio.create_task(sending)
    try:
        await reader.read()  # the end: a client that watches says nothing more
    finally:
        task.cancel()
        await asyncio.wait([task])


def _check_path_length(settings: AgentSettings) -> None:
    longest = settings.instance_sockets_dir / _LONGEST_NAME
    if len(os.fsencode(longest)) > SOCKET_PATH_BYTES_MAX:
        raise AgentError(f"{settings.run_dir} is too long a path for the Unix sockets below it")


async def _lock(path: Path, clock: Clock) -> int:
    """Be the only agent of these instances. Another may be ending just now. Raises AgentError."""
    deadline = clock.monotonic() + _LOCK_WAIT_S
    while True:
        with contextlib.suppress(AlreadyLocked):
            return lock_for_life(path)
        if clock.monotonic() > deadline:
            raise AgentError(f"Another agent owns the instances in {path.parent}")
        await clock.sleep(_LOCK_DELAY_S)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
