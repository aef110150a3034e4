"""Alarms watched in virtual time: metrics and a store in memory, and actions that are only written down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from moorage.control.alarms.actions import SCALING_PREFIX, TOPIC_PREFIX, Actions, AlarmChange
from moorage.control.alarms.loop import AlarmLoop
from moorage.core.alarms.model import Alarm, AlarmKey, StateValue, changed
from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import MetricKey
from moorage.store.alarms import JOURNAL_KIND, find_alarm, put_alarm, save_alarm
from moorage.store.base import Store, Transaction
from moorage.telemetry.metrics.base import Measured
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

REGION: Final = "us-east-1"
ACCOUNT_ID: Final = "123456789012"
METRIC: Final = MetricKey(REGION, "Shop", "Errors")
TOPIC: Final = f"{TOPIC_PREFIX}{REGION}:{ACCOUNT_ID}:calls"
POLICY: Final = f"{SCALING_PREFIX}{REGION}:{ACCOUNT_ID}:scalingPolicy:1:resource/sagemaker/x:policyName/p"

ON_ERRORS: Final = {
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
"""The definition of an alarm that rings when a minute has more than five errors."""


class Refusing(Exception):
    """What an action raises that has been told to."""


class RecordedActions:
    """Takes every action by writing down what it was told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, AlarmChange]] = []
        self.error: Exception | None = None
        self.only: str | None = None
        """The action that `error` is of; None if it is of all."""

    async def __call__(self, action_arn: str, change: AlarmChange) -> None:
        if self.error is not None and self.only in (None, action_arn):
            raise self.error
        self.taken.append((action_arn, change))

    @property
    def told(self) -> Sequence[tuple[str, str, str]]:
        """The names of the alarms with their old and new states, in order."""
        return [(change.alarm.key.name, change.old.value, change.new.value) for _, change in self.taken]


class AlarmWorld:
    """A loop over a store. `restart` is what a crash leaves."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or MemoryStore()
        self.metrics = MemoryMetrics()
        self.clock = LoopClock()
        self.actions = RecordedActions()
        self.loop = self._loop()

    def start(self) -> None:
        self.loop.start()

    async def restart(self) -> None:
        await self.loop.close()
        self.loop = self._loop()
        self.loop.start()

    async def put(self, name: str, **definition: Any) -> None:
        """As PutMetricAlarm, or PutCompositeAlarm with an AlarmRule."""
        members = definition if "AlarmRule" in definition else {**ON_ERRORS, **definition}
        key, now = AlarmKey(REGION, name), self.clock.now()

        def put(tx: Transaction) -> Alarm:
            return put_alarm(tx, key, {"AlarmName": name, **members}, account_id=ACCOUNT_ID, now=now)

        await self.store.run(put)
        self.loop.wake()

    async def set_state(self, name: str, value: StateValue) -> None:
        """As SetAlarmState."""
        alarm = await self.alarm(name)
        after = changed(alarm, value, reason="by hand", reason_data=None, now=self.clock.now())
        await self.store.run(lambda tx: save_alarm(tx, after))
        self.loop.wake()

    async def measure(self, value: float, *, key: MetricKey = METRIC) -> None:
        """Put a value into the metric, now."""
        await self.metrics.put([Measured(key, self.clock.now().timestamp(), distribution_of([(value, 1)]))])

    async def alarm(self, name: str) -> Alarm:
        found = await self.store.run(lambda tx: find_alarm(tx, AlarmKey(REGION, name)))
        assert found is not None
        return found

    async def state(self, name: str) -> StateValue:
        return (await self.alarm(name)).state.value

    async def history(self, name: str, item_type: str) -> Sequence[str]:
        """The summaries of one type, the oldest first."""
        entries = await self.store.run(
            lambda tx: tx.journal.list(JOURNAL_KIND, REGION, subject=name, limit=1000, newest_first=False)
        )
        return [entry.body["summary"] for entry in entries if entry.body["item_type"] == item_type]

    async def wait(self, seconds: float) -> None:
        """Let time pass, and everything that it brings."""
        await asyncio.sleep(seconds)  # noqa: TID251 - time is virtual

    def _loop(self) -> AlarmLoop:
        actions = Actions({TOPIC_PREFIX: self.actions, SCALING_PREFIX: self.actions})
        return AlarmLoop(self.store, self.metrics, actions, self.clock)
