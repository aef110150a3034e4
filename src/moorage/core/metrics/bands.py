"""Values in order, and what lies between two bounds of them: the ground of percentiles and trimmed statistics. Pure."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Values = Sequence[tuple[float, float]]
"""Values in ascending order, each with how many there are; at least one."""


class Parts(NamedTuple):
    """How many values lie below a band and above it, and those that lie in it."""

    below: float
    inside: Values
    above: float


@dataclass(frozen=True, slots=True)
class ValueBand:
    """What is above `low` and not above `high`."""

    low: float = -math.inf
    high: float = math.inf

    def parts(self, values: Values) -> Parts:
        """What is below, inside and above."""
        return Parts(
            math.fsum(count for value, count in values if value <= self.low),
            [(value, count) for value, count in values if self.low < value <= self.high],
            math.fsum(count for value, count in values if value > self.high),
        )

    def edges(self, values: Values) -> tuple[float, float]:
        """Its bounds as values."""
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class PercentBand:
    """What comes after the lowest `low` per cent of the values and is among the lowest `high` per cent of them.

    A value on a bound belongs to the band in part: of one value the lowest 90 % are 0.9 values.
    """

    low: float = 0.0
    high: float = 100.0

    def parts(self, values: Values) -> Parts:
        """What is below, inside and above."""
        total = count_of(values)
        low, high = total * self.low / 100, total * self.high / 100
        inside, before = [], 0.0
        for value, count in values:
            share = min(before + count, high) - max(before, low)
            if share > 0:
                inside.append((value, share))
            before += count
        return Parts(low, inside, total - high)

    def edges(self, values: Values) -> tuple[float, float]:
        """Its bounds as values."""
        return percentile(values, self.low), percentile(values, self.high)


Band = ValueBand | PercentBand


def percentile(values: Values, percent: float) -> float:
    """The smallest value that `percent` per cent of all are not above."""
    return values[place_of(percent, (count for _, count in values))][0]


def place_of(percent: float, counts: Iterable[float]) -> int:
    """Which is the first of some counts, at least one, up to which `percent` per cent of them all are counted."""
    up_to = list(itertools.accumulate(counts))
    wanted = up_to[-1] * percent / 100
    return bisect.bisect_left(up_to, wanted * (1 - 1e-12))  # 99.9 % of 1,000 are 999, though not of floats


def count_of(values: Values) -> float:
    """How many there are."""
    return math.fsum(count for _, count in values)


def sum_of(values: Values) -> float:
    """What they add up to."""
    return math.fsum(value * count for value, count in values)
