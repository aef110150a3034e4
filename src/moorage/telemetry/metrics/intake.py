"""What becomes of what is put: room is made sure of, series are found or made, values go into their periods.

Used by the writer's thread alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.resolutions import finest_kept_s
from moorage.telemetry.metrics import points, series
from moorage.telemetry.metrics.base import Measured, TooManyMetrics
from moorage.telemetry.metrics.database import used_bytes

SERIES_MAX: Final = 100_000
BYTES_MAX: Final = 4 << 30

_REMEMBERED_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Room:
    """How much may be kept: metrics, each in one unit, and bytes of the file."""

    series_max: int = SERIES_MAX
    bytes_max: int = BYTES_MAX


class Intake:
    """Adds what is put. It remembers series it has looked up, and must be told when what it knows counts no longer."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._known: dict[tuple[MetricKey, str], series.Found] = {}

    def reset(self) -> None:
        """Look everything up again."""
        self._known.clear()

    def add(self, connection: sqlite3.Connection, measured: Sequence[Measured], *, now_s: float) -> None:
        """Keep all of it. Raises TooManyMetrics, before anything has been changed."""
        self._check_room(connection, measured)
        for each in measured:
            at_s = int(each.at_s // 1)
            id_ = self._series(connection, each, at_s)
            period_s = max(each.resolution_s, finest_kept_s(now_s - at_s))
            points.add_point(connection, id_, at_s - at_s % period_s, each.values, period_s=period_s)

    def _check_room(self, connection: sqlite3.Connection, measured: Sequence[Measured]) -> None:
        if used_bytes(connection) > self._room.bytes_max:
            raise TooManyMetrics(
                f"The metrics take up all of the {self._room.bytes_max} bytes that they may (metrics_bytes_max)."
            )
        if len(self._known) > _REMEMBERED_MAX:
            self.reset()
        asked = {(each.key, each.unit) for each in measured}
        new = sum(self._find(connection, *each) is None for each in asked)
        if new and series.count_series(connection) + new > self._room.series_max:
            raise TooManyMetrics(f"There are as many metrics as there may be, {self._room.series_max} (metrics_max).")

    def _find(self, connection: sqlite3.Connection, key: MetricKey, unit: str) -> series.Found | None:
        found = self._known.get((key, unit)) or series.look_up(connection, key, unit)
        if found is not None:
            self._known[key, unit] = found
        return found

    def _series(self, connection: sqlite3.Connection, each: Measured, at_s: int) -> int:
        """The id of a value's series, once it is kept that it had one then."""
        found = self._find(connection, each.key, each.unit)
        if found is None:
            found = series.insert(connection, each.key, each.unit, last_s=at_s)
        elif at_s >= found.last_s + series.LAST_WITHIN_S:
            found = series.touch(connection, found.id, at_s)
        self._known[each.key, each.unit] = found
        return found.id
