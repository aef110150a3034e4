"""Landlock: which files may be opened for what, whoever they belong to; and no way to processes outside.

A process under it can also neither trace nor look into those outside (since its first version), nor connect to their
abstract Unix sockets or signal them (since version 6).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Final

from moorage.runtime.sandbox import kernel
from moorage.runtime.sandbox.syscalls import ARCHITECTURES

EXECUTE: Final = 1 << 0
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_FOLDER: Final = 1 << 3
TRUNCATE: Final = 1 << 14

READ: Final = EXECUTE | READ_FILE | READ_FOLDER
_FILE_RIGHTS: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
_RIGHTS: Final = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14}
"""What each version added. Of later ones, those to devices' ioctl are left alone: accelerators live by them."""
_SCOPES: Final = 0b11
"""Abstract Unix sockets and signals."""
_SCOPES_SINCE: Final = 6
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1


def version() -> int:
    """Which version the kernel has, 0 if none."""
    architecture = ARCHITECTURES.get(kernel.MACHINE)
    if architecture is None:
        return 0
    try:
        return kernel.syscall(architecture.numbers["landlock_create_ruleset"], None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(version: int, *, readable: Iterable[str], writable: Iterable[str]) -> None:
    """Allow this process and all it will fork to open what lies below these paths, and nothing else. Raises OSError.

    What is writable can be read as well. Paths that do not exist are left out.
    """
    numbers = ARCHITECTURES[kernel.MACHINE].numbers
    everything = 0
    for since, rights in _RIGHTS.items():
        everything |= rights if version >= since else 0
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", everything, 0, scopes)[: 24 if scopes else 8]
    rules = kernel.syscall(numbers["landlock_create_ruleset"], attributes, ctypes.c_size_t(len(attributes)), 0)
    try:
        for rights, paths in ((READ, readable), (everything, writable)):
            for path in paths:
                with contextlib.suppress(FileNotFoundError):
                    _allow(numbers["landlock_add_rule"], rules, path, rights)
        kernel.syscall(numbers["landlock_restrict_self"], rules, 0)
    finally:
        os.close(rules)


def _allow(number: int, rules: int, path: str, rights: int) -> None:
    below = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights &= -1 if os.path.isdir(f"/proc/self/fd/{below}") else _FILE_RIGHTS
        kernel.syscall(number, rules, _PATH_BENEATH, struct.pack("=Qi", rights, below), 0)
    finally:
        os.close(below)
