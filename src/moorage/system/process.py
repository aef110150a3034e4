"""What a process can say to the kernel about itself and others."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LOCK_DELAY_S = 0.005
_LOOK_S = 10.0


class AlreadyLocked(Exception):
    """Another living process holds the lock."""


def die_with_parent(parent_pid: int, by: signal.Signals) -> None:
    """Ask the kernel for this signal when the parent dies, and leave at once if it is dead already.

    Only for processes that are worthless without their parent: never for instances.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, by)
    if os.getppid() != parent_pid:
        raise SystemExit(0)


def become_subreaper() -> None:
    """Adopt orphaned grandchildren in place of process 1, which may reap late or never."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def lock_for_life(path: Path) -> int:
    """Hold an exclusive lock on `path` until this process ends; the kernel lets go even after SIGKILL.

    The file then holds our pid, see `lock_holder`. Answers the descriptor, which must stay open and is not inherited.
    Raises AlreadyLocked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _lock(descriptor):
        os.close(descriptor)
        raise AlreadyLocked(str(path))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _lock(descriptor: int) -> bool:
    """Whether nobody else has it. Who only looks, see `lock_holder`, is in the way until he is scheduled again."""
    deadline = time.monotonic() + _LOOK_S
    while not _try_to_lock(descriptor, fcntl.LOCK_EX):
        if not _try_to_lock(descriptor, fcntl.LOCK_SH) or time.monotonic() > deadline:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(_LOCK_DELAY_S)
    return True


def _try_to_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_holder(path: Path) -> int | None:
    """The pid of the living process that holds the lock of `path`, if any does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        is_held = not _try_to_lock(descriptor, fcntl.LOCK_SH)
        return int(os.pread(descriptor, 20, 0) or 0) if is_held else None
    finally:
        os.close(descriptor)


def has_ended(handle: int, *, within_s: float) -> bool:
    """Whether the process of a pidfd ends in time. By `poll`, since `select` takes no descriptor above 1023."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(within_s * 1000))
