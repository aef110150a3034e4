"""What to make of readings taken in rounds: each round has one of everything that is compared."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def quietest(rounds: Sequence[float]) -> list[int]:
    """The numbers of the half of the rounds in which others took least, from what they took in each."""
    half = (len(rounds) + 1) // 2
    return sorted(sorted(range(len(rounds)), key=rounds.__getitem__)[:half])


def half_range(readings: Sequence[float]) -> float:
    """How far readings of one thing lie apart."""
    return (max(readings) - min(readings)) / 2


def paired_ratio(readings: Sequence[float], base: Sequence[float]) -> float:
    """The median of the rounds' ratios, which a machine that becomes slower from round to round does not move."""
    return statistics.median(reading / other for reading, other in zip(readings, base, strict=True))
