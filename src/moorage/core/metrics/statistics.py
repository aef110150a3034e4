"""The statistics of CloudWatch by name, and what each says of a distribution. Pure.

    Average, Sum, Minimum, Maximum, SampleCount       exact
    p99.9                                             percentile: the value that 99.9 % are not above
    tm90, TM(10%:90%), TM(:250), IQM                  trimmed mean: of the values in a band; IQM is TM(25%:75%)
    ts90, TS(…)                                       their sum
    tc90, TC(…)                                       how many they are
    wm90, WM(…)                                       mean, with the values outside the band moved to its edges
    PR(:250), PR(100:250)                             percentile rank: how many per cent lie in the band

A band's bounds are per cent of the values, in their order, or values: it is above the lower one and not above the upper
one. All but the exact statistics need the values themselves; of a StatisticSet they are known only if all of it is one
value. What is said of a value is within 0.8 % of it (see `distribution`).

Source: "CloudWatch statistics definitions" in the user guide; unlike there, values may be negative.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from moorage.core.metrics.bands import Band, PercentBand, ValueBand, Values, count_of, place_of, sum_of
from moorage.core.metrics.distribution import Distribution, value_of

SIMPLE_STATISTICS: Final[Mapping[str, Callable[[Distribution], float]]] = {
    "SampleCount": lambda values: values.count,
    "Average": lambda values: values.sum / values.count,
    "Sum": lambda values: values.sum,
    "Minimum": lambda values: values.minimum,
    "Maximum": lambda values: values.maximum,
}
"""What the API calls statistics; all others are extended ones there."""

_NUMBER: Final = r"-?\d{1,18}(?:\.\d{1,10})?"
_UP_TO: Final = re.compile(r"(p|tm|tc|ts|wm)(\d{1,3}(?:\.\d{1,10})?)", re.ASCII)
_BETWEEN: Final = re.compile(rf"(TM|TC|TS|WM|PR)\(({_NUMBER}%?)?:({_NUMBER}%?)?\)", re.ASCII)
_IQM: Final = "TM(25%:75%)"


class UnknownStatistic(ValueError):
    """There is no such statistic."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic. Two are the same if they are called the same."""

    name: str
    of: Callable[[Distribution], float | None] = field(compare=False, repr=False)
    """What it says of a distribution; None if nothing can be said."""


@functools.lru_cache(maxsize=1024)
def parse_statistic(name: str) -> Statistic:
    """The statistic of that name. Raises UnknownStatistic.

    >>> parse_statistic("TM(:250)").of(Distribution(count=2, sum=14.0, minimum=7.0, maximum=7.0))
    7.0
    """
    simple = SIMPLE_STATISTICS.get(name)
    if simple is not None:
        return Statistic(name, of=simple)
    if found := _UP_TO.fullmatch(name):
        return _up_to(name, found[1], percent=float(found[2]))
    if found := _BETWEEN.fullmatch(_IQM if name == "IQM" else name):
        return _between(name, found[1], _band(name, found[2] or "", found[3] or ""))
    raise UnknownStatistic(f"{name!r} is not a statistic.")


def _up_to(name: str, kind: str, *, percent: float) -> Statistic:
    if percent > 100:
        raise UnknownStatistic(f"{name!r} is not a statistic: no more than 100 per cent can be meant.")
    if kind == "p":
        return Statistic(name, of=lambda distribution: _percentile(distribution, percent))
    return _of_band(name, kind.upper(), PercentBand(high=percent))


def _between(name: str, kind: str, band: Band) -> Statistic:
    if kind == "PR" and isinstance(band, PercentBand):
        raise UnknownStatistic(f"{name!r} is not a statistic: the bounds of PR are values, not per cent.")
    return _of_band(name, kind, band)


def _of_band(name: str, kind: str, band: Band) -> Statistic:
    def of(distribution: Distribution) -> float | None:
        values = _values(distribution)
        return None if values is None else _MEASURES[kind](band, values)

    return Statistic(name, of=of)


def _band(name: str, low: str, high: str) -> Band:
    if not low and not high:
        raise UnknownStatistic(f"{name!r} is not a statistic: it needs a lower or an upper bound.")
    bounds = [bound for bound in (low, high) if bound]
    numbers = {side: float(bound.rstrip("%")) for side, bound in (("low", low), ("high", high)) if bound}
    if len({bound.endswith("%") for bound in bounds}) > 1:
        raise UnknownStatistic(f"{name!r} is not a statistic: its bounds are per cent or values, not one of each.")
    in_percent = bounds[0].endswith("%")
    band = PercentBand(**numbers) if in_percent else ValueBand(**numbers)
    if band.low >= band.high:
        raise UnknownStatistic(f"{name!r} is not a statistic: its lower bound is not below the upper one.")
    if in_percent and not (band.low >= 0 and band.high <= 100):
        raise UnknownStatistic(f"{name!r} is not a statistic: per cent are from 0 to 100.")
    return band


def _trimmed_mean(band: Band, values: Values) -> float | None:
    inside = band.parts(values).inside
    return sum_of(inside) / count_of(inside) if inside else None


def _trimmed_sum(band: Band, values: Values) -> float:
    return sum_of(band.parts(values).inside)


def _trimmed_count(band: Band, values: Values) -> float:
    return count_of(band.parts(values).inside)


def _winsorized_mean(band: Band, values: Values) -> float:
    below, inside, above = band.parts(values)
    low, high = band.edges(values)
    moved = (below * low if below else 0.0) + (above * high if above else 0.0)
    return (sum_of(inside) + moved) / count_of(values)


def _percentile_rank(band: Band, values: Values) -> float:
    return 100 * count_of(band.parts(values).inside) / count_of(values)


_MEASURES: Final[Mapping[str, Callable[[Band, Values], float | None]]] = {
    "TM": _trimmed_mean,
    "TS": _trimmed_sum,
    "TC": _trimmed_count,
    "WM": _winsorized_mean,
    "PR": _percentile_rank,
}


def _percentile(distribution: Distribution, percent: float) -> float | None:
    """As `bands.percentile`, in half the time: of one bucket only the value has to be known."""
    buckets = distribution.in_buckets()
    if buckets is None:
        return None
    ordered = sorted(buckets)
    return _value_at(place_of(percent, map(buckets.__getitem__, ordered)), ordered, distribution)


def _values(distribution: Distribution) -> Values | None:
    """The values as well as they are known."""
    buckets = distribution.in_buckets()
    if buckets is None:
        return None
    ordered = sorted(buckets)
    return [(_value_at(place, ordered, distribution), buckets[bucket]) for place, bucket in enumerate(ordered)]


def _value_at(place: int, ordered: Sequence[int], distribution: Distribution) -> float:
    """What is said of the values in one of the buckets: the smallest and the largest value are known exactly."""
    if len(ordered) == 1:
        mean = distribution.sum / distribution.count
        return min(max(mean, distribution.minimum), distribution.maximum)
    if place == 0:
        return distribution.minimum
    return distribution.maximum if place == len(ordered) - 1 else value_of(ordered[place])
