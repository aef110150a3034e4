"""How much memory this process has, and how to give some of it back to the machine. Linux and glibc."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from pathlib import Path
from typing import Final

_M_ARENA_MAX: Final = -8
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

_libc = ctypes.CDLL(None)


def allocated_bytes(process: int | str = "self") -> int:
    """What a process has of its own in memory: nothing that is in files as well, such as the code of libraries."""
    with open(f"/proc/{process}/statm", "rb") as file:
        _, resident, shared, *_ = file.read().split()
    return (int(resident) - int(shared)) * _PAGE_BYTES


def trim() -> None:
    """Return to the kernel what `free` keeps for the next `malloc`. Takes milliseconds: not for an event loop."""
    with contextlib.suppress(AttributeError):  # another libc
        _libc.malloc_trim(0)


def collect() -> None:
    """The same after a search for garbage, which lets no other thread run meanwhile."""
    gc.collect()
    trim()


def share_one_heap() -> None:
    """Have all threads allocate from one heap. What a thread of its own heap frees would stay with that heap."""
    with contextlib.suppress(AttributeError):
        _libc.mallopt(_M_ARENA_MAX, 1)


def size_on_disk(folder: Path) -> int:
    """The bytes of all files in `folder`: a guess at what the model will take, before anything is known."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
