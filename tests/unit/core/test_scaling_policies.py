"""What single policies want: worked examples of the service's rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from moorage.core.scaling import step, target_tracking
from moorage.core.scaling.model import Memory, ScaleOut
from moorage.core.scaling.policies import AdjustmentType, Step, StepScaling, TargetTracking, steps_of, tracking_of
from moorage.core.scaling.wish import instances_for
from moorage.testing.builders import T0

INVOCATIONS = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
TRACKING = tracking_of({"TargetValue": 70.0, "PredefinedMetricSpecification": INVOCATIONS})
NOTHING = Memory()


def wanted(
    *values: float | None, current: int, memory: Memory = NOTHING, policy: TargetTracking = TRACKING
) -> int | None:
    wish = target_tracking.decide(policy, values, memory, current=current, now=T0)
    return None if wish is None else wish.capacity


@pytest.mark.parametrize(
    ("values", "current", "expected"),
    [
        ((200, 200, 200), 1, 3),
        ((1820, 1820, 1820), 1, 26),
        ((70, 70, 70), 3, 3),
        ((67, 67, 67), 3, 3),
        ((63, 63, 63), 3, 3),
        ((40, 62.9, 40), 3, 3),
        ((10, 10, 10), 3, 1),
        ((40, 10, 10), 3, 2),
        ((0, 0, 0), 3, 0),
    ],
)
def test_target_tracking_goes_by_the_last_value_out_and_by_the_highest_in(
    values: tuple[float, ...], current: int, expected: int
) -> None:
    assert expected == wanted(*values, current=current)


@pytest.mark.parametrize("values", [(), (None,), (200, 200, None), (0, 0, None)])
def test_missing_data_is_no_wish(values: tuple[float | None, ...]) -> None:
    assert None is wanted(*values, current=3)


def test_a_gap_before_the_last_value_is_no_demand_and_no_silence() -> None:
    assert 2 == wanted(40, None, 10, current=3)


def test_during_the_scale_out_cooldown_what_was_added_counts() -> None:
    memory = Memory(scale_out=ScaleOut(T0 - timedelta(seconds=60), base=1))

    assert 3 == wanted(133, current=3, memory=memory)
    assert 6 == wanted(400, current=3, memory=memory)
    assert 6 == wanted(133, current=3, memory=Memory(scale_out=ScaleOut(T0 - timedelta(seconds=300), base=1)))


def test_the_scale_out_cooldown_is_not_that_of_scaling_in() -> None:
    cooldowns = {"ScaleOutCooldown": 60, "ScaleInCooldown": 300}
    policy = tracking_of({"TargetValue": 70.0, "PredefinedMetricSpecification": INVOCATIONS} | cooldowns)
    memory = Memory(scale_out=ScaleOut(T0 - timedelta(seconds=120), base=1))

    assert 6 == wanted(133, current=3, memory=memory, policy=policy)


def test_what_somebody_has_taken_away_since_the_scale_out_does_not_count() -> None:
    memory = Memory(scale_out=ScaleOut(T0 - timedelta(seconds=60), base=5))

    assert 3 == wanted(100, current=2, memory=memory)
    wish = step.decide(STEPS, 5, memory, current=2, now=T0)
    assert wish is not None
    assert 3 == wish.capacity


def test_without_an_instance_the_metric_is_what_one_would_get() -> None:
    assert 3 == wanted(200, current=0)


def test_on_the_way_in_all_values_have_to_be_low() -> None:
    assert 20 == wanted(65, 10, 10, current=20)


def test_a_scale_in_waits_for_its_cooldown_and_a_scale_out_does_not() -> None:
    memory = Memory(scale_in_at=T0 - timedelta(seconds=299))

    assert 3 == wanted(10, current=3, memory=memory)
    assert 9 == wanted(200, current=3, memory=memory)
    assert 1 == wanted(10, current=3, memory=Memory(scale_in_at=T0 - timedelta(seconds=300)))


def test_a_policy_may_never_scale_in() -> None:
    policy = tracking_of({"TargetValue": 70.0, "PredefinedMetricSpecification": INVOCATIONS, "DisableScaleIn": True})

    assert 3 == wanted(10, current=3, policy=policy)


STEPS = StepScaling(AdjustmentType.CHANGE, (Step(1, 0, 10), Step(3, 10, None), Step(-1, -10, 0), Step(-2, None, -10)))


@pytest.mark.parametrize(
    ("breach", "expected"), [(0, 6), (9.9, 6), (10, 8), (500, 8), (-0.1, 4), (-9.9, 4), (-10, 3), (-500, 3)]
)
def test_a_step_has_its_lower_bound_above_the_threshold_and_its_upper_below(breach: float, expected: int) -> None:
    wish = step.decide(STEPS, breach, NOTHING, current=5, now=T0)

    assert wish is not None
    assert expected == wish.capacity


def test_no_step_no_wish() -> None:
    policy = StepScaling(AdjustmentType.CHANGE, (Step(1, 5, 10),))

    assert [None, None] == [step.decide(policy, breach, NOTHING, current=5, now=T0) for breach in (4, 10)]


@pytest.mark.parametrize(
    ("adjustment_type", "adjustment", "current", "magnitude", "expected"),
    [
        (AdjustmentType.EXACT, 7, 2, 0, 7),
        (AdjustmentType.CHANGE, -9, 2, 0, 0),
        (AdjustmentType.PERCENT, 10, 4, 0, 5),
        (AdjustmentType.PERCENT, 50, 5, 0, 7),
        (AdjustmentType.PERCENT, -10, 4, 0, 3),
        (AdjustmentType.PERCENT, -50, 5, 0, 3),
        (AdjustmentType.PERCENT, 25, 4, 2, 6),
        (AdjustmentType.PERCENT, -25, 4, 2, 2),
        (AdjustmentType.PERCENT, 0, 4, 2, 4),
    ],
)
def test_adjustments(
    adjustment_type: AdjustmentType, adjustment: int, current: int, magnitude: int, expected: int
) -> None:
    policy = StepScaling(adjustment_type, (Step(adjustment),), magnitude_min=magnitude)
    wish = step.decide(policy, 1.0, NOTHING, current=current, now=T0)

    assert wish is not None
    assert expected == wish.capacity


def test_during_the_cooldown_a_larger_step_adds_only_the_rest() -> None:
    cooling = Memory(scale_out=ScaleOut(T0 - timedelta(seconds=10), base=4))

    assert [5, 7, 5] == [
        wish.capacity
        for breach in (5, 20, -5)
        if (wish := step.decide(STEPS, breach, cooling, current=5, now=T0)) is not None
    ]


@pytest.mark.parametrize(("seconds", "expected"), [(299, 5), (300, 3)])
@pytest.mark.parametrize("is_out", [True, False])
def test_a_step_in_waits_for_the_cooldown_of_either_way(is_out: bool, seconds: int, expected: int) -> None:
    at = T0 - timedelta(seconds=seconds)
    cooling = Memory(scale_out=ScaleOut(at, base=5)) if is_out else Memory(scale_in_at=at)
    wish = step.decide(STEPS, -20, cooling, current=5, now=T0)

    assert wish is not None
    assert expected == wish.capacity


def test_a_step_out_does_not_wait_for_the_cooldown_of_a_step_in() -> None:
    wish = step.decide(STEPS, 20, Memory(scale_in_at=T0), current=5, now=T0)

    assert wish is not None
    assert 8 == wish.capacity


def test_a_step_after_the_cooldown_is_reckoned_from_the_present_capacity() -> None:
    over = Memory(scale_out=ScaleOut(T0 - timedelta(seconds=300), base=4))
    wish = step.decide(STEPS, 5, over, current=5, now=T0)

    assert wish is not None
    assert (6, 5) == (wish.capacity, wish.base)


def test_a_step_policy_is_read_from_its_configuration() -> None:
    assert StepScaling(AdjustmentType.PERCENT, (Step(10, 0.0, None),), 1, timedelta(seconds=60), "Maximum") == steps_of(
        {
            "AdjustmentType": "PercentChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 10}],
            "MinAdjustmentMagnitude": 1,
            "Cooldown": 60,
            "MetricAggregationType": "Maximum",
        }
    )


@pytest.mark.parametrize(("demand", "each", "expected"), [(0.3, 0.1, 3), (210.00000000001, 70, 3), (210.1, 70, 4)])
def test_rounding_errors_are_no_instances(demand: float, each: float, expected: int) -> None:
    assert expected == instances_for(demand, each=each)
