"""The supervisor: starts Moorage's processes, starts them again when they die, and ends them in order.

    supervisor ── control       dies with the supervisor
               ├─ gateway × N   die with the supervisor; each inherits a listening socket, so none is lost at a restart
               └─ agent         in a session of its own: it and its instances outlive everybody, and are found again

The port is taken here, once, before anything else: a port in use is one clear error, and connections that arrive while
a gateway worker restarts wait in the kernel's queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import shutil
import signal
import socket
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from moorage.app import credentials
from moorage.app.agent_child import AgentChild
from moorage.app.child_process import check_code
from moorage.app.children import READY_TIMEOUT_S, Child, ChildFailed, Restarted
from moorage.app.control_child import ControlChild
from moorage.app.gateway_workers import GatewayWorkers
from moorage.app.orders import Orders
from moorage.app.platform_log import keep_small
from moorage.app.ports import open_listeners
from moorage.app.settings import Settings, with_port
from moorage.system.clock import SystemClock
from moorage.system.files import write_durably
from moorage.system.process import AlreadyLocked, lock_for_life, lock_holder

STOP_TIMEOUT_S: Final = 75.0
"""For one part. The longest is a gateway worker's, which lets an invocation in flight have its 60 s."""
PORT_WAIT_S: Final = 5.0
PLACE_POLL_S: Final = 1.0
_FAULTS_OF_PORTS: Final = frozenset({errno.EADDRINUSE, errno.EACCES})

log = logging.getLogger(__name__)
Say = Callable[[str], None]


class SupervisorError(Exception):
    """Moorage cannot start, or did not; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class State:
    """What a running supervisor writes down for `moorage status`, `env` and `down`."""

    pid: int
    host: str
    port: int
    gateway_workers: int

    @property
    def endpoint_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def run(settings: Settings, say: Say) -> int:
    """Run in the foreground until SIGINT or SIGTERM; answers the exit code. Raises SupervisorError."""
    prepare_folders(settings)
    try:
        lock_for_life(settings.run_dir / "supervisor.lock")
    except AlreadyLocked:
        raise SupervisorError(
            f"Moorage is running already on {settings.data_dir}: `moorage status` shows it, `moorage down` ends it"
        ) from None
    try:
        listeners = _listen(settings)
        bound = with_port(settings, listeners[0].getsockname()[1])
        credentials.ensure(bound)
        credentials.ensure_secrets(bound)
        return asyncio.run(_Supervisor(bound, listeners, say).run())
    finally:
        _leave_no_ledgers(settings)


def prepare_folders(settings: Settings) -> None:
    """Make the data and run directories and the platform's log, closed to other users. Raises SupervisorError."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.ledger_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.platform_log_path.touch(mode=0o600)
    except OSError as error:
        raise SupervisorError(f"Cannot make {error.filename}: {error.strerror}. Choose another --data-dir") from None
    for folder in (settings.run_dir, settings.ledger_dir):
        owner = folder.lstat()
        if not stat.S_ISDIR(owner.st_mode) or owner.st_uid != os.getuid() or owner.st_mode & 0o077:
            raise SupervisorError(f"{folder} must belong to you alone (mode 0700): remove it, or `chmod 700` it")


def _leave_no_ledgers(settings: Settings) -> None:
    """Nobody would look for them there. Counts that could not be saved stay for the next start, if there can be one."""
    if not settings.data_dir.is_dir():
        shutil.rmtree(settings.ledger_dir, ignore_errors=True)
    for unborn in settings.ledger_dir.glob("*.new"):  # its worker was killed before it had counted anything
        unborn.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        settings.ledger_dir.rmdir()


def _listen(settings: Settings) -> list[socket.socket]:
    # A supervisor that was killed leaves its state behind, and for a moment gateways that still have the port.
    patience_s = PORT_WAIT_S if settings.state_path.exists() else 0.0
    try:
        return open_listeners(settings.host, settings.port, count=settings.gateway_workers, patience_s=patience_s)
    except OSError as error:
        advice = "choose another with --port" if error.errno in _FAULTS_OF_PORTS else "check the setting host"
        raise SupervisorError(
            f"Cannot listen on {settings.host} port {settings.port} ({error.strerror}): {advice}"
        ) from None


class _Supervisor:
    def __init__(self, settings: Settings, listeners: Sequence[socket.socket], say: Say) -> None:
        self._settings = settings
        self._say = say
        clock = SystemClock()
        self._children: tuple[Child, ...] = (
            AgentChild(settings, clock),
            ControlChild(settings, clock),
            GatewayWorkers(settings, listeners, clock),
        )
        self._orders = Orders(self._restart)

    async def run(self) -> int:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopping.set)
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await asyncio.gather(*(child.start() for child in self._children))
            await self._orders.listen(self._settings.supervisor_socket)
            state = State(os.getpid(), self._settings.host, self._settings.port, self._settings.gateway_workers)
            write_durably(self._settings.state_path, msgspec.json.encode(state))
        except (TimeoutError, ChildFailed, OSError) as error:
            await self._stop()
            why = str(error) or f"Not ready after {READY_TIMEOUT_S:.0f} s"
            raise SupervisorError(f"{why}: see {self._settings.platform_log_path}, and `moorage doctor`") from None
        self._tell(f"Moorage is ready at {state.endpoint_url}")
        why = await self._reason_to_stop(stopping)
        self._tell(f"{why}: finishing requests in flight, then the instances")
        await self._stop()
        self._settings.state_path.unlink(missing_ok=True)
        return 0

    async def _restart(self) -> AsyncIterator[Restarted]:
        """Exchange every process, those that callers depend on last. Raises ChildFailed, and leaves the rest as it is.

        Control comes before the gateways: what they start from, it writes in the form that the new code reads.
        """
        await check_code(self._settings)
        for child in self._children:
            async for restarted in child.restart():
                yield restarted

    async def _reason_to_stop(self, stopping: asyncio.Event) -> str:
        """Wait to be told to end, or for our place to be taken away: nobody could find us any more, `down` included."""
        lock = self._settings.run_dir / "supervisor.lock"
        while self._settings.data_dir.is_dir() and lock_holder(lock) == os.getpid():
            with contextlib.suppress(OSError):  # there is no better place to say so than this log
                await asyncio.to_thread(keep_small, self._settings.platform_log_path)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), PLACE_POLL_S)
                return "Stopping"
        return f"Stopping, since {self._settings.data_dir} was removed"

    def _tell(self, line: str) -> None:
        with contextlib.suppress(
            OSError
        ):  # a full disk or a closed terminal must not keep anything from ending in order
            self._say(line)

    async def _stop(self) -> None:
        await self._orders.close(self._settings.supervisor_socket)
        for child in reversed(self._children):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await child.stop()
