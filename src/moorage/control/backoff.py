"""How long to wait after errors in a row."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_S: Final = 0.1
MAX_S: Final = 10.0


def delay_s(errors: int) -> float:
    """0.1 s after the first error, doubling to 10 s."""
    return float(min(MAX_S, FIRST_S * (1 << min(errors - 1, 10))))


class Backoff(Generic[K]):
    """Counts the errors in a row of each key."""

    def __init__(self) -> None:
        self._errors: dict[K, int] = {}

    def failed(self, key: K) -> float:
        """Count an error; answers the seconds to wait."""
        self._errors[key] = self._errors.get(key, 0) + 1
        return delay_s(self._errors[key])

    def succeeded(self, key: K) -> None:
        """Start from the beginning at the next error."""
        self._errors.pop(key, None)
