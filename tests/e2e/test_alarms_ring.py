"""Alarms on a real server: a model's errors ring a bell, by the CLI's commands as they stand, also after a crash."""

from __future__ import annotations

import contextlib
import http.server
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moorage.testing.deployment import Deployer
from moorage.testing.models import script_archive
from moorage.testing.server import RunningMoorage, eventually

pytestmark = pytest.mark.slow

Aws = Callable[..., Any]

FAILING = """
def model_fn(folder):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    raise RuntimeError("as told")
"""


class Subscriber(http.server.ThreadingHTTPServer):
    """Somebody who is notified, and confirms by visiting the URL. Closed, it has answered everybody."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.notifications: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def take(self, body: bytes) -> None:
        message = json.loads(body)
        if message["Type"] == "SubscriptionConfirmation":
            urllib.request.urlopen(message["SubscribeURL"], timeout=30).close()
        else:
            self.notifications.append(message)

    def heard(self, alarm: str) -> list[str]:
        """The states that an alarm has told of."""
        told = [json.loads(message["Message"]) for message in self.notifications]
        return [message["NewStateValue"] for message in told if message["AlarmName"] == alarm]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Subscriber

    def do_POST(self) -> None:
        self.server.take(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    with Subscriber() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def aws(moorage_server: RunningMoorage, tmp_path: Path) -> Aws:
    """Runs `aws` with these arguments and answers what it prints, read."""

    def run(*arguments: str) -> Any:
        command = [sys.executable, str(Path(sys.executable).with_name("aws")), "--output", "json", *arguments]
        environment = moorage_server.environment() | {"HOME": str(tmp_path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


def confirmed(sns: Any, topic: str) -> bool:
    """Whether the one subscription of a topic has begun."""
    [row] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return bool(row["SubscriptionArn"] != "PendingConfirmation")


def reason_of(cloudwatch: Any, name: str) -> str | None:
    """Why an alarm is in its state; None while control is not back."""
    with contextlib.suppress(ClientError):
        [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(alarm["StateReason"])
    return None


def history(cloudwatch: Any) -> list[dict[str, Any]]:
    """What happened to the alarm on the model, the latest first."""
    return list(cloudwatch.describe_alarm_history(AlarmName="alarming")["AlarmHistoryItems"])


def test_errors_of_a_model_reach_the_subscriber(
    moorage_server: RunningMoorage, subscriber: Subscriber, aws: Aws
) -> None:
    deployer = Deployer(moorage_server)
    assert "InService" == deployer.deploy("alarming", script_archive(FAILING))
    topic = aws("sns", "create-topic", "--name", "alarming")["TopicArn"]
    endpoint = ("--protocol", "http", "--notification-endpoint", subscriber.url)
    aws("sns", "subscribe", "--topic-arn", topic, *endpoint)
    eventually(lambda: confirmed(moorage_server.client("sns"), topic), timeout_s=60)
    dimensions = ("Name=EndpointName,Value=alarming", "Name=VariantName,Value=AllTraffic")
    watched = ("--namespace", "AWS/SageMaker", "--metric-name", "Invocation5XXErrors", "--dimensions", *dimensions)
    condition = ("--statistic", "Sum", "--period", "10", "--evaluation-periods", "1", "--threshold", "2")
    aws(
        *("cloudwatch", "put-metric-alarm", "--alarm-name", "alarming", *watched, *condition),
        *("--comparison-operator", "GreaterThanThreshold", "--treat-missing-data", "notBreaching"),
        *("--alarm-actions", topic),
    )
    cloudwatch = moorage_server.client("cloudwatch")

    def ring() -> bool:
        for _ in range(3):  # in each look, so that three of a period's looks are enough whenever it began
            with pytest.raises(ClientError, match="server error"):
                deployer.invoke("alarming", b"x")
        return "ALARM" in subscriber.heard("alarming")

    eventually(ring, timeout_s=120)

    message = json.loads(subscriber.notifications[0]["Message"])
    assert "was greater than the threshold (2.0)." in message["NewStateReason"]
    assert "Invocation5XXErrors" == message["Trigger"]["MetricName"]
    assert "ConfigurationUpdate" == history(cloudwatch)[-1]["HistoryItemType"]
    taken = f"Successfully executed action {topic}"
    eventually(lambda: taken in [item["HistorySummary"] for item in history(cloudwatch)], timeout_s=30)
    aws("cloudwatch", "delete-alarms", "--alarm-names", "alarming")
    aws("sns", "delete-topic", "--topic-arn", topic)
    deployer.delete("alarming")


def test_a_state_that_is_set_notifies_also_if_control_dies(
    moorage_server: RunningMoorage, subscriber: Subscriber
) -> None:
    sns, cloudwatch = moorage_server.client("sns"), moorage_server.client("cloudwatch")
    topic = sns.create_topic(Name="crashing")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=subscriber.url)
    eventually(lambda: confirmed(sns, topic), timeout_s=60)
    cloudwatch.put_metric_alarm(
        AlarmName="crashing",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Average",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
        AlarmActions=[topic],
    )
    cloudwatch.set_alarm_state(AlarmName="crashing", StateValue="ALARM", StateReason="a test")
    moorage_server.kill("control")

    eventually(lambda: "ALARM" in subscriber.heard("crashing"), timeout_s=120)

    eventually(lambda: reason_of(cloudwatch, "crashing") == "a test", timeout_s=60)
    cloudwatch.delete_alarms(AlarmNames=["crashing"])
    sns.delete_topic(TopicArn=topic)
