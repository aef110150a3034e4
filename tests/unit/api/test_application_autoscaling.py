"""Application Auto Scaling's operations: what they answer, what they refuse and in which words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from moorage.core.alarms.model import AlarmKey
from moorage.core.model import Serverless
from moorage.store.alarms import find_alarm, list_alarms
from moorage.testing.builders import KEY, T0
from moorage.testing.scaling_world import DIMENSION, RESOURCE, ScalingWorld

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

WHERE = f"service namespace: sagemaker, resource ID: {RESOURCE}, scalable dimension: {DIMENSION}"
INVOCATIONS = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
STEPS = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]}
ANY = {"ResourceId": None, "ScalableDimension": None}


@pytest_asyncio.fixture
async def world() -> AsyncIterator[ScalingWorld]:
    world = ScalingWorld()
    await world.deploy()
    yield world
    await world.close()


async def described(world: ScalingWorld) -> Any:
    [target] = (await world.call("DescribeScalableTargets", **ANY))["ScalableTargets"]
    return target


async def test_a_target_is_described_as_it_was_registered(world: ScalingWorld) -> None:
    arn = (await world.register(1, 5, Tags={"team": "iris"}))["ScalableTargetARN"]
    target = await described(world)

    assert arn.startswith("arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/")
    assert (arn, 1, 5) == (target["ScalableTargetARN"], target["MinCapacity"], target["MaxCapacity"])
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    assert {False} == set(target["SuspendedState"].values())
    assert {"team": "iris"} == (await world.call("ListTagsForResource", ResourceARN=arn))["Tags"]


async def test_what_an_update_leaves_out_stays(world: ScalingWorld) -> None:
    arn = (await world.register(1, 5))["ScalableTargetARN"]
    await world.call("RegisterScalableTarget", SuspendedState={"DynamicScalingInSuspended": True})
    await world.call("RegisterScalableTarget", MaxCapacity=7)
    target = await described(world)

    assert (arn, 1, 7) == (target["ScalableTargetARN"], target["MinCapacity"], target["MaxCapacity"])
    assert target["SuspendedState"]["DynamicScalingInSuspended"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"MinCapacity": 1}, "MinCapacity and MaxCapacity are required"),
        ({"MinCapacity": 3, "MaxCapacity": 2}, "MaxCapacity 2 must not be less than MinCapacity 3"),
        ({"MinCapacity": -1, "MaxCapacity": 2}, "MinCapacity must not be negative"),
        (
            {"ResourceId": "endpoint/rose/variant/AllTraffic", "MinCapacity": 1, "MaxCapacity": 2},
            'Could not find endpoint "arn:aws:sagemaker:us-east-1:123456789012:endpoint/rose".',
        ),
        (
            {"ResourceId": "endpoint/iris/variant/B", "MinCapacity": 1, "MaxCapacity": 2},
            'Could not find variant "B" of endpoint',
        ),
        ({"ResourceId": "service/default/web"}, "Unsupported service namespace, resource type or scalable dimension"),
        ({"ServiceNamespace": "ecs"}, "Unsupported service namespace, resource type or scalable dimension"),
        ({"ScalableDimension": "ecs:service:DesiredCount"}, "Unsupported service namespace"),
        ({"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"}, "Moorage does not support"),
        ({"ResourceId": "inference-component/c"}, "Moorage does not support inference components"),
    ],
)
async def test_a_registration_is_refused(world: ScalingWorld, members: dict[str, Any], words: str) -> None:
    code, message = await world.refusal("RegisterScalableTarget", **members)

    assert "ValidationException" == code
    assert words in message


async def test_a_serverless_variant_has_no_instances_to_scale(world: ScalingWorld) -> None:
    endpoint = await world.endpoint()
    assert endpoint.serving is not None
    serverless = replace(endpoint.serving.variants[0], serverless=Serverless(2048, 5))
    await world.save(replace(endpoint, serving=replace(endpoint.serving, variants=(serverless,))))

    code, message = await world.refusal("RegisterScalableTarget", MinCapacity=1, MaxCapacity=2)

    assert ("ValidationException", True) == (code, '"AllTraffic" of endpoint' in message)
    assert message.endswith("is serverless and has no DesiredInstanceCount to scale.")


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("DeregisterScalableTarget", {}),
        ("PutScalingPolicy", {"PolicyName": "p", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEPS}),
        ("PutScheduledAction", {"ScheduledActionName": "a", "Schedule": "rate(1 hour)"}),
    ],
)
async def test_without_a_target_there_is_nothing_to_do(
    world: ScalingWorld, operation: str, members: dict[str, Any]
) -> None:
    assert ("ObjectNotFoundException", f"No scalable target registered for {WHERE}") == await world.refusal(
        operation, **members
    )


async def test_target_tracking_owns_two_alarms(world: ScalingWorld) -> None:
    await world.register()
    answer = await world.track(70.0, name="seventy")
    high, low = answer["Alarms"]
    found = [
        await world.store.run(lambda tx, name=ref["AlarmName"]: find_alarm(tx, AlarmKey(KEY.region, name)))
        for ref in (high, low)
    ]

    assert answer["PolicyARN"].startswith("arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:")
    assert answer["PolicyARN"].endswith(f":resource/sagemaker/{RESOURCE}:policyName/seventy")
    assert high["AlarmName"].startswith(f"TargetTracking-{RESOURCE}-AlarmHigh-")
    assert low["AlarmName"].startswith(f"TargetTracking-{RESOURCE}-AlarmLow-")
    definitions = [alarm.definition for alarm in found if alarm is not None]
    assert [("GreaterThanThreshold", 70.0, 3, 60), ("LessThanThreshold", 63.0, 15, 60)] == [
        (each["ComparisonOperator"], each["Threshold"], each["EvaluationPeriods"], each["Period"])
        for each in definitions
    ]
    assert {answer["PolicyARN"]} == {arn for each in definitions for arn in each["AlarmActions"]}
    assert 1 == world.alarms_changed


async def test_a_metric_of_ten_seconds_has_alarms_of_as_long_a_time(world: ScalingWorld) -> None:
    await world.register()
    metric = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    answer = await world.track(5.0, PredefinedMetricSpecification=metric)
    found = [
        await world.store.run(lambda tx, name=ref["AlarmName"]: find_alarm(tx, AlarmKey(KEY.region, name)))
        for ref in answer["Alarms"]
    ]

    assert [(5.0, 3, 10), (4.5, 90, 10)] == [
        tuple(alarm.definition[member] for member in ("Threshold", "EvaluationPeriods", "Period"))
        for alarm in found
        if alarm is not None
    ]


async def test_a_policy_put_again_keeps_its_arn_and_its_alarms(world: ScalingWorld) -> None:
    await world.register()
    first = await world.track(70.0)
    second = await world.track(80.0, DisableScaleIn=True)
    [policy] = (await world.call("DescribeScalingPolicies"))["ScalingPolicies"]

    assert (first["PolicyARN"], first["Alarms"][:1]) == (second["PolicyARN"], second["Alarms"])
    assert 80.0 == policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
    [alarm] = await world.store.run(lambda tx: list(list_alarms(tx, KEY.region)))
    assert 80.0 == alarm.definition["Threshold"]


async def test_deleting_a_policy_or_its_target_deletes_its_alarms(world: ScalingWorld) -> None:
    await world.register()
    await world.track(name="one")
    await world.track(name="two")
    await world.call("DeleteScalingPolicy", PolicyName="one")
    assert 2 == len(await world.store.run(lambda tx: list(list_alarms(tx, KEY.region))))

    await world.call("DeregisterScalableTarget")

    assert [] == await world.store.run(lambda tx: list(list_alarms(tx, KEY.region)))
    assert [] == (await world.call("DescribeScalingPolicies", **ANY))["ScalingPolicies"]
    assert "ObjectNotFoundException" == (await world.refusal("DeleteScalingPolicy", PolicyName="two"))[0]


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"TargetValue": 70.0}, "either a PredefinedMetricSpecification or a CustomizedMetricSpecification"),
        ({"TargetValue": 0.0, "PredefinedMetricSpecification": INVOCATIONS}, "TargetValue must be a number above 0"),
        ({"TargetValue": float("nan"), "PredefinedMetricSpecification": INVOCATIONS}, "TargetValue must be"),
        ({"TargetValue": 1e-320, "PredefinedMetricSpecification": INVOCATIONS}, "between 2^-360 and 2^360"),
        ({"TargetValue": 1e109, "PredefinedMetricSpecification": INVOCATIONS}, "between 2^-360 and 2^360"),
        (
            {"TargetValue": 1.0, "PredefinedMetricSpecification": INVOCATIONS, "ScaleInCooldown": -1},
            "ScaleInCooldown must be between 0 and 86400",
        ),
        (
            {
                "TargetValue": 1.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
            },
            "is not one of the service namespace sagemaker",
        ),
        (
            {
                "TargetValue": 1.0,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"
                },
            },
            "Moorage does not support the predefined metric",
        ),
        (
            {"TargetValue": 1.0, "CustomizedMetricSpecification": {"MetricName": "x"}},
            "MetricName, Namespace and Statistic",
        ),
        (
            {
                "TargetValue": 1.0,
                "CustomizedMetricSpecification": {
                    "Metrics": [
                        {"Id": name, "MetricStat": {"Metric": {"Namespace": "S", "MetricName": "M"}, "Stat": "Sum"}}
                        for name in ("a", "b")
                    ]
                },
            },
            "Exactly one element of the metrics list should return data",
        ),
    ],
)
async def test_a_target_tracking_policy_is_refused(
    world: ScalingWorld, configuration: dict[str, Any], words: str
) -> None:
    await world.register()
    code, message = await world.refusal(
        "PutScalingPolicy",
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )

    assert "ValidationException" == code
    assert words in message


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "StepAdjustments is required"),
        (
            [
                {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1},
                {"MetricIntervalUpperBound": 1, "ScalingAdjustment": 1},
            ],
            "must not overlap",
        ),
        (
            [
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 7, "ScalingAdjustment": 2},
            ],
            "must not leave a gap",
        ),
        ([{"MetricIntervalLowerBound": 5, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1}], "must be less than"),
        ([{"MetricIntervalLowerBound": -5, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1}], "must have none"),
        ([{"MetricIntervalLowerBound": -5, "ScalingAdjustment": 1}], "must have none"),
        ([{"ScalingAdjustment": 1}], "needs a MetricIntervalLowerBound"),
    ],
)
async def test_steps_are_refused(world: ScalingWorld, steps: list[dict[str, Any]], words: str) -> None:
    await world.register()
    _, message = await world.refusal(
        "PutScalingPolicy",
        PolicyName="p",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps},
    )

    assert words in message


async def test_a_policys_type_stays_and_predictive_ones_are_refused(world: ScalingWorld) -> None:
    await world.register()
    await world.track(name="p")
    step = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEPS}

    assert "cannot be changed" in (await world.refusal("PutScalingPolicy", PolicyName="p", **step))[1]
    refused = await world.refusal("PutScalingPolicy", PolicyName="q", PolicyType="PredictiveScaling")
    assert "Moorage does not support PolicyType PredictiveScaling." == refused[1]


async def test_maths_that_means_nothing_is_refused(world: ScalingWorld) -> None:
    await world.register()
    tracking = {"TargetValue": 1.0, "CustomizedMetricSpecification": {"Metrics": [{"Id": "e", "Expression": "SUM("}]}}
    code, message = await world.refusal(
        "PutScalingPolicy",
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )

    assert "ValidationException" == code
    assert "CustomizedMetricSpecification.Metrics: Error in expression 'e'" in message


async def test_a_customised_metric_with_maths_gets_alarms_with_maths(world: ScalingWorld) -> None:
    await world.register()
    metrics = [
        {
            "Id": "m",
            "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": "Queue"}, "Stat": "Sum"},
            "ReturnData": False,
        },
        {"Id": "e", "Expression": "m / 2", "ReturnData": True},
    ]
    answer = await world.call(
        "PutScalingPolicy",
        PolicyName="queue",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": {"Metrics": metrics},
        },
    )
    name = answer["Alarms"][0]["AlarmName"]
    alarm = await world.store.run(lambda tx: find_alarm(tx, AlarmKey(KEY.region, name)))

    assert alarm is not None
    assert ["m / 2"] == [each["Expression"] for each in alarm.definition["Metrics"] if "Expression" in each]


async def test_scheduled_actions_are_described_changed_and_deleted(world: ScalingWorld) -> None:
    await world.register()
    name = {"ScheduledActionName": "morning"}
    await world.call(
        "PutScheduledAction",
        **name,
        Schedule="cron(0 8 ? * MON-FRI *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 2},
    )
    await world.call("PutScheduledAction", **name, ScalableTargetAction={"MinCapacity": 3, "MaxCapacity": 6})
    [action] = (await world.call("DescribeScheduledActions"))["ScheduledActions"]

    assert ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin") == (action["Schedule"], action["Timezone"])
    assert {"MinCapacity": 3, "MaxCapacity": 6} == action["ScalableTargetAction"]
    assert action["ScheduledActionARN"].endswith(f":resource/sagemaker/{RESOURCE}:scheduledActionName/morning")
    await world.call("DeleteScheduledAction", **name)
    assert "No scheduled action found" in (await world.refusal("DeleteScheduledAction", **name))[1]


async def test_a_scheduled_action_put_again_without_start_and_end_has_none(world: ScalingWorld) -> None:
    await world.register()
    name, start = {"ScheduledActionName": "hourly"}, T0 + timedelta(days=1)
    action = {"Schedule": "rate(1 hour)", "ScalableTargetAction": {"MinCapacity": 2}}
    await world.call("PutScheduledAction", **name, **action, StartTime=start, EndTime=start + timedelta(days=1))
    [bounded] = (await world.call("DescribeScheduledActions"))["ScheduledActions"]
    await world.call("PutScheduledAction", **name, Timezone="Europe/Berlin")
    [unbounded] = (await world.call("DescribeScheduledActions"))["ScheduledActions"]

    assert {"StartTime": start, "EndTime": start + timedelta(days=1)} == {
        member: bounded[member] for member in bounded.keys() - unbounded.keys()
    }


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"ScalableTargetAction": {"MinCapacity": 1}}, "Schedule is required"),
        ({"Schedule": "rate(1 hour)"}, "ScalableTargetAction is required"),
        ({"Schedule": "rate(1 hour)", "ScalableTargetAction": {}}, "MinCapacity, MaxCapacity or both"),
        ({"Schedule": "cron(0/0 * * * ? *)", "ScalableTargetAction": {"MinCapacity": 1}}, "'0/0' is no minutes"),
        (
            {"Schedule": "at(2020-01-01T08:00:00)", "ScalableTargetAction": {"MinCapacity": 1}},
            "no time of it is yet to come",
        ),
        (
            {"Schedule": "rate(1 hour)", "EndTime": T0, "ScalableTargetAction": {"MinCapacity": 1}},
            "no time of it is yet to come",
        ),
        (
            {"Schedule": "rate(1 hour)", "Timezone": "Moon", "ScalableTargetAction": {"MinCapacity": 1}},
            "there is no time zone Moon",
        ),
    ],
)
async def test_a_scheduled_action_is_refused(world: ScalingWorld, members: dict[str, Any], words: str) -> None:
    await world.register()

    assert words in (await world.refusal("PutScheduledAction", ScheduledActionName="a", **members))[1]


async def test_lists_come_in_pages_that_belong_together(world: ScalingWorld) -> None:
    await world.register()
    for number in range(5):
        await world.track(name=f"p{number}")
    names: list[str] = []
    request: dict[str, Any] = {"MaxResults": 2}
    while True:
        page = await world.call("DescribeScalingPolicies", **request)
        names += [policy["PolicyName"] for policy in page["ScalingPolicies"]]
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]

    assert [f"p{number}" for number in range(5)] == names
    code, _ = await world.refusal("DescribeScalableTargets", **ANY, NextToken=request["NextToken"])
    assert "InvalidNextTokenException" == code
    assert "MaxResults" in (await world.refusal("DescribeScalingPolicies", MaxResults=51))[1]
    assert "ResourceId must be" in (await world.refusal("DescribeScalingPolicies", ResourceId=None))[1]


async def test_activities_come_in_pages_the_newest_first(world: ScalingWorld) -> None:
    for number in (2, 3, 4, 5):
        await world.register(number, 8)
        await world.rest()
        await world.clock.sleep(1)
    first = await world.call("DescribeScalingActivities", MaxResults=3)
    second = await world.call("DescribeScalingActivities", MaxResults=3, NextToken=first["NextToken"])
    found = [activity["Description"] for page in (first, second) for activity in page["ScalingActivities"]]

    assert [f"Setting desired instance count to {number}." for number in (5, 4, 3, 2)] == found
    assert "NextToken" not in second


async def test_tags_are_put_and_taken_off(world: ScalingWorld) -> None:
    arn = (await world.register())["ScalableTargetARN"]
    await world.call("TagResource", ResourceARN=arn, Tags={"a": "1", "b": "2"})
    await world.call("UntagResource", ResourceARN=arn, TagKeys=["a"])

    assert {"b": "2"} == (await world.call("ListTagsForResource", ResourceARN=arn))["Tags"]
    assert "ResourceNotFoundException" == (await world.refusal("TagResource", ResourceARN=arn + "0", Tags={}))[0]
    assert "reserved" in (await world.refusal("TagResource", ResourceARN=arn, Tags={"aws:a": "1"}))[1]
