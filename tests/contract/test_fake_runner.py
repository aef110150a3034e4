"""The fake runner meets the runner contract, so that tests which use it mean something."""

from __future__ import annotations

import pytest

from moorage.core.model import InstanceSpec, instance_id
from moorage.runners.base import Runner, RunnerError
from moorage.system.clock import SystemClock
from moorage.testing.builders import KEY, make_variant
from moorage.testing.fake_runner import FakeRunner
from moorage.testing.runner_suite import FilesOf, MakeSpec, RunnerSuite


def _spec(ordinal: int, model: str) -> InstanceSpec:
    identity = instance_id("u1", 1, "AllTraffic", ordinal)
    return InstanceSpec(
        id=identity, endpoint=KEY, uid="u1", generation=1, ordinal=ordinal, variant=make_variant(model=model)
    )


class TestFakeRunner(RunnerSuite):
    @pytest.fixture
    def runner(self) -> Runner:
        runner = FakeRunner(SystemClock())
        runner.unusable["broken"] = "No module named 'iris'."
        return runner

    @pytest.fixture
    def make_spec(self) -> MakeSpec:
        return lambda ordinal: _spec(ordinal, "iris")

    @pytest.fixture
    def make_broken(self) -> MakeSpec:
        return lambda ordinal: _spec(ordinal, "broken")

    @pytest.fixture
    def files_of(self) -> FilesOf:
        return lambda spec: ()


async def test_the_fake_can_be_away() -> None:
    runner = FakeRunner(SystemClock())
    runner.away = True
    with pytest.raises(RunnerError):
        await runner.observe()
