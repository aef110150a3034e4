"""A real host agent in a process and folder of its own: `python -m moorage.testing.agent SETTINGS` is its inside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from moorage.runners.process.agent import serve_agent
from moorage.runners.process.client import ProcessRunner, shut_down_agent_now
from moorage.runners.process.protocol import Observe, encode
from moorage.runners.process.settings import AgentSettings
from moorage.system.clock import SystemClock
from moorage.system.process import has_ended

PATIENCE_S: Final = 90.0
"""Of whoever waits for an agent to begin or to end, on a machine that is busy with other things."""


class RunningAgent:
    """An agent below `root`, which must have a short path.

    It runs as another user if one is given, and is started by a command, to which its own is added, if there is one.
    """

    def __init__(self, root: Path, *, user: int | None = None, by: Sequence[str] = (), **changes: Any) -> None:
        self.settings = replace(
            AgentSettings(
                run_dir=root / "run",
                instances_dir=root / "instances",
                models_dir=root / "models",
                logs_dir=root / "logs",
                environments_dir=root / "environments",
            ),
            **changes,
        )
        self.user = user
        self.by = by
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it answers."""
        settings = msgspec.json.encode(self.settings, enc_hook=str).decode()
        self._process = subprocess.Popen(
            [*self.by, sys.executable, "-m", "moorage.testing.agent", settings],
            start_new_session=True,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(self.settings.socket_path):
            assert time.monotonic() < deadline, "the agent does not start"
            time.sleep(0.005)

    @property
    def pid(self) -> int:
        """While it runs."""
        assert self._process is not None
        return self._process.pid

    def runner(self) -> ProcessRunner:
        """A client of it."""
        return ProcessRunner(self.settings.socket_path, SystemClock())

    def kill(self) -> None:
        """SIGKILL; instances live on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def wait(self) -> None:
        """Wait until it ends by itself."""
        assert self._process is not None
        self._process.wait(PATIENCE_S)

    def shut_down(self) -> None:
        """End it with its instances."""
        shut_down_agent_now(self.settings.socket_path)
        self.wait()

    def descendants(self) -> list[int]:
        """Every living process that has a file of this agent's folders open."""
        prefix = f"{self.settings.instances_dir.parent.resolve()}/"
        return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and _has_open(pid, prefix)]


def kill(pid: int) -> None:
    """SIGKILL a process, and return when the kernel has closed all that it had open. Raises ProcessLookupError."""
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        assert has_ended(handle, within_s=PATIENCE_S), f"process {pid} does not die"
    finally:
        os.close(handle)


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def _answers(path: Path) -> bool:
    """Whether an agent does: being connected is not enough, for what a killed one was forking holds its socket too."""
    with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
        connection.settimeout(5.0)
        connection.connect(str(path))
        connection.sendall(encode(Observe()))
        return bool(connection.recv(1))
    return False


def _has_open(pid: str, prefix: str) -> bool:
    with contextlib.suppress(OSError):
        return any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith(prefix) for fd in os.listdir(f"/proc/{pid}/fd"))
    return False


def main() -> None:
    """Be the agent."""
    settings = msgspec.json.decode(sys.argv[1], type=AgentSettings, dec_hook=lambda kind, value: kind(value))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(serve_agent(settings, SystemClock()))


if __name__ == "__main__":
    main()
