"""Launches under way: fetching model data and handing it to the runner, in the background.

From the moment a launch begins until the runner lists the instance, this module answers for it with an observation of
its own, and so it does for one whose model data cannot be had, until that is stopped.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass

from moorage.control.backoff import delay_s
from moorage.control.fetching import Fetch, Fetcher
from moorage.core.faults import ModelDataUnusable
from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, InstanceState, Observation
from moorage.runners.base import ContainerFiles, Runner, RunnerError
from moorage.system.clock import Clock

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Launch:
    spec: InstanceSpec
    observation: Observation
    task: asyncio.Task[None] | None = None


class Launches:
    """The launches that the runner does not list yet. `wake` is called whenever an observation here changes."""

    def __init__(self, runner: Runner, fetch: Fetch, clock: Clock, wake: Callable[[EndpointKey], None]) -> None:
        self._runner = runner
        self._fetcher = Fetcher(fetch, clock)
        self._clock = clock
        self._wake = wake
        self._launches: dict[InstanceId, _Launch] = {}

    def begin(self, spec: InstanceSpec) -> None:
        """Launch `spec` unless that is under way."""
        if spec.id in self._launches:
            return
        launch = _Launch(spec, self._observe(spec, InstanceState.STARTING))
        self._launches[spec.id] = launch
        launch.task = asyncio.create_task(self._run(launch), name=f"launch {spec.id}")

    def refuse(self, spec: InstanceSpec, reason: str) -> None:
        """Answer for an instance that is not launched at all."""
        self._launches[spec.id] = _Launch(spec, self._observe(spec, InstanceState.FAILED, reason=reason))
        self._wake(spec.endpoint)

    def observations(self, key: EndpointKey) -> list[Observation]:
        """What there is to say of the launches of an endpoint."""
        return [launch.observation for launch in self._launches.values() if launch.spec.endpoint == key]

    async def cancel(self, instance: InstanceId) -> None:
        """Give up a launch, if there is one: afterwards the runner alone knows whether the instance exists."""
        launch = self._launches.get(instance)
        if launch is None:
            return
        if launch.task is not None:
            launch.task.cancel()
            await asyncio.wait([launch.task])
        self._launches.pop(instance, None)

    async def close(self) -> None:
        """Give up all launches. What the runner has been told of stays."""
        await asyncio.gather(*(self.cancel(instance) for instance in list(self._launches)))

    async def _run(self, launch: _Launch) -> None:
        spec = launch.spec
        try:
            for container in spec.variant.containers:
                await self._runner.prepare(container.image)
            await self._launch(spec)
        except ModelDataUnusable as fault:
            launch.observation = self._observe(spec, InstanceState.FAILED, reason=str(fault))
        except Exception:
            _log.exception("launching %s failed", spec.id)
            launch.observation = self._observe(spec, InstanceState.FAILED, reason="The launch met an internal error.")
        else:
            del self._launches[spec.id]
        self._wake(spec.endpoint)

    async def _fetch_all(self, spec: InstanceSpec) -> tuple[ContainerFiles, ...]:
        async def say(text: str) -> None:
            await self._runner.note(spec, text)

        return await self._fetcher.fetch_all(spec.variant, say)

    async def _launch(self, spec: InstanceSpec) -> None:
        """Tell the runner, however long it is away: that is no fault of the model's."""
        for errors in itertools.count(1):
            files = await self._fetch_all(spec)  # each time, for what was fetched long ago may have had to make room
            try:
                await self._runner.launch(spec, files)
            except RunnerError as error:
                _log.warning("launching %s: %s", spec.id, error)
            else:
                return
            await self._clock.sleep(delay_s(errors))

    def _observe(self, spec: InstanceSpec, state: InstanceState, *, reason: str | None = None) -> Observation:
        return Observation(
            id=spec.id, uid=spec.uid, endpoint=spec.endpoint, state=state, reason=reason, since=self._clock.now()
        )
