"""Choosing where an invocation goes. Pure: random numbers and the time come from outside.

A routing strategy is a function of the instances; which one a variant has is settled when its route is prepared, so
that a request does not ask. What an instance may be asked for at all (its health, its slots) is the same for each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from itertools import accumulate
from typing import Final, Generic, Protocol, TypeVar

from moorage.core.model import RoutingStrategy

T = TypeVar("T")
Draw = Callable[[], float]
"""Random numbers in [0, 1)."""


class Rotation(Protocol):
    """What the choice looks at of an instance's health."""

    out_until: float


class Loaded(Protocol):
    """Something with requests on it."""

    in_flight: int


class Candidate(Loaded, Protocol):
    """What the choice of an instance looks at."""

    slots: int

    @property
    def health(self) -> Rotation:
        """When it may be asked again."""
        ...


L = TypeVar("L", bound=Loaded)
C = TypeVar("C", bound=Candidate)
Strategy = Callable[[Sequence[C], Draw], C]
"""One of some instances, of which there is at least one."""
Pick = Callable[[float], C | None]
"""The instance to ask now (monotonic seconds); None if there is none with a free slot."""


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


def any_of(instances: Sequence[T], draw: Draw) -> T:
    """RANDOM: each as often as any other."""
    return instances[int(draw() * len(instances))]


def less_busy_of_two(instances: Sequence[L], draw: Draw) -> L:
    """LEAST_OUTSTANDING_REQUESTS: close to the least busy of all, without looking at all."""
    count = len(instances)
    if count == 1:
        return instances[0]
    first = int(draw() * count)
    second = int(draw() * (count - 1))
    if second >= first:
        second += 1
    one, other = instances[first], instances[second]
    return one if one.in_flight <= other.in_flight else other


def make_pick(strategy: RoutingStrategy, instances: Sequence[C], draw: Draw) -> Pick[C]:
    """The choice among a variant's instances: out of those in rotation, and only if one of them has a free slot.

    If none is in rotation, all are: a doubtful answer is better than none.
    """
    choose: Strategy[C] = _STRATEGIES[strategy]
    if not instances:
        return _nobody

    def pick(now: float) -> C | None:
        chosen = choose(instances, draw)
        if chosen.in_flight < chosen.slots and chosen.health.out_until <= now:
            return chosen
        free = [each for each in _in_rotation(instances, now) if each.in_flight < each.slots]
        return choose(free, draw) if free else None

    return pick


def pick_other(instances: Sequence[C], tried: Collection[C], *, draw: Draw, now: float) -> C | None:
    """For a second try: an instance with a free slot that has not been `tried`."""
    left = [each for each in instances if each not in tried]
    return make_pick(RoutingStrategy.LEAST_OUTSTANDING_REQUESTS, left, draw)(now)


def _nobody(_now: float) -> None:
    return None


def _in_rotation(instances: Sequence[C], now: float) -> Sequence[C]:
    return [each for each in instances if each.health.out_until <= now] or instances


_STRATEGIES: Final = {
    RoutingStrategy.RANDOM: any_of,
    RoutingStrategy.LEAST_OUTSTANDING_REQUESTS: less_busy_of_two,
}
