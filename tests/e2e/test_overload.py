"""Three times what a model can do: the work is still done, and who cannot be served is told so at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from moorage.testing.deployment import Deployer
from moorage.testing.load import Sample, run_for
from moorage.testing.models import script_archive

SERVICE_S = 0.02
CAPACITY = 1 / SERVICE_S
SECONDS = 8.0
BUSY_MIN = 0.5
"""Of the time, however long the machine stalls. On one that does nothing else it is 0.9."""

pytestmark = pytest.mark.slow

ONE_WORKER = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
"""So that the capacity is known."""
SLOW = script_archive(
    "import time\n"
    "def model_fn(model_dir):\n"
    "    return None\n"
    "def transform_fn(model, data, content_type, accept):\n"
    "    begun = time.monotonic()\n"
    f"    time.sleep({SERVICE_S})\n"
    "    return f'{begun} {time.monotonic()}', 'text/plain'\n"
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
    answered = [sample for sample in report.samples if sample.status == 200]
    busy = sorted(tuple(map(float, sample.body.split())) for sample in answered)
    assert sum(end - begun for begun, end in busy) > BUSY_MIN * (busy[-1][1] - busy[0][0])
    assert median(report.failures) < median(answered)


def median(samples: Sequence[Sample]) -> float:
    """How long half of them had to wait at most, from when they were sent: who sends may be held up as well."""
    return sorted(sample.served_in for sample in samples)[len(samples) // 2]


def test_a_burst_that_can_be_answered_in_time_is_answered(deployer):
    assert "InService" == deployer.deploy("slow", SLOW, Environment=ONE_WORKER | {"MOORAGE_CONCURRENCY": "2"})
    with ThreadPoolExecutor(24) as callers:
        assert all(callers.map(lambda _: deployer.invoke("slow", b"{}"), range(24)))
