"""The loop that watches the alarms: reads what is due, decides, saves with the history, and then has actions taken.

The world is read anew in every pass. What is remembered is only when an alarm was last evaluated: after a restart all
are due. Alarms of a minute's period and more are evaluated every minute, shorter ones every ten seconds, and one that
was just put at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from moorage.control.alarms.actions import Actions
from moorage.control.alarms.composites import Composites
from moorage.control.alarms.datapoints import SETTLE_S, read_datapoints
from moorage.control.alarms.firing import Firing, is_repeated
from moorage.control.alarms.saving import save_verdicts
from moorage.core.alarms.condition import condition_of, period_of
from moorage.core.alarms.evaluate import Verdict, evaluate
from moorage.core.alarms.model import Alarm, AlarmKey
from moorage.store.alarms import JOURNAL_KIND, list_alarms
from moorage.store.base import Store, StoreUnavailable
from moorage.system.clock import Clock
from moorage.telemetry.metrics.base import MetricSource

HISTORY_KEPT: Final = timedelta(days=30)
_MINUTE_S: Final = 60
_SHORT_S: Final = 10
_RETRY_S: Final = 5.0
_SLACK_S: Final = 0.01
_GATHER_S: Final = 0.1
"""Calls that follow each other, such as those that make hundreds of alarms, are looked at together."""
_EXPIRE_EVERY: Final = timedelta(hours=1)

_log = logging.getLogger(__name__)


class AlarmLoop:
    """Watches every alarm of the store."""

    def __init__(self, store: Store, source: MetricSource, actions: Actions, clock: Clock) -> None:
        self._store = store
        self._source = source
        self._composites = Composites(store)
        self._firing = Firing(store, actions, clock)
        self._clock = clock
        self._evaluated: dict[AlarmKey, tuple[datetime, int]] = {}
        self._expired_at: datetime | None = None
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Watch from now on."""
        self._task = asyncio.create_task(self._run(), name="watch alarms")

    async def close(self) -> None:
        """Stop watching. Actions that are being taken are broken off; they are still due."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Look now: an alarm was put, or its state was set."""
        self._awake.set()

    async def run_pass(self) -> float:
        """Look once. Answers after how many seconds there is something to do again."""
        now = self._clock.now()
        alarms = await self._load()
        due = [alarm for alarm in alarms if not alarm.is_composite and self._is_due(alarm, now)]
        alarms = await save_verdicts(self._store, alarms, await self._decide(due, now), now=now)
        self._evaluated = {
            alarm.key: (alarm.configured_at, _turn(alarm, now)) for alarm in alarms if not alarm.is_composite
        }
        alarms = await self._composites.settle(alarms, now=now)
        alarms = await self._composites.suppress(alarms, now=now)
        has_left = await self._firing.take_due(alarm for alarm in alarms if alarm.suppression is None)
        await self._firing.repeat([alarm for alarm in alarms if is_repeated(alarm)], now=now)
        await self._expire(now)
        next_s = _RETRY_S if has_left else _until_due_s(alarms, now)
        return max(0.0, next_s - (self._clock.now() - now).total_seconds())

    async def _run(self) -> None:
        while True:
            self._awake.clear()
            try:
                wait_s = await self.run_pass()
            except StoreUnavailable as error:
                _log.warning("the alarms cannot be watched now: %s", error)
                wait_s = _RETRY_S
            except Exception:
                _log.exception("a pass over the alarms failed")
                wait_s = _RETRY_S
            await self._wait(wait_s)
            if self._awake.is_set():
                await self._clock.sleep(_GATHER_S)

    async def _wait(self, seconds: float) -> None:
        timer = asyncio.create_task(self._clock.sleep(seconds), name="until alarms are due")
        woken = asyncio.create_task(self._awake.wait(), name="until alarms change")
        try:
            await asyncio.wait((timer, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            woken.cancel()

    async def _load(self) -> Sequence[Alarm]:
        return await self._store.read(
            lambda tx: [alarm for region in tx.alarms.regions() for alarm in list_alarms(tx, region)]
        )

    def _is_due(self, alarm: Alarm, now: datetime) -> bool:
        return self._evaluated.get(alarm.key) != (alarm.configured_at, _turn(alarm, now))

    async def _decide(self, due: Sequence[Alarm], now: datetime) -> Mapping[AlarmKey, Verdict]:
        """What becomes of metric alarms, of those that change."""
        found = await read_datapoints(due, self._source, now=now)
        verdicts = {
            alarm.key: evaluate(condition_of(alarm.definition), found[alarm.key], current=alarm.state.value, now=now)
            for alarm in due
            if alarm.key in found
        }
        return {key: verdict for key, verdict in verdicts.items() if verdict is not None}

    async def _expire(self, now: datetime) -> None:
        if self._expired_at is None or now - self._expired_at >= _EXPIRE_EVERY:
            self._expired_at = now
            await self._store.run(lambda tx: tx.journal.expire(JOURNAL_KIND, before=now - HISTORY_KEPT))


def _turn(alarm: Alarm, now: datetime) -> int:
    """Which of its evaluations an alarm is to have had by now."""
    return int(now.timestamp() - SETTLE_S) // _interval_s(alarm)


def _interval_s(alarm: Alarm) -> int:
    if alarm.is_composite:
        return _SHORT_S if alarm.suppression is not None else _MINUTE_S
    return _MINUTE_S if period_of(alarm.definition) >= _MINUTE_S else _SHORT_S


def _until_due_s(alarms: Iterable[Alarm], now: datetime) -> float:
    """How long after `now` the first alarm is due again; a little more, since timers may end a little early."""
    interval_s = min(map(_interval_s, alarms), default=_MINUTE_S)
    return interval_s - (now.timestamp() - SETTLE_S) % interval_s + _SLACK_S
