"""Puts together what signals are made of: metrics, the alarms on them, and CloudWatch's API to both."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from moorage.api.cloudwatch import CloudWatch
from moorage.api.cloudwatch.part import Needs
from moorage.api.cloudwatch.tokens import PageTokens
from moorage.app.settings import Settings
from moorage.control.alarms.actions import Actions
from moorage.control.alarms.loop import AlarmLoop
from moorage.control.metrics.sampler import Sampler
from moorage.control.metrics.traffic_source import TrafficSource
from moorage.control.publisher import Publisher
from moorage.runners.usage import Meters
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.telemetry.metrics.base import MetricSink, MetricSource
from moorage.telemetry.metrics.combined import CombinedMetrics
from moorage.telemetry.metrics.intake import Room
from moorage.telemetry.metrics.stored import StoredMetrics


class Metrics(NamedTuple):
    """Where metrics are read, and where they are put."""

    source: MetricSource
    sink: MetricSink


async def open_metrics(settings: Settings, store: Store, clock: Clock, parts: contextlib.AsyncExitStack) -> Metrics:
    """All metrics there are: those that are put, and what follows from the traffic."""
    room = Room(series_max=settings.metrics_max, bytes_max=settings.metrics_bytes_max)
    stored = StoredMetrics(settings.metrics_path, clock=clock, room=room)
    await stored.start()
    parts.push_async_callback(stored.close)
    return Metrics(CombinedMetrics([stored, TrafficSource(store, stored)]), stored)


def open_sampler(
    publisher: Publisher,
    store: Store,
    meters: Meters,
    *,
    sink: MetricSink,
    clock: Clock,
    parts: contextlib.AsyncExitStack,
) -> None:
    """Sample variants and instances until `parts` is closed."""
    sampler = Sampler(publisher, store, meters, sink=sink, clock=clock)
    sampler.start()
    parts.push_async_callback(sampler.close)


def open_alarms(
    parts: contextlib.AsyncExitStack, *, store: Store, metrics: Metrics, actions: Actions, clock: Clock
) -> AlarmLoop:
    """Have alarms watched, and their actions taken, until `parts` is closed."""
    alarms = AlarmLoop(store, metrics.source, actions, clock)
    alarms.start()
    parts.push_async_callback(alarms.close)
    return alarms


def make_cloudwatch(
    settings: Settings, *, store: Store, metrics: Metrics, alarms: AlarmLoop, token_key: bytes, clock: Clock
) -> CloudWatch:
    """CloudWatch's API."""
    return CloudWatch(
        Needs(
            store=store,
            clock=clock,
            account_id=settings.account_id,
            metrics=metrics.source,
            sink=metrics.sink,
            tokens=PageTokens(token_key),
            wake_alarms=alarms.wake,
        )
    )
