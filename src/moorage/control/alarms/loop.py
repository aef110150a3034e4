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
from moorage.control.alarms.datapoints import SETTLE_S, read_datapoints
from moorage.control.alarms.firing import Firing, is_repeated
from moorage.core.alarms.composite import evaluate_composite
from moorage.core.alarms.condition import condition_of, period_of
from moorage.core.alarms.evaluate import Verdict, evaluate
from moorage.core.alarms.history import state_update
from moorage.core.alarms.model import Alarm, AlarmKey, changed
from moorage.store.alarms import JOURNAL_KIND, list_alarms, save_alarm, write_history
from moorage.store.base import StaleVersion, Store, StoreUnavailable, Transaction
from moorage.system.clock import Clock
from moorage.telemetry.metrics.base import MetricSource

HISTORY_KEPT: Final = timedelta(days=30)
_MINUTE_S: Final = 60
_SHORT_S: Final = 10
_RETRY_S: Final = 5.0
_SLACK_S: Final = 0.01
_EXPIRE_EVERY: Final = timedelta(hours=1)

_log = logging.getLogger(__name__)


class AlarmLoop:
    """Watches every alarm of the store."""

    def __init__(self, store: Store, source: MetricSource, actions: Actions, clock: Clock) -> None:
        self._store = store
        self._source = source
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
        alarms = await self._save(alarms, await self._decide(due, now), now)
        self._evaluated = {
            alarm.key: (alarm.configured_at, _turn(alarm, now)) for alarm in alarms if not alarm.is_composite
        }
        alarms = await self._settle_composites(alarms, now)
        has_left = await self._firing.take_due(alarms)
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

    async def _settle_composites(self, alarms: Sequence[Alarm], now: datetime) -> Sequence[Alarm]:
        """Composite alarms may go by one another: they are evaluated until none changes any more."""
        for _ in range(1 + sum(alarm.is_composite for alarm in alarms)):
            named = _by_region(alarms)
            verdicts = {
                alarm.key: evaluate_composite(alarm, named[alarm.key.region]) for alarm in alarms if alarm.is_composite
            }
            changing = {key: verdict for key, verdict in verdicts.items() if verdict is not None}
            if not changing:
                break
            alarms = await self._save(alarms, changing, now)
        return alarms

    async def _save(
        self, alarms: Sequence[Alarm], verdicts: Mapping[AlarmKey, Verdict], now: datetime
    ) -> Sequence[Alarm]:
        """The alarms as they are now. One that somebody else has changed meanwhile is left for the next pass."""
        if not verdicts:
            return alarms

        def save(tx: Transaction) -> list[Alarm]:
            return [_save_one(tx, alarm, verdicts.get(alarm.key), now) for alarm in alarms]

        return await self._store.run(save)

    async def _expire(self, now: datetime) -> None:
        if self._expired_at is None or now - self._expired_at >= _EXPIRE_EVERY:
            self._expired_at = now
            await self._store.run(lambda tx: tx.journal.expire(JOURNAL_KIND, before=now - HISTORY_KEPT))


def _save_one(tx: Transaction, alarm: Alarm, verdict: Verdict | None, now: datetime) -> Alarm:
    if verdict is None:
        return alarm
    after = changed(alarm, verdict.value, reason=verdict.reason, reason_data=verdict.reason_data, now=now)
    try:
        saved = save_alarm(tx, after)
    except StaleVersion:
        return alarm
    write_history(tx, saved, state_update(saved, alarm.state), at=now)
    return saved


def _by_region(alarms: Iterable[Alarm]) -> Mapping[str, Mapping[str, Alarm]]:
    found: dict[str, dict[str, Alarm]] = {}
    for alarm in alarms:
        found.setdefault(alarm.key.region, {})[alarm.key.name] = alarm
    return found


def _turn(alarm: Alarm, now: datetime) -> int:
    """Which of its evaluations an alarm is to have had by now."""
    return int(now.timestamp() - SETTLE_S) // _interval_s(alarm)


def _interval_s(alarm: Alarm) -> int:
    return _MINUTE_S if alarm.is_composite or period_of(alarm.definition) >= _MINUTE_S else _SHORT_S


def _until_due_s(alarms: Iterable[Alarm], now: datetime) -> float:
    """How long after `now` the first alarm is due again; a little more, since timers may end a little early."""
    interval_s = min(map(_interval_s, alarms), default=_MINUTE_S)
    return interval_s - (now.timestamp() - SETTLE_S) % interval_s + _SLACK_S
