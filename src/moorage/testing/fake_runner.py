"""A runner without processes: instances are ready as soon as they are launched, unless the test says otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, InstanceState, Observation
from moorage.runners.base import ContainerFiles, RunnerError
from moorage.system.clock import Clock


class FakeRunner:
    """Keeps instances in a dictionary.

    Set `away` to have every call fail and `first_state` to what an instance is found in once launched; models named in
    `unusable` fail with the sentence given there. `launched` and `stopped` record the calls in order.
    """

    def __init__(self, clock: Clock) -> None:
        self.away = False
        self.first_state = InstanceState.READY
        self.unusable: dict[str, str] = {}
        self.launched: list[InstanceId] = []
        self.stopped: list[InstanceId] = []
        self.prepared: set[str] = set()
        self.standing_by: list[InstanceId] = []
        self.notes: list[str] = []
        self._clock = clock
        self._instances: dict[InstanceId, Observation] = {}
        self._listeners: set[asyncio.Queue[EndpointKey]] = set()

    async def prepare(self, image: str) -> None:
        self.prepared.add(image)

    async def stand_by(self, spec: InstanceSpec) -> None:
        self.standing_by.append(spec.id)

    async def note(self, spec: InstanceSpec, text: str) -> None:
        self.notes.append(text)

    async def launch(self, spec: InstanceSpec, files: tuple[ContainerFiles, ...]) -> None:
        self._check()
        if spec.id in self._instances:
            return
        self.launched.append(spec.id)
        starting = Observation(id=spec.id, uid=spec.uid, endpoint=spec.endpoint, state=InstanceState.STARTING)
        self._instances[spec.id] = starting
        fault = self.unusable.get(spec.variant.model_name)
        self.put(spec.id, InstanceState.FAILED if fault else self.first_state, reason=fault)

    async def stop(self, instance: InstanceId) -> None:
        self._check()
        stopped = self._instances.pop(instance, None)
        if stopped is not None:
            self.stopped.append(instance)
            self._tell(stopped.endpoint)

    async def observe(self) -> Sequence[Observation]:
        self._check()
        return list(self._instances.values())

    async def changes(self) -> AsyncIterator[EndpointKey]:
        queue: asyncio.Queue[EndpointKey] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    def put(self, instance: InstanceId, state: InstanceState, *, reason: str | None = None) -> None:
        """Have an instance be found in `state` from now on."""
        address = f"/run/i/{instance}.sock" if state is InstanceState.READY else None
        changed = replace(
            self._instances[instance], state=state, address=address, reason=reason, since=self._clock.now()
        )
        self._instances[instance] = changed
        self._tell(changed.endpoint)

    def come_back(self) -> None:
        """Be there again, and report every endpoint once, as after a reconnection."""
        self.away = False
        for key in {observation.endpoint for observation in self._instances.values()}:
            self._tell(key)

    def _tell(self, key: EndpointKey) -> None:
        for queue in self._listeners:
            queue.put_nowait(key)

    def _check(self) -> None:
        if self.away:
            raise RunnerError("the runner was told to be away")
