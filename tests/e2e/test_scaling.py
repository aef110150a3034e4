"""Real load on a real server: capacity follows within seconds, and says why it did and why it did not."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moorage.system.clock import SystemClock
from moorage.testing.deployment import Deployer
from moorage.testing.load import Load
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage

NAME = "scaled"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{NAME}/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
INVOCATIONS = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
PATIENCE_S = 180.0


@pytest.fixture(scope="module")
def deployer(moorage_server: RunningMoorage) -> Iterator[Deployer]:
    deployer = Deployer(moorage_server)
    assert "InService" == deployer.deploy(NAME, echo_archive("hello"))
    yield deployer
    deployer.delete(NAME)


async def wait_until(condition: Callable[[], bool]) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        await SystemClock().sleep(0.2)


async def test_capacity_follows_the_load(moorage_server: RunningMoorage, deployer: Deployer) -> None:
    """Ten times the target, and room for three: however slow this machine is today, three it will be."""
    scaling: Any = moorage_server.client("application-autoscaling")
    alarms: Any = moorage_server.client("cloudwatch")
    arn = scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=3)["ScalableTargetARN"]
    policy = scaling.put_scaling_policy(
        **TARGET,
        PolicyName="tenfold",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 60.0, "PredefinedMetricSpecification": INVOCATIONS},
    )
    names = {alarm["AlarmName"] for alarm in policy["Alarms"]}
    assert names <= {alarm["AlarmName"] for alarm in alarms.describe_alarms()["MetricAlarms"]}

    load = Load(moorage_server.target(NAME, body=b"x", content_type="text/plain"), rate=10.0, connections=4)
    try:
        await wait_until(lambda: _instances(deployer) == 3)
        await wait_until(lambda: _why_not(scaling) == ["AlreadyAtMaxCapacity"])
        await wait_until(lambda: "Successful" == _done(scaling)[0]["StatusCode"])
    finally:
        report = await load.stop()

    assert [] == report.failures
    last, *_ = _done(scaling)
    assert "Setting desired instance count to 3." == last["Description"]
    assert "one-second signal triggered policy tenfold" == last["Cause"]
    assert last["StatusMessage"].endswith("3. Change successfully fulfilled by sagemaker.")

    shown = _shown(moorage_server)
    assert "AllTraffic: 3 instances, 1 to 3 allowed" in shown
    assert "Setting desired instance count to 3." in shown
    assert "AlreadyAtMaxCapacity" in shown

    assert [arn] == [target["ScalableTargetARN"] for target in _targets(scaling)]
    scaling.deregister_scalable_target(**TARGET)
    assert [] == _targets(scaling)
    assert not names & {alarm["AlarmName"] for alarm in alarms.describe_alarms()["MetricAlarms"]}


def _instances(deployer: Deployer) -> int:
    [variant] = deployer.sagemaker.describe_endpoint(EndpointName=NAME)["ProductionVariants"]
    return int(variant["CurrentInstanceCount"])


def _shown(server: RunningMoorage) -> str:
    """What `moorage scaling` prints."""
    command = [sys.executable, "-m", "moorage.cli", "scaling", NAME, "--data-dir", str(server.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _activities(scaling: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scaling.describe_scaling_activities(**TARGET, IncludeNotScaledActivities=True)[
        "ScalingActivities"
    ]
    return found


def _done(scaling: Any) -> list[dict[str, Any]]:
    """The activities that changed something, the latest first."""
    return [activity for activity in _activities(scaling) if "NotScaledReasons" not in activity]


def _why_not(scaling: Any) -> list[str]:
    """For which reasons nothing was changed the last time."""
    reasons = [each["NotScaledReasons"] for each in _activities(scaling) if "NotScaledReasons" in each]
    return [reason["Code"] for reason in reasons[0]] if reasons else []


def _targets(scaling: Any) -> list[dict[str, Any]]:
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[TARGET["ResourceId"]])
    targets: list[dict[str, Any]] = found["ScalableTargets"]
    return targets
