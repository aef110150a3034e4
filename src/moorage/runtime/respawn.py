"""When a worker that has ended gets a successor."""

from __future__ import annotations

from typing import Final

DEATHS_MAX: Final = 5
LONG_LIFE_S: Final = 10.0
_FIRST_DELAY_S: Final = 0.1


class Respawn:
    """Counts the workers that ended soon after they began, one after the other."""

    def __init__(self) -> None:
        self._deaths = 0

    def delay_s(self, *, lived_s: float) -> float | None:
        """How long to wait with the successor of a worker that lived so long; None to give up.

        At once after a long life; then 0.2, 0.4, 0.8, 1.6 seconds; the fifth short life in a row is the last.
        """
        if lived_s >= LONG_LIFE_S:
            self._deaths = 0
            return 0.0
        self._deaths += 1
        return None if self._deaths >= DEATHS_MAX else _FIRST_DELAY_S * 2**self._deaths
