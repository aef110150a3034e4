"""Spoilt requests and spoilt answers against a gateway on a real port; `bench/fuzz_gateway.py` runs many more.

A complaint names its seed and the number of its case, and `bench/fuzz_gateway.py --seed SEED --first NUMBER --count 1`
runs that one again.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from moorage.testing.fuzz.answers import campaign_of_answers, spoiling_gateway
from moorage.testing.fuzz.campaign import Findings, campaign, fuzzed_gateway
from moorage.testing.patient_loop import PatientLoop

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("MOORAGE_FUZZ_SEED", "20261121"))
CASES = 3_000


def test_nothing_but_what_is_authentic_reaches_an_instance_and_everybody_gets_his_own_answer(tmp_path: Path) -> None:
    async def run() -> Findings:
        async with fuzzed_gateway(tmp_path) as target:
            return await campaign(target, SEED, range(CASES))

    # The gateway's deadlines are short here, and good requests have to meet them.
    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        findings = runner.run(run())
    assert [] == findings.complaints[:3], f"seed {SEED}"
    assert findings.answers["200"] > CASES / 10
    assert findings.answers["400 MalformedHttpRequestException"] > CASES / 10
    assert findings.reached_instances > CASES / 10


async def test_spoilt_answers_are_the_models_fault_and_never_another_callers(tmp_path: Path) -> None:
    async with spoiling_gateway(tmp_path, SEED) as world:
        findings = await campaign_of_answers(world, SEED, range(CASES))
    assert [] == findings.complaints[:3], f"seed {SEED}"
    assert findings.outcomes["200"] > CASES / 20
    assert findings.outcomes["424 ModelError"] > CASES / 10
