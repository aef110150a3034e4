"""Endpoints without instances: what sleeps is in service, and whoever calls waits a moment and gets an answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from moorage.testing.deployment import Deployer
from moorage.testing.models import echo_archive, script_archive
from moorage.testing.server import RunningMoorage, eventually

IDLE_S = 1
SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 20}
SLOW = (
    "import time\n"
    "def model_fn(model_dir):\n"
    "    return 'done'\n"
    "def transform_fn(model, data, content_type, accept):\n"
    "    time.sleep(2)\n"
    "    return model, 'text/plain'\n"
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Moorage of its own, on which serverless variants fall asleep soon."""
    server = RunningMoorage(tmp_path_factory.mktemp("sleeping") / "data")
    server.data_dir.mkdir()
    (server.data_dir / "moorage.toml").write_text(f"serverless_idle_s = {IDLE_S}\n")
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture
def deployer(server):
    deployer = Deployer(server)
    yield deployer
    for endpoint in deployer.sagemaker.list_endpoints()["Endpoints"]:
        deployer.delete(endpoint["EndpointName"])


def deploy_serverless(deployer, name, **config):
    deployer.model(name, echo_archive(name))
    deployer.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "AllTraffic", "ModelName": name, "ServerlessConfig": {**SERVERLESS, **config}}
        ],
    )
    assert "InService" == deployer.endpoint(name)


def put_to_zero(deployer, name):
    deployer.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    )
    assert "InService" == deployer.settled(name)


def counts(deployer, name):
    [variant] = deployer.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]


def is_asleep(server):
    return not server.pids("instance")


def test_a_plain_variant_at_zero_answers_a_burst_and_stays_in_service(moorage_server):
    deployer = Deployer(moorage_server)
    assert "InService" == deployer.deploy("napping", echo_archive("awake"))
    put_to_zero(deployer, "napping")
    assert (0, 0) == counts(deployer, "napping")
    with ThreadPoolExecutor(30) as callers:
        answers = list(callers.map(lambda _: deployer.invoke("napping", b"{}"), range(30)))
    assert [b"awake"] * 30 == answers
    eventually(lambda: (1, 1) == counts(deployer, "napping"))
    deployer.delete("napping")


def test_a_serverless_endpoint_is_described_sleeps_and_wakes(server, deployer):
    deploy_serverless(deployer, "dozing")
    described = deployer.sagemaker.describe_endpoint(EndpointName="dozing")
    [variant] = described["ProductionVariants"]
    assert SERVERLESS == variant["CurrentServerlessConfig"] == variant["DesiredServerlessConfig"]
    assert "DesiredInstanceCount" not in variant
    assert b"dozing" == deployer.invoke("dozing", b"{}")
    eventually(lambda: is_asleep(server))
    assert "InService" == deployer.sagemaker.describe_endpoint(EndpointName="dozing")["EndpointStatus"]
    assert b"dozing" == deployer.invoke("dozing", b"{}")
    eventually(lambda: _setup_times(server, "dozing"))


def test_no_request_is_lost_around_the_moments_at_which_it_falls_asleep(server, deployer):
    deploy_serverless(deployer, "drowsy")
    for pause_s in (0.9, 1.0, 1.05, 1.1, 1.2, 1.3):
        time.sleep(IDLE_S * pause_s)
        assert b"drowsy" == deployer.invoke("drowsy", b"{}")
    eventually(lambda: is_asleep(server))
    assert b"drowsy" == deployer.invoke("drowsy", b"{}")


def test_who_waits_gets_an_answer_though_control_or_the_agent_was_killed(server, deployer):
    assert "InService" == deployer.deploy("sturdy", echo_archive("sturdy"))
    for part in ("control", "agent"):
        put_to_zero(deployer, "sturdy")
        server.kill(part)
        assert b"sturdy" == deployer.invoke("sturdy", b"{}")
        assert "InService" == deployer.settled("sturdy")


def test_who_waits_for_a_model_that_is_gone_is_told_so(server, deployer):
    assert "InService" == deployer.deploy("once", echo_archive("once"))
    put_to_zero(deployer, "once")
    deployer.s3.delete_object(Bucket="models", Key="once.tar.gz")
    with pytest.raises(ClientError) as caught:
        deployer.invoke("once", b"{}")
    assert 503 == caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert "Endpoint once has no instance ready to answer: " in caught.value.response["Error"]["Message"]
    assert "InService" == deployer.settled("once")


def test_more_at_once_than_max_concurrency_are_throttled(server, deployer):
    deployer.model("narrow", script_archive(SLOW))
    deployer.sagemaker.create_endpoint_config(
        EndpointConfigName="narrow",
        ProductionVariants=[
            {"VariantName": "A", "ModelName": "narrow", "ServerlessConfig": {**SERVERLESS, "MaxConcurrency": 1}}
        ],
    )
    assert "InService" == deployer.endpoint("narrow")
    begin = threading.Barrier(8)

    def call(_):
        begin.wait()
        try:
            deployer.invoke("narrow", b"{}")
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "ok"

    with ThreadPoolExecutor(8) as callers:
        outcomes = list(callers.map(call, range(8)))
    assert {"ok", "ThrottlingException"} == set(outcomes)


def _setup_times(server, name):
    now = datetime.now(UTC)
    answer = server.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ModelSetupTime",
        Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum", "SampleCount"],
    )
    return [point["Maximum"] for point in answer["Datapoints"]]
