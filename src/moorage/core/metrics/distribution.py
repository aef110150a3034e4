"""What was measured of a metric over some time: exact count, sum, minimum and maximum, and about where the values lie.

Values lie in buckets, log-linear like those of `core.latency` but for any number: each doubling is split into 128
buckets of equal width. What is said of the values in a bucket is said of the bound next to zero, which is within 1/128
of them all, and which is the value itself for whole numbers up to 256. So the middle of a bucket of `core.latency`,
which has twice the width, can be put as a value, and what is said of it is within 1/128 of the latencies.

A bucket's number grows with its values. What was put as a StatisticSet has no buckets unless all of it is one value: of
it, and of whatever it was merged into, nothing is known but the four.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from moorage.core.late_mapping import LateMapping

_PER_DOUBLING: Final = 128
_ZERO: Final = 0
_OFFSET: Final = 1100 * _PER_DOUBLING
"""More than the doublings below 1 that a float has, so that the buckets of positive values have positive numbers."""


def bucket_of(value: float) -> int:
    """The bucket that a finite value falls into: 0 for 0, and the negative of its mirror image's for one below."""
    if value == 0.0:
        return _ZERO
    fraction, exponent = math.frexp(abs(value))
    number = _OFFSET + exponent * _PER_DOUBLING + int((fraction - 0.5) * 2 * _PER_DOUBLING)
    return number if value > 0 else -number


@functools.lru_cache(maxsize=16_384)  # a metric's values share few buckets: trimmed statistics take a third of the time
def value_of(bucket: int) -> float:
    """The value of a bucket that is next to zero."""
    if bucket == _ZERO:
        return 0.0
    exponent, step = divmod(abs(bucket) - _OFFSET, _PER_DOUBLING)
    return math.copysign(math.ldexp(0.5 + step / (2 * _PER_DOUBLING), exponent), bucket)


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values of a metric over some time, at least one of them. Counts may be fractions, as PutMetricData allows."""

    count: float
    sum: float
    minimum: float
    maximum: float
    buckets: Mapping[int, float] | None = field(default=None)
    """How many values fell into each bucket; None if that is not known."""

    def __add__(self, other: Distribution) -> Distribution:
        """The values of both."""
        both = merge((self, other))
        # Put together now: sums of sums would otherwise wait for one another, however many there are.
        return both if both.buckets is None else replace(both, buckets=dict(both.buckets))

    def in_buckets(self) -> Mapping[int, float] | None:
        """How many values fell into each bucket, if it can be known."""
        if self.buckets is None and self.minimum == self.maximum:
            return {bucket_of(self.minimum): self.count}
        return self.buckets


def distribution_of(values: Iterable[tuple[float, float]]) -> Distribution:
    """Of values, each with how often it was measured. Raises ValueError if there are none.

    >>> distribution_of([(2.0, 3), (5.0, 1)]).sum
    11.0
    """
    buckets: dict[int, float] = {}
    count = total = 0.0
    minimum, maximum = math.inf, -math.inf
    for value, times in values:
        bucket = bucket_of(value)
        buckets[bucket] = buckets.get(bucket, 0.0) + times
        count += times
        total += value * times
        minimum, maximum = min(minimum, value), max(maximum, value)
    if not buckets:
        raise ValueError("a distribution has at least one value")
    return Distribution(count, total, minimum, maximum, buckets)


def merge(parts: Iterable[Distribution]) -> Distribution:
    """The values of all `parts`. Raises ValueError if there are none.

    Their buckets are only put together when somebody looks at them: of a sum over days nobody does.
    """
    found = list(parts)
    if not found:
        raise ValueError("a distribution has at least one value")
    is_known = all(part.buckets is not None or part.minimum == part.maximum for part in found)
    return Distribution(
        math.fsum(part.count for part in found),
        math.fsum(part.sum for part in found),
        min(part.minimum for part in found),
        max(part.maximum for part in found),
        LateMapping(partial(_put_together, found)) if is_known else None,
    )


def _put_together(parts: Iterable[Distribution]) -> Mapping[int, float]:
    buckets: dict[int, float] = {}
    for part in parts:
        for bucket, count in (part.in_buckets() or {}).items():
            buckets[bucket] = buckets.get(bucket, 0.0) + count
    return buckets
