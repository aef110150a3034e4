"""What the gateway has seen of one instance, and what follows: whether to choose it, and whether to ask after it. Pure.

Two things take an instance out of rotation. *Ejection* follows a failure (a connection refused or reset, an answer
that did not come in time) and lasts longer each time it happens again at once. *Suspension* follows a silence: requests
are on the instance, none is answered, and neither is `/ping`; it lasts until a ping is answered. Whoever picks must not
be left with nothing thereby.
"""

from __future__ import annotations

import enum
import math
from typing import Final

SHORTEST_S: Final = 1.0
LONGEST_S: Final = 30.0
SILENCE_S: Final = 0.4
"""How long an instance may have requests and answer none before it is asked whether it is alive."""
PING_S: Final = 0.6
"""How long the answer may take. SageMaker allows two seconds; but this one only decides who is chosen for now."""


class Health:
    """When one instance may be chosen again. Times are monotonic seconds.

    >>> health = Health()
    >>> health.record_failure(now=100.0), health.is_ejected(100.9), health.is_ejected(101.0)
    (1.0, True, False)
    >>> health.record_failure(now=101.0), health.is_ejected(102.9)
    (2.0, True)
    """

    __slots__ = ("_ejected_until", "_failures", "answered", "out_until")

    def __init__(self) -> None:
        self.answered = 0
        """How many requests and pings it has answered, whatever the answers."""
        self.out_until = 0.0
        """Not to be chosen before this."""
        self._failures = 0
        self._ejected_until = 0.0

    @property
    def is_suspended(self) -> bool:
        """Whether it is out of rotation until a ping is answered."""
        return self.out_until == math.inf

    def is_ejected(self, now: float) -> bool:
        """Whether it is to be left alone."""
        return now < self.out_until

    def record_failure(self, *, now: float) -> float | None:
        """It did not accept a connection, reset one, or did not answer in time.

        Answers for how many seconds it is left alone from now on; None if it was already, for then this is a failure of
        a request sent before, and proves nothing new.
        """
        if self.is_ejected(now):
            return None
        seconds: float = min(SHORTEST_S * 2**self._failures, LONGEST_S)
        self._ejected_until = self.out_until = now + seconds
        self._failures = min(self._failures + 1, 16)
        return seconds

    def record_success(self) -> None:
        """It answered. Whether the model liked the request is another matter."""
        self.answered += 1
        if self.out_until:
            self._failures = 0
            self._ejected_until = self.out_until = 0.0

    def suspend(self) -> None:
        """It is silent, and so is its ping."""
        self.out_until = math.inf

    def resume(self) -> None:
        """It answered a ping, which says nothing of what it was ejected for."""
        self.answered += 1
        self.out_until = self._ejected_until


class Look(enum.Enum):
    """What a look at an instance finds."""

    IDLE = enum.auto()
    """It has nothing to do and has had nothing since the last look."""
    WELL = enum.auto()
    SILENT = enum.auto()
    """It has requests, and has answered nothing for so long that it has to be asked whether it is alive."""


class Silence:
    """Finds out whether one instance is silent, by a `look` every now and then; times are monotonic seconds.

    An instance that works for long on each request is asked again and again, and answers.
    """

    __slots__ = ("_answered", "_health", "_since")

    def __init__(self, health: Health, *, now: float) -> None:
        self._health = health
        self._answered = health.answered
        self._since = now

    def look(self, in_flight: int, *, now: float) -> Look:
        """What there is to see, with so many requests on the instance."""
        if self._answered != self._health.answered:
            self._answered = self._health.answered
            self._since = now
            return Look.WELL
        if not in_flight:
            self._since = now
            return Look.IDLE
        return Look.SILENT if now - self._since >= SILENCE_S else Look.WELL
