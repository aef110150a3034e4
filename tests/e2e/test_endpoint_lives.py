"""Endpoints from creation to deletion as boto3 sees them: waiters that need no second look, changes under load, many at
once, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from moorage.testing.deployment import PASSING, Deployer
from moorage.testing.load import run_for
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage, eventually

pytestmark = pytest.mark.slow

HELD_S = 4.5
"""A look at a change that is under way is held for five seconds, which is more than a change takes."""
MANY = 50


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMoorage]:
    server = RunningMoorage(tmp_path_factory.mktemp("lives") / "data")
    server.data_dir.mkdir()
    (server.data_dir / "moorage.toml").write_text("overcommit_cpu = 1000\novercommit_memory = 1000\n")  # for many
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture(scope="module")
def deployer(server: RunningMoorage) -> Deployer:
    deployer = Deployer(server)
    for name in ("one", "two"):
        deployer.model(name, echo_archive(name))
        deployer.config(name, name)
    deployer.sagemaker.create_endpoint_config(
        EndpointConfigName="both",
        ProductionVariants=[
            {
                "VariantName": name,
                "ModelName": name,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1,
            }
            for name in ("one", "two")
        ],
    )
    return deployer


def created(deployer: Deployer, name: str, config: str) -> None:
    changed(deployer.sagemaker, "create_endpoint", EndpointName=name, EndpointConfigName=config)


def deleted(deployer: Deployer, name: str) -> None:
    changed(deployer.sagemaker, "delete_endpoint", "endpoint_deleted", EndpointName=name)


def changed(sagemaker: Any, operation: str, waiter: str = "endpoint_in_service", **arguments: Any) -> None:
    """Make a change and wait as boto3 does, whose second look would come after thirty seconds: the first is enough.

    Where the change takes longer than a look is held, on a machine that does much else, that one was held at least.
    """
    name, begun = arguments["EndpointName"], time.monotonic()
    getattr(sagemaker, operation)(**arguments)
    with contextlib.suppress(ClientError):  # it is gone, which is for the waiter to judge
        status = sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
        assert status not in PASSING or time.monotonic() - begun > HELD_S
    sagemaker.get_waiter(waiter).wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def invoked(deployer: Deployer, name: str) -> bytes | None:
    """The answer; None while no instance is ready."""
    with contextlib.suppress(deployer.runtime.exceptions.ServiceUnavailable, deployer.runtime.exceptions.ModelError):
        return deployer.invoke(name, b"x")
    return None


def test_a_name_is_free_as_soon_as_its_endpoint_is_deleted(deployer: Deployer) -> None:
    for config in ("one", "two", "one"):
        created(deployer, "again", config)
        assert config.encode() == deployer.invoke("again", b"x")
        deleted(deployer, "again")


def test_what_is_changing_cannot_be_changed_but_is_served(server: RunningMoorage, deployer: Deployer) -> None:
    sagemaker = deployer.sagemaker
    created(deployer, "busy", "one")
    weights = [{"VariantName": "AllTraffic", "DesiredWeight": 2}]
    [agent] = server.pids("agent")
    os.kill(agent, signal.SIGSTOP)  # so that the change does not come to its end before the others are tried
    sagemaker.update_endpoint(EndpointName="busy", EndpointConfigName="both")
    for change in (
        lambda: sagemaker.delete_endpoint(EndpointName="busy"),
        lambda: sagemaker.update_endpoint(EndpointName="busy", EndpointConfigName="two"),
        lambda: sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="busy", DesiredWeightsAndCapacities=weights
        ),
    ):
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            change()
    assert b"one" == deployer.invoke("busy", b"x")
    os.kill(agent, signal.SIGCONT)
    assert "InService" == deployer.settled("busy")
    assert {b"one", b"two"} == {deployer.invoke("busy", b"x") for _ in range(50)}
    deleted(deployer, "busy")


def test_what_an_endpoint_was_made_of_may_go_before_it(server: RunningMoorage, deployer: Deployer) -> None:
    deployer.model("short-lived", echo_archive("short-lived"))
    deployer.config("short-lived", "short-lived")
    created(deployer, "orphan", "short-lived")
    deployer.sagemaker.delete_model(ModelName="short-lived")
    deployer.sagemaker.delete_endpoint_config(EndpointConfigName="short-lived")
    assert b"short-lived" == deployer.invoke("orphan", b"x")
    with pytest.raises(ClientError, match=r"Could not find endpoint configuration .*short-lived"):
        deployer.sagemaker.update_endpoint(EndpointName="orphan", EndpointConfigName="one")
    server.kill("instance")
    eventually(lambda: b"short-lived" == invoked(deployer, "orphan"))
    deleted(deployer, "orphan")


def test_weights_counts_and_configs_change_under_load_without_a_failure(
    server: RunningMoorage, deployer: Deployer
) -> None:
    sagemaker = deployer.sagemaker
    created(deployer, "loaded", "both")

    def change() -> None:
        for changes in (
            {"one": {"DesiredInstanceCount": 3}},
            {"one": {"DesiredWeight": 0}},
            {"one": {"DesiredInstanceCount": 1, "DesiredWeight": 1}, "two": {"DesiredWeight": 0}},
        ):
            wanted = [{"VariantName": name, **change} for name, change in changes.items()]
            operation = "update_endpoint_weights_and_capacities"
            changed(sagemaker, operation, EndpointName="loaded", DesiredWeightsAndCapacities=wanted)
        for config in ("one", "both", "two"):
            changed(sagemaker, "update_endpoint", EndpointName="loaded", EndpointConfigName=config)

    report = asyncio.run(run_for(server.target("loaded"), rate=100, seconds=2, meanwhile=change))
    assert [] == report.failures
    assert b"two" == deployer.invoke("loaded", b"x")
    deleted(deployer, "loaded")


def test_many_at_once_come_and_go_and_leave_nothing(server: RunningMoorage, deployer: Deployer) -> None:
    names = [f"many-{number}" for number in range(MANY)]
    before = left_by(server)

    def live(name: str) -> bytes:
        created(deployer, name, "two")
        return deployer.invoke(name, b"x")

    with ThreadPoolExecutor(20) as threads:
        assert {b"two"} == set(threads.map(live, names))
        pages = deployer.sagemaker.get_paginator("list_endpoints").paginate(NameContains="MANY", MaxResults=7)
        assert sorted(names) == sorted(endpoint["EndpointName"] for page in pages for endpoint in page["Endpoints"])
        list(threads.map(lambda name: deleted(deployer, name), names))
    eventually(lambda: left_by(server) <= before)


def left_by(server: RunningMoorage) -> set[str]:
    """Instances, and the names in the folders that instances have."""
    folders = (server.data_dir / name for name in ("instances", "models"))
    return {path.name for folder in folders for path in folder.iterdir()} | {
        str(pid) for pid in server.pids("instance")
    }
