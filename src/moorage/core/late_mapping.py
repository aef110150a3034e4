"""A mapping that is made when somebody looks at it: buckets are most of a metric, and of its sum nobody needs them."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import TypeVar

V = TypeVar("V")


class LateMapping(Mapping[int, V]):
    """What `make` answers, which is asked once at most."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Mapping[int, V]]) -> None:
        self._make = make
        self._made: Mapping[int, V] | None = None

    def __getitem__(self, key: int) -> V:
        return self._now()[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def __repr__(self) -> str:
        return repr(dict(self))

    def items(self) -> ItemsView[int, V]:
        """Those of what was made: looking each key up would take as long again."""
        return self._now().items()

    def _now(self) -> Mapping[int, V]:
        if self._made is None:
            self._made = self._make()
        return self._made
