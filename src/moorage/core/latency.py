"""A histogram of microseconds that can be merged and subtracted, and whose percentiles are within 0.8 %.

Log-linear: below 128 µs every value has a bucket of its own; from there each doubling is split into 64 buckets of equal
width, so that the middle of a bucket is never further than 1/128 of the value from anything in it. Sums are exact.

    bucket   0 … 127    128 … 191    192 … 255   …
    values   0 … 127    128 … 255    256 … 511   …
    width        1           2            4      …
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ROW: Final = 64
"""Buckets a row: row 0 holds 0 to 63 µs, row r the values of r + 6 binary digits."""
BITS_MAX: Final = 40
"""Digits of the largest value that has a bucket: twelve days."""
ROWS: Final = BITS_MAX - 5
_LINEAR: Final = 2 * ROW


def bucket_of(us: int) -> int:
    """The bucket that `us`, at least 0 and below 2**BITS_MAX, falls into."""
    if us < _LINEAR:
        return us
    shift = us.bit_length() - 7
    return (shift << 6) + (us >> shift)


def bounds_of(bucket: int) -> tuple[int, int]:
    """The smallest and the largest value of a bucket."""
    if bucket < _LINEAR:
        return bucket, bucket
    shift = (bucket >> 6) - 1
    low = (bucket - (shift << 6)) << shift
    return low, low + (1 << shift) - 1


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values fell into each bucket, and what they come to. Empty buckets are left out."""

    counts: Mapping[int, int] = field(default_factory=dict)
    sum_us: int = 0

    @property
    def count(self) -> int:
        """How many values."""
        return sum(self.counts.values())

    @property
    def mean_us(self) -> float:
        """Their exact mean; NaN if there are none."""
        return self.sum_us / count if (count := self.count) else float("nan")

    def __add__(self, other: Histogram) -> Histogram:
        """The histogram of both sets of values."""
        counts = dict(self.counts)
        for bucket, count in other.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
        return Histogram(counts, self.sum_us + other.sum_us)

    def quantile(self, share: float) -> float:
        """A value in µs that `share` (0 to 1) of all are not above, within 0.8 %; NaN if there are none.

        >>> Histogram({100: 98, 128: 2}).quantile(0.5), Histogram({100: 98, 128: 2}).quantile(0.99)
        (100.0, 128.5)
        """
        rank = max(1, math.ceil(share * self.count))
        for bucket, count in sorted(self.counts.items()):
            rank -= count
            if rank <= 0:
                low, high = bounds_of(bucket)
                return (low + high) / 2
        return float("nan")

    @property
    def min_us(self) -> float:
        """The smallest value, within 0.8 %; NaN if there are none."""
        return self.quantile(0.0)

    @property
    def max_us(self) -> float:
        """The largest value, within 0.8 %; NaN if there are none."""
        return self.quantile(1.0)
