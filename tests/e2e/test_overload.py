"""Three times what a model can do: the work is still done, and who cannot be served is told so at once."""

from __future__ import annotations

import asyncio

import pytest

from moorage.testing.deployment import Deployer
from moorage.testing.load import run_for
from moorage.testing.models import script_archive

SERVICE_S = 0.02
CAPACITY = 1 / SERVICE_S
SECONDS = 8.0
REFUSED_WITHIN_S = 0.5
"""Either is a tenth of what holds on a machine that nothing else stalls: goodput 0.9, refused after 5 ms."""

pytestmark = pytest.mark.slow

ONE_WORKER = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
"""So that the capacity is known."""
SLOW = script_archive(
    "import time\n"
    "def model_fn(model_dir):\n"
    "    return 'done'\n"
    "def transform_fn(model, data, content_type, accept):\n"
    f"    time.sleep({SERVICE_S})\n"
    "    return model, 'text/plain'\n"
)


@pytest.fixture
def deployer(moorage_server):
    deployer = Deployer(moorage_server)
    yield deployer
    deployer.delete("slow")


@pytest.mark.parametrize("environment", [{"MOORAGE_CONCURRENCY": "2"}, {}], ids=["two at once", "by default"])
async def test_an_overloaded_model_does_what_it_can_and_the_rest_is_refused_at_once(
    moorage_server, deployer, environment
):
    assert "InService" == deployer.deploy("slow", SLOW, Environment=ONE_WORKER | environment)
    report = await run_for(moorage_server.target("slow"), rate=3 * CAPACITY, seconds=SECONDS)
    assert {200, 503} == set(report.statuses())
    duration = max(sample.finished for sample in report.samples)
    goodput = report.statuses()[200] / (duration * CAPACITY)
    refusals = sorted(sample.latency for sample in report.failures)
    print(f"goodput {goodput:.2f} of capacity, refused after {refusals[len(refusals) // 2] * 1e3:.1f} ms (median)")
    assert goodput > 0.6
    assert refusals[len(refusals) // 2] < REFUSED_WITHIN_S


async def test_a_burst_that_can_be_answered_in_time_is_answered(moorage_server, deployer):
    assert "InService" == deployer.deploy("slow", SLOW, Environment=ONE_WORKER | {"MOORAGE_CONCURRENCY": "2"})
    answers = await asyncio.gather(*(asyncio.to_thread(deployer.invoke, "slow", b"{}") for _ in range(24)))
    assert [b"done"] * 24 == answers
