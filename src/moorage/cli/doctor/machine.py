"""Checks of the kernel and the machine's resources."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from moorage.app.settings import Settings
from moorage.cli.doctor.finding import Finding, bad, good, note
from moorage.system.machine import cgroup_memory_limit

MEMORY_FLOOR_BYTES: Final = 512 << 20
OPEN_FILES_FLOOR: Final = 1024
_MEMORY_INFO: Final = Path("/proc/meminfo")
_CGROUP: Final = Path("/sys/fs/cgroup")


def check_cpus() -> Iterator[Finding]:
    """The processors that this process may use."""
    usable = len(os.sched_getaffinity(0))
    yield good("CPUs", f"{usable} usable of {os.cpu_count()}")


def check_memory() -> Iterator[Finding]:
    """Memory that is free now, or left under the control group's limit."""
    total, available = _memory("MemTotal"), _memory("MemAvailable")
    limit = cgroup_memory_limit()
    text = f"{_gib(available)} available of {_gib(total)}"
    if limit is not None and limit < total:
        available = min(available, limit)
        text += f", limited to {_gib(limit)} by the control group"
    if available < MEMORY_FLOOR_BYTES:
        yield note("Memory", text, advice="An instance of a scikit-learn model needs about 150 MiB")
    else:
        yield good("Memory", text)


def check_capacity(settings: Settings) -> Iterator[Finding]:
    """What instances may reserve of the machine."""
    offer = settings.offer
    yield good("Capacity", f"instances may reserve {offer.total}: {offer.machine}, times the settings overcommit_*")
    if not offer.machine.gpus and offer.needs_accelerators:
        advice = "To serve them on processors alone: require_accelerators = false"
        yield note("Accelerators", "none; instance types with GPUs are refused", advice=advice)


def check_cgroup() -> Iterator[Finding]:
    """Whether instances can be given limits of memory and processor by control groups."""
    version = _cgroup_version()
    if version is None:
        yield note("Control groups", "not mounted")
    elif os.access(_CGROUP, os.W_OK):
        yield good("Control groups", f"version {version}, writable")
    else:
        yield note("Control groups", f"version {version}, not writable by this user")


def check_kernel() -> Iterator[Finding]:
    """pidfds, by which processes are watched and ended without mistaking one for another."""
    release = os.uname().release
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        yield bad("Kernel", f"{release} has no pidfd_open", advice="Linux 5.3 or newer is needed")
    else:
        yield good("Kernel", f"Linux {release}")


def check_open_files() -> Iterator[Finding]:
    """How many connections and files a process may hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < OPEN_FILES_FLOOR:
        yield note("Open files", f"limited to {soft}", advice=f"Allow more connections: ulimit -n {hard}")
    else:
        yield good("Open files", f"{soft} a process")


def _memory(field: str) -> int:
    """A line of /proc/meminfo, in bytes."""
    lines = _MEMORY_INFO.read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{field}:"))


def _cgroup_version() -> int | None:
    if (_CGROUP / "cgroup.controllers").exists():
        return 2
    return 1 if (_CGROUP / "memory").exists() else None


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GiB"
