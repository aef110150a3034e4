"""CloudWatch's metrics of multi-model endpoints: taken from the instances, and put where metrics are kept.

Instances keep what they measured until the page of it is known to have been kept, so control may be away for a while.
What is taken after that is dated when it was taken. An instance that ends takes at most the last `PERIOD_S` along.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import NO_UNIT, MetricKey, dimensions_of
from moorage.runners.base import RunnerError
from moorage.runners.many_models import ManyModels, Page, Shop
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks
from moorage.telemetry.metrics.base import Measured, MetricSink, MetricsUnavailable, TooManyMetrics

PERIOD_S: Final = 10.0

_MODELS: Final = "AWS/SageMaker"
_INSTANCES: Final = "/aws/sagemaker/Endpoints"
_HIT: Final = "ModelCacheHit"

_log = logging.getLogger(__name__)


class ModelMetrics:
    """Takes the pages of all instances of many models, every `PERIOD_S`."""

    def __init__(self, many_models: ManyModels, sink: MetricSink, *, clock: Clock) -> None:
        self._many_models = many_models
        self._sink = sink
        self._clock = clock
        self._known: dict[Shop, int] = {}
        """The last page of each that was kept."""
        self._tasks = BackgroundTasks()

    def open(self) -> None:
        """Begin."""
        self._tasks.keep(self._run, name="model metrics", clock=self._clock, pause_s=PERIOD_S)

    async def close(self) -> None:
        """Take no more."""
        await self._tasks.close()

    async def take(self) -> None:
        """Take what is new. Raises RunnerError, MetricsUnavailable, TooManyMetrics: then it is taken the next time."""
        pages = await self._many_models.measure(self._known)
        # Of an instance that is new to us the last page may have been kept already, by the control before us.
        new = [page for page in pages if self._known.get(page.shop, page.number) < page.number]
        at_s = self._clock.now().timestamp()
        measured = [*_values_of(new, at_s), *_counts_of(pages, at_s)]
        if measured:
            await self._sink.put(measured)
        self._known = {page.shop: page.number for page in pages}

    async def _run(self) -> None:
        while True:
            try:
                await self.take()
            except (RunnerError, MetricsUnavailable, TooManyMetrics) as error:
                _log.warning("the metrics of multi-model endpoints were not taken: %s", error)
            await self._clock.sleep(PERIOD_S)


def _values_of(pages: Sequence[Page], at_s: float) -> Iterator[Measured]:
    for page in pages:
        for metric, values in page.values.items():
            unit = NO_UNIT if metric == _HIT else "Microseconds"
            yield Measured(_key(page.shop, _MODELS, metric), at_s, distribution_of(values), unit)


def _counts_of(pages: Sequence[Page], at_s: float) -> Iterator[Measured]:
    for page in pages:
        key = _key(page.shop, _INSTANCES, "LoadedModelCount")
        yield Measured(key, at_s, distribution_of([(page.loaded, 1)]))


def _key(shop: Shop, namespace: str, metric: str) -> MetricKey:
    dimensions = dimensions_of({"EndpointName": shop.endpoint.name, "VariantName": shop.variant})
    return MetricKey(shop.endpoint.region, namespace, metric, dimensions)
