"""Every ten seconds, what every variant and every instance is doing: the metrics that no call leaves behind.

ConcurrentRequestsPerModel is how many requests an instance had at the end of each second, for every instance in the
routes, none included: so it also says that a variant was there to be invoked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from moorage.control.metrics.traffic_source import PRESENCE
from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import MetricKey, dimensions_of
from moorage.core.metrics.traffic import ENDPOINT_NAME, VARIANT_NAME, Scope
from moorage.core.metrics.utilization import NAMESPACE, PERCENT, cpu_percent
from moorage.core.model import EndpointKey, InstanceId
from moorage.core.routes import EndpointRoute
from moorage.runners.base import RunnerError
from moorage.runners.usage import Meters, Usage
from moorage.store.base import Counted, Store, StoreUnavailable
from moorage.system.clock import Clock
from moorage.telemetry.metrics.base import (
    HIGH_RESOLUTION_S,
    Measured,
    MetricSink,
    MetricsUnavailable,
    TooManyMetrics,
)

PERIOD_S: Final = 10
MEMORY_EVERY_S: Final = 60
"""It takes the kernel five milliseconds a process to tell. It is looked at sooner where there are new instances."""
SETTLED_S: Final = 1.0
"""How long after a second its counts have been saved."""

_log = logging.getLogger(__name__)


class Routes(Protocol):
    """What the gateways go by."""

    def published_keys(self) -> Sequence[EndpointKey]: ...
    def published(self, key: EndpointKey) -> EndpointRoute | None: ...


class Sampler:
    """Looks, and puts what it saw into the sink."""

    def __init__(self, routes: Routes, store: Store, meters: Meters, *, sink: MetricSink, clock: Clock) -> None:
        self._routes = routes
        self._store = store
        self._meters = meters
        self._sink = sink
        self._clock = clock
        self._usages: Mapping[InstanceId, Usage] = {}
        self._memory_due_s = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Sample from now on."""
        self._task = asyncio.create_task(self._run(), name="sampler")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def sample(self, until_s: int) -> None:
        """Put what the period up to `until_s` was like. Raises StoreUnavailable, MetricsUnavailable, TooManyMetrics."""
        since_s = until_s - PERIOD_S
        counted = await self._store.read(lambda tx: tx.traffic.seconds(since_s, until_s, latencies=False))
        measured = [*self._concurrency(counted, since_s), *await self._utilization(since_s)]
        if measured:
            await self._sink.put(measured)

    async def _run(self) -> None:
        until_s = 0
        while True:
            now_s = self._clock.now().timestamp()
            due_s = int((now_s - SETTLED_S) // PERIOD_S * PERIOD_S) + PERIOD_S
            until_s = due_s + PERIOD_S if due_s == until_s else due_s  # a wait may have ended a moment early
            await self._clock.sleep(until_s + SETTLED_S - now_s)
            try:
                await self.sample(until_s)
            except (StoreUnavailable, MetricsUnavailable, TooManyMetrics) as error:
                _log.warning("variants and instances were not sampled: %s", error)
            except Exception:
                _log.exception("variants and instances were not sampled")

    def _concurrency(self, counted: Sequence[Counted], since_s: int) -> Iterator[Measured]:
        busy: dict[tuple[EndpointKey, str, str], list[int]] = {}
        for _, key, tally in counted:
            whose = EndpointKey(key.region, key.endpoint), key.variant, key.instance
            busy.setdefault(whose, []).append(tally.in_flight)
        for endpoint in self._routes.published_keys():
            route = self._routes.published(endpoint)
            for variant in route.variants if route else ():
                values: Counter[float] = Counter()
                for instance in variant.instances:
                    seen = busy.get((endpoint, variant.name, str(instance.id)), [])[:PERIOD_S]
                    values.update(float(requests) for requests in seen)
                    values[0.0] += PERIOD_S - len(seen)
                if variant.instances:
                    metric = Scope(endpoint, variant.name).metric(PRESENCE)
                    whole = distribution_of((value, float(times)) for value, times in (+values).items())
                    yield Measured(metric, since_s, whole, resolution_s=HIGH_RESOLUTION_S)

    async def _utilization(self, since_s: int) -> list[Measured]:
        with_memory = since_s >= self._memory_due_s
        try:
            found = await self._meters.measure_usage(with_memory=with_memory)
        except RunnerError as error:
            _log.debug("instances were not measured: %s", error)
            return []
        usages = {each.instance: each for each in found}
        before, self._usages = self._usages, usages
        if usages.keys() - before.keys():
            self._memory_due_s = 0
        elif with_memory:
            self._memory_due_s = since_s + MEMORY_EVERY_S
        return [
            Measured(_metric(usage, name), since_s, distribution_of([(percent, 1.0)]), PERCENT)
            for usage in usages.values()
            for name, percent in _percentages(before.get(usage.instance), usage)
        ]


def _percentages(before: Usage | None, now: Usage) -> Iterator[tuple[str, float]]:
    if before is not None and now.at_s > before.at_s:
        yield "CPUUtilization", cpu_percent(before.cpu_s, now.cpu_s, elapsed_s=now.at_s - before.at_s)
    if now.memory_bytes is not None:
        yield "MemoryUtilization", 100.0 * now.memory_bytes / now.memory_bytes_max
    yield "DiskUtilization", now.disk_percent


def _metric(usage: Usage, name: str) -> MetricKey:
    dimensions = dimensions_of({ENDPOINT_NAME: usage.endpoint.name, VARIANT_NAME: usage.variant})
    return MetricKey(usage.endpoint.region, NAMESPACE, name, dimensions)
