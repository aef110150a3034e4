"""The values of series: put into their periods, read by longer ones, and moved from finer tables to coarser ones.

Functions on a connection, within whatever transaction that is in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from typing import Any, Final

from moorage.core.late_mapping import LateMapping
from moorage.core.metrics.distribution import Distribution, merge
from moorage.core.metrics.resolutions import RESOLUTIONS
from moorage.telemetry.metrics.buckets import decode_buckets, encode_buckets

_PERIODS_S: Final = tuple(each.period_s for each in RESOLUTIONS)
_INSERT: Final = {
    period_s: f"INSERT OR IGNORE INTO points_{period_s} VALUES (?, ?, ?, ?, ?, ?, ?)" for period_s in _PERIODS_S
}
_SELECT_ONE: Final = {
    period_s: f"SELECT at_s, count, sum, minimum, maximum, buckets FROM points_{period_s} "
    "WHERE series_id = ? AND at_s = ?"
    for period_s in _PERIODS_S
}
_REPLACE: Final = {period_s: f"REPLACE INTO points_{period_s} VALUES (?, ?, ?, ?, ?, ?, ?)" for period_s in _PERIODS_S}
_SELECT: Final = {
    period_s: f"SELECT at_s, count, sum, minimum, maximum, buckets FROM points_{period_s} "
    "WHERE series_id = ? AND at_s >= ? AND at_s < ? ORDER BY at_s"
    for period_s in _PERIODS_S
}
_DELETE: Final = {
    period_s: f"DELETE FROM points_{period_s} WHERE series_id = ? AND at_s < ?" for period_s in _PERIODS_S
}
_NEXT_SERIES: Final = {
    period_s: f"SELECT series_id FROM points_{period_s} WHERE series_id > ? ORDER BY series_id LIMIT 1"
    for period_s in _PERIODS_S
}


def add_point(
    connection: sqlite3.Connection, series_id: int, at_s: int, values: Distribution, *, period_s: int
) -> None:
    """Put values into the period that begins at `at_s`, with those that are there."""
    added = connection.execute(_INSERT[period_s], _row(series_id, at_s, values)).rowcount
    if not added:
        known = _values(connection.execute(_SELECT_ONE[period_s], (series_id, at_s)).fetchone())
        connection.execute(_REPLACE[period_s], _row(series_id, at_s, known + values))


def read_points(
    connection: sqlite3.Connection, series_ids: Iterable[int], *, since_s: int, until_s: int, period_s: int
) -> dict[int, Distribution]:
    """The values of all these series together, by period, in order of time."""
    found: dict[int, list[Distribution]] = {}
    for series_id in series_ids:
        for statement in _SELECT.values():
            for row in connection.execute(statement, (series_id, since_s, until_s)):
                found.setdefault(row[0] - row[0] % period_s, []).append(_values(row))
    return {at_s: parts[0] if len(parts) == 1 else merge(parts) for at_s, parts in sorted(found.items())}


def roll_up(connection: sqlite3.Connection, now_s: float, *, after: int, series_max: int) -> int | None:
    """Move what has grown too old for its table, of up to `series_max` series with ids above `after`.

    Answers the id to go on after, None if there are no more.
    """
    ids = sorted({id_ for period_s in _PERIODS_S for id_ in _series_ids(connection, period_s, after, series_max)})
    for series_id in ids[:series_max]:
        _roll_up_series(connection, series_id, now_s)
    return ids[series_max - 1] if len(ids) >= series_max else None


def _series_ids(connection: sqlite3.Connection, period_s: int, after: int, limit: int) -> Iterable[int]:
    """A look at the index for each, instead of one at every row."""
    for _ in range(limit):
        row = connection.execute(_NEXT_SERIES[period_s], (after,)).fetchone()
        if row is None:
            return
        after = row[0]
        yield after


def _roll_up_series(connection: sqlite3.Connection, series_id: int, now_s: float) -> None:
    for finer, coarser in pairwise(RESOLUTIONS):
        before_s = _begin(int(now_s) - finer.kept_s, coarser.period_s)
        rows = connection.execute(_SELECT[finer.period_s], (series_id, 0, before_s)).fetchall()
        if not rows:
            continue
        periods: dict[int, list[Distribution]] = {}
        for row in rows:
            periods.setdefault(_begin(row[0], coarser.period_s), []).append(_values(row))
        connection.execute(_DELETE[finer.period_s], (series_id, before_s))
        for at_s, parts in periods.items():
            add_point(connection, series_id, at_s, merge(parts), period_s=coarser.period_s)
    last = RESOLUTIONS[-1]
    connection.execute(_DELETE[last.period_s], (series_id, int(now_s) - last.kept_s))


def _begin(at_s: int, period_s: int) -> int:
    return at_s - at_s % period_s


def _row(series_id: int, at_s: int, values: Distribution) -> tuple[Any, ...]:
    # Where all values are the same, the four numbers say it.
    is_known = values.buckets is None or values.minimum == values.maximum
    buckets = None if is_known else encode_buckets(values.buckets or {})
    return series_id, at_s, values.count, values.sum, values.minimum, values.maximum, buckets


def _values(row: Any) -> Distribution:
    _, count, total, minimum, maximum, buckets = row
    late = None if buckets is None else LateMapping(partial(decode_buckets, buckets))
    return Distribution(count, total, minimum, maximum, late)
