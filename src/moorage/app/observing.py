"""Puts together what others observe Moorage by."""

from __future__ import annotations

import contextlib

from moorage.api.prometheus import MetricsPage
from moorage.control.capacity import Capacity
from moorage.control.figures import Gathering
from moorage.control.publisher import Publisher
from moorage.runners.base import Runner
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.system.lag import LoopLag
from moorage.system.tasks import BackgroundTasks


def open_metrics_page(
    *,
    store: Store,
    runner: Runner,
    publisher: Publisher,
    capacity: Capacity,
    clock: Clock,
    parts: contextlib.AsyncExitStack,
) -> MetricsPage:
    """The page of metrics, and what looks after the figures on it."""
    lag, tasks = LoopLag(clock), BackgroundTasks()
    tasks.start(lag.run(), name="loop lag")
    parts.push_async_callback(tasks.close)
    gathering = Gathering(store=store, runner=runner, publisher=publisher, capacity=capacity, lag=lag, clock=clock)
    return MetricsPage(store, gathering.state)
