"""Pages of GetMetricData: results one after another, cut where a page is full, within a time series if need be.

A page goes on behind a time, not behind a number of datapoints: what is measured between two pages does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from moorage.core.metrics.maths.values import Points


class Position(NamedTuple):
    """Where a page begins: in which result, and behind which of its times, if not at its beginning."""

    number: int = 0
    behind_s: int | None = None


class Slice(NamedTuple):
    """What a page has of a result."""

    number: int
    times: Sequence[int]
    is_partial: bool
    """Whether the next page goes on with it."""


class Page(NamedTuple):
    """A page, and where the next one begins (None at the end)."""

    slices: Sequence[Slice]
    next: Position | None


def page_of(results: Sequence[Points], start: Position, *, limit: int, is_ascending: bool) -> Page:
    """The page from `start` on, of `limit` datapoints at most."""
    slices: list[Slice] = []
    for number in range(start.number, len(results)):
        if limit == 0:
            return Page(slices, Position(number))
        times = _times(results[number], start if number == start.number else Position(number), is_ascending)
        slices.append(Slice(number, times[:limit], is_partial=len(times) > limit))
        if len(times) > limit:
            return Page(slices, Position(number, times[limit - 1]))
        limit -= len(times)
    return Page(slices, None)


def _times(points: Points, start: Position, is_ascending: bool) -> Sequence[int]:
    """`points` are in ascending order."""
    behind_s = start.behind_s
    if is_ascending:
        return [at_s for at_s in points if behind_s is None or at_s > behind_s]
    return [at_s for at_s in reversed(list(points)) if behind_s is None or at_s < behind_s]
