"""Puts together what signals are made of: samples, alarms, and CloudWatch's API to metrics and alarms."""

from __future__ import annotations

from moorage.api.cloudwatch import CloudWatch
from moorage.api.cloudwatch.part import Needs
from moorage.api.tokens import PageTokens
from moorage.app.ground import Ground
from moorage.control.alarms.actions import Actions
from moorage.control.alarms.loop import AlarmLoop
from moorage.control.metrics.sampler import Sampler
from moorage.control.publisher import Publisher
from moorage.runners.usage import Meters


def open_sampler(ground: Ground, publisher: Publisher, meters: Meters) -> None:
    """Sample variants and instances."""
    sampler = Sampler(publisher, ground.store, meters, sink=ground.sink, clock=ground.clock)
    sampler.start()
    ground.parts.push_async_callback(sampler.close)


def open_alarms(ground: Ground, actions: Actions) -> AlarmLoop:
    """Have alarms watched, and their actions taken."""
    alarms = AlarmLoop(ground.store, ground.metrics, actions, ground.clock)
    alarms.start()
    ground.parts.push_async_callback(alarms.close)
    return alarms


def make_cloudwatch(ground: Ground, alarms: AlarmLoop) -> CloudWatch:
    """CloudWatch's API."""
    return CloudWatch(
        Needs(
            store=ground.store,
            clock=ground.clock,
            account_id=ground.settings.account_id,
            metrics=ground.metrics,
            sink=ground.sink,
            tokens=PageTokens(ground.secrets.token_key),
            wake_alarms=alarms.wake,
        )
    )
