"""How a forked child becomes an instance, and how anybody later knows it still is the same one.

The agent makes the lock file before it asks for the fork and writes a token into it. The child looks whether it is its
own, takes the lock, then looks again whether the file it locked is still the one in the folder. An agent that finds
the lock free puts a new file in its place, under that lock, before it tries again. So of all the children ever forked
for an instance at most one can get past `claim`, however late it is scheduled; it holds the lock for life, and the
kernel lets go of it even after SIGKILL. It holds it read-only: the model's code, which the descriptor is open for, must
not write another process's name there for the agent to kill.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

LOCK_NAME: Final = "lock"


class ClaimLost(Exception):
    """The instance is no longer this process's to be."""


def claim(folder: Path, token: str) -> int:
    """Take the instance in `folder` for this process. Answers the descriptor that must stay open. Raises ClaimLost.

    The file then holds three lines: the token, our pid, our start time in clock ticks since boot.
    """
    path = folder / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise ClaimLost("the instance was removed") from None
    # A file never gets another token. By that first, for another child's file is not ours to lock even for a moment.
    if _token(descriptor) != token or not _lock(descriptor) or not _is_current(path, descriptor):
        os.close(descriptor)
        raise ClaimLost("the instance was started again elsewhere")
    _sign(descriptor, f"{token}\n{os.getpid()}\n{start_time()}\n")
    return descriptor


def start_time() -> int:
    """When this process started, in clock ticks since boot: with the pid, an identity that is not used twice."""
    with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[19])


def _sign(descriptor: int, text: str) -> None:
    writing = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_CLOEXEC)  # the very file that is locked
    try:
        os.pwrite(writing, text.encode(), 0)
    finally:
        os.close(writing)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_current(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)


def _token(descriptor: int) -> str:
    return os.pread(descriptor, 256, 0).decode().partition("\n")[0]
