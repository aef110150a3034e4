"""Control groups: one a process of an instance, below the agent's own, where the kernel lets us make them.

Version 2 ends all that is in a group at once; memory is limited in version 2, or where it still is a hierarchy of
version 1. A group is known by its folder, which `launch.json` names, so that the next agent finds it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OWN_GROUPS: Final = Path("/proc/self/cgroup")
MOUNTS: Final = Path("/proc/self/mountinfo")
_PREFIX: Final = "moorage-"


@dataclass(frozen=True, slots=True)
class ControlGroups:
    """The agent's own groups, where there are any."""

    unified: Path | None
    """Of version 2."""
    memory: Path | None
    """Of the memory controller of version 1."""

    def make(self, name: str) -> Path:
        """A group by which all of a process can be ended. Answers its folder. Raises OSError."""
        return _make(self._of_version_2(), name)

    def make_limited(self, name: str, memory_bytes: int) -> Path:
        """A group whose processes together have so much memory; it may be the same. Raises OSError."""
        if self.memory is not None:
            group, limit = _make(self.memory, name), "memory.limit_in_bytes"
        else:
            _enable_memory(self._of_version_2())  # first, for where it cannot be there shall be no group left
            group, limit = self.make(name), "memory.max"
        (group / limit).write_text(str(memory_bytes))
        return group

    def _of_version_2(self) -> Path:
        if self.unified is None:
            raise OSError(errno.ENOENT, "there are no control groups of version 2")
        return self.unified


def find_control_groups(own: str, mounts: str) -> ControlGroups:
    """The agent's own groups, by the texts of `OWN_GROUPS` and `MOUNTS`, if their folders are there."""
    unified = memory = None
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            unified = _folder(path, "cgroup2", "", mounts)
        elif "memory" in controllers.split(","):
            memory = _folder(path, "cgroup", "memory", mounts)
    return ControlGroups(unified, memory)


def kill_members(groups: Iterable[Path]) -> bool:
    """SIGKILL every process in the groups; whether there was any. To be repeated until there is none."""
    found = [(group, members) for group in groups if (members := _members(group))]
    for group, members in found:
        _kill(group, members)
    return bool(found)


def remove(groups: Iterable[Path]) -> None:
    """Remove groups in which no process is left."""
    for group in groups:
        with contextlib.suppress(OSError):  # gone, or of a process that does not die: the kernel keeps it then
            group.rmdir()


def _make(parent: Path, name: str) -> Path:
    group = parent / f"{_PREFIX}{name}"
    group.mkdir(exist_ok=True)
    return group


def _enable_memory(parent: Path) -> None:
    enabled = parent / "cgroup.subtree_control"
    if "memory" not in enabled.read_text().split():
        enabled.write_text("+memory")


def _members(group: Path) -> list[int]:
    try:
        return [int(pid) for pid in group.joinpath("cgroup.procs").read_text().split()]
    except OSError:  # gone
        return []


def _kill(group: Path, members: Iterable[int]) -> None:
    at_once = group / "cgroup.kill"
    if at_once.exists():
        at_once.write_text("1")
        return
    for pid in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _folder(path: str, kind: str, controller: str, mounts: str) -> Path | None:
    for root, at, options in _mounts(mounts, kind):
        if (not controller or controller in options) and (path == root or path.startswith(f"{root.rstrip('/')}/")):
            folder = Path(at, path.removeprefix(root).lstrip("/"))
            if folder.is_dir():
                return folder
    return None


def _mounts(mounts: str, kind: str) -> Iterator[tuple[str, str, list[str]]]:
    """Root, place and options of the mounts of a kind of file system."""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[0] == kind:
            fields = before.split()
            yield fields[3], fields[4], after.split()[2].split(",")
