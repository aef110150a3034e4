"""What an alarm's call means for a scaling policy: the alarm's datapoints become a wish.

Policies that go by the signal of one second need no alarm: theirs exist and are in the state that they would be in,
but what they call for has been done already.
"""

from __future__ import annotations

from collections.abc import Sequence

from moorage.control.alarms.actions import ActionFailed, AlarmChange
from moorage.control.alarms.datapoints import datapoints
from moorage.control.scaling.loop import Scaling
from moorage.control.scaling.rule import AlarmWish, is_quick
from moorage.control.scaling.speed import ScalingSpeed
from moorage.core.alarms.condition import condition_of
from moorage.core.alarms.model import StateValue
from moorage.core.scaling import step, target_tracking
from moorage.core.scaling.model import ScalableTarget, ScalingPolicy
from moorage.core.scaling.policies import StepScaling, read_tracking, steps_of
from moorage.core.scaling.wish import Wish
from moorage.telemetry.metrics.base import MetricSource


class ScalingAction:
    """Takes the actions whose ARNs are those of scaling policies; see `control.alarms.actions.AlarmAction`."""

    def __init__(self, scaling: Scaling, metrics: MetricSource, speed: ScalingSpeed) -> None:
        self._scaling = scaling
        self._metrics = metrics
        self._speed = speed

    async def __call__(self, action_arn: str, change: AlarmChange) -> None:
        policy = self._scaling.policy(action_arn)
        if policy is None:
            raise ActionFailed(f"There is no scaling policy {action_arn}")
        if change.new.value is not StateValue.ALARM or is_quick(policy, self._speed):
            return
        found = self._scaling.target(policy.target)
        if found is None:
            return
        condition = condition_of(change.alarm.definition)
        points = await datapoints(change.alarm, self._metrics, now=change.at, count=condition.periods)
        values = [None if point is None else point.value for point in points or ()]
        target, capacity = found
        wish = _wish(policy, values, condition.threshold, change, target, capacity)
        if wish is not None:
            called = AlarmWish(wish, change.alarm.key.name, change.at, capacity)
            self._scaling.wish(policy.target, policy.name, called)


def _wish(
    policy: ScalingPolicy,
    values: Sequence[float | None],
    threshold: float,
    change: AlarmChange,
    target: ScalableTarget,
    capacity: int,
) -> Wish | None:
    """What the policy wants, given the values that its alarm goes by; nothing on missing data."""
    tracking = read_tracking(policy)
    if tracking is not None:
        return target_tracking.decide(tracking, values, target.memory, current=capacity, now=change.at)
    steps = steps_of(policy.configuration)
    known = [value for value in values if value is not None]
    if not known:
        return None
    breach = _aggregate(steps, known) - threshold
    return step.decide(steps, breach, target.memory, current=capacity, now=change.at)


def _aggregate(steps: StepScaling, values: Sequence[float]) -> float:
    """MetricAggregationType, over the datapoints that the alarm evaluates."""
    match steps.aggregation:
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
        case _:
            return sum(values) / len(values)
