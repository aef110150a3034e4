"""What callers notice of an instance that is stopped in its tracks: real processes, real traffic, SIGSTOP and SIGCONT.

Control would not act for a while longer than these tests take: it is the gateway that notices. How little it costs the
others is measured by bench/gateway_hung.py; here a call is slow only if it has waited for the frozen instance.
"""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from moorage.testing.deployment import Deployer
from moorage.testing.load import Load, run_for
from moorage.testing.models import echo_archive, script_archive

RATE = 100.0
NOTICED_WITHIN_S = 2.0
FROZEN_S = 6.0
SLOW_S = 2.0
"""Far above what an answer takes, also on a machine that stalls; what waits for a frozen instance waits longer."""

pytestmark = pytest.mark.slow

WHO_ANSWERS = script_archive(
    "import os\n"
    "def model_fn(model_dir):\n"
    "    return None\n"
    "def transform_fn(model, data, content_type, accept):\n"
    "    return str(os.getpgid(0)), 'text/plain'\n"
)


@pytest.fixture
def deployer(moorage_server):
    deployer = Deployer(moorage_server)
    yield deployer
    for name in ("frozen", "other"):
        deployer.delete(name)


async def test_a_frozen_instance_is_out_within_two_seconds_and_back_within_two(moorage_server, deployer):
    deployer.model("frozen", WHO_ANSWERS)
    # Least outstanding requests would keep nearly all of them from the frozen instance even if nobody noticed.
    deployer.config("frozen", "frozen", instances=2, RoutingConfig={"RoutingStrategy": "RANDOM"})
    assert "InService" == deployer.endpoint("frozen")
    load = Load(moorage_server.target("frozen"), rate=RATE)
    await asyncio.sleep(1)
    victim = int(deployer.invoke("frozen", b"{}"))
    os.killpg(victim, signal.SIGSTOP)
    frozen_at = load.elapsed
    try:
        await asyncio.sleep(FROZEN_S)
    finally:
        going_at = load.elapsed
        os.killpg(victim, signal.SIGCONT)
    await asyncio.sleep(2 * NOTICED_WITHIN_S)
    report = await load.stop()
    assert [] == report.failures, dict(report.statuses())
    slow = [sample.due for sample in report.samples if sample.latency > SLOW_S]
    assert slow, "nothing was on the instance when it froze"
    assert all(frozen_at - SLOW_S < due < frozen_at + NOTICED_WITHIN_S for due in slow), slow
    assert any(sample.body == b"%d" % victim for sample in report.samples if sample.due > going_at)


async def test_a_frozen_endpoint_leaves_another_alone(moorage_server, deployer):
    assert "InService" == deployer.deploy(
        "frozen", echo_archive("frozen"), Environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    )
    (victim,) = moorage_server.pids("instance")
    assert "InService" == deployer.deploy("other", echo_archive("other"))
    os.killpg(victim, signal.SIGSTOP)
    hung = Load(moorage_server.target("frozen"), rate=RATE, timeout_s=2 * FROZEN_S)
    try:
        await asyncio.sleep(1)
        other = await run_for(moorage_server.target("other"), rate=RATE, seconds=3)
        begun = hung.elapsed
    finally:
        os.killpg(victim, signal.SIGCONT)
    stuck = await hung.stop()
    assert [] == other.failures, dict(other.statuses())
    assert not any(sample.finished < begun for sample in stuck.samples if sample.status == 200), "it was not frozen"
    assert other.percentile(0.9) < SLOW_S
