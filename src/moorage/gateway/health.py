"""Passive ejection: an instance that failed is left alone for a while, longer each time it fails again at once."""

from __future__ import annotations

from typing import Final

SHORTEST_S: Final = 1.0
LONGEST_S: Final = 30.0


class Health:
    """What the gateway has seen of one instance. Times are monotonic seconds.

    >>> health = Health()
    >>> health.record_failure(now=100.0); health.is_ejected(100.9), health.is_ejected(101.0)
    (True, False)
    >>> health.record_failure(now=101.0); health.is_ejected(102.9)
    True
    """

    __slots__ = ("_ejected_until", "_failures")

    def __init__(self) -> None:
        self._failures = 0
        self._ejected_until = 0.0

    def is_ejected(self, now: float) -> bool:
        """Whether it is to be left alone. Whoever picks must not thereby be left with nothing."""
        return now < self._ejected_until

    def record_failure(self, *, now: float) -> None:
        """It did not accept a connection, reset one, or did not answer in time.

        Failures during an ejection are of requests sent before it and prove nothing new.
        """
        if self.is_ejected(now):
            return
        self._ejected_until = now + min(SHORTEST_S * 2**self._failures, LONGEST_S)
        self._failures = min(self._failures + 1, 16)

    def record_success(self) -> None:
        """It answered. Whether the model liked the request is another matter."""
        self._failures = 0
        self._ejected_until = 0.0
