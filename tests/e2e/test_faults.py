"""What survives when parts are killed: real processes, real traffic, SIGKILL.

Every test drives signed invocations at 200 a second, open loop, and counts what the callers saw.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from moorage.testing.deployment import Deployer
from moorage.testing.load import Load, Report
from moorage.testing.models import echo_archive
from moorage.testing.server import RunningMoorage

RATE = 200.0
IN_FLIGHT_MAX = 5
"""At 200 a second and a few ms each, more than a handful of failures cannot have been in flight at once."""

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    server = RunningMoorage(tmp_path / "data")
    server.start()
    yield server
    server.stop()
    assert [] == server.processes()


async def test_update_under_load_loses_nothing_and_the_old_model_never_answers_after_in_service(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("old"), instances=2)
    deployer.model("new", echo_archive("new"))
    deployer.config("new", "new", instances=2)
    load = Load(server.target("shop"), rate=RATE)
    await asyncio.sleep(1)
    deployer.sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="new")
    assert "InService" == await asyncio.to_thread(deployer.settled, "shop")
    in_service_at = load.elapsed
    await asyncio.sleep(1)
    report = await load.stop()
    assert [] == report.failures
    late = {sample.body for sample in report.samples if sample.finished > in_service_at}
    assert {b"new"} == late
    assert {b"old", b"new"} == {sample.body for sample in report.samples}


async def test_killing_one_instance_of_two_fails_at_most_what_was_in_flight_on_it(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    victim, *_ = server.pids("instance")
    report = await _under_load(server, lambda: os.kill(victim, 9))
    assert len(report.failures) <= IN_FLIGHT_MAX, _explain(report)
    _eventually(lambda: 2 == len(server.pids("instance")) and victim not in server.pids("instance"))


async def test_killing_control_fails_no_invocation_and_restarts_no_instance(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    before = server.pids("instance")
    report = await _under_load(server, lambda: server.kill("control"))
    assert [] == report.failures, _explain(report)
    assert "InService" == deployer.settled("shop", timeout_s=3)
    assert sorted(before) == sorted(server.pids("instance"))


async def test_killing_the_agent_fails_no_invocation_and_restarts_no_instance(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    before = server.pids("instance")
    report = await _under_load(server, lambda: server.kill("agent"))
    assert [] == report.failures, _explain(report)
    assert sorted(before) == sorted(server.pids("instance"))
    assert "InService" == deployer.deploy("later", echo_archive("there"))


async def test_killing_the_gateway_fails_at_most_what_was_in_flight_on_it(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"))
    report = await _under_load(server, lambda: server.kill("gateway"))
    cut = [sample for sample in report.failures if "Reset" in sample.error or "Incomplete" in sample.error]
    assert len(report.failures) == len(cut) <= IN_FLIGHT_MAX + 1, _explain(report)


def test_control_is_back_within_three_seconds(server):
    deployer = Deployer(server)
    server.kill("control")
    killed = time.monotonic()
    _eventually(lambda: _answers(deployer), timeout_s=3)
    assert time.monotonic() - killed < 3


def test_nothing_acknowledged_is_lost_when_everything_is_killed_again_and_again(server):
    kept: set[str] = set()
    for cycle in range(20):
        deployer = Deployer(server)
        kept |= _create_until_killed(server, deployer, cycle)
        server.start()
        survivors = {config["EndpointConfigName"] for config in _all_configs(server)}
        assert kept <= survivors, f"lost in cycle {cycle}: {sorted(kept - survivors)}"
    deployer = Deployer(server)
    _eventually(lambda: not _passing(deployer), timeout_s=60)
    endpoints = len(deployer.sagemaker.list_endpoints(MaxResults=100)["Endpoints"])
    # An instance killed again and again is launched again after a pause of up to a minute.
    _eventually(lambda: endpoints == len(server.pids("instance")), timeout_s=90)
    assert {"supervisor": 1, "control": 1, "gateway": 1, "agent": 1, "nursery": 1, "i": endpoints} == _census(server)


def _create_until_killed(server: RunningMoorage, deployer: Deployer, cycle: int) -> set[str]:
    """Create resources for a while and SIGKILL everything in the middle of it; answers what was acknowledged."""
    killer = threading.Timer(0.4 + cycle * 0.02, server.kill_everything)
    acknowledged: set[str] = set()
    deployer.s3.put_object(Bucket="models", Key=f"m{cycle}.tar.gz", Body=echo_archive(str(cycle)))
    killer.start()
    # Cut off at any point, a call fails in whatever way; what counts is what was acknowledged before.
    with contextlib.suppress(BotoCoreError, ClientError, OSError):
        deployer.model(f"m{cycle}", echo_archive(str(cycle)))
        for number in range(10_000):
            name = f"c{cycle}-{number}"
            deployer.config(name, f"m{cycle}")
            acknowledged.add(name)
            if number == 3:
                deployer.sagemaker.create_endpoint(EndpointName=f"e{cycle}", EndpointConfigName=name)
    killer.join()
    return acknowledged


def _census(server: RunningMoorage) -> dict[str, int]:
    return dict(collections.Counter(seen.part.split("-")[0] for seen in server.processes()))


def _all_configs(server: RunningMoorage) -> list[dict[str, str]]:
    pages = server.client("sagemaker").get_paginator("list_endpoint_configs").paginate()
    return [config for page in pages for config in page["EndpointConfigs"]]


def _passing(deployer: Deployer) -> list[str]:
    found = deployer.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]
    return [endpoint["EndpointName"] for endpoint in found if endpoint["EndpointStatus"] != "InService"]


async def _under_load(server: RunningMoorage, fault) -> Report:
    load = Load(server.target("shop"), rate=RATE)
    await asyncio.sleep(1)
    fault()
    await asyncio.sleep(3)
    return await load.stop()


def _answers(deployer: Deployer) -> bool:
    try:
        deployer.sagemaker.list_models()
    except Exception:
        return False
    return True


def _eventually(condition, *, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not so after {timeout_s} s"
        time.sleep(0.02)


def _explain(report: Report) -> str:
    return "\n".join(f"{s.due:.3f} {s.status} {s.error} {s.body[:200]!r}" for s in report.failures[:20])
