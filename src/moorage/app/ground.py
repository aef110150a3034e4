"""What every part of control stands on: settings, clock, databases, and what is counted."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from moorage.app import credentials
from moorage.app.settings import Settings
from moorage.control.accounts import Accounts
from moorage.control.ledgers import Ledgers
from moorage.control.metrics.traffic_source import TrafficSource
from moorage.store.base import Store
from moorage.store.sql import open_store
from moorage.system.clock import SystemClock
from moorage.telemetry.metrics.base import MetricSink, MetricSource
from moorage.telemetry.metrics.combined import CombinedMetrics
from moorage.telemetry.metrics.intake import Room
from moorage.telemetry.metrics.stored import StoredMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the parts of control have in common."""

    settings: Settings
    clock: SystemClock
    parts: contextlib.AsyncExitStack
    """Closes what was opened, the last one first."""
    secrets: credentials.Secrets
    store: Store
    metrics: MetricSource
    """All metrics there are: those that are put, and what follows from the traffic."""
    sink: MetricSink
    accounts: Accounts


async def open_ground(settings: Settings, parts: contextlib.AsyncExitStack) -> Ground:
    """Open the databases, and begin to put what gateways count into them. Raises StoreUnusable, StoreUnavailable."""
    clock = SystemClock()
    store = await asyncio.to_thread(open_store, settings.database_path)
    parts.push_async_callback(store.close)
    room = Room(series_max=settings.metrics_max, bytes_max=settings.metrics_bytes_max)
    stored = StoredMetrics(settings.metrics_path, clock=clock, room=room)
    await stored.start()
    parts.push_async_callback(stored.close)
    accounts = Accounts(store, Ledgers(settings.ledger_dir), clock=clock)
    await accounts.start()
    parts.push_async_callback(accounts.close)
    return Ground(
        settings=settings,
        clock=clock,
        parts=parts,
        secrets=credentials.ensure_secrets(settings),
        store=store,
        metrics=CombinedMetrics([stored, TrafficSource(store, stored)]),
        sink=stored,
        accounts=accounts,
    )
