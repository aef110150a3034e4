"""Puts together the reservations of this machine and what writes down how long they last."""

from __future__ import annotations

from moorage.app.ground import Ground
from moorage.control.capacity import Capacity
from moorage.control.usage import UsageKeeper
from moorage.runners.base import Runner
from moorage.system.tasks import BackgroundTasks


async def open_capacity(ground: Ground, runner: Runner) -> Capacity:
    """What control reserves by. To be opened before control, and so closed after it. Raises StoreUnavailable."""
    keeper, tasks = UsageKeeper(ground.store, ground.clock), BackgroundTasks()
    await keeper.start(runner)
    ground.parts.push_async_callback(keeper.close)
    tasks.keep(keeper.run, name="usage", clock=ground.clock)
    ground.parts.push_async_callback(tasks.close)
    return Capacity(ground.settings.offer, keeper)
