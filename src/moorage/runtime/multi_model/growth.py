"""By how much a process has grown with the models in it, and so what the next one will take of memory. Sans-I/O.

What a model leaves behind when it goes is used again by the next ones, and seldom given back. So a process tells what
models take while it grows: there is least in between them then.
"""

from __future__ import annotations

from typing import Final

_RATIO_MAX: Final = 16.0
"""What a first model makes the process import is not to be taken for the size of models."""
_STEP: Final = 1.05
"""A process that is full still grows a little now and then, though much of it is between its models."""


class Growth:
    """Of one process. `ratio` is what a byte of a model on disk is taken to need until something is known."""

    def __init__(self, allocated: int, *, ratio: float) -> None:
        self._baseline = allocated
        self._peak = 0
        self._ratio = ratio

    def bytes_of(self, size: int) -> int:
        """What models of `size` bytes on disk take."""
        return int(size * self._ratio)

    def grown(self, allocated: int) -> int:
        """By how much it is larger than it was without models."""
        return allocated - self._baseline

    def note(self, allocated: int, *, size: int) -> None:
        """It is so large with models of `size` bytes on disk."""
        grown = self.grown(allocated)
        if grown > self._peak * _STEP and size:
            self._peak = grown
            self._ratio = min(max(1.0, grown / size), _RATIO_MAX)
