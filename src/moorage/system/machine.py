"""What this machine, or the part of it that this process may use, has."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_CGROUP: Final = Path("/sys/fs/cgroup")
_DEVICES: Final = Path("/dev")
_GPU: Final = re.compile(r"nvidia\d+")


def processors() -> int:
    """The processors that this process may run on."""
    return len(os.sched_getaffinity(0))


def memory_bytes() -> int:
    """The machine's memory, or what the control group leaves of it."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = cgroup_memory_limit()
    return total if limit is None else min(total, limit)


def gpus() -> int:
    """The NVIDIA GPUs whose driver is loaded."""
    return sum(_GPU.fullmatch(device.name) is not None for device in _DEVICES.iterdir())


def cgroup_memory_limit() -> int | None:
    """Of the control group that this process is in, in bytes; None without one."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (_CGROUP / name).read_text().strip()
        except OSError:
            continue
        return int(text) if text.isdigit() else None  # version 2 writes "max" for no limit
    return None
