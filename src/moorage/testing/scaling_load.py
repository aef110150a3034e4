"""A load on a scaled variant, as the service's metrics and the counts of each second would show it."""

from __future__ import annotations

from moorage.control.alarms.actions import SCALING_PREFIX, Actions
from moorage.control.alarms.loop import AlarmLoop
from moorage.control.scaling.alarm_action import ScalingAction
from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.metrics.distribution import Distribution, distribution_of
from moorage.core.metrics.metric import MetricKey, dimensions_of
from moorage.telemetry.metrics.base import Measured
from moorage.testing.builders import KEY
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.scaling_world import ScalingWorld

PER_INSTANCE = MetricKey(
    KEY.region,
    "AWS/SageMaker",
    "InvocationsPerInstance",
    dimensions_of({"EndpointName": "iris", "VariantName": "AllTraffic"}),
)


class LoadedWorld:
    """A `ScalingWorld` whose alarms are watched, and whose traffic becomes metrics."""

    def __init__(self, speed: ScalingSpeed) -> None:
        self.world = ScalingWorld(speed)
        self.metrics = MemoryMetrics()
        action = ScalingAction(self.world.scaling, self.metrics, speed)
        self._alarms = AlarmLoop(self.world.store, self.metrics, Actions({SCALING_PREFIX: action}), self.world.clock)
        self._alarms.start()
        self._owed = 0.0

    async def send(self, per_minute: float, *, seconds: int) -> None:
        """So many invocations a minute, evenly, for a while."""
        for _ in range(seconds):
            self._owed += per_minute / 60
            invocations, self._owed = int(self._owed), self._owed % 1
            if self.world.serving:
                await self._measure(invocations, self.world.serving)
            await self.world.invoke(invocations, seconds=1)

    async def pause(self, seconds: int) -> None:
        """Nothing is measured, whatever there may be."""
        await self.world.clock.sleep(seconds)

    async def close(self) -> None:
        await self._alarms.close()
        await self.world.close()

    async def _measure(self, invocations: int, instances: int) -> None:
        values = distribution_of([(1 / instances, invocations)]) if invocations else Distribution(1, 0, 0, 0, {0: 1})
        await self.metrics.put([Measured(PER_INSTANCE, self.world.clock.now().timestamp(), values)])
