"""What puts variants to sleep and wakes them, put together."""

from __future__ import annotations

import contextlib

from moorage.app.settings import Settings
from moorage.control.accounts import Accounts
from moorage.control.endpoints import Control
from moorage.control.sleeping import KeepsAtHand, Sleepers
from moorage.control.waking import Wakes
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.system.wake_socket import WakeReceiver
from moorage.telemetry.metrics.base import MetricSink


def open_sleeping(
    settings: Settings,
    parts: contextlib.AsyncExitStack,
    *,
    store: Store,
    accounts: Accounts,
    control: Control,
    runner: KeepsAtHand,
    sink: MetricSink,
    clock: Clock,
) -> None:
    """Have variants put to sleep and woken until `parts` is closed. To be called before `control` is started."""
    wakes = Wakes(store, sink, clock, wake=control.wake)
    parts.push_async_callback(wakes.close)
    sleepers = Sleepers(store, runner, clock, patience_s=settings.serverless_idle_s, wake=control.wake)
    control.follow(sleepers.on_decided, wakes.on_published)
    accounts.subscribe(sleepers.on_traffic)
    receiver = WakeReceiver(settings.wake_socket, wakes.ask)
    receiver.open()
    parts.callback(receiver.close)
    sleepers.start()
    parts.push_async_callback(sleepers.close)
