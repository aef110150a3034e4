"""Files whose beginning has been given back to the file system, everything else being where it was.

Whoever appends to such a file, and whoever knows positions in it, notices nothing.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
from collections.abc import Callable
from typing import Final

_KEEP_SIZE: Final = 0x01
_PUNCH_HOLE: Final = 0x02


def punch(file: int, until: int) -> None:
    """Give back what lies before the position `until`, as far as it fills blocks; the rest becomes zeros.

    Where the file system has no holes, all of the file goes, and positions begin at 0 again. Raises OSError.
    """
    if until <= 0:
        return
    try:
        _deallocate(file, until)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        os.ftruncate(file, 0)


def data_start(file: int) -> int:
    """The position before which there is nothing but a hole; the file's end if there is nothing else."""
    try:
        return os.lseek(file, 0, os.SEEK_DATA)
    except OSError:  # ENXIO: no data at all
        return os.fstat(file).st_size


def _deallocate(file: int, until: int) -> None:
    if _fallocate()(file, _PUNCH_HOLE | _KEEP_SIZE, 0, until) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@functools.cache
def _fallocate() -> Callable[[int, int, int, int], int]:
    function = ctypes.CDLL(None, use_errno=True).fallocate
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    function.restype = ctypes.c_int
    return function
