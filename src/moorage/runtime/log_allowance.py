"""How much an instance may log: so many bytes in every ten seconds, whichever of its processes write them.

What it has written already is what its log file has grown by, which counts the lines of native code as well. That code
writes past this, and nothing can hold it up: the platform takes back the oldest of a file that grows too large.
"""

from __future__ import annotations

import os
import time
from typing import Final

WINDOW_S: Final = 10


class LogAllowance:
    """What may still be written to `descriptor`. Times are seconds since 1970."""

    def __init__(self, descriptor: int, bytes_per_s: int) -> None:
        self._descriptor = descriptor
        self._bytes_max = bytes_per_s * WINDOW_S
        self._window = -1
        self._size_at_start = 0
        self._has_said = False
        self._lines_left_out = 0
        self._bytes_left_out = 0

    def admit(self, lines: int, size: int, now: float) -> tuple[bool, str | None]:
        """Whether `size` bytes may be written, and what has to be said before, if anything has."""
        said = self._enter(int(now // WINDOW_S))
        used = os.fstat(self._descriptor).st_size - self._size_at_start
        if used + size <= self._bytes_max:
            return True, said
        self._lines_left_out += lines
        self._bytes_left_out += size
        if not self._has_said:
            self._has_said = True
            until = time.strftime("%H:%M:%S", time.gmtime((self._window + 1) * WINDOW_S))
            said = f"more than {self._bytes_max} bytes in {WINDOW_S} s: what comes before {until} is left out"
        return False, said

    def left_out(self) -> str | None:
        """What was left out and has not been said yet."""
        if self._lines_left_out == 0:
            return None
        text = f"{self._lines_left_out} lines ({self._bytes_left_out} bytes) were left out"
        self._lines_left_out = self._bytes_left_out = 0
        return text

    def _enter(self, window: int) -> str | None:
        """Begin another window, if it is one; answers what was left out in the last one."""
        if window == self._window:
            return None
        self._window = window
        self._size_at_start = os.fstat(self._descriptor).st_size
        self._has_said = False
        return self.left_out()
