"""What callers notice of an instance that is stopped in its tracks: real processes, real traffic, SIGSTOP and SIGCONT.

It is the gateway that notices, long before control. How soon, and how little it costs the others, is measured by
bench/gateway_hung.py; here nobody waits for what is frozen.
"""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from moorage.testing.deployment import Deployer
from moorage.testing.load import Load, run_for
from moorage.testing.models import WHO_ANSWERS, echo_archive
from moorage.testing.server import eventually

RATE = 100.0
CONNECTIONS = 8
"""So that each of the gateway's workers has its share of the load, and finds out by itself."""

pytestmark = pytest.mark.slow


@pytest.fixture
def deployer(moorage_server):
    deployer = Deployer(moorage_server)
    yield deployer
    for name in ("frozen", "other"):
        deployer.delete(name)


async def test_a_frozen_instance_is_soon_out_and_soon_back(moorage_server, deployer):
    deployer.model("frozen", WHO_ANSWERS)
    # Least outstanding requests would keep nearly all of them from the frozen instance even if nobody noticed.
    deployer.config("frozen", "frozen", instances=2, RoutingConfig={"RoutingStrategy": "RANDOM"})
    assert "InService" == deployer.endpoint("frozen")
    load = Load(moorage_server.target("frozen"), rate=RATE, connections=CONNECTIONS)
    victim = await asyncio.to_thread(deployer.invoke, "frozen", b"{}")
    await asyncio.to_thread(eventually, lambda: _answered_by(load, victim))
    os.killpg(int(victim), signal.SIGSTOP)
    try:
        await asyncio.to_thread(eventually, lambda: _is_served(load), timeout_s=60.0)
    finally:
        going_at = load.elapsed
        os.killpg(int(victim), signal.SIGCONT)
    await asyncio.to_thread(eventually, lambda: _answered_by(load, victim, since=going_at))
    report = await load.stop()
    assert [] == report.failures, dict(report.statuses())


def _answered_by(load: Load, instance: bytes, *, since: float = 0.0) -> bool:
    return any(sample.body == instance for sample in load.report.samples if sample.due >= since)


def _is_served(load: Load) -> bool:
    """Whether all is answered that came in a second, half of which was for each instance before."""
    until = load.elapsed - 0.5
    samples = [sample for sample in load.report.samples if until - 1.0 <= sample.due < until]
    return len(samples) >= RATE - 1


async def test_a_frozen_endpoint_leaves_another_alone(moorage_server, deployer):
    assert "InService" == deployer.deploy("frozen", WHO_ANSWERS, Environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "1"})
    victim = int(deployer.invoke("frozen", b"{}"))
    assert "InService" == deployer.deploy("other", echo_archive("other"))
    os.killpg(victim, signal.SIGSTOP)
    hung = Load(moorage_server.target("frozen"), rate=RATE)
    try:
        await asyncio.sleep(1)
        other = await run_for(moorage_server.target("other"), rate=RATE, seconds=2)
        begun = hung.elapsed
    finally:
        os.killpg(victim, signal.SIGCONT)
    stuck = await hung.stop()
    assert [] == other.failures, dict(other.statuses())
    assert not any(sample.finished < begun for sample in stuck.samples if sample.status == 200), "it was not frozen"
