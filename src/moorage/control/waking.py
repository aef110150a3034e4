"""Giving variants that are asleep an instance when a gateway says that requests wait for one.

Gateways say it again and again, and several at once: while a variant is being woken, whatever is said of it is known.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from moorage.core import endpoint as changes
from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import MetricKey, dimensions_of
from moorage.core.model import EndpointKey, VariantKey
from moorage.core.routes import EndpointRoute
from moorage.store.base import JournalEntry, StaleVersion, Store, StoreUnavailable, Transaction
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks
from moorage.telemetry.metrics.base import Measured, MetricSink, MetricsUnavailable, TooManyMetrics

JOURNAL_KIND: Final = "sleep"
"""Of the entries that say when a variant was put to sleep, or woken, and why."""
LOOKED_AGAIN_S: Final = 5.0
"""How long a variant that was woken and has no instance yet is not looked at again, however often it is asked for."""
_NAMESPACE: Final = "AWS/SageMaker"
_NAME: Final = "ModelSetupTime"

_log = logging.getLogger(__name__)


class Wakes:
    """Wakes variants. `wake` is called with an endpoint that has been saved and is to be looked at."""

    def __init__(self, store: Store, sink: MetricSink, clock: Clock, *, wake: Callable[[EndpointKey], None]) -> None:
        self._store = store
        self._sink = sink
        self._clock = clock
        self._wake = wake
        self._saving: set[VariantKey] = set()
        self._begun: dict[VariantKey, float] = {}
        """When those that have been woken and have no instance yet were asked for, in monotonic seconds."""
        self._tasks = BackgroundTasks()

    def ask(self, key: VariantKey) -> None:
        """Requests wait for an instance of the variant."""
        now = self._clock.monotonic()
        is_known = now - self._begun.get(key, -math.inf) < LOOKED_AGAIN_S
        if not is_known and key not in self._saving:
            self._saving.add(key)
            self._tasks.start(self._give_instance(key, asked_at=now), name=f"wake {key}")

    def on_published(self, key: EndpointKey, route: EndpointRoute | None) -> None:
        """Every gateway uses `route` now: of the variants with an instance the setup is over; others may be gone."""
        instances = {variant.name: len(variant.instances) for variant in route.variants} if route else {}
        for waking in [each for each in self._begun if each.endpoint == key]:
            if instances.get(waking.variant) == 0:
                continue
            seconds = self._clock.monotonic() - self._begun.pop(waking)
            if waking.variant in instances:
                self._tasks.start(self._record_setup(waking, seconds), name=f"setup of {waking}")

    async def close(self) -> None:
        """Wake no more."""
        await self._tasks.close()

    async def _give_instance(self, key: VariantKey, *, asked_at: float) -> None:
        try:
            was_asleep = await self._save(key)
        except StoreUnavailable as error:
            _log.warning("%s: variant %s cannot be woken: %s", key.endpoint.name, key.variant, error)
            return
        finally:
            self._saving.discard(key)
        if was_asleep:
            self._begun[key] = asked_at
            self._wake(key.endpoint)

    async def _save(self, key: VariantKey) -> bool:
        """Save the endpoint with the variant woken; whether there was anything to wake."""
        now = self._clock.now()

        def work(tx: Transaction) -> bool:
            endpoint = tx.endpoints.get(key.endpoint)
            if endpoint is None or endpoint.key != key.endpoint:
                return False
            woken = changes.wake(endpoint, key.variant)
            if woken == endpoint:
                return False
            tx.endpoints.swap(woken)
            tx.journal.add(entry(key, "woken", "a request found no instance", now))
            return True

        while True:
            try:
                return await self._store.run(work)
            except StaleVersion:
                continue

    async def _record_setup(self, key: VariantKey, seconds: float) -> None:
        _log.info("%s: variant %s was woken within %.3f s", key.endpoint.name, key.variant, seconds)
        try:
            await self._sink.put(_setup_time(key, seconds, at_s=self._clock.now().timestamp()))
        except (MetricsUnavailable, TooManyMetrics) as error:
            _log.warning("%s: its %s was not recorded: %s", key.endpoint.name, _NAME, error)


def entry(key: VariantKey, change: str, reason: str, now: datetime) -> JournalEntry:
    """That a variant was put to sleep, or woken."""
    body = {"Variant": key.variant, "Change": change, "Reason": reason}
    return JournalEntry(JOURNAL_KIND, key.endpoint.region, key.endpoint.name, now, body)


def _setup_time(key: VariantKey, seconds: float, *, at_s: float) -> Sequence[Measured]:
    dimensions = dimensions_of({"EndpointName": key.endpoint.name, "VariantName": key.variant})
    metric = MetricKey(key.endpoint.region, _NAMESPACE, _NAME, dimensions)
    return (Measured(metric, at_s, distribution_of([(seconds * 1e6, 1)]), "Microseconds"),)
