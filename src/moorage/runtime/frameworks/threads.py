"""How many threads a model may compute with: one, unless OMP_NUM_THREADS says more.

One, because an instance has a worker process for each of its processors, and because pools of threads do not live on in
processes that are forked later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moorage.runtime.failures import ModelUnusable

VARIABLE: Final = "OMP_NUM_THREADS"
_MAX: Final = 1024


def share(environment: Mapping[str, str]) -> int:
    """The threads of one worker. Raises ModelUnusable if the variable is no such number."""
    text = environment.get(VARIABLE, "1")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX):
        raise ModelUnusable(f"{VARIABLE} is {text!r}: it has to be a whole number from 1 to {_MAX}")
    return int(text)
