"""Application Auto Scaling on a store in memory, in virtual time: its API, its loop, and an endpoint that obeys."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from moorage.api.application_autoscaling import ApplicationAutoScaling
from moorage.api.application_autoscaling.part import Needs
from moorage.api.service import Caller
from moorage.api.tokens import PageTokens
from moorage.aws.errors import ServiceError
from moorage.control.scaling.loop import Scaling
from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.model import Endpoint, EndpointKey, EndpointStatus
from moorage.core.scaling.model import TargetKey, target_key
from moorage.core.traffic import Outcome, SeriesKey, Tallies, Tally
from moorage.testing.builders import KEY, make_endpoint, make_variant
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

ACCOUNT = "123456789012"
RESOURCE = "endpoint/iris/variant/AllTraffic"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TARGET: TargetKey = target_key(KEY.region, RESOURCE)


class ScalingWorld:
    """Calls the API, counts traffic, and settles the endpoint when its loop is woken, unless told to `hold`."""

    def __init__(self, speed: ScalingSpeed = ScalingSpeed.FAST, *, instances_max: int = 32) -> None:
        self.store = MemoryStore()
        self.clock = LoopClock()
        self.hold = False
        self.alarms_changed = 0
        self.counts: list[int] = []
        """The capacities that the endpoint came to, in order."""
        self.serving = 0
        """Instances in service, as the endpoint was last settled or made."""
        self.scaling = Scaling(self.store, self.clock, wake=self._wake, speed=speed, instances_max=instances_max)
        self.api = ApplicationAutoScaling(
            Needs(
                store=self.store,
                clock=self.clock,
                account_id=ACCOUNT,
                tokens=PageTokens(b"key"),
                changed=self.scaling.look_at,
                alarms_changed=self._note_alarms,
            )
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def deploy(self, *, count: int = 1, uid: str = "u1") -> None:
        """The endpoint `iris` with so many instances, in service."""
        made = make_endpoint(make_variant(count=count), uid=uid, now=self.clock.now())
        serving = replace(made, status=EndpointStatus.IN_SERVICE, serving=made.target, target=None)
        self.serving = count
        await self.store.run(lambda tx: tx.endpoints.insert(serving))
        await self.scaling.on_decided(KEY, serving)

    async def endpoint(self) -> Endpoint:
        found = await self.store.run(lambda tx: tx.endpoints.get(KEY))
        assert found is not None
        return found

    async def count(self) -> int:
        """How many instances are desired in service."""
        serving = (await self.endpoint()).serving
        assert serving is not None
        return serving.variants[0].desired_count

    async def settle(self, *, failure_reason: str | None = None) -> None:
        """The loop has brought the endpoint to what was wanted, or taken it back."""
        endpoint = await self.endpoint()
        serving = endpoint.serving if failure_reason else endpoint.target or endpoint.serving
        in_service = EndpointStatus.IN_SERVICE
        await self.save(
            replace(endpoint, status=in_service, serving=serving, target=None, failure_reason=failure_reason)
        )
        self.serving = await self.count()
        self.counts.append(self.serving)

    async def save(self, endpoint: Endpoint) -> None:
        """As the endpoint's loop does."""
        await self.store.run(lambda tx: tx.endpoints.swap(endpoint))
        await self.scaling.on_decided(KEY, endpoint)

    async def remove_endpoint(self) -> None:
        """It has been deleted."""
        await self.store.run(lambda tx: tx.endpoints.delete(KEY, tx.endpoints.get(KEY).uid))  # type: ignore[union-attr]
        await self.scaling.on_decided(KEY, None)

    async def call(self, operation: str, **members: Any) -> Any:
        """An operation on the variant's target."""
        request = {"ServiceNamespace": "sagemaker", "ResourceId": RESOURCE, "ScalableDimension": DIMENSION} | members
        caller = Caller(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, "AKIA", KEY.region, "request")
        return await self.api.handlers()[operation](
            caller, {name: value for name, value in request.items() if value is not None}
        )

    async def refusal(self, operation: str, **members: Any) -> tuple[str, str]:
        """The code and the message that the call is answered with."""
        with pytest.raises(ServiceError) as caught:
            await self.call(operation, **members)
        return caught.value.code, caught.value.message

    async def register(self, minimum: int = 1, maximum: int = 10, **members: Any) -> Any:
        return await self.call("RegisterScalableTarget", MinCapacity=minimum, MaxCapacity=maximum, **members)

    async def track(self, target_value: float = 70.0, *, name: str = "keep", **members: Any) -> Any:
        """A policy on the invocations of an instance in a minute."""
        metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        configuration = {"TargetValue": target_value, "PredefinedMetricSpecification": metric} | members
        return await self.call(
            "PutScalingPolicy",
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={k: v for k, v in configuration.items() if v is not None},
        )

    async def activities(self, *, all_of_them: bool = True) -> list[Mapping[str, Any]]:
        """What DescribeScalingActivities answers, the oldest first."""
        answer = await self.call("DescribeScalingActivities", IncludeNotScaledActivities=all_of_them)
        return list(reversed(answer["ScalingActivities"]))

    async def invoke(self, per_s: int, *, seconds: int, in_flight: int = 0) -> None:
        """Have so much counted every second for a while."""
        for _ in range(seconds):
            await self.clock.sleep(1.0)
            second = int(self.clock.now().timestamp()) - 1
            self.scaling.on_traffic(second + 1, self.counted(second, per_s, in_flight=in_flight))
            await self.rest()

    def counted(self, second: int, invocations: int, *, in_flight: int = 0) -> Mapping[int, Tallies]:
        """What was counted in a second, as a listener of the accounts hears it."""
        if not invocations and not in_flight:
            return {}
        outcomes = tuple(invocations if outcome is Outcome.SUCCESS else 0 for outcome in Outcome)
        series = SeriesKey(KEY.region, KEY.name, "config-1", "AllTraffic", "i-1")
        return {second: {series: Tally(outcomes, in_flight=in_flight)}}

    async def rest(self) -> None:
        """Let whatever has been called for happen."""
        for _ in range(20):
            await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, not time

    async def close(self) -> None:
        await self.scaling.close()

    def _wake(self, _: EndpointKey) -> None:
        if not self.hold:
            task = asyncio.get_running_loop().create_task(self.settle())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _note_alarms(self) -> None:
        self.alarms_changed += 1
