"""Choosing where an invocation goes. Pure: whoever calls brings the random numbers and the time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Candidate(Protocol):
    """What the choice of an instance looks at."""

    in_flight: int

    def is_ejected(self, now: float) -> bool:
        """Whether it is to be left alone for now."""
        ...


C = TypeVar("C", bound=Candidate)


class Weighted(Generic[T]):
    """Options with weights, prepared for `pick`. If no weight is above zero, all options are equal."""

    __slots__ = ("_bounds", "_options", "_total")

    def __init__(self, options: Sequence[tuple[T, float]]) -> None:
        if not any(weight > 0 for _, weight in options):
            options = [(option, 1.0) for option, _ in options]
        options = [(option, weight) for option, weight in options if weight > 0]
        self._options = [option for option, _ in options]
        self._bounds = list(accumulate(weight for _, weight in options))
        self._total = self._bounds[-1] if options else 0.0

    def pick(self, u: float) -> T | None:
        """The option at `u` in [0, 1) of the sum of all weights; None if there are no options."""
        if len(self._options) < 2:
            return self._options[0] if self._options else None
        return self._options[min(bisect_right(self._bounds, u * self._total), len(self._options) - 1)]


def pick_instance(instances: Sequence[C], a: float, b: float, *, now: float, tried: Collection[C] = ()) -> C | None:
    """The less busy of two drawn with `a` and `b` in [0, 1): close to the least busy of all, without looking at all.

    Ejected instances are drawn only if there are no others, those in `tried` never.
    """
    if tried:
        instances = [instance for instance in instances if instance not in tried]
    chosen = _less_busy_of_two(instances, a, b)
    if chosen is None or not chosen.is_ejected(now):
        return chosen
    sound = [instance for instance in instances if not instance.is_ejected(now)]
    return _less_busy_of_two(sound, a, b) or chosen


def _less_busy_of_two(instances: Sequence[C], a: float, b: float) -> C | None:
    count = len(instances)
    if count < 2:
        return instances[0] if instances else None
    first = int(a * count)
    second = int(b * (count - 1))
    if second >= first:
        second += 1
    one, other = instances[first], instances[second]
    return one if one.in_flight <= other.in_flight else other
