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
_LOCK_TRIES = 5
_LOCK_DELAY_S = 0.005


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
    if not any(_try_to_lock(descriptor) for _ in range(_LOCK_TRIES)):
        os.close(descriptor)
        raise AlreadyLocked(str(path))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _try_to_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(_LOCK_DELAY_S)  # whoever only looks, see `lock_holder`, is in the way for an instant
        return False
    return True


def lock_holder(path: Path) -> int | None:
    """The pid of the living process that holds the lock of `path`, if any does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 20, 0) or 0)
    finally:
        os.close(descriptor)
    return None


def has_ended(handle: int, *, within_s: float) -> bool:
    """Whether the process of a pidfd ends in time. By `poll`, since `select` takes no descriptor above 1023."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(within_s * 1000))
