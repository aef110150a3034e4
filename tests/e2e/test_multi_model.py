"""Endpoints of many models as a caller sees them: models come, change and go in S3, and processes die meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from moorage.cli.main import main
from moorage.testing.deployment import BUCKET, Deployer
from moorage.testing.models import IRIS_ROWS, SKLEARN_IMAGE, echo_archive, iris_archive, iris_forest, script_archive
from moorage.testing.server import RunningMoorage, eventually

pytestmark = pytest.mark.slow

PREFIX = "many/"
HANGING = """
import time
def model_fn(folder):
    print("hangs", flush=True)
    time.sleep(600)
"""
SLOW = """
import time
def model_fn(folder):
    time.sleep(1.0)
    return "slow"
def transform_fn(model, data, content_type, accept):
    return model, "text/plain"
"""


class Shop:
    """One endpoint of many models."""

    def __init__(self, server: RunningMoorage, name: str) -> None:
        self.server = server
        self.name = name
        self.deployer = Deployer(server)

    def open(self, *, instances: int = 1, **container: Any) -> None:
        """Create it."""
        self.deployer.sagemaker.create_model(
            ModelName=self.name,
            PrimaryContainer={
                "Image": SKLEARN_IMAGE,
                "Mode": "MultiModel",
                "ModelDataUrl": f"s3://{BUCKET}/{self.name}/{PREFIX}",
                **container,
            },
            ExecutionRoleArn=self.deployer.role_arn,
        )
        self.deployer.config(self.name, self.name, instances=instances)
        assert "InService" == self.deployer.endpoint(self.name)

    def put(self, model: str, archive: bytes | None = None) -> None:
        """Upload a model; one that answers with its name if there is no other."""
        body = echo_archive(model) if archive is None else archive
        self.deployer.s3.put_object(Bucket=BUCKET, Key=f"{self.name}/{PREFIX}{model}", Body=body)

    def delete(self, model: str) -> None:
        """Delete a model."""
        self.deployer.s3.delete_object(Bucket=BUCKET, Key=f"{self.name}/{PREFIX}{model}")

    def ask(self, model: str, body: bytes = b"1") -> str:
        """The answer of a model."""
        return self.deployer.invoke(self.name, body, TargetModel=model).decode()

    def refusal(self, model: str) -> tuple[str, str]:
        """Code and message of what is answered in place of a model."""
        with pytest.raises(ClientError) as caught:
            self.ask(model)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    def log(self) -> str:
        """What its instances have printed."""
        group = f"/aws/sagemaker/Endpoints/{self.name}"
        events = self.server.client("logs").filter_log_events(logGroupName=group)["events"]
        return "\n".join(event["message"] for event in events)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    server = RunningMoorage(tmp_path_factory.mktemp("many") / "data")
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture
def shop(server: RunningMoorage, request: pytest.FixtureRequest) -> Iterator[Shop]:
    shop = Shop(server, request.node.name.replace("_", "-").removeprefix("test-")[:40].strip("-"))
    yield shop
    shop.deployer.delete(shop.name)


def model_folders(server: RunningMoorage) -> list[Path]:
    return [path for path in server.data_dir.glob("instances/*/models/*") if path.is_dir() and not path.suffix]


def test_models_are_served_as_they_come_change_and_go(shop: Shop) -> None:
    shop.put("a.tar.gz")
    shop.open()
    shop.put("b.tar.gz")
    shop.put("sub/iris.tar.gz", iris_archive())
    assert ["a.tar.gz", "b.tar.gz", "a.tar.gz"] == [shop.ask(model) for model in ("a.tar.gz", "b.tar.gz", "a.tar.gz")]
    answer = json.loads(shop.ask("sub/iris.tar.gz", json.dumps({"instances": IRIS_ROWS}).encode()))
    assert iris_forest().predict(IRIS_ROWS).tolist() == answer["predictions"]
    shop.put("a.tar.gz", echo_archive("another a"))
    eventually(lambda: "another a" == shop.ask("a.tar.gz"))
    shop.delete("b.tar.gz")
    eventually(lambda: _is_refused(shop, "b.tar.gz"))
    shop.put("b.tar.gz", echo_archive("b again"))
    assert "b again" == shop.ask("b.tar.gz")


def _is_refused(shop: Shop, model: str) -> bool:
    try:
        shop.ask(model)
    except ClientError as error:
        return "Failed to download model data" in str(error)
    return False


def test_what_is_no_model_fails_its_own_requests_alone(shop: Shop) -> None:
    shop.put("good")
    shop.put("no archive", b"nothing")
    shop.put("broken", script_archive("import nothing_of_that_name\n"))
    shop.open()
    bucket, key = BUCKET, f"{shop.name}/{PREFIX}missing"
    code, message = shop.refusal("missing")
    assert "ValidationError" == code
    assert message.startswith(f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that")
    assert "ModelError" == shop.refusal("no archive")[0]
    code, message = shop.refusal("broken")
    assert ("ModelError", True) == (code, "No module named 'nothing_of_that_name'" in message)
    assert "good" == shop.ask("good")


def test_a_cap_is_kept_and_every_model_answers(shop: Shop) -> None:
    shop.open(Environment={"MOORAGE_MODEL_CACHE_MODELS": "3", "MOORAGE_PINNED_MODELS": "m0"})
    names = [f"m{number}" for number in range(8)]
    for name in names:
        shop.put(name)
    with ThreadPoolExecutor(4) as callers:
        assert names * 5 == list(callers.map(shop.ask, names * 5))


def test_without_a_cache_nothing_stays_on_disk_either(shop: Shop) -> None:
    shop.put("a")
    shop.put("b")
    shop.open(MultiModelConfig={"ModelCacheSetting": "Disabled"})
    assert ["a", "b", "a"] == [shop.ask(model) for model in "aba"]
    eventually(lambda: [] == model_folders(shop.server))


def test_two_instances_share_the_models_among_them(shop: Shop) -> None:
    names = [f"m{number}" for number in range(12)]
    for name in names:
        shop.put(name)
    shop.open(instances=2)
    before = len(model_folders(shop.server))
    assert names * 3 == [shop.ask(name) for name in names * 3]
    assert len(names) == len(model_folders(shop.server)) - before


@pytest.mark.parametrize("part", ["control", "agent"])
def test_a_model_that_is_wanted_comes_whoever_dies_meanwhile(shop: Shop, part: str) -> None:
    names = [f"m{number}" for number in range(9)]
    for name in names:
        shop.put(name)
    shop.put("slow", script_archive(SLOW))
    shop.open()
    with ThreadPoolExecutor(10) as callers:
        answers = [callers.submit(shop.ask, name) for name in [*names[:3], "slow"]]
        time.sleep(0.03)
        shop.server.kill(part)
        answers += [callers.submit(shop.ask, name) for name in names[3:]]
        assert [*names[:3], "slow", *names[3:]] == [answer.result() for answer in answers]


def test_after_its_instance_dies_an_endpoint_serves_its_models_again(shop: Shop) -> None:
    shop.put("a")
    shop.put("hanging", script_archive(HANGING))
    shop.open()
    assert "a" == shop.ask("a")
    with ThreadPoolExecutor(1) as callers:
        refusal = callers.submit(shop.refusal, "hanging")
        eventually(lambda: "hangs" in shop.log())
        shop.server.kill("instance")
        assert refusal.result()
    eventually(lambda: _answers(shop, "a"))


def test_after_the_process_dies_that_loads_models_an_endpoint_serves_them_again(shop: Shop) -> None:
    shop.put("a")
    shop.open()
    assert "a" == shop.ask("a")
    logs = shop.server.data_dir / "logs" / shop.server.region / shop.name / "AllTraffic"
    name = next(logs.glob("*.log")).stem
    pids = {seen.pid for seen in shop.server.processes() if seen.part == name}
    (annex,) = [pid for pid in pids if parent_of(pid) in pids]
    os.kill(annex, signal.SIGKILL)
    eventually(lambda: "loads models" in (logs / f"{name}.log").read_text())
    eventually(lambda: _answers(shop, "a"))


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _answers(shop: Shop, model: str) -> bool:
    try:
        return model == shop.ask(model)
    except ClientError:
        return False


def test_what_is_loaded_can_be_seen_and_what_was_measured_is_in_cloudwatch(shop: Shop) -> None:
    for name in ("a", "b", "never"):
        shop.put(name)
    shop.open()
    for name in ("a", "b", "a", "a"):
        shop.ask(name)
    (instance,) = shop.server.client("moorage").list_loaded_models(EndpointName=shop.name)["Instances"]
    assert [("a", 3), ("b", 1)] == [(model["TargetModel"], model["Invocations"]) for model in instance["Models"]]
    counted = {each["MetricName"]: (each["SampleCount"], each["Sum"]) for each in instance["Statistics"]}
    assert ((4, 2), 2) == (counted["ModelCacheHit"], counted["ModelLoadingTime"][0])
    eventually(lambda: (4, 2) == _of_cloudwatch(shop, "AWS/SageMaker", "ModelCacheHit"))
    eventually(lambda: 2 == _of_cloudwatch(shop, "AWS/SageMaker", "ModelLoadingTime")[0])
    eventually(lambda: 0 < _of_cloudwatch(shop, "/aws/sagemaker/Endpoints", "LoadedModelCount")[0])
    said = CliRunner().invoke(main, ["models", shop.name, "--data-dir", str(shop.server.data_dir)])
    assert 0 == said.exit_code, said.output
    assert "2 loaded, 50.0% of the invocations found theirs loaded" in " ".join(said.output.split())


def _of_cloudwatch(shop: Shop, namespace: str, metric: str) -> tuple[float, float]:
    """Count and sum of the last minutes."""
    now = datetime.now(UTC)
    points = shop.server.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": shop.name}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["SampleCount", "Sum"],
    )["Datapoints"]
    return sum(point["SampleCount"] for point in points), sum(point["Sum"] for point in points)


def test_an_endpoint_of_one_model_takes_no_target(shop: Shop) -> None:
    assert "InService" == shop.deployer.deploy(shop.name, echo_archive("one"))
    code, message = shop.refusal("one")
    expected = f"Endpoint {shop.name} is not a multi-model endpoint and does not support target model header."
    assert ("ValidationError", expected) == (code, message)
