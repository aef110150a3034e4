"""The machine under a benchmark: its cores, its tools, and what a process takes of it."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

_MOMENT_S: Final = 0.25
_QUIET: Final = 0.2
"""Cores."""
_ESTABLISHED: Final = "01"  # in the fourth column of /proc/net/tcp


def require(*tools: str) -> None:
    """End the benchmark, successfully, if a program it needs is not installed."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        print(f"skipped: needs {', '.join(missing)} on the PATH")
        sys.exit(0)


def cores() -> tuple[int, int]:
    """A core for what is measured, and one for everything that is not. The same one if there is no other."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def pinned(command: Sequence[str], *on: int) -> list[str]:
    """The command, kept on these cores with all threads and children it will have."""
    return ["taskset", "--cpu-list", ",".join(map(str, on)), *command]


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def cpu_s(pid: int) -> float:
    """Time on a CPU, in seconds, that the process, its living children and all their living threads have had so far.

    From the scheduler's own count in nanoseconds: utime and stime of `/proc/PID/stat` are in steps of 10 ms.
    """
    return sum(_thread_ns(thread) for member in _tree(pid) for thread in _threads(member)) / 1e9


def others_s() -> float:
    """CPU time, in seconds, that all but this process and its descendants have had so far, the hypervisor included."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours_s = cpu_s(os.getpid()) + ended.ru_utime + ended.ru_stime
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK") - ours_s


def wait_for_quiet(patience_s: float) -> None:
    """Return when others leave the machine alone for a moment, or the patience is at its end."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        before_s = others_s()
        time.sleep(_MOMENT_S)
        if others_s() - before_s <= _QUIET * _MOMENT_S:
            return


def tcp_connections(pid: int) -> int:
    """How many established connections the process has over TCP."""
    mine = set(_open_files(pid))
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == _ESTABLISHED and f"socket:[{row[9]}]" in mine for row in rows)


def rss_bytes(pid: int) -> int:
    """Resident memory of the process and its children."""
    pages = sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) for member in _tree(pid))
    return pages * os.sysconf("SC_PAGE_SIZE")


def _open_files(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            yield os.readlink(entry)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for thread in _threads(pid):
        for child in (thread / "children").read_text().split():
            yield from _tree(int(child))


def _threads(pid: int) -> Iterator[Path]:
    return Path(f"/proc/{pid}/task").iterdir()


def _thread_ns(thread: Path) -> int:
    return int((thread / "schedstat").read_text().split()[0])
