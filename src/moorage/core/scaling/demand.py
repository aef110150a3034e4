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


@dataclass(frozen=True, slots=True)
class Demand:
    """What is known at the end of a second."""

    sums: tuple[float, ...]
    """Of the last 1, 2, … seconds together, up to 60 of them."""
    peak: float
    """The sum of the busiest minute there was."""
    peak_since_s: int
    """How many seconds back that minute was looked for: what is before them is not known, or too old to matter."""


class DemandWindow:
    """The last seconds of a signal. Minutes that end within the last `kept_s` seconds can be the busiest."""

    def __init__(self, kept_s: int) -> None:
        self._kept_s = kept_s
        self._recent: deque[float] = deque(maxlen=MINUTE_S)
        self._sum = 0.0
        self._peaks: deque[tuple[int, float]] = deque()
        self._known_from_s = 0
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
        self._note_peak(at_s)

    @property
    def last_s(self) -> int | None:
        """The last second that was added."""
        return self._last_s

    def demand(self) -> Demand | None:
        """What is known now; None before the first second."""
        if self._last_s is None:
            return None
        known_s = self._last_s - self._known_from_s + 1
        return Demand(
            sums=tuple(accumulate(reversed(self._recent))),
            peak=self._peaks[0][1],
            peak_since_s=min(known_s, self._kept_s),
        )

    def _begin(self, at_s: int) -> None:
        self._recent.clear()
        self._peaks.clear()
        self._sum = 0.0
        self._known_from_s = at_s

    def _note_peak(self, at_s: int) -> None:
        """Keep this minute, and of earlier ones those that are busier: others can never be the busiest again."""
        while self._peaks and self._peaks[-1][1] <= self._sum:
            self._peaks.pop()
        self._peaks.append((at_s, self._sum))
        while self._peaks[0][0] <= at_s - self._kept_s:
            self._peaks.popleft()
