"""A launch, from the model data to the runner that may be away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from moorage.control.fetching import Say
from moorage.control.launches import Launches
from moorage.core.model import EndpointKey, InstanceState, ModelData, instances_of
from moorage.runners.base import ModelFile, ModelFiles
from moorage.testing.builders import make_endpoint
from moorage.testing.fake_runner import FakeRunner
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_what_was_fetched_for_a_runner_that_is_away_is_fetched_again_when_it_is_back() -> None:
    runner, fetched, woken = FakeRunner(LoopClock()), [], list[EndpointKey]()

    async def fetch(data: ModelData, say: Say | None = None) -> ModelFiles:
        fetched.append(data)
        return ModelFiles(data.form, "0" * 64, (ModelFile("model.tar.gz", Path("/archives/iris")),))

    endpoint = make_endpoint()
    assert endpoint.target is not None
    [spec] = instances_of(endpoint, endpoint.target)
    launches = Launches(runner, fetch, LoopClock(), woken.append)
    runner.away = True
    launches.begin(spec)
    await asyncio.sleep(3600)
    assert [InstanceState.STARTING] == [seen.state for seen in launches.observations(endpoint.key)]
    tried = len(fetched)
    runner.come_back()
    await asyncio.sleep(60)
    assert [spec.id] == runner.launched
    assert tried + 1 == len(fetched)
    assert [endpoint.key] == woken
    assert [] == launches.observations(endpoint.key)
