"""Puts together what logs are made of: their folder, what keeps it within bounds, and the API of CloudWatch Logs."""

from __future__ import annotations

import asyncio

from moorage.api.logs import Logs
from moorage.app.ground import Ground
from moorage.control.log_keeper import LogKeeper
from moorage.control.log_metrics import LogMetrics
from moorage.telemetry.log_places import LogPlaces


def open_logs(ground: Ground, ending: asyncio.Event) -> Logs:
    """CloudWatch Logs' API, and what looks after the folder and counts what filters find.

    `ending` is set when calls that last have to end.
    """
    settings, store, clock, parts = ground.settings, ground.store, ground.clock, ground.parts
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
    metrics = LogMetrics(places, store, ground.sink, clock, progress_path=settings.logs_dir / "measured.json")
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
