"""What one policy wants."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

_ROUNDING: Final = 1e-9
"""What floating point may add to a whole number."""


class Wish(NamedTuple):
    """A capacity and why. To want the present capacity is to want no change; to know nothing is no wish at all."""

    capacity: int
    why: str
    base: int | None = None
    """What it was reckoned from. None: from the capacity there is."""


def instances_for(demand: float, *, each: float) -> int:
    """How many instances carry `demand`, if one carries `each`.

    >>> instances_for(200, each=70), instances_for(210, each=70), instances_for(0, each=70)
    (3, 3, 0)
    """
    return math.ceil(demand / each * (1 - _ROUNDING))
