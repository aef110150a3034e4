"""Puts together what others observe Moorage by: the page that Prometheus scrapes, and metrics sent to a collector."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence

from moorage.api.prometheus import MetricsPage
from moorage.app.ground import Ground
from moorage.app.hosting import Hosting
from moorage.app.settings import Settings
from moorage.app.tracing import OTLP_TIMEOUT_S
from moorage.control.figures import Gathering
from moorage.core.figures import Figure, State, figures
from moorage.store.base import StoreUnavailable
from moorage.system.clock import Clock
from moorage.system.lag import LoopLag
from moorage.system.tasks import BackgroundTasks

Send = Callable[[Sequence[Figure], int], bool]

_log = logging.getLogger(__name__)


def open_metrics_page(ground: Ground, hosting: Hosting) -> MetricsPage:
    """The page of metrics, and what looks after the figures on it and sends them, if they are to be sent."""
    settings, store, clock = ground.settings, ground.store, ground.clock
    lag, tasks = LoopLag(clock), BackgroundTasks()
    tasks.start(lag.run(), name="loop lag")
    gathering = Gathering(
        store=store,
        runner=hosting.runner,
        publisher=hosting.publisher,
        capacity=hosting.capacity,
        lag=lag,
        clock=clock,
    )
    if settings.otlp_endpoint:
        tasks.start(_send_figures(settings, gathering, clock), name="otlp metrics")
    ground.parts.push_async_callback(tasks.close)
    return MetricsPage(store, gathering.state)


async def _send_figures(settings: Settings, gathering: Gathering, clock: Clock) -> None:
    send = await asyncio.to_thread(_make_sender, settings)
    has_arrived = True
    while True:
        await clock.sleep(settings.otlp_metrics_every_s)
        try:
            state = await gathering.state()
        except StoreUnavailable as error:
            _log.warning("no metrics to send: %s", error)
            continue
        at_ns = int(clock.now().timestamp() * 1e9)
        arrived = await asyncio.to_thread(_send_state, send, state, at_ns)
        if has_arrived and not arrived:
            _log.warning("metrics are not sent any more: the collector does not take them")
        has_arrived = arrived


def _send_state(send: Send, state: State, at_ns: int) -> bool:
    return send(figures(state), at_ns)


def _make_sender(settings: Settings) -> Send:
    from moorage.telemetry.otlp.metrics import figure_sender  # an extra, and a third of a second to import

    return figure_sender(
        settings.otlp_endpoint.rstrip("/"),
        instance=f"control-{os.getpid()}",
        since_ns=settings.secrets_path.stat().st_mtime_ns,  # made once, before anything is counted
        timeout_s=OTLP_TIMEOUT_S,
    )
