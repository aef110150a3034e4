"""Metrics in a file of their own: those that were put, kept as long and as finely as CloudWatch keeps them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from moorage.core.metrics.metric import MetricKey
from moorage.core.metrics.resolutions import RESOLUTIONS
from moorage.system.clock import Clock
from moorage.telemetry.metrics import points, series
from moorage.telemetry.metrics.base import Measured, MetricFilter, MetricsUnavailable, Series
from moorage.telemetry.metrics.intake import Intake, Room
from moorage.telemetry.metrics.readers import Readers
from moorage.telemetry.metrics.writer import Work, Writer

_HOUSEKEEPING_S: Final = 600.0
_SERIES_A_TRANSACTION: Final = 100
"""Of which old values are moved at once: a few milliseconds, which whoever puts something has to wait."""

_log = logging.getLogger(__name__)


T = TypeVar("T")


class StoredMetrics:
    """A `MetricSource` and a `MetricSink` on the file at `path`, which is made when it is first needed."""

    def __init__(self, path: Path, *, clock: Clock, room: Room | None = None) -> None:
        self._clock = clock
        self._intake = Intake(room or Room())
        self._readers = Readers(path)
        self._writer = Writer(path, self._begin)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the file, if that can be done now, and keep it tidy from here on."""
        self._writer.start()
        try:
            await self._write(lambda _: None)
        except MetricsUnavailable as error:
            _log.warning("metrics are not kept for now: %s", error)
        self._task = asyncio.create_task(self._tidy_up(), name="metrics housekeeping")

    async def close(self) -> None:
        """Finish what was asked for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._writer.close)
        await asyncio.to_thread(self._readers.close)

    async def put(self, measured: Sequence[Measured]) -> None:
        """As `MetricSink.put`."""
        now_s = self._clock.now().timestamp()
        await self._write(lambda connection: self._intake.add(connection, measured, now_s=now_s))

    async def find(self, wanted: MetricFilter) -> Sequence[MetricKey]:
        """As `MetricSource.find`."""
        return await self._readers.run(lambda connection: series.find(connection, wanted))

    async def read(
        self, keys: Sequence[MetricKey], *, since_s: int, until_s: int, period_s: int, unit: str | None = None
    ) -> Mapping[MetricKey, Series]:
        """As `MetricSource.read`."""

        def read(connection: sqlite3.Connection) -> Mapping[MetricKey, Series]:
            return {
                key: points.read_points(
                    connection,
                    series.ids_of(connection, key, unit),
                    since_s=since_s,
                    until_s=until_s,
                    period_s=period_s,
                )
                for key in keys
            }

        return await self._readers.run(read)

    async def units(self, key: MetricKey) -> Sequence[str]:
        """As `MetricSource.units`."""
        return await self._readers.run(lambda connection: series.units_of(connection, key))

    async def roll_up(self) -> None:
        """Move what is too old to be kept as finely as it is, and forget what is too old to be kept."""
        now_s = self._clock.now().timestamp()
        after: int | None = 0
        while after is not None:
            after = await self._write(_rolling_up(now_s, after))
        await self._write(lambda connection: self._forget(connection, now_s))

    async def _write(self, work: Work[T]) -> T:
        return await asyncio.wrap_future(self._writer.submit(work))

    def _begin(self) -> None:
        """The file was opened, and may be another one: nothing that was known of it counts any longer."""
        self._intake.reset()
        self._readers.reset()

    async def _tidy_up(self) -> None:
        while True:
            await self._clock.sleep(_HOUSEKEEPING_S)
            try:
                await self.roll_up()
            except MetricsUnavailable as error:
                _log.warning("old metrics stay as they are for now: %s", error)
            except Exception:
                _log.exception("old metrics stay as they are")

    def _forget(self, connection: sqlite3.Connection, now_s: float) -> None:
        if series.forget(connection, before_s=now_s - RESOLUTIONS[-1].kept_s):
            self._intake.reset()


def _rolling_up(now_s: float, after: int) -> Work[int | None]:
    return lambda connection: points.roll_up(connection, now_s, after=after, series_max=_SERIES_A_TRANSACTION)
