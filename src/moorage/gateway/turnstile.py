"""How many requests a serverless variant has at once, over all gateway workers: MaxConcurrency, exactly.

Each request inside holds one byte of a file locked; the bytes of a variant are as many as it may have. The kernel keeps
the locks, so that workers need not ask each other, and takes them back from a worker that dies. The file stays empty.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from pathlib import Path
from typing import Final

from moorage.core.model import VariantKey

_REQUESTS_MAX: Final = 256
"""Of one variant: more than the API takes for MaxConcurrency."""
_FLOCK: Final = "hhqqi4x"  # struct flock of a 64 bit Linux: l_type, l_whence, l_start, l_len, l_pid


class Turnstile:
    """Lets requests in. `path` is the same for all workers. Raises OSError if it cannot be made."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._inside: set[int] = set()
        """The bytes that this worker holds: to the kernel they are free to whoever has the same file open."""

    def enter(self, first: int, requests_max: int) -> int | None:
        """Let a request in where at most so many may be, see `first_byte`; what to `leave` by, None if it is full."""
        for byte in range(first, first + min(requests_max, _REQUESTS_MAX)):
            if byte not in self._inside and self._set_lock(byte, fcntl.F_WRLCK):
                self._inside.add(byte)
                return byte
        return None

    def leave(self, byte: int) -> None:
        """The request is over."""
        self._inside.discard(byte)
        self._set_lock(byte, fcntl.F_UNLCK)

    def close(self) -> None:
        """Let go of all."""
        os.close(self._file)

    def _set_lock(self, byte: int, kind: int) -> bool:
        try:
            fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, kind, os.SEEK_SET, byte, 1, 0))
        except BlockingIOError:
            return False
        return True


def first_byte(key: VariantKey) -> int:
    """Where a variant's bytes begin: by a digest, so that no worker has to give them out."""
    region, endpoint = key.endpoint
    digest = hashlib.sha256(f"{region}/{endpoint}/{key.variant}".encode()).digest()
    return int.from_bytes(digest[:6], "big") * _REQUESTS_MAX
