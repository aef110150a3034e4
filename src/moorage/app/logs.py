"""Puts together what logs are made of: their folder, what keeps it within bounds, and the API of CloudWatch Logs."""

from __future__ import annotations

import asyncio
import contextlib

from moorage.api.logs import Logs
from moorage.app.settings import Settings
from moorage.control.log_keeper import LogKeeper
from moorage.control.log_metrics import LogMetrics
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.telemetry.log_places import LogPlaces
from moorage.telemetry.metrics.base import MetricSink


def open_logs(
    settings: Settings,
    parts: contextlib.AsyncExitStack,
    *,
    store: Store,
    sink: MetricSink,
    clock: Clock,
    ending: asyncio.Event,
) -> Logs:
    """CloudWatch Logs' API, and until `parts` is closed, what looks after the folder and counts what filters find.

    `ending` is set when calls that last have to end.
    """
    places = LogPlaces(settings.logs_dir)
    keeper = LogKeeper(
        places,
        store,
        clock,
        bytes_max=settings.log_bytes_max,
        stream_bytes_max=settings.log_stream_bytes_max,
    )
    keeper.start()
    parts.push_async_callback(keeper.close)
    metrics = LogMetrics(places, store, sink, clock, progress_path=settings.logs_dir / "measured.json")
    metrics.start()
    parts.push_async_callback(metrics.close)
    return Logs(
        places,
        store,
        clock=clock,
        account_id=settings.account_id,
        ending=ending,
        filters_changed=metrics.filters_changed,
    )
