"""Policies that go by alarms: what they do with an alarm's datapoints, and what with none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from moorage.control.alarms.actions import ActionFailed, AlarmChange
from moorage.control.scaling.alarm_action import ScalingAction
from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.alarms.model import AlarmKey, AlarmState, StateValue
from moorage.core.metrics.distribution import distribution_of
from moorage.core.metrics.metric import MetricKey
from moorage.core.model import Endpoint, EndpointStatus
from moorage.store.alarms import find_alarm, put_alarm
from moorage.telemetry.metrics.base import Measured
from moorage.testing.builders import KEY, T0
from moorage.testing.memory_metrics import MemoryMetrics
from moorage.testing.scaling_world import ACCOUNT, ScalingWorld

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

QUEUE = MetricKey(KEY.region, "Shop", "Queue")
STEPS = [
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 3},
]
CUSTOMIZED = {"Namespace": "Shop", "MetricName": "Queue", "Statistic": "Average"}


class AlarmedWorld(ScalingWorld):
    """With the metric `Queue`, and the action that alarms on it take."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = MemoryMetrics()
        self.action = ScalingAction(self.scaling, self.metrics, ScalingSpeed.FAST)

    async def measure(self, *values: float) -> None:
        """A value in each of the last minutes, the newest last."""
        minute = int(self.clock.now().timestamp() - 5) // 60 * 60
        await self.metrics.put(
            Measured(QUEUE, minute - 60 * back, distribution_of([(value, 1)]))
            for back, value in zip(range(len(values), 0, -1), values, strict=True)
        )

    async def put_alarm(self, policy_arn: str, *, minutes: int = 1) -> str:
        """An alarm on the queue, above 20."""
        definition = {
            "AlarmName": "queue",
            "Namespace": "Shop",
            "MetricName": "Queue",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": minutes,
            "Threshold": 20.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [policy_arn],
        }
        key = AlarmKey(KEY.region, "queue")
        await self.store.run(lambda tx: put_alarm(tx, key, definition, account_id=ACCOUNT, now=T0))
        return "queue"

    async def call_by(self, alarm: str, policy_arn: str, value: StateValue = StateValue.ALARM) -> None:
        """The alarm is in a state, and says so."""
        found = await self.store.run(lambda tx: find_alarm(tx, AlarmKey(KEY.region, alarm)))
        assert found is not None
        now = self.clock.now()
        state = AlarmState(value, "so it is", None, now, now)
        await self.action(policy_arn, AlarmChange(found, state, state, now))
        await self.rest()

    async def step_policy(self, **members: Any) -> str:
        configuration = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": STEPS, "Cooldown": 60} | members
        answer = await self.call(
            "PutScalingPolicy",
            PolicyName="steps",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration=configuration,
        )
        await self.rest()
        return str(answer["PolicyARN"])

    async def queue_policy(self, name: str = "ten") -> tuple[str, str, str]:
        """Ten waiting an instance; its ARN and its alarms, high and low."""
        answer = await self.call(
            "PutScalingPolicy",
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 10.0,
                "CustomizedMetricSpecification": CUSTOMIZED,
            },
        )
        await self.rest()
        high, low = (alarm["AlarmName"] for alarm in answer["Alarms"])
        return answer["PolicyARN"], high, low


@pytest_asyncio.fixture
async def world() -> AsyncIterator[AlarmedWorld]:
    world = AlarmedWorld()
    await world.deploy()
    await world.register(1, 10)
    yield world
    await world.close()


async def test_a_step_policy_adds_what_its_step_says_and_in_the_cooldown_only_the_rest(world: AlarmedWorld) -> None:
    arn = await world.step_policy()
    alarm = await world.put_alarm(arn)
    await world.measure(25)
    await world.call_by(alarm, arn)
    await world.call_by(alarm, arn)
    assert [2] == world.counts

    await world.clock.sleep(30)
    await world.measure(50)
    await world.call_by(alarm, arn)

    assert [2, 4] == world.counts
    assert {"monitor alarm queue in state ALARM triggered policy steps"} == {
        activity["Cause"] for activity in await world.activities()
    }


@pytest.mark.parametrize(("aggregation", "count"), [("Minimum", 2), ("Average", 2), ("Maximum", 4), (None, 2)])
async def test_the_datapoints_are_aggregated_as_the_policy_says(
    world: AlarmedWorld, aggregation: str | None, count: int
) -> None:
    arn = await world.step_policy(**({"MetricAggregationType": aggregation} if aggregation else {}))
    alarm = await world.put_alarm(arn, minutes=2)
    await world.measure(21, 35)
    await world.call_by(alarm, arn)

    assert [count] == world.counts


async def test_a_step_policy_alone_takes_away_what_its_step_says(world: AlarmedWorld) -> None:
    await world.save(_with_count(await world.endpoint(), 5))
    arn = await world.step_policy(StepAdjustments=[{"MetricIntervalUpperBound": 0, "ScalingAdjustment": -2}])
    alarm = await world.put_alarm(arn)
    await world.measure(5)
    await world.call_by(alarm, arn)

    assert [3] == world.counts


async def test_a_customised_metric_is_tracked_by_its_alarms(world: AlarmedWorld) -> None:
    arn, high, low = await world.queue_policy()
    await world.measure(40, 40, 40)
    await world.call_by(high, arn)
    assert [4] == world.counts

    await world.clock.sleep(1200)
    await world.measure(*[2] * 15)
    await world.call_by(low, arn)

    assert [4, 1] == world.counts


async def test_without_datapoints_nothing_is_done(world: AlarmedWorld) -> None:
    arn, high, low = await world.queue_policy()
    steps = await world.step_policy()
    alarm = await world.put_alarm(steps)
    for name, policy in ((high, arn), (low, arn), (alarm, steps)):
        await world.call_by(name, policy)

    assert [] == world.counts


async def test_only_the_alarm_state_calls(world: AlarmedWorld) -> None:
    arn = await world.step_policy()
    alarm = await world.put_alarm(arn)
    await world.measure(50)
    await world.call_by(alarm, arn, StateValue.OK)
    await world.call_by(alarm, arn, StateValue.INSUFFICIENT_DATA)

    assert [] == world.counts


async def test_an_alarm_of_a_policy_that_goes_by_the_signal_does_nothing(world: AlarmedWorld) -> None:
    answer = await world.track(70.0)
    await world.rest()
    await world.call_by(answer["Alarms"][0]["AlarmName"], answer["PolicyARN"])

    assert [] == world.counts


async def test_in_waits_until_every_policy_agrees(world: AlarmedWorld) -> None:
    arn, high, low = await world.queue_policy()
    await world.track(60.0, name="invocations", ScaleInCooldown=60)
    await world.measure(40, 40, 40)
    await world.call_by(high, arn)
    await world.clock.sleep(1200)
    await world.measure(*[2] * 15)
    await world.invoke(4, seconds=70)
    await world.call_by(low, arn)
    await world.invoke(4, seconds=5)
    assert 4 == await world.count()

    await world.invoke(0, seconds=130)
    assert 4 == await world.count()  # the alarm has not called for a while
    await world.measure(*[2] * 15)
    await world.call_by(low, arn)

    assert 1 == await world.count()


async def test_policies_agree_whose_alarms_call_a_minute_apart(world: AlarmedWorld) -> None:
    arn, high, low = await world.queue_policy("ten")
    other, _, other_low = await world.queue_policy("again")
    await world.measure(40, 40, 40)
    await world.call_by(high, arn)
    await world.clock.sleep(1200)
    await world.measure(*[2] * 15)
    await world.call_by(low, arn)
    assert [4] == world.counts

    await world.clock.sleep(60)
    await world.measure(2)
    await world.call_by(other_low, other)

    assert [4, 1] == world.counts


async def test_in_the_cooldown_a_metric_that_stays_where_it_is_adds_nothing_more(world: AlarmedWorld) -> None:
    arn = await world.step_policy(Cooldown=300)
    alarm = await world.put_alarm(arn)
    await world.measure(25)
    await world.call_by(alarm, arn)
    for _ in range(4):
        await world.clock.sleep(60)
        await world.measure(50)
        await world.call_by(alarm, arn)

    assert [2, 4] == world.counts


async def test_what_was_to_be_added_to_another_capacity_takes_nothing_away(world: AlarmedWorld) -> None:
    arn = await world.step_policy()
    alarm = await world.put_alarm(arn)
    await world.measure(50)
    busy = replace(await world.endpoint(), status=EndpointStatus.UPDATING)
    await world.save(busy)
    await world.call_by(alarm, arn)
    await world.save(_with_count(replace(await world.endpoint(), status=EndpointStatus.IN_SERVICE), 6))
    await world.rest()
    assert 6 == await world.count()

    await world.clock.sleep(60)
    await world.measure(50)
    await world.call_by(alarm, arn)

    assert 9 == await world.count()


@pytest.mark.parametrize(("minutes", "count"), [(1, 2), (5, 1)])
async def test_a_call_is_a_wish_for_a_while(world: AlarmedWorld, minutes: int, count: int) -> None:
    arn = await world.step_policy()
    alarm = await world.put_alarm(arn)
    await world.measure(25)
    await world.save(replace(await world.endpoint(), status=EndpointStatus.UPDATING))
    await world.call_by(alarm, arn)
    await world.clock.sleep(timedelta(minutes=minutes).total_seconds())
    await world.settle()
    await world.invoke(0, seconds=3)

    assert count == await world.count()


async def test_a_policy_that_is_not_there_says_so(world: AlarmedWorld) -> None:
    alarm = await world.put_alarm("arn:aws:autoscaling:nobody")

    with pytest.raises(ActionFailed):
        await world.call_by(alarm, "arn:aws:autoscaling:nobody")


def _with_count(endpoint: Endpoint, count: int) -> Endpoint:
    assert endpoint.serving is not None
    serving = replace(endpoint.serving, variants=(replace(endpoint.serving.variants[0], desired_count=count),))
    return replace(endpoint, serving=serving)
