"""The lives of instances in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from moorage.core.usage import Usage


class MemoryUsages:
    """Them, in the order in which they began."""

    def __init__(self, rows: Collection[Usage] = ()) -> None:
        self._rows = list(rows)

    def fork(self) -> MemoryUsages:
        return MemoryUsages(self._rows)

    def begin(self, usages: Collection[Usage]) -> None:
        self._rows = sorted([*self._rows, *usages], key=lambda usage: (usage.began_at, usage.instance))

    def touch(self, at: datetime) -> None:
        self._change(lambda usage: True, lambda usage: replace(usage, until=at))

    def end(self, instance: str, at: datetime | None = None) -> None:
        self._change(
            lambda usage: usage.instance == instance,
            lambda usage: replace(usage, until=usage.until if at is None else at, is_open=False),
        )

    def open(self) -> Sequence[Usage]:
        return [usage for usage in self._rows if usage.is_open]

    def list(self, region: str, *, since: datetime, until: datetime, endpoint: str | None = None) -> Sequence[Usage]:
        return [
            usage
            for usage in self._rows
            if usage.region == region
            and (usage.is_open or usage.until > since)
            and usage.began_at < until
            and endpoint in (None, usage.endpoint)
        ]

    def expire(self, before: datetime) -> None:
        self._rows = [usage for usage in self._rows if usage.is_open or usage.until >= before]

    def _change(self, which: Callable[[Usage], bool], change: Callable[[Usage], Usage]) -> None:
        self._rows = [change(usage) if usage.is_open and which(usage) else usage for usage in self._rows]
