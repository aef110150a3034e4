"""Locks on files that somebody may move, remove or replace at any time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(path: Path, flags: int) -> Iterator[int]:
    """The file that is at `path`, and nobody else's meanwhile: what is locked may have been replaced by then.

    Waits for whoever has it. `flags` are those of `os.open`. Raises OSError.
    """
    while True:
        file = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(path, file):
                yield file
                return
        finally:
            os.close(file)


def try_lock(file: int) -> bool:
    """Whether nobody else has locked the open file; if so, we have."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False
