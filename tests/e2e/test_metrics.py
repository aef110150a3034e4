"""An endpoint's metrics through CloudWatch's API: soon after a call, exact, and of instances that do nothing, too."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from moorage.testing.deployment import Deployer
from moorage.testing.models import script_archive
from moorage.testing.server import RunningMoorage, eventually

NAME = "Metered"
OF_VARIANT = [{"Name": "EndpointName", "Value": NAME}, {"Name": "VariantName", "Value": "AllTraffic"}]
WITHIN_S = 90.0
"""Instances are sampled every ten seconds. A machine that is busy with other tests needs more."""
PICKY = """
def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept):
    if len(data) == 3:
        raise ValueError("bad")
    return b"good"
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(moorage_server: RunningMoorage) -> Iterator[RunningMoorage]:
    deployer = Deployer(moorage_server)
    assert "InService" == deployer.deploy(NAME, script_archive(PICKY))
    yield moorage_server
    deployer.delete(NAME)


def read(server: RunningMoorage, metric: str, statistic: str, *, namespace: str = "AWS/SageMaker") -> list[float]:
    """What is said of the last minutes, one value each."""
    now = datetime.now(UTC)
    found = server.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=OF_VARIANT,
        StartTime=now - timedelta(minutes=30),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )
    return [each[statistic] for each in found["Datapoints"]]


def total(server: RunningMoorage, metric: str, statistic: str = "Sum") -> float:
    return math.fsum(read(server, metric, statistic))


def test_every_call_is_in_the_metrics_and_none_twice(server: RunningMoorage) -> None:
    runtime = server.client("sagemaker-runtime")
    for _ in range(5):
        runtime.invoke_endpoint(EndpointName=NAME, Body=b"fine")
    for _ in range(2):
        with pytest.raises(ClientError):
            runtime.invoke_endpoint(EndpointName=NAME, Body=b"bad")
    eventually(lambda: 7.0 == total(server, "Invocations"), timeout_s=WITHIN_S)
    assert 7.0 == total(server, "InvocationsPerInstance")
    assert 2.0 == total(server, "Invocation5XXErrors") == total(server, "InvocationModelErrors")
    assert 0.0 == total(server, "Invocation4XXErrors")
    assert 7.0 == total(server, "ModelLatency", "SampleCount") == total(server, "Invocation5XXErrors", "SampleCount")
    assert 0.0 < total(server, "ModelLatency") < 60e6


def test_the_metrics_are_listed_with_and_without_the_config(server: RunningMoorage) -> None:
    server.client("sagemaker-runtime").invoke_endpoint(EndpointName=NAME, Body=b"fine")
    cloudwatch = server.client("cloudwatch")

    def found() -> list[set[str]]:
        metrics = cloudwatch.list_metrics(
            Namespace="AWS/SageMaker", MetricName="ModelLatency", Dimensions=OF_VARIANT, RecentlyActive="PT3H"
        )["Metrics"]
        return [{dimension["Name"] for dimension in each["Dimensions"]} for each in metrics]

    with_config = {"EndpointName", "VariantName", "EndpointConfigName"}
    eventually(lambda: [with_config, {"EndpointName", "VariantName"}] == found(), timeout_s=WITHIN_S)


def test_instances_are_measured_also_while_nobody_asks_them(server: RunningMoorage) -> None:
    def measured(metric: str, statistic: str = "Average") -> list[float]:
        return read(server, metric, statistic, namespace="/aws/sagemaker/Endpoints")

    eventually(
        lambda: measured("CPUUtilization") and measured("MemoryUtilization") and measured("DiskUtilization"),
        timeout_s=WITHIN_S,
    )
    assert all(0.0 < each < 100.0 for metric in ("MemoryUtilization", "DiskUtilization") for each in measured(metric))
    assert all(0.0 <= each for each in measured("CPUUtilization"))
    eventually(lambda: read(server, "ConcurrentRequestsPerModel", "SampleCount"), timeout_s=WITHIN_S)
    assert all(0.0 <= each for each in read(server, "Invocations", "Sum"))


def test_the_command_of_the_guides_runs_as_it_stands(server: RunningMoorage) -> None:
    server.client("sagemaker-runtime").invoke_endpoint(EndpointName=NAME, Body=b"fine")
    command = f"""
        aws cloudwatch get-metric-statistics \\
            --namespace AWS/SageMaker \\
            --metric-name Invocations \\
            --dimensions Name=EndpointName,Value={NAME} Name=VariantName,Value=AllTraffic \\
            --start-time $(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%S) \\
            --end-time $(date -u -d '1 minute' +%Y-%m-%dT%H:%M:%S) \\
            --period 300 \\
            --statistics Sum \\
            --region us-east-1
    """
    environment = {**os.environ, **server.environment()}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"

    def invocations() -> float:
        done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, check=True, timeout=60)
        return math.fsum(each["Sum"] for each in json.loads(done.stdout)["Datapoints"])

    eventually(lambda: invocations() >= 1.0, timeout_s=WITHIN_S)
