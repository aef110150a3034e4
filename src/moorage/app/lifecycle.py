"""A Moorage seen from another process: `moorage up --detach`, `down`, `restart` and `status`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from moorage.app.agent_child import AgentChild
from moorage.app.children import READY_TIMEOUT_S, Restarted
from moorage.app.orders import OrderRefused, give_restart
from moorage.app.settings import Settings, dump
from moorage.app.supervisor import STOP_TIMEOUT_S, State, SupervisorError, prepare_folders
from moorage.runners.process.client import shut_down_agent_now
from moorage.system.clock import SystemClock
from moorage.system.process import has_ended, lock_holder

POLL_INTERVAL_S: Final = 0.02
ROOM_BYTES_MIN: Final = 1 << 20
"""Less than this, and it is the disk that is at fault when Moorage does not start."""


class NotRunning(Exception):
    """No Moorage runs on this data directory."""


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a Moorage runs on a data directory, and where it listens."""

    running: bool
    pid: int | None = None
    endpoint_url: str | None = None
    gateway_workers: int = 0


def status(settings: Settings) -> Status:
    """What runs now. Believes the lock that only a living supervisor holds, not what files say."""
    pid = lock_holder(_lock(settings))
    state = _state(settings)
    if pid is None or state is None or state.pid != pid:
        return Status(running=False, pid=pid)
    return Status(running=True, pid=pid, endpoint_url=state.endpoint_url, gateway_workers=state.gateway_workers)


def endpoint_url(settings: Settings) -> str:
    """The URL of the running Moorage. Raises NotRunning."""
    found = status(settings).endpoint_url
    if found is None:
        raise NotRunning(f"No Moorage runs on {settings.data_dir}: start it with `moorage up`")
    return found


def start_detached(settings: Settings, *, timeout_s: float = READY_TIMEOUT_S + STOP_TIMEOUT_S) -> Status:
    """Start a supervisor in a session of its own and return once it is ready. Raises SupervisorError.

    One that gives up says why, once it has ended what it had started: it may have the time for both.
    """
    prepare_folders(settings)
    if lock_holder(_lock(settings)) is not None:
        raise SupervisorError(f"Moorage is running already on {settings.data_dir}: `moorage status` shows it")
    with open(settings.platform_log_path, "ab") as output:
        offset = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "moorage.app", "supervisor", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    assert process.stdin is not None
    process.stdin.write(dump(settings))
    process.stdin.close()
    threading.Thread(target=process.wait, daemon=True).start()  # so that it does not stay behind as a zombie of ours
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = status(settings)
        if found.running:
            return found
        if process.returncode is not None:
            raise SupervisorError(_why_it_ended(settings, offset))
        time.sleep(POLL_INTERVAL_S)
    raise SupervisorError(
        f"Moorage is not ready after {timeout_s:.0f} s: see {settings.platform_log_path}; `moorage down` ends it"
    )


def stop(settings: Settings, *, timeout_s: float = 3 * STOP_TIMEOUT_S) -> bool:
    """End the Moorage on this data directory, instances included; whether there was anything to end.

    After a crash of the supervisor the agent may still hold instances, or instances may be left of an agent that
    crashed too: they are ended as well.
    """
    pid = lock_holder(_lock(settings))
    if pid is None:
        return shut_down_agent_now(settings.agent_socket) or _end_orphans(settings)
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            if not has_ended(handle, within_s=timeout_s):
                raise SupervisorError(f"Moorage (pid {pid}) does not end: see {settings.platform_log_path}")
        finally:
            os.close(handle)
    return True


def restart(settings: Settings) -> Iterator[Restarted]:
    """Exchange the processes of the running Moorage, instances excepted, for ones that run what is installed now.

    Yields as it goes on. Raises NotRunning, OrderRefused.
    """
    endpoint_url(settings)
    try:
        yield from give_restart(settings.supervisor_socket, timeout_s=STOP_TIMEOUT_S + READY_TIMEOUT_S)
    except OSError as error:
        raise OrderRefused(f"The supervisor does not answer ({error})") from None


def _end_orphans(settings: Settings) -> bool:
    """End what a dead agent left, by way of another agent; whether there was anything."""
    if not any((settings.data_dir / "instances").glob("i-*")):
        return False
    asyncio.run(AgentChild(settings, SystemClock()).stop())
    return True


def _lock(settings: Settings) -> Path:
    return settings.run_dir / "supervisor.lock"


def _state(settings: Settings) -> State | None:
    try:
        return msgspec.json.decode(settings.state_path.read_bytes(), type=State)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _why_it_ended(settings: Settings, offset: int) -> str:
    """The last words in the log from `offset` on; not on a full disk, where they were cut off."""
    if shutil.disk_usage(settings.data_dir).free < ROOM_BYTES_MIN:
        return f"There is no room on the disk for {settings.data_dir}: make room, or choose another --data-dir"
    return _last_line(settings.platform_log_path, offset) or "Moorage ended while starting"


def _last_line(path: Path, offset: int) -> str:
    with open(path, "rb") as file:
        file.seek(offset)
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
