"""What every runner must do, as tests: subclass, and give the fixtures.

`runner` is a running Runner without instances; `make_spec(ordinal)` an instance that can start, `make_broken(ordinal)`
one whose model cannot be loaded; `files_of(spec)` is what to launch it with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from moorage.core.model import InstanceId, InstanceSpec, InstanceState, Observation, instance_id
from moorage.runners.base import ContainerFiles, Runner

MakeSpec = Callable[[int], InstanceSpec]
FilesOf = Callable[[InstanceSpec], tuple[ContainerFiles, ...]]

TIMEOUT_S = 90.0
LOOK_AGAIN_S = 0.2
"""A change from before the subscription began is not reported."""


async def reach(runner: Runner, instance: InstanceId, state: InstanceState) -> Observation:
    """The observation of `instance` once it is in `state`."""
    changes = runner.changes()
    next_change = asyncio.ensure_future(anext(changes))
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                for observation in await runner.observe():
                    if observation.id == instance and observation.state is state:
                        return observation
                await asyncio.wait([next_change], timeout=LOOK_AGAIN_S)
                if next_change.done():
                    next_change = asyncio.ensure_future(anext(changes))
    finally:
        next_change.cancel()
        await asyncio.wait([next_change])


class RunnerSuite:
    """The runner contract."""

    async def test_a_launched_instance_becomes_ready(
        self, runner: Runner, make_spec: MakeSpec, files_of: FilesOf
    ) -> None:
        spec = make_spec(0)
        await runner.launch(spec, files_of(spec))
        ready = await reach(runner, spec.id, InstanceState.READY)
        assert (spec.uid, spec.endpoint) == (ready.uid, ready.endpoint)
        assert ready.address

    async def test_an_instance_is_listed_as_soon_as_launch_returns(
        self, runner: Runner, make_spec: MakeSpec, files_of: FilesOf
    ) -> None:
        spec = make_spec(0)
        await runner.launch(spec, files_of(spec))
        assert [spec.id] == [observation.id for observation in await runner.observe()]

    async def test_to_stand_by_is_no_launch(self, runner: Runner, make_spec: MakeSpec, files_of: FilesOf) -> None:
        await runner.stand_by(make_spec(0))
        assert [] == [observation.id for observation in await runner.observe()]

    async def test_launching_again_changes_nothing(
        self, runner: Runner, make_spec: MakeSpec, files_of: FilesOf
    ) -> None:
        spec = make_spec(0)
        await runner.launch(spec, files_of(spec))
        before = await reach(runner, spec.id, InstanceState.READY)
        await runner.launch(spec, files_of(spec))
        assert [before] == list(await runner.observe())

    async def test_a_stopped_instance_is_forgotten(
        self, runner: Runner, make_spec: MakeSpec, files_of: FilesOf
    ) -> None:
        kept, stopped = make_spec(0), make_spec(1)
        for spec in (kept, stopped):
            await runner.launch(spec, files_of(spec))
        await runner.stop(stopped.id)
        assert [kept.id] == [observation.id for observation in await runner.observe()]

    async def test_an_unknown_instance_is_stopped_already(self, runner: Runner) -> None:
        await runner.stop(instance_id("nobody", 1, "AllTraffic", 0))

    async def test_a_stopped_identity_can_be_launched_again(
        self, runner: Runner, make_spec: MakeSpec, files_of: FilesOf
    ) -> None:
        spec = make_spec(0)
        await runner.launch(spec, files_of(spec))
        first = await reach(runner, spec.id, InstanceState.READY)
        await runner.stop(spec.id)
        await runner.launch(spec, files_of(spec))
        second = await reach(runner, spec.id, InstanceState.READY)
        assert first.since is not None
        assert second.since is not None
        assert first.since < second.since

    async def test_a_model_that_cannot_be_loaded_is_failed_with_a_reason(
        self, runner: Runner, make_broken: MakeSpec, files_of: FilesOf
    ) -> None:
        spec = make_broken(0)
        await runner.launch(spec, files_of(spec))
        failed = await reach(runner, spec.id, InstanceState.FAILED)
        assert failed.reason
        assert len(failed.reason) <= 1024
        assert "Traceback" not in failed.reason
