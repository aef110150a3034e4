"""Which of many like events to keep, so that about so many a second are, and how many each of them stands for. Pure."""

from __future__ import annotations

from math import ceil
from typing import Final

_ONE_IN_MAX: Final = 1 << 30
_NEVER: Final = 1 << 60


class Sample:
    """Keeps every event while there are at most `rate` a second, and one in so many when there are more.

    How many that is, follows from the second before; if events grow many within a second, each one kept beyond `rate`
    doubles it. What is kept of an event is the caller's matter, and so is counting, since it is all that most events
    cost (0.03 µs):

        if sample.skip:
            sample.skip -= 1
        else:
            keep(event, stands_for=sample.take())

    The numbers that `take` answers add up to the number of events.
    """

    __slots__ = ("_armed", "_kept", "_one_in", "_rate", "_seen", "_untold", "skip")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._seen = 0
        self._untold = 0
        self._kept = 0
        self._arm(1)

    def take(self) -> int:
        """How many events the one at hand stands for: itself, and those before it that were skipped."""
        self._count(1)
        stands_for, self._untold = self._untold, 0
        self._kept += 1
        self._arm(self._one_in * 2 if self._kept >= self._rate else self._one_in)
        return stands_for

    def begin_second(self) -> None:
        """To be called once a second."""
        self._count(0)
        one_in = ceil(self._seen / self._rate) if self._rate else 1
        self._seen = self._kept = 0
        self._arm(one_in)

    def _count(self, kept: int) -> None:
        passed = self._armed - self.skip + kept
        self._seen += passed
        self._untold += passed

    def _arm(self, one_in: int) -> None:
        self._one_in = min(max(1, one_in), _ONE_IN_MAX)
        self._armed = self.skip = self._one_in - 1 if self._rate else _NEVER
