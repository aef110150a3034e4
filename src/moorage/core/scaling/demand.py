"""What a variant was asked for lately, second by second, in the form in which a decision needs it.

A `DemandWindow` is fed once a second and costs little then, as there may be hundreds: sums run along, and the busiest
minute of a longer time is kept in a queue of candidates instead of being looked for. A second of which nothing is
known is not one without demand: it ends what is known, and the window begins anew.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

MINUTE_S: Final = 60
MINUTES: Final = 3
"""As many as the service goes by."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is known at the end of a second."""

    sums: tuple[float, ...]
    """Of the last 1, 2, … seconds together, up to 60 of them."""
    minutes: tuple[float, ...]
    """Of the last whole minutes of the clock, three at most, the oldest first."""
    peak: float
    """The sum of the busiest minute that ended within the window."""
    lasting_peak: float
    """The sum of the busiest minute that also began within it, and so has nothing of what was before."""
    known_s: int
    """For how many seconds, up to the window's, demand has been known."""


class DemandWindow:
    """The last seconds of a signal. The busiest minute is looked for within the last `within_s` seconds."""

    def __init__(self, within_s: int) -> None:
        self._within_s = max(MINUTE_S, within_s)
        self._begin(0)
        self._last_s: int | None = None

    def add(self, at_s: int, value: float) -> None:
        """What was measured in the second `at_s`; seconds come in order, one that came already is left out."""
        if self._last_s is not None and at_s <= self._last_s:
            return
        if self._last_s is None or at_s != self._last_s + 1:
            self._begin(at_s)
        self._last_s = at_s
        if len(self._recent) == MINUTE_S:
            self._sum -= self._recent[0]
        self._recent.append(value)
        self._sum += value
        if at_s % MINUTE_S == MINUTE_S - 1 and len(self._recent) == MINUTE_S:
            self._minutes.append(self._sum)
        self._peak.add(at_s, self._sum)
        self._lasting_peak.add(at_s, self._sum)

    @property
    def last_s(self) -> int | None:
        """The last second that was added."""
        return self._last_s

    def demand(self) -> Demand | None:
        """What is known now; None before the first second."""
        if self._last_s is None:
            return None
        return Demand(
            sums=tuple(accumulate(reversed(self._recent))),
            minutes=tuple(self._minutes),
            peak=self._peak.value,
            lasting_peak=self._lasting_peak.value,
            known_s=min(self._last_s - self._known_from_s + 1, self._within_s),
        )

    def _begin(self, at_s: int) -> None:
        self._known_from_s = at_s
        self._recent: deque[float] = deque(maxlen=MINUTE_S)
        self._sum = 0.0
        self._minutes: deque[float] = deque(maxlen=MINUTES)
        self._peak = _Greatest(self._within_s)
        self._lasting_peak = _Greatest(self._within_s - MINUTE_S + 1)


class _Greatest:
    """The greatest of the values that were added within the last `kept_s` seconds."""

    def __init__(self, kept_s: int) -> None:
        self._kept_s = kept_s
        self._candidates: deque[tuple[int, float]] = deque()

    @property
    def value(self) -> float:
        return self._candidates[0][1]

    def add(self, at_s: int, value: float) -> None:
        """Keep the value, and of earlier ones those that are greater: others can never be the greatest again."""
        while self._candidates and self._candidates[-1][1] <= value:
            self._candidates.pop()
        self._candidates.append((at_s, value))
        while self._candidates[0][0] <= at_s - self._kept_s:
            self._candidates.popleft()
