"""The loop that scales: once a second it looks at signals, and whenever something calls for it, at a target.

What calls: a signal that wants another capacity, an alarm, a change through the API, an endpoint that has come to rest,
a scheduled time. Looks are level-triggered: whoever calls only says where to look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from moorage.control.queue import WorkQueue
from moorage.control.scaling.rule import SILENCE, AlarmWish, Signal
from moorage.control.scaling.speed import ScalingSpeed
from moorage.control.scaling.step import BUSY, Call, Found, look
from moorage.control.scaling.watch import Watch
from moorage.core.model import Endpoint, EndpointKey
from moorage.core.scaling.changes import is_backing_off, reason_key
from moorage.core.scaling.model import ScalableTarget, ScalingPolicy, TargetKey
from moorage.core.traffic import Tallies
from moorage.store.base import StaleVersion, Store, StoreUnavailable, Transaction
from moorage.store.scaling import list_targets
from moorage.system.clock import Clock

_RETRY: Final = timedelta(seconds=5)

_log = logging.getLogger(__name__)


class Scaling:
    """Every scalable target of the store.

    `wake` is called after every save of an endpoint. `instances_max` is how many instances of one type an endpoint
    may have.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        wake: Callable[[EndpointKey], None],
        speed: ScalingSpeed,
        instances_max: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._speed = speed
        self._instances_max = instances_max
        self._watches: dict[TargetKey, Watch] = {}
        self._by_endpoint: dict[EndpointKey, set[TargetKey]] = {}
        self._queue = WorkQueue(self._work, clock)

    async def start(self) -> None:
        """Take up what the store has: whoever calls from now on is understood. Raises StoreUnavailable."""
        now = self._clock.now()

        def look_everywhere(tx: Transaction) -> list[tuple[TargetKey, Found | None]]:
            return [(key, self._look_in(tx, key, None, now)) for key in _all_keys(tx)]

        for key, found in await self._store.run(look_everywhere):
            self._take_in(key, found)

    async def close(self) -> None:
        """Stop deciding. What has been saved goes on."""
        self._watches.clear()
        self._by_endpoint.clear()
        await self._queue.close()

    def look_at(self, key: TargetKey) -> None:
        """Look at a target soon: to be called after every save of it, or of what belongs to it."""
        self._queue.add(key)

    async def on_decided(self, key: EndpointKey, endpoint: Endpoint | None) -> None:
        """An endpoint has been looked at; see `control.endpoints.WhenDecided`."""
        for target_key in self._by_endpoint.get(key, ()):
            watch = self._watches[target_key]
            was_scalable = watch.is_scalable
            watch.see(endpoint)
            if watch.target.progress or endpoint is None or (watch.is_scalable and not was_scalable):
                self._queue.add(target_key)

    def on_traffic(self, until_s: int, seconds: Mapping[int, Tallies]) -> None:
        """What was counted; see `control.accounts.Listener`."""
        signals = _by_target(seconds, self._by_endpoint)
        now = self._clock.now()
        for key, watch in self._watches.items():
            watch.measure(until_s, signals.get(key, {}))
            if self._calls(watch, now):
                self._queue.add(key)

    def policy(self, arn: str) -> ScalingPolicy | None:
        """The policy with that ARN, if it is known."""
        rules = (rule for watch in self._watches.values() for rule in watch.rules.values())
        return next((rule.policy for rule in rules if rule.policy.arn == arn), None)

    def target(self, key: TargetKey) -> tuple[ScalableTarget, int] | None:
        """A target and its capacity, if it is in service."""
        watch = self._watches.get(key)
        return None if watch is None or watch.capacity is None else (watch.target, watch.capacity)

    def wish(self, key: TargetKey, policy: str, wish: AlarmWish) -> None:
        """Take in what a policy wants whose alarm has called."""
        watch = self._watches.get(key)
        if watch is not None:
            watch.call(policy, wish)
            self._queue.add(key)

    def _calls(self, watch: Watch, now: datetime) -> bool:
        """Whether there is something to do, or to write down, that has not been."""
        if watch.target.progress is not None or is_backing_off(watch.target.memory, now=now):
            return False
        verdict = watch.verdict(instances_max=self._instances_max, now=now)
        if verdict is None:
            return False
        if verdict.capacity is not None and watch.is_scalable:
            return True
        reason = BUSY if verdict.capacity is not None else verdict.not_scaled
        return reason is not None and reason_key(reason, verdict.policy) != watch.target.not_scaled

    def _call(self, key: TargetKey, now: datetime) -> Call | None:
        """What the policies of a target come to now."""
        watch = self._watches.get(key)
        verdict = None if watch is None else watch.verdict(instances_max=self._instances_max, now=now)
        if watch is None or verdict is None or watch.capacity is None:
            return None
        return Call(verdict, watch.rules[verdict.policy].cause, watch.capacity)

    async def _work(self, key: TargetKey) -> None:
        try:
            await self._look(key)
        except StaleVersion:
            self._queue.add(key)
        except StoreUnavailable as error:
            _log.warning("%s cannot be scaled now: %s", key.resource_id, error)
            self._queue.add_at(key, self._clock.now() + _RETRY)

    async def _look(self, key: TargetKey) -> None:
        now = self._clock.now()
        call = self._call(key, now)
        self._take_in(key, await self._store.run(lambda tx: self._look_in(tx, key, call, now)))

    def _look_in(self, tx: Transaction, key: TargetKey, call: Call | None, now: datetime) -> Found | None:
        return look(tx, key, call, instances_max=self._instances_max, now=now)

    def _take_in(self, key: TargetKey, found: Found | None) -> None:
        """Go by what a look has found, and act on what it has saved."""
        if found is None:
            self._forget(key)
            return
        self._remember(key, found)
        if found.changed:
            _say(found)
            self._wake(key.endpoint)
        if found.wake_at is not None:
            self._queue.add_at(key, found.wake_at)

    def _remember(self, key: TargetKey, found: Found) -> None:
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = Watch(found.target)
            self._by_endpoint.setdefault(key.endpoint, set()).add(key)
        watch.refresh(found.target, found.policies, self._speed)
        watch.see(found.endpoint)
        if found.changed:
            watch.forget_calls()

    def _forget(self, key: TargetKey) -> None:
        if self._watches.pop(key, None) is not None:
            self._by_endpoint[key.endpoint].discard(key)
            if not self._by_endpoint[key.endpoint]:
                del self._by_endpoint[key.endpoint]


def _all_keys(tx: Transaction) -> list[TargetKey]:
    return [target.key for region in tx.scalable_targets.regions() for target in list_targets(tx, region)]


def _by_target(
    seconds: Mapping[int, Tallies], watched: Mapping[EndpointKey, set[TargetKey]]
) -> Mapping[TargetKey, Mapping[int, Signal]]:
    """What was counted of the watched variants by second."""
    signals: dict[TargetKey, dict[int, Signal]] = {}
    for second, tallies in seconds.items():
        for series, tally in tallies.items():
            for key in watched.get(EndpointKey(series.region, series.endpoint), ()):
                if key.variant == series.variant:
                    by_second = signals.setdefault(key, {})
                    counted = Signal(tally.invocations, tally.in_flight)
                    by_second[second] = by_second.get(second, SILENCE).joined(counted)
    return signals


def _say(found: Found) -> None:
    progress = found.target.progress
    assert progress is not None, "a change of capacity has an activity"
    activity = progress.activity
    why = f": {activity.details}" if activity.details else ""
    _log.info("%s: %s %s%s", found.target.key.resource_id, activity.description, activity.cause, why)
