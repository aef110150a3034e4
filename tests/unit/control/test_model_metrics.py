"""What is taken from instances of many models and put where metrics are kept: once, whoever fails meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from moorage.control.metrics.model_metrics import PERIOD_S, ModelMetrics
from moorage.core.model import EndpointKey, InstanceId
from moorage.runners.base import RunnerError
from moorage.runners.many_models import Page, Report, Shop
from moorage.telemetry.metrics.base import Measured, MetricsUnavailable
from moorage.testing.virtual_clock import LoopClock

SHOP = Shop(EndpointKey("eu-west-1", "many"), "AllTraffic", InstanceId("i-1"), "primary")
OTHER = Shop(EndpointKey("eu-west-1", "many"), "AllTraffic", InstanceId("i-2"), "primary")
DIMENSIONS = (("EndpointName", "many"), ("VariantName", "AllTraffic"))


class Machine:
    """Instances that keep a page until it is known, as `runtime.multi_model.statistics` does."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.pages: dict[Shop, Page] = {}
        self.fresh: dict[Shop, dict[str, tuple[tuple[int, int], ...]]] = {}

    def begin(self, shop: Shop) -> None:
        self.pages[shop] = Page(shop, 0, {}, 0)

    async def report(self, endpoint: EndpointKey) -> Sequence[Report]:
        raise AssertionError("nobody asks for it here")

    async def measure(self, known: Mapping[Shop, int]) -> Sequence[Page]:
        if self.error is not None:
            raise self.error
        for shop, page in self.pages.items():
            if known.get(shop) == page.number:
                self.pages[shop] = Page(shop, page.number + 1, self.fresh.pop(shop, {}), 3)
        return [*self.pages.values()]


class Shelf:
    """A sink that may be out of order."""

    def __init__(self) -> None:
        self.is_out_of_order = False
        self.measured: list[Measured] = []

    async def put(self, measured: Sequence[Measured]) -> None:
        if self.is_out_of_order:
            raise MetricsUnavailable("it is out of order")
        self.measured += measured

    def of(self, name: str) -> list[tuple[float, float]]:
        found = [each for each in self.measured if each.key.name == name]
        return [(each.values.count, each.values.sum) for each in found]


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.begin(SHOP)
    return machine


@pytest.fixture
def sink() -> Shelf:
    return Shelf()


@pytest.fixture
def metrics(machine: Machine, sink: Shelf) -> ModelMetrics:
    return ModelMetrics(machine, sink, clock=LoopClock())


async def test_what_was_measured_is_put_once_with_its_unit(
    metrics: ModelMetrics, machine: Machine, sink: Shelf
) -> None:
    await metrics.take()
    machine.fresh[SHOP] = {"ModelLoadingTime": ((2000, 1), (3000, 2)), "ModelCacheHit": ((0, 3), (1, 7))}
    for _ in range(3):
        await metrics.take()
    assert ([(3, 8000.0)], [(10, 7.0)]) == (sink.of("ModelLoadingTime"), sink.of("ModelCacheHit"))
    units = {each.key.name: (each.key.namespace, each.unit, each.key.dimensions) for each in sink.measured}
    assert {
        "ModelLoadingTime": ("AWS/SageMaker", "Microseconds", DIMENSIONS),
        "ModelCacheHit": ("AWS/SageMaker", "None", DIMENSIONS),
        "LoadedModelCount": ("/aws/sagemaker/Endpoints", "None", DIMENSIONS),
    } == units


async def test_the_loaded_models_of_each_instance_are_counted_every_time(
    metrics: ModelMetrics, machine: Machine, sink: Shelf
) -> None:
    machine.begin(OTHER)
    await metrics.take()
    await metrics.take()
    assert [(1, 0.0), (1, 0.0), (1, 3.0), (1, 3.0)] == sink.of("LoadedModelCount")


async def test_what_could_not_be_put_is_put_the_next_time(metrics: ModelMetrics, machine: Machine, sink: Shelf) -> None:
    await metrics.take()
    machine.fresh[SHOP] = {"ModelCacheHit": ((1, 4),)}
    sink.is_out_of_order = True
    with pytest.raises(MetricsUnavailable):
        await metrics.take()
    machine.fresh[SHOP] = {"ModelCacheHit": ((1, 2),)}
    sink.is_out_of_order = False
    await metrics.take()
    await metrics.take()
    assert [(4, 4.0), (2, 2.0)] == sink.of("ModelCacheHit")


async def test_a_control_that_is_new_puts_no_page_a_second_time(machine: Machine, sink: Shelf) -> None:
    clock = LoopClock()
    first, second = (ModelMetrics(machine, sink, clock=clock) for _ in range(2))
    await first.take()
    machine.fresh[SHOP] = {"ModelCacheHit": ((1, 4),)}
    await first.take()
    await second.take()
    machine.fresh[SHOP] = {"ModelCacheHit": ((0, 1),)}
    await second.take()
    assert [(4, 4.0), (1, 0.0)] == sink.of("ModelCacheHit")


@pytest.mark.looptime
@pytest.mark.parametrize("error", [RunnerError("the agent is away"), ValueError("a bug")])
async def test_it_goes_on_whatever_went_wrong(
    metrics: ModelMetrics, machine: Machine, sink: Shelf, error: Exception
) -> None:
    machine.error = error
    metrics.open()
    await asyncio.sleep(2.5 * PERIOD_S)
    machine.error = None
    await asyncio.sleep(2 * PERIOD_S)
    await metrics.close()
    assert 2 == len(sink.of("LoadedModelCount"))
