"""Random numbers after a fork: a copy of a process must not draw the same ones."""

from __future__ import annotations

import random
import sys


def reseed() -> None:
    """Give Python's and numpy's global generators, as far as they are in use, a state of their own."""
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
