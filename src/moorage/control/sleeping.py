"""Serverless variants that nobody asks are put to sleep; of whatever sleeps, what it is started from is kept at hand.

It knows which variants there are from the passes of the loop over endpoints, so it reads nothing by itself, and when
they were asked from the traffic as it is taken. A new control begins to count anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from moorage.control.waking import JOURNAL_KIND, entry
from moorage.core import endpoint as changes
from moorage.core.fleets import first_instances_asleep
from moorage.core.idling import Activity, is_idle
from moorage.core.model import Endpoint, EndpointKey, EndpointStatus, InstanceSpec, VariantKey
from moorage.core.traffic import Tallies
from moorage.store.base import StaleVersion, Store, StoreUnavailable, Transaction
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks

LOOK_S: Final = 1.0
RENEW_S: Final = 60.0
"""Between two sayings that something is to be kept at hand; the runner keeps it for some minutes."""
_JOURNAL_KEPT: Final = timedelta(weeks=6)
"""As long as AWS keeps scaling activities."""

_log = logging.getLogger(__name__)


class KeepsAtHand(Protocol):
    """What is asked of the runner."""

    async def stand_by(self, spec: InstanceSpec) -> None:
        """See `runners.base.Runner`."""
        ...


class Sleepers:
    """Variants that sleep or may. `wake` is called with an endpoint that has been saved and is to be looked at."""

    def __init__(
        self,
        store: Store,
        runner: KeepsAtHand,
        clock: Clock,
        *,
        patience_s: float,
        wake: Callable[[EndpointKey], None],
    ) -> None:
        self._store = store
        self._runner = runner
        self._clock = clock
        self._patience = timedelta(seconds=patience_s)
        self._wake = wake
        self._awake: dict[EndpointKey, dict[str, Activity]] = {}
        """The serverless variants with an instance that need not stay."""
        self._asleep: dict[EndpointKey, dict[str, InstanceSpec]] = {}
        """Of variants without instances, what would be launched first."""
        self._tasks = BackgroundTasks()

    def start(self) -> None:
        """Begin to look who is idle."""
        self._tasks.keep(self._look_again_and_again, name="sleepers", clock=self._clock)
        self._tasks.keep(self._renew_again_and_again, name="what sleepers are started from", clock=self._clock)

    async def close(self) -> None:
        """Look no more."""
        await self._tasks.close()

    async def on_decided(self, key: EndpointKey, endpoint: Endpoint | None) -> None:
        """What is wanted of an endpoint is saved, and is about to be done. None if it does not exist."""
        known = self._asleep.pop(key, {})
        asleep = {spec.variant.name: spec for spec in first_instances_asleep(endpoint)} if endpoint else {}
        if asleep:
            self._asleep[key] = asleep
        for name, spec in asleep.items():
            if known.get(name) != spec:
                await self._runner.stand_by(spec)
        self._note_awake(key, endpoint, woken=known.keys() - asleep.keys())

    def on_traffic(self, _until_s: int, seconds: Mapping[int, Tallies]) -> None:
        """What was counted, by second."""
        for at_s in sorted(seconds):
            at, busy = datetime.fromtimestamp(at_s, tz=UTC), dict[VariantKey, bool]()
            for series, tally in seconds[at_s].items():
                key = VariantKey(EndpointKey(series.region, series.endpoint), series.variant)
                busy[key] = busy.get(key, False) or tally.in_flight > 0
            for key, is_busy in busy.items():
                activity = self._awake.get(key.endpoint, {}).get(key.variant)
                if activity is not None:
                    self._awake[key.endpoint][key.variant] = Activity(max(at, activity.last_at), is_busy)

    def _note_awake(self, key: EndpointKey, endpoint: Endpoint | None, *, woken: Collection[str]) -> None:
        """Who was woken is busy until something is counted: a request waits for the model to be loaded."""
        known = self._awake.pop(key, {})
        now = self._clock.now()
        awake = {name: known.get(name, Activity(now, name in woken)) for name in _may_sleep(endpoint)}
        if awake:
            self._awake[key] = awake

    async def _look_again_and_again(self) -> None:
        while True:
            await self._clock.sleep(LOOK_S)
            for key in self._idle(self._clock.now()):
                await self._put_to_sleep(key)

    def _idle(self, now: datetime) -> list[VariantKey]:
        return [
            VariantKey(key, name)
            for key, variants in self._awake.items()
            for name, activity in variants.items()
            if is_idle(activity, patience=self._patience, now=now)
        ]

    async def _put_to_sleep(self, key: VariantKey) -> None:
        now = self._clock.now()
        reason = f"no request for {self._patience.total_seconds():g} s"

        def work(tx: Transaction) -> bool:
            endpoint = tx.endpoints.get(key.endpoint)
            if endpoint is None or endpoint.key != key.endpoint:
                return False
            sleeping = changes.sleep(endpoint, key.variant)
            if sleeping == endpoint:
                return False
            tx.endpoints.swap(sleeping)
            tx.journal.add(entry(key, "put to sleep", reason, now))
            return True

        try:
            is_saved = await self._store.run(work)
        except (StaleVersion, StoreUnavailable) as error:
            _log.info("%s: variant %s is not put to sleep yet: %s", key.endpoint.name, key.variant, error)
            return
        if is_saved:
            _log.info("%s: variant %s is put to sleep: %s", key.endpoint.name, key.variant, reason)
            self._awake.get(key.endpoint, {}).pop(key.variant, None)
            self._wake(key.endpoint)

    async def _renew_again_and_again(self) -> None:
        while True:
            await self._clock.sleep(RENEW_S)
            for spec in [spec for variants in self._asleep.values() for spec in variants.values()]:
                await self._runner.stand_by(spec)
            await self._expire_journal()

    async def _expire_journal(self) -> None:
        before = self._clock.now() - _JOURNAL_KEPT
        try:
            await self._store.run(lambda tx: tx.journal.expire(JOURNAL_KIND, before=before))
        except StoreUnavailable as error:
            _log.warning("the journal of sleeping variants cannot be shortened: %s", error)


def _may_sleep(endpoint: Endpoint | None) -> list[str]:
    if endpoint is None or endpoint.status is not EndpointStatus.IN_SERVICE or endpoint.serving is None:
        return []
    return [
        variant.name
        for variant in endpoint.serving.variants
        if variant.serverless and not variant.serverless.provisioned_concurrency and variant.desired_count
    ]
