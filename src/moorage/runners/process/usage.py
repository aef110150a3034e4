"""What the processes of instances use, by /proc. A process belongs to the instance whose process founded its session.

Memory is the proportional share (Pss), where the kernel lets us read it: instances are forked from a nursery and share
most of a framework's pages with it and each other, which would be counted once for each otherwise.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from moorage.core.instance_types import memory_bytes
from moorage.core.model import InstanceSpec
from moorage.runners.usage import Usage

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_PSS: Final = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Metered:
    """An instance that can be measured."""

    spec: InstanceSpec
    leaders: tuple[int, ...]
    """The processes that founded its sessions."""
    folder: Path


class _Process(NamedTuple):
    pid: int
    start_ticks: int
    session: int
    cpu_ticks: int


def measure(instances: Iterable[Metered], *, at_s: float, with_memory: bool) -> list[Usage]:
    """Look at every process of the machine once. Blocks, for 30 µs each; memory takes 5 ms a process of an instance."""
    instances = list(instances)
    by_session = {leader: number for number, each in enumerate(instances) for leader in each.leaders}
    members: dict[int, list[_Process]] = {}
    for process in _processes() if by_session else ():
        if process.session in by_session:
            members.setdefault(by_session[process.session], []).append(process)
    usages = [_usage(each, members.get(number, []), at_s=at_s) for number, each in enumerate(instances)]
    if not with_memory:
        return usages
    return [
        replace(usage, memory_bytes=sum(_memory_bytes(each.pid) for each in members.get(number, [])))
        for number, usage in enumerate(usages)
    ]


def _usage(instance: Metered, processes: Iterable[_Process], *, at_s: float) -> Usage:
    spec = instance.spec
    cpu_s = {f"{each.pid}-{each.start_ticks}": each.cpu_ticks / _TICKS_A_SECOND for each in processes}
    return Usage(
        endpoint=spec.endpoint,
        variant=spec.variant.name,
        instance=spec.id,
        memory_bytes_max=_memory_bytes_max(spec),
        at_s=at_s,
        cpu_s=cpu_s,
        disk_percent=_disk_percent(instance.folder),
    )


def _memory_bytes_max(spec: InstanceSpec) -> int:
    serverless = spec.variant.serverless
    return serverless.memory_mb * _MIB if serverless else memory_bytes(spec.variant.instance_type)


def _processes() -> Iterator[_Process]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (found := _stat(int(entry))) is not None:
            yield found


def _stat(pid: int) -> _Process | None:
    try:
        # The name in parentheses may contain anything; what follows the last one does not.
        fields = Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return _Process(pid, int(fields[19]), int(fields[3]), int(fields[11]) + int(fields[12]))


def _memory_bytes(pid: int) -> int:
    folder = Path("/proc", str(pid))
    with contextlib.suppress(OSError):
        found = _PSS.search((folder / "smaps_rollup").read_bytes())
        if found:
            return int(found[1]) * 1024
    with contextlib.suppress(OSError):
        return int((folder / "statm").read_bytes().split()[1]) * _PAGE_BYTES
    return 0


def _disk_percent(folder: Path) -> float:
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0.0
    usable = found.f_blocks - found.f_bfree + found.f_bavail
    return 100.0 * (found.f_blocks - found.f_bfree) / usable if usable else 0.0
