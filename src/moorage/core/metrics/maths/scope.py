"""What an expression can go by, besides its own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from moorage.core.metrics.maths.errors import TooMuchWork
from moorage.core.metrics.maths.program import SearchCall
from moorage.core.metrics.maths.values import POINTS_MAX, Array, TimeSeries, Value, Window


class Allowance:
    """How many datapoints may still be computed, by all expressions that share it."""

    def __init__(self, points: int = POINTS_MAX) -> None:
        self._left = points

    def spend(self, points: int) -> None:
        """Raises TooMuchWork if fewer are left."""
        self._left -= points
        if self._left < 0:
            raise TooMuchWork(f"It takes more than {POINTS_MAX:,} datapoints to compute it")


@dataclass(frozen=True, slots=True)
class Scope:
    """The time, the values of the other queries by id, and which of them are metrics rather than expressions."""

    window: Window
    values: Mapping[str, Value] = field(default_factory=dict)
    metrics: Mapping[str, TimeSeries] = field(default_factory=dict)
    found: Mapping[SearchCall, Array] = field(default_factory=dict)
    """What each search has found."""
    allowance: Allowance = field(default_factory=Allowance)
