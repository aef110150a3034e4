"""The aws CLI and `moorage metrics` read an endpoint's metrics, and expressions over them, from a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from moorage.cli.main import main
from moorage.testing.deployment import Deployer
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage, eventually

NAME = "metric-data-cli"
CALLS = 7
SEARCH = f'{{AWS/SageMaker,EndpointName,VariantName}} EndpointName="{NAME}" MetricName="Invocations"'

pytestmark = pytest.mark.slow


def aws_cloudwatch(server: RunningMoorage, home: Path, *arguments: str) -> Any:
    """What `aws cloudwatch` prints with these arguments; fails if it does."""
    command = [sys.executable, str(Path(sys.executable).with_name("aws")), "cloudwatch", *arguments]
    environment = {**os.environ, **server.environment(), "HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


def moorage_metrics(server: RunningMoorage, *options: str) -> str:
    """What `moorage metrics` prints."""
    done = CliRunner().invoke(main, ["metrics", NAME, *options, "--data-dir", str(server.data_dir)])
    assert 0 == done.exit_code, done.output
    return done.output


def stat(id_: str, metric: str, statistic: str, **members: Any) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": NAME}, {"Name": "VariantName", "Value": "AllTraffic"}]
    wanted = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": id_, "MetricStat": {"Metric": wanted, "Period": 60, "Stat": statistic}, **members}


def test_an_endpoints_metrics_and_maths_over_them(moorage_server: RunningMoorage, tmp_path: Path) -> None:
    deployer = Deployer(moorage_server)
    cloudwatch = moorage_server.client("cloudwatch")
    queries = [
        stat("calls", "Invocations", "Sum"),
        stat("errors", "Invocation5XXErrors", "Sum", ReturnData=False),
        stat("p99", "ModelLatency", "p99", ReturnData=False),
        {"Id": "rate", "Expression": "100 * errors / calls", "Label": "${LABEL} ${LAST} %"},
        {"Id": "total", "Expression": "RUNNING_SUM(calls)"},
        {"Id": "ms", "Expression": "p99 / 1000"},
        {"Id": "found", "Expression": f"SEARCH('{SEARCH}', 'Sum', 60)"},
    ]
    start = datetime.now(UTC) - timedelta(minutes=10)

    def counted() -> float:
        end = datetime.now(UTC) + timedelta(minutes=1)
        answer = cloudwatch.get_metric_data(MetricDataQueries=queries[:1], StartTime=start, EndTime=end)
        return float(sum(answer["MetricDataResults"][0]["Values"]))

    try:
        assert "InService" == deployer.deploy(NAME, echo_archive("answer"))
        for _ in range(CALLS):
            deployer.invoke(NAME, b"{}")
        eventually(lambda: counted() >= CALLS, timeout_s=60)
        period = ["--start-time", start.isoformat(), "--end-time", (start + timedelta(minutes=20)).isoformat()]
        read = ["get-metric-data", "--metric-data-queries", json.dumps(queries), *period]
        answer = aws_cloudwatch(moorage_server, tmp_path, *read)
        shown = moorage_metrics(moorage_server)
        rows = json.loads(moorage_metrics(moorage_server, "--json", "--since", "20m"))
    finally:
        deployer.delete(NAME)
    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    assert CALLS == sum(results["calls"]["Values"]) == results["total"]["Values"][0]
    assert {0.0} == set(results["rate"]["Values"])
    assert "rate 0 %" == results["rate"]["Label"]
    assert results["ms"]["Values"]
    assert all(0 < value for value in results["ms"]["Values"])
    assert CALLS == sum(results["found"]["Values"])
    assert {"Complete"} == {result["StatusCode"] for result in results.values()}
    assert "Overhead p99" in shown
    assert "AllTraffic" in shown
    assert CALLS == sum(row.get("Invocations.Sum", 0) for row in rows)
    assert all(0 < row["ModelLatency.p50"] <= row["ModelLatency.p99"] for row in rows if "ModelLatency.p50" in row)
