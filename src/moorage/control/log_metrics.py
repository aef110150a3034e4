"""Has metric filters measure what comes to log groups, and puts it into the metrics once a second.

A filter measures what comes after it was put. How far it has come is kept in a file once that is in the metrics, so
what comes while control is away is measured later; only a kill right between the two has a second measured twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from moorage.core.log_metrics import LogMetric, read_log_metric
from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import MetricKey
from moorage.store.base import Document, Store, StoreUnavailable, Transaction
from moorage.store.log_groups import all_groups
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks
from moorage.telemetry.log_follower import Follower, Place
from moorage.telemetry.log_places import LogPlaces
from moorage.telemetry.metrics.base import HIGH_RESOLUTION_S, Measured, MetricSink, MetricsUnavailable, TooManyMetrics

INTERVAL_S: Final = 1.0
_PROGRESS: Final = msgspec.json.Decoder(dict[str, dict[str, Place]])
_WAITING_MAX: Final = 10_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watched:
    """A group with filters."""

    follower: Follower
    metrics: Sequence[LogMetric]


@dataclass(slots=True)
class _Sums:
    """Values by metric, unit and second, each with how often it was measured."""

    by_second: dict[tuple[MetricKey, str, int], dict[float, int]] = field(default_factory=dict)

    def add(self, key: MetricKey, unit: str, at_s: int, value: float) -> None:
        values = self.by_second.setdefault((key, unit, at_s), {})
        values[value] = values.get(value, 0) + 1

    def measured(self) -> Iterator[Measured]:
        for (key, unit, at_s), values in self.by_second.items():
            yield Measured(key, at_s, distribution_of(values.items()), unit, HIGH_RESOLUTION_S)


class LogMetrics:
    """The loop."""

    def __init__(self, places: LogPlaces, store: Store, sink: MetricSink, clock: Clock, *, progress_path: Path) -> None:
        self._places = places
        self._progress_path = progress_path
        self._saved = b""
        self._store = store
        self._sink = sink
        self._clock = clock
        self._watched: dict[tuple[str, str], _Watched] = {}
        self._waiting: list[Measured] = []
        self._turn = asyncio.Lock()
        self._tasks = BackgroundTasks()

    def start(self) -> None:
        """Begin."""
        self._tasks.keep(self._go_on, name="metrics from logs", clock=self._clock, pause_s=INTERVAL_S)

    async def close(self) -> None:
        """End."""
        await self._tasks.close()

    async def filters_changed(self) -> None:
        """Go by the stored filters: what comes after this has returned is measured. Raises StoreUnavailable."""
        async with self._turn:
            groups = await self._store.run(_groups_with_filters)
            self._watched = await asyncio.to_thread(self._watch, groups)
            await asyncio.to_thread(self._save)

    async def look(self) -> None:
        """Measure what has come since the last look. Raises OSError, MetricsUnavailable."""
        async with self._turn:
            sums = await asyncio.to_thread(self._measure)
            waiting, self._waiting = [*self._waiting, *sums.measured()][-_WAITING_MAX:], []
            try:
                if waiting:
                    await self._sink.put(waiting)
            except MetricsUnavailable:
                self._waiting = waiting
                raise
            except TooManyMetrics as error:
                _log.warning("metrics from logs are left out: %s", error)
            await asyncio.to_thread(self._save)

    async def _go_on(self) -> None:
        is_loaded = False
        while True:
            try:
                if not is_loaded:
                    await self.filters_changed()
                    is_loaded = True
                if self._watched:
                    await self.look()
            except (OSError, StoreUnavailable, MetricsUnavailable) as error:
                _log.warning("logs cannot be measured now: %s", error)
            await self._clock.sleep(INTERVAL_S)

    def _watch(self, groups: Sequence[Document]) -> dict[tuple[str, str], _Watched]:
        """Each group with its filters, followed from where it was, also before a restart, or from now on."""
        watched = {}
        progress = self._load()
        for group in groups:
            place = (group.region, group.name)
            known = self._watched.get(place)
            if known is None:
                before = progress.get(_key(*place))
                follower = Follower(self._places, group.region, group.name, known=before)
            else:
                follower = known.follower
            watched[place] = _Watched(follower, _log_metrics(group.region, group.body["metricFilters"]))
        return watched

    def _measure(self) -> _Sums:
        sums = _Sums()
        for watched in self._watched.values():
            for _, event in watched.follower.new():
                for metric in watched.metrics:
                    found = metric.measure(event.message)
                    if found is not None:
                        sums.add(found[0], metric.unit, event.at_ms // 1000, found[1])
        return sums

    def _load(self) -> dict[str, dict[str, Place]]:
        try:
            return _PROGRESS.decode(self._progress_path.read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError):
            return {}

    def _save(self) -> None:
        progress = {_key(*place): watched.follower.known for place, watched in self._watched.items()}
        content = msgspec.json.encode(progress)
        if content != self._saved and (progress or self._progress_path.exists()):
            self._progress_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = self._progress_path.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.replace(self._progress_path)
            self._saved = content


def _key(region: str, group: str) -> str:
    return f"{region} {group}"


def _log_metrics(region: str, filters: Mapping[str, Mapping[str, Any]]) -> list[LogMetric]:
    return [
        read_log_metric(region, each["filterPattern"], transformation)
        for each in filters.values()
        for transformation in each["metricTransformations"]
    ]


def _groups_with_filters(tx: Transaction) -> list[Document]:
    return [group for group in all_groups(tx) if group.body.get("metricFilters")]
