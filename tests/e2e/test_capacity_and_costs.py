"""Capacity and costs of a whole Moorage: what does not fit fails in SageMaker's words, what was there is counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from click.testing import CliRunner

from moorage.cli.main import main
from moorage.testing.deployment import Deployer
from moorage.testing.metrics_page import read_page, sum_of
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage, eventually

NAME = "roomy"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    data_dir = tmp_path_factory.mktemp("capacity") / "data"
    data_dir.mkdir()
    (data_dir / "moorage.toml").write_text("overcommit_cpu = 1000\novercommit_memory = 1000\n")
    server = RunningMoorage(data_dir, gateway_workers=1)
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture(scope="module")
def deployer(server: RunningMoorage) -> Deployer:
    deployer = Deployer(server)
    assert "InService" == deployer.deploy(NAME, echo_archive("here"), instances=2)
    return deployer


def moorage(server: RunningMoorage, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--data-dir", str(server.data_dir)], catch_exceptions=False)
    assert 0 == result.exit_code, result.output
    return result.output


def reserved(server: RunningMoorage) -> tuple[float, int] | None:
    """The vCPUs, and by how many instances; None while control is away."""
    try:
        found = server.client("moorage").describe_capacity()
    except (BotoCoreError, ClientError):
        return None
    return found["Reserved"]["VCpus"], found["Instances"]


def test_what_is_reserved_lasts_as_long_as_its_instances(server: RunningMoorage, deployer: Deployer) -> None:
    assert (4, 2) == reserved(server)
    deployer.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=NAME, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}]
    )
    assert "InService" == deployer.settled(NAME)
    eventually(lambda: (2, 1) == reserved(server), timeout_s=60)
    server.kill("control")
    eventually(lambda: (2, 1) == reserved(server), timeout_s=60)
    assert "2 vCPUs and 8 GiB, by 1 instance" in moorage(server, "status")


def test_what_this_machine_has_not_fails_in_sagemakers_words(server: RunningMoorage, deployer: Deployer) -> None:
    deployer.model("lonely", echo_archive("here"))
    deployer.config("lonely", "lonely", InstanceType="ml.inf2.xlarge")
    assert "Failed" == deployer.endpoint("lonely")
    reason = deployer.sagemaker.describe_endpoint(EndpointName="lonely")["FailureReason"]
    assert reason.startswith("Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity")
    assert "ml.inf2.xlarge has 1 × AWS Inferentia2, this machine has none" in reason
    deployer.delete("lonely")


def test_instance_hours_are_shown_with_their_price(server: RunningMoorage, deployer: Deployer) -> None:
    def hours() -> float:
        rows = server.client("moorage").list_costs(EndpointName=NAME)["Costs"]
        if not rows:
            return 0.0
        (row,) = rows
        assert (NAME, "AllTraffic", "ml.m5.large") == (
            row["EndpointName"],
            row["VariantName"],
            row["InstanceType"],
        )
        assert row["Cost"] == pytest.approx(row["InstanceHours"] * 0.115)
        return float(row["InstanceHours"])

    eventually(lambda: hours() > 0)
    before = hours()
    eventually(lambda: hours() > before)
    assert NAME in moorage(server, "costs", "--since", "1d")
    assert "nobody had no instance in that time.\n" == moorage(server, "costs", "nobody")


def test_no_restart_sets_a_counter_back(server: RunningMoorage, deployer: Deployer) -> None:
    key = server.client("moorage").create_metrics_key()["Key"]

    def count() -> float | None:
        try:
            page = read_page(server.endpoint_url, key)
        except OSError:
            return None
        return sum_of(page, "moorage_invocations_total", endpoint=NAME, outcome="success")

    for _ in range(7):
        deployer.invoke(NAME, b"{}")
    eventually(lambda: 7 == count(), timeout_s=60)
    server.kill("control")
    eventually(lambda: 7 == count(), timeout_s=60)
    server.restart()
    deployer.invoke(NAME, b"{}")
    eventually(lambda: 8 == count(), timeout_s=60)
