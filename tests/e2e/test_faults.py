"""What callers notice when a part is killed: real processes, real traffic, SIGKILL.

Every test drives signed invocations at 200 a second, open loop, and counts what the callers saw. All share one Moorage:
whatever was killed must be back, and an endpoint deleted must leave nothing, before the next test begins.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import signal

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from moorage.testing.agent import is_alive
from moorage.testing.deployment import Deployer
from moorage.testing.load import Load, Report
from moorage.testing.models import WHO_ANSWERS, echo_archive
from moorage.testing.server import RunningMoorage, eventually, kill_for_good

RATE = 200.0
HEALTH_INTERVAL_S = 0.2
STUCK_MAX = 64
"""Callers who wait for an instance that is frozen, of the hundreds that come until control has noticed as well."""
WHOLE = {"supervisor": 1, "control": 1, "gateway": 2, "agent": 1, "nursery": 1}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    server = RunningMoorage(tmp_path_factory.mktemp("faults") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOORAGE_HEALTH_INTERVAL_S", str(HEALTH_INTERVAL_S))
        server.start()
    yield server
    server.stop()
    assert [] == server.processes()


@pytest.fixture
def server(shared_server):
    yield shared_server
    eventually(lambda: set(WHOLE) <= set(_census(shared_server)))
    deployer = Deployer(shared_server)
    for endpoint in deployer.sagemaker.list_endpoints()["Endpoints"]:
        deployer.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])
        assert "Deleted" == deployer.settled(endpoint["EndpointName"])
    eventually(lambda: WHOLE == _census(shared_server))
    for config in deployer.sagemaker.list_endpoint_configs()["EndpointConfigs"]:
        deployer.sagemaker.delete_endpoint_config(EndpointConfigName=config["EndpointConfigName"])
    for model in deployer.sagemaker.list_models()["Models"]:
        deployer.sagemaker.delete_model(ModelName=model["ModelName"])


async def test_two_updates_under_load_lose_nothing_and_no_old_model_answers_after_in_service(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("1"), instances=2)
    for answer in ("2", "3"):
        deployer.model(answer, echo_archive(answer))
        deployer.config(answer, answer, instances=2)
    load = Load(server.target("shop"), rate=RATE)
    await load.until_answered(b"1")
    in_service_at = {}
    for answer in ("2", "3"):
        deployer.sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName=answer)
        assert "InService" == await asyncio.to_thread(deployer.settled, "shop")
        in_service_at[answer.encode()] = load.elapsed
        await asyncio.sleep(0.5)
        await load.until_answered(answer.encode())
    report = await load.stop()
    assert [] == report.failures, _explain(report)
    assert {b"1", b"2", b"3"} == {sample.body for sample in report.samples}
    for answer, at in in_service_at.items():
        assert [] == [sample for sample in report.samples if sample.due > at and sample.body < answer]


async def test_killing_one_instance_of_two_fails_at_most_what_was_in_flight_on_it(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    victim, *_ = server.pids("instance")
    report, begun, done = await _under_load(server, lambda: _kill_with_its_workers(server, victim))
    assert [] == [failure for failure in report.failures if not begun <= failure.finished], _explain(report)
    assert [] == [failure for failure in report.failures if not failure.due <= done], _explain(report)
    eventually(lambda: 2 == len(server.pids("instance")) and victim not in server.pids("instance"))


async def test_a_frozen_instance_delays_a_handful_and_leaves_the_routes(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", WHO_ANSWERS, instances=2)
    load = Load(server.target("shop"), rate=RATE)
    victim = await asyncio.to_thread(deployer.invoke, "shop", b"{}")
    os.killpg(int(victim), signal.SIGSTOP)
    frozen_at = load.elapsed
    try:
        await asyncio.to_thread(eventually, lambda: 1 == _ready_instances(deployer))
        left_at = load.elapsed
        await asyncio.sleep(0.5)
    finally:
        going_at = load.elapsed
        os.killpg(int(victim), signal.SIGCONT)
    report = await load.stop()
    assert [] == report.failures, _explain(report)
    stuck = [sample for sample in report.samples if sample.body == victim and frozen_at < sample.sent < going_at]
    assert len(stuck) <= STUCK_MAX
    assert [] == [sample for sample in stuck if sample.sent > left_at]
    eventually(lambda: 2 == _ready_instances(deployer))


async def test_killing_control_fails_no_invocation_and_restarts_no_instance(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    before = server.pids("instance")
    report, *_ = await _under_load(server, lambda: server.kill("control"))
    assert [] == report.failures, _explain(report)
    assert "InService" == deployer.settled("shop")
    assert sorted(before) == sorted(server.pids("instance"))


async def test_killing_the_agent_fails_no_invocation_and_restarts_no_instance(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    before = server.pids("instance")
    report, *_ = await _under_load(server, lambda: server.kill("agent"))
    assert [] == report.failures, _explain(report)
    assert sorted(before) == sorted(server.pids("instance"))
    assert "InService" == deployer.deploy("later", echo_archive("there"))


async def test_killing_the_nursery_fails_no_invocation_and_no_later_deployment(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    before = server.pids("instance")
    report, *_ = await _under_load(server, lambda: server.kill("nursery"))
    assert [] == report.failures, _explain(report)
    assert "InService" == deployer.deploy("later", echo_archive("there"))
    assert set(before) < set(server.pids("instance"))


async def test_killing_the_gateway_fails_at_most_what_was_in_flight_on_it(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"))
    report, begun, done = await _under_load(server, lambda: server.kill("gateway"))
    cut = [failure for failure in report.failures if failure.error and begun <= failure.finished]
    assert report.failures == cut, _explain(report)
    assert [] == [failure for failure in cut if not failure.due <= done], _explain(report)


def test_control_is_soon_back_and_has_adopted_the_instances(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"), instances=2)
    before = server.pids("instance")
    server.kill("control")
    eventually(lambda: 2 == _ready_instances(deployer))
    assert sorted(before) == sorted(server.pids("instance"))


def test_the_agent_is_always_back_however_often_it_is_killed(server):
    deployer = Deployer(server)
    assert "InService" == deployer.deploy("shop", echo_archive("here"))
    before = server.pids("instance")
    for _ in range(10):
        killed = server.kill("agent")
        eventually(lambda killed=killed: set(server.pids("agent")) - set(killed))
    assert "InService" == deployer.deploy("later", echo_archive("there"))
    assert set(before) < set(server.pids("instance"))


def _kill_with_its_workers(server: RunningMoorage, instance: int) -> None:
    """SIGKILL it, and return when those are gone, too, that it has forked: they follow it by themselves."""
    parts = {seen.pid: seen.part for seen in server.processes()}
    kill_for_good(instance)
    eventually(lambda: not any(is_alive(pid) for pid, part in parts.items() if part == parts[instance]))


def _census(server: RunningMoorage) -> dict[str, int]:
    return dict(collections.Counter(seen.part.split("-")[0] for seen in server.processes()))


def _ready_instances(deployer: Deployer) -> int | None:
    """As DescribeEndpoint counts them; None while control is away."""
    with contextlib.suppress(BotoCoreError, ClientError):
        [variant] = deployer.sagemaker.describe_endpoint(EndpointName="shop")["ProductionVariants"]
        return variant["CurrentInstanceCount"]
    return None


async def _under_load(server: RunningMoorage, fault) -> tuple[Report, float, float]:
    """What came of it, and between which times of the load the fault lay."""
    load = Load(server.target("shop"), rate=RATE)
    await asyncio.sleep(0.5)
    begun = load.elapsed
    await asyncio.to_thread(fault)
    done = load.elapsed
    await asyncio.sleep(2.5)
    return await load.stop(), begun, done


def _explain(report: Report) -> str:
    return "\n".join(f"{s.due:.3f} {s.status} {s.error} {s.body[:200]!r}" for s in report.failures[:20])
