"""Puts together the reservations of this machine and what writes down how long they last."""

from __future__ import annotations

import contextlib

from moorage.app.settings import Settings
from moorage.control.capacity import Capacity
from moorage.control.usage import UsageKeeper
from moorage.runners.base import Runner
from moorage.store.base import Store
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks


async def open_capacity(
    settings: Settings, *, store: Store, runner: Runner, clock: Clock, parts: contextlib.AsyncExitStack
) -> Capacity:
    """What control reserves by. To be opened before control, and so closed after it. Raises StoreUnavailable."""
    keeper, tasks = UsageKeeper(store, clock), BackgroundTasks()
    await keeper.start(runner)
    parts.push_async_callback(keeper.close)
    tasks.start(keeper.run(), name="usage")
    parts.push_async_callback(tasks.close)
    return Capacity(settings.offer, keeper)
