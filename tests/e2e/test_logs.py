"""Logs of a real endpoint: how soon a line is there, and following them by boto3, by Live Tail and by the aws CLI."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from moorage.telemetry.log_trim import is_living
from moorage.testing.deployment import Deployer
from moorage.testing.models import script_archive
from moorage.testing.server import PATIENCE_S, RunningMoorage, eventually

pytestmark = pytest.mark.slow

ENDPOINT = "chatty"
GROUP = f"/aws/sagemaker/Endpoints/{ENDPOINT}"
SCRIPT = """
import os
def model_fn(folder):
    return 1
def transform_fn(model, body, content_type, accept):
    if body == "native":
        os.write(1, b"from native code\\n")
    else:
        print(body)
    return "said", "text/plain"
"""
VISIBLE_S = 30.0
"""The promise is a second; a machine that is busy with other tests may take longer (bench/logs.py measures it)."""


@pytest.fixture(scope="module")
def deployer(moorage_server: RunningMoorage) -> Iterator[Deployer]:
    deployer = Deployer(moorage_server)
    assert "InService" == deployer.deploy(ENDPOINT, script_archive(SCRIPT))
    yield deployer
    deployer.delete(ENDPOINT)


@pytest.fixture
def logs(moorage_server: RunningMoorage, deployer: Deployer) -> Any:
    return moorage_server.client("logs")


def say(deployer: Deployer, text: str) -> None:
    assert b"said" == deployer.invoke(ENDPOINT, text.encode(), ContentType="text/plain")


def found(logs: Any, pattern: str) -> list[str]:
    return [event["message"] for event in logs.filter_log_events(logGroupName=GROUP, filterPattern=pattern)["events"]]


def test_what_is_printed_is_there_at_once(deployer: Deployer, logs: Any) -> None:
    for number in range(3):
        say(deployer, f'{{"level": "ERROR", "latency": {number}}}')
        eventually(lambda number=number: found(logs, f"{{ $.latency = {number} }}"), timeout_s=VISIBLE_S)
    say(deployer, "native")
    eventually(lambda: found(logs, '"from native code"'), timeout_s=VISIBLE_S)


def test_a_stream_read_from_either_end(deployer: Deployer, logs: Any) -> None:
    say(deployer, "the last word")
    (stream,) = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True)["logStreams"]
    assert stream["logStreamName"].startswith("AllTraffic/i-")
    read = {"logGroupName": GROUP, "logStreamName": stream["logStreamName"]}
    eventually(lambda: "the last word" == logs.get_log_events(**read, limit=1)["events"][-1]["message"])
    head = logs.get_log_events(**read, startFromHead=True, limit=2)
    rest = logs.get_log_events(**read, startFromHead=True, nextToken=head["nextForwardToken"])
    assert "the last word" in [event["message"] for event in rest["events"]]


def test_a_metric_filter_measures_what_is_printed(
    moorage_server: RunningMoorage, deployer: Deployer, logs: Any
) -> None:
    named = {"logGroupName": GROUP, "filterName": "orders"}
    transformation = {"metricNamespace": "Shop", "metricName": "Value", "metricValue": "$.value"}
    logs.put_metric_filter(**named, filterPattern="{ $.value > 0 }", metricTransformations=[transformation])
    cloudwatch = moorage_server.client("cloudwatch")
    now = datetime.now(UTC)

    def total() -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace="Shop",
            MetricName="Value",
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=60,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in found["Datapoints"]))

    for value in (3, 0, 4):
        say(deployer, json.dumps({"value": value}))
    eventually(lambda: 7.0 == total(), timeout_s=2 * VISIBLE_S)
    logs.delete_metric_filter(**named)


def test_live_tail(moorage_server: RunningMoorage, deployer: Deployer) -> None:
    with live_tail(moorage_server, logEventFilterPattern="live") as heard:
        assert "sessionStart" in heard.get(timeout=VISIBLE_S)
        assert "sessionUpdate" in heard.get(timeout=VISIBLE_S)
        say(deployer, "not this")
        say(deployer, "a live line")
        assert "a live line" == next_line(heard)


def test_a_day_with_the_aws_cli(moorage_server: RunningMoorage, deployer: Deployer) -> None:
    """The commands of the CLI that is in the package registries, unchanged."""

    def aws(*arguments: str) -> Any:
        done = subprocess.run([*AWS_CLI, "logs", *arguments], env=cli_environment(moorage_server), **CAPTURED)
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    own = ("--log-group-name", "/my/app")
    stream = (*own, "--log-stream-name", "web")
    now_ms = int(time.time() * 1000)
    aws("create-log-group", *own, "--tags", "team=ml")
    aws("create-log-stream", *stream)
    aws("put-log-events", *stream, "--log-events", f"timestamp={now_ms},message=hello", f"timestamp={now_ms},message=x")
    aws("put-retention-policy", *own, "--retention-in-days", "7")
    (group,) = aws("describe-log-groups", "--log-group-name-prefix", "/my")["logGroups"]
    assert ("/my/app", 7) == (group["logGroupName"], group["retentionInDays"])
    assert ["web"] == [each["logStreamName"] for each in aws("describe-log-streams", *own)["logStreams"]]
    assert ["hello"] == [each["message"] for each in aws("filter-log-events", *own, "--filter", "%^h%")["events"]]
    assert ["hello", "x"] == [each["message"] for each in aws("get-log-events", *stream)["events"]]
    assert {"team": "ml"} == aws("list-tags-for-resource", "--resource-arn", group["logGroupArn"])["tags"]
    aws("delete-log-group", *own)
    assert [] == aws("describe-log-groups", "--log-group-name-prefix", "/my")["logGroups"]
    assert GROUP in [each["logGroupName"] for each in aws("describe-log-groups")["logGroups"]]


def test_live_tail_with_the_aws_cli(moorage_server: RunningMoorage, deployer: Deployer) -> None:
    command = [*AWS_CLI, "logs", "start-live-tail", "--log-group-identifiers", group_arn(moorage_server)]
    environment = cli_environment(moorage_server) | {"AWS_DISABLE_HOST_PREFIX_INJECTION": "true"}
    with followed([*command, "--log-event-filter-pattern", "followed"], environment) as lines:
        assert "a followed line" in said_until_heard(deployer, lines, "a followed line")


def test_tail_with_the_second_aws_cli(moorage_server: RunningMoorage, deployer: Deployer) -> None:
    cli = os.environ.get("MOORAGE_AWS_CLI_2")
    if cli is None:
        pytest.skip("MOORAGE_AWS_CLI_2 does not name an aws CLI of version 2, which alone has `logs tail`")
    command = [*cli.split(), "--endpoint-url", moorage_server.endpoint_url, "logs", "tail", GROUP, "--follow"]
    with followed([*command, "--since", "1m", "--filter-pattern", "tailed"], cli_environment(moorage_server)) as lines:
        assert " AllTraffic/i-" in said_until_heard(deployer, lines, "a tailed line")


def test_an_instance_goes_on_in_a_group_that_was_deleted(
    moorage_server: RunningMoorage, deployer: Deployer, logs: Any
) -> None:
    (path,) = moorage_server.data_dir.glob(f"logs/*/{ENDPOINT}/*/*.log")
    assert is_living(path)
    say(deployer, "before the deletion")
    eventually(lambda: found(logs, "deletion"), timeout_s=VISIBLE_S)
    logs.delete_log_group(logGroupName=GROUP)
    say(deployer, "after the deletion")
    eventually(lambda: ["after the deletion"] == found(logs, "deletion"), timeout_s=VISIBLE_S)


AWS_CLI = (sys.executable, str(Path(sys.executable).with_name("aws")))
CAPTURED: Any = {"capture_output": True, "text": True, "check": False}


def cli_environment(server: RunningMoorage) -> dict[str, str]:
    """Without a pager, and printing each line as it comes."""
    return server.environment() | {"AWS_PAGER": "", "PYTHONUNBUFFERED": "1"}


def group_arn(server: RunningMoorage) -> str:
    account = server.client("sts").get_caller_identity()["Account"]
    return f"arn:aws:logs:{server.region}:{account}:log-group:{GROUP}"


@contextlib.contextmanager
def followed(command: list[str], environment: dict[str, str]) -> Iterator[queue.Queue[str]]:
    """What the command prints, line by line, while the block runs."""
    lines: queue.Queue[str] = queue.Queue()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout is not None
        reader = threading.Thread(target=lambda output: [lines.put(line) for line in output], args=(run.stdout,))
        reader.start()
        try:
            yield lines
        finally:
            run.terminate()
            reader.join()


def said_until_heard(deployer: Deployer, lines: queue.Queue[str], text: str) -> str:
    """The first line with the text, which is said again until the command, which starts slowly, has heard it."""
    heard = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        say(deployer, text)
        with contextlib.suppress(queue.Empty):
            while True:
                heard.append(lines.get(timeout=0.5))
                if text in heard[-1]:
                    return heard[-1]
    raise AssertionError(f"not heard, but {heard}")


@contextlib.contextmanager
def live_tail(server: RunningMoorage, **request: Any) -> Iterator[queue.Queue[Any]]:
    """The events of a session, as they come, while the block runs."""
    key = server.environment()
    client = boto3.client(
        "logs",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
        config=Config(inject_host_prefix=False),
    )
    stream = client.start_live_tail(logGroupIdentifiers=[group_arn(server)], **request)["responseStream"]
    heard: queue.Queue[Any] = queue.Queue()

    def listen() -> None:
        with contextlib.suppress(Exception):  # the stream is closed while it is read
            for event in stream:
                heard.put(event)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield heard
    finally:
        stream.close()
        listener.join(VISIBLE_S)


def next_line(heard: queue.Queue[Any]) -> str:
    deadline = time.monotonic() + VISIBLE_S
    while time.monotonic() < deadline:
        for event in heard.get(timeout=VISIBLE_S)["sessionUpdate"]["sessionResults"]:
            return str(event["message"])
    raise AssertionError("no line came")
