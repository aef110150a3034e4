"""What callers notice of an instance that is stopped in its tracks: real processes, real traffic, SIGSTOP and SIGCONT.

Control would not act for a while longer than these tests take: it is the gateway that notices.
"""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from moorage.testing.deployment import Deployer
from moorage.testing.load import Load, Report
from moorage.testing.models import echo_archive, script_archive

RATE = 100.0
NOTICED_WITHIN_S = 2.0
FAST_S = 0.5
"""Far above what an answer takes, far below what one takes that waits for a frozen instance."""

pytestmark = pytest.mark.slow

WHO_ANSWERS = script_archive(
    "import os\n"
    "def model_fn(model_dir):\n"
    "    return None\n"
    "def transform_fn(model, data, content_type, accept):\n"
    "    return str(os.getpid()), 'text/plain'\n"
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
    os.kill(victim, signal.SIGSTOP)
    frozen_at = load.elapsed
    try:
        await asyncio.sleep(6)
    finally:
        going_at = load.elapsed
        os.kill(victim, signal.SIGCONT)
    await asyncio.sleep(NOTICED_WITHIN_S + 1)
    report = await load.stop()
    assert [] == report.failures, dict(report.statuses())
    slow = [sample.due for sample in report.samples if sample.latency > FAST_S]
    assert slow, "nothing was on the instance when it froze"
    assert all(frozen_at - FAST_S < due < frozen_at + NOTICED_WITHIN_S for due in slow), slow
    back = [s for s in report.samples if s.body == b"%d" % victim and s.due > going_at]
    assert back
    assert back[0].finished < going_at + NOTICED_WITHIN_S


async def test_a_frozen_endpoint_leaves_another_alone(moorage_server, deployer):
    assert "InService" == deployer.deploy("frozen", echo_archive("frozen"))
    (victim,) = moorage_server.pids("instance")
    assert "InService" == deployer.deploy("other", echo_archive("other"))
    alone = await _load_for(moorage_server, 3)
    os.kill(victim, signal.SIGSTOP)
    hung = Load(moorage_server.target("frozen"), rate=100.0, timeout_s=3.0)
    try:
        await asyncio.sleep(1)
        beside = await _load_for(moorage_server, 3)
    finally:
        os.kill(victim, signal.SIGCONT)
    await hung.stop()
    for report in (alone, beside):
        assert [] == report.failures, dict(report.statuses())
    ratio = beside.percentile(0.99) / alone.percentile(0.99)
    print(f"p99 {alone.percentile(0.99) * 1e3:.1f} ms, beside a frozen endpoint {beside.percentile(0.99) * 1e3:.1f} ms")
    assert beside.percentile(0.5) < 3 * alone.percentile(0.5) + 0.005
    assert ratio < 5 or beside.percentile(0.99) < 0.05


async def _load_for(server, seconds: float) -> Report:
    load = Load(server.target("other"), rate=100.0)
    await asyncio.sleep(seconds)
    return await load.stop()
