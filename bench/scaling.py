"""How soon capacity follows a step of the load, and what it costs to watch many variants.

    python bench/scaling.py [--rounds 3] [--variants 500]

The step: an endpoint at its target value, then ten times the load; from that moment on, until ten instances answer, on
a real Moorage. Beside it the service's own rule on the same load, in virtual time: only its decision, as if instances
took no time at all. The cost: CPU time of a second's look at so many variants under policies, half of them busy.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import looptime

from moorage.control.scaling.loop import Scaling
from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.model import EndpointStatus
from moorage.core.scaling.model import Bounds, PolicyKind, ScalableTarget, ScalingPolicy, TargetKey, target_key
from moorage.core.traffic import Outcome, SeriesKey, Tally
from moorage.store.base import Transaction
from moorage.store.scaling import save_policy, save_target
from moorage.system.clock import SystemClock
from moorage.testing.builders import T0, make_endpoint
from moorage.testing.deployment import Deployer
from moorage.testing.load import Load
from moorage.testing.memory_store import MemoryStore
from moorage.testing.models import iris_archive
from moorage.testing.scaling_load import LoadedWorld
from moorage.testing.server import RunningMoorage

PER_MINUTE = 600.0
STEADY_S = 5.0
TIMEOUT_S = 60.0
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/iris/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
POLICY = {
    "TargetValue": PER_MINUTE,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--variants", type=int, default=500)
    options = parser.parse_args()
    asyncio.run(_steps(options.rounds))
    compatible_s = _in_virtual_time()
    print(f"the service's rule, decision alone              {compatible_s:8.1f} s")
    asyncio.run(_cost(options.variants))


async def _steps(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = RunningMoorage(Path(folder) / "data")
        await asyncio.to_thread(server.start)
        try:
            deployer = Deployer(server)
            await asyncio.to_thread(deployer.deploy, "iris", iris_archive())
            found = [await _step(server, deployer) for _ in range(rounds)]
        finally:
            await asyncio.to_thread(server.stop)
    times = [each[0] for each in found]
    print(
        f"tenfold load to ten instances that answer, median {statistics.median(times):6.2f} s, worst {max(times):.2f} s"
    )
    print(f"requests that failed meanwhile                  {sum(each[1] for each in found):8d}")


async def _step(server: RunningMoorage, deployer: Deployer) -> tuple[float, int]:
    """Seconds from the step to ten instances, and how many requests failed."""
    scaling: Any = server.client("application-autoscaling")
    await asyncio.to_thread(scaling.register_scalable_target, **TARGET, MinCapacity=1, MaxCapacity=10)
    await asyncio.to_thread(
        scaling.put_scaling_policy,
        **TARGET,
        PolicyName="bench",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=POLICY,
    )
    target = server.target("iris")
    steady = Load(target, rate=PER_MINUTE / 60, connections=4)
    await SystemClock().sleep(STEADY_S)
    stepped = Load(target, rate=9 * PER_MINUTE / 60, connections=8)
    begun = time.monotonic()
    while await asyncio.to_thread(_answering, deployer) < 10:
        if time.monotonic() - begun > TIMEOUT_S:
            raise TimeoutError(f"there are {_answering(deployer)} instances after {TIMEOUT_S} s")
        await SystemClock().sleep(0.02)
    took = time.monotonic() - begun
    reports = [await steady.stop(), await stepped.stop()]
    await asyncio.to_thread(scaling.deregister_scalable_target, **TARGET)
    await asyncio.to_thread(_shrink, deployer)
    return took, sum(len(report.failures) for report in reports)


def _answering(deployer: Deployer) -> int:
    [variant] = deployer.sagemaker.describe_endpoint(EndpointName="iris")["ProductionVariants"]
    return int(variant["CurrentInstanceCount"])


def _shrink(deployer: Deployer) -> None:
    deployer.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="iris", DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}]
    )
    deployer.settled("iris")


def _in_virtual_time() -> float:
    """Seconds from the step to the decision for ten instances, by alarms."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(_by_alarms())


async def _by_alarms() -> float:
    loaded = LoadedWorld(ScalingSpeed.COMPATIBLE)
    world = loaded.world
    await world.deploy()
    await world.register(1, 10)
    await world.track(PER_MINUTE)
    await loaded.send(PER_MINUTE, seconds=330)
    begun = world.clock.monotonic()
    while await world.count() < 10:
        await loaded.send(10 * PER_MINUTE, seconds=1)
    took = world.clock.monotonic() - begun
    await loaded.close()
    return took


async def _cost(variants: int) -> None:
    store = MemoryStore()
    keys = [target_key("us-east-1", f"endpoint/e{number}/variant/AllTraffic") for number in range(variants)]
    await store.run(lambda tx: _add(tx, keys))
    scaling = Scaling(store, SystemClock(), wake=lambda _: None, speed=ScalingSpeed.FAST, instances_max=32)
    await scaling.start()
    while scaling.target(keys[-1]) is None:
        await SystemClock().sleep(0.05)
    ok = tuple(10 if outcome is Outcome.SUCCESS else 0 for outcome in Outcome)
    tallies = {SeriesKey("us-east-1", key.endpoint.name, "c", "AllTraffic", "i"): Tally(ok) for key in keys[::2]}
    seconds = 400
    begun = time.process_time()
    for second in range(seconds):
        scaling.on_traffic(second + 1, {second: tallies})
    cost_s = (time.process_time() - begun) / seconds
    await scaling.close()
    print(f"a second's look at {variants} variants, CPU          {cost_s * 1000:8.2f} ms ({cost_s:.1%} of a core)")


def _add(tx: Transaction, keys: Sequence[TargetKey]) -> None:
    """Variants with an instance at its target each, which may have one to ten."""
    for key in keys:
        made = make_endpoint(key=key.endpoint)
        tx.endpoints.insert(replace(made, status=EndpointStatus.IN_SERVICE, serving=made.target, target=None))
        save_target(tx, ScalableTarget(key, "arn", "role", made.uid, Bounds(1, 10), T0))
        save_policy(tx, ScalingPolicy(key, "bench", "arn", PolicyKind.TARGET_TRACKING, POLICY, T0))


if __name__ == "__main__":
    main()
