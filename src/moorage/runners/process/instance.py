"""One instance in the agent's hands, from its record to its end.

    bring up ──► forked ──► answering /ping ──► watched until one of its processes ends
       │            │                                 │
       └── FAILED ──┴── FAILED or EXITED ─────────────┘

It is one process, or one for each of its containers and a front before them. It is never half there: whichever of them
ends, the others are ended, and what is said of the instance is why that one ended. Everything an instance does is one
task, so that stopping it is cancelling that task and then ending the processes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from moorage.core.model import Container, InstanceState, Observation, Variant
from moorage.runners.many_models import Shop
from moorage.runners.process.environments.environments import EnvironmentUnavailable
from moorage.runners.process.folder import InstanceFolder, Record
from moorage.runners.process.front import front_launch
from moorage.runners.process.instance_process import InstanceProcess
from moorage.runners.process.models import UnpackFailed
from moorage.runners.process.multi_model.containers import supplied
from moorage.runners.process.multi_model.demands import Demands
from moorage.runners.process.multi_model.reports import shops_of
from moorage.runners.process.nursery import NurseryLost
from moorage.runners.process.place import Place, places_of
from moorage.runners.process.preparation import Prepared, Preparer, Unlaunchable
from moorage.runners.process.processes import Processes
from moorage.runners.process.procfs import boot_id
from moorage.runners.process.settings import AgentSettings
from moorage.runners.process.staging import ContainerData
from moorage.runners.process.standing import Standing
from moorage.runners.process.usage import Metered
from moorage.system.clock import Clock
from moorage.system.tasks import all_of

_TRANSIENT: Final = (UnpackFailed, EnvironmentUnavailable, NurseryLost)

log = logging.getLogger(__name__)


class Instance:
    """An instance the agent knows of."""

    def __init__(
        self,
        folder: InstanceFolder,
        record: Record,
        *,
        settings: AgentSettings,
        clock: Clock,
        preparer: Preparer,
        demands: Demands,
        on_change: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._preparer = preparer
        self._demands = demands
        self._task: asyncio.Task[None] | None = None
        self._keys: Sequence[str] = ()
        """Of its containers' verdicts, if this agent has begun them."""
        self._places = places_of(record.spec, folder, settings)
        self._standing = Standing(folder, record, log=self._places.main.log, clock=clock, on_change=on_change)

        def process_at(place: Place) -> InstanceProcess:
            return InstanceProcess(place, clock=clock, ping_timeout_s=settings.ping_timeout_s)

        self._processes = Processes(self._places, process_at, stop_grace_s=settings.stop_grace_s)

    # -- what others ask ----------------------------------------------------------------------------------------------

    @property
    def record(self) -> Record:
        """What is known of it."""
        return self._standing.record

    @property
    def pid(self) -> int | None:
        """The process that answers for the instance."""
        return self._processes.main.pid

    @property
    def metered(self) -> Metered:
        """By what its processes are known, for what they use."""
        return Metered(self.record.spec, self._processes.pids, self._folder.path)

    @property
    def shops(self) -> Iterable[tuple[Shop, Path]]:
        """Its containers that serve many models, if they do already, each with its socket."""
        return shops_of(self.record.spec, self._places) if self._standing.state is InstanceState.READY else ()

    def observe(self) -> Observation:
        """How it is now."""
        return self._standing.observe(self._places.main.socket)

    def begin(self) -> None:
        """Bring it up."""
        self._start(self._bring_up())

    def adopt(self) -> None:
        """Take over what another agent began: watch it if all of it lives, else say how it ended or begin again."""
        claims = self._processes.look(is_same_boot=self.record.boot_id == boot_id())
        has_begun = any(claim.identity is not None for claim in claims)
        if all(claim.is_held for claim in claims):
            self._start(self._take_over())
        elif any(claim.is_held for claim in claims):
            self._start(self._end_what_is_left())
        elif self._standing.has_ended:
            return
        elif self._standing.state is InstanceState.STARTING and not has_begun:
            self.begin()
        else:
            self._say_it_was_lost()

    async def stop(self) -> None:
        """End it and remove every trace but its log. Returns when it is gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._processes.end()
        await asyncio.to_thread(self._folder.remove)

    def let_go(self) -> None:
        """Stop watching; the processes live on for the next agent."""
        if self._task is not None:
            self._task.cancel()

    # -- the task -----------------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Unlaunchable as fault:
            await self._end_with(InstanceState.FAILED, str(fault))
        except _TRANSIENT as error:
            await self._end_with(InstanceState.EXITED, str(error))
        except Exception as error:
            log.exception("%s: an instance's task failed", self.record.spec.id)
            cause = error.strerror if isinstance(error, OSError) else None
            await self._end_with(
                InstanceState.EXITED, f"The instance could not be started: {cause or type(error).__name__}"
            )
        finally:
            self._processes.let_go()

    async def _bring_up(self) -> None:
        await self._fork()
        if await self._start_up():
            await self._live()

    async def _fork(self) -> None:
        """Prepare everything, then have the nurseries fork. Raises Unlaunchable, or one of `_TRANSIENT`."""
        spec, places = self.record.spec, self._places.containers
        prepared = await all_of(map(self._prepare, spec.variant.containers, places, self.record.data))
        self._standing.note_fork(
            diagnostics=[
                place.named(note) for place, each in zip(places, prepared, strict=True) for note in each.notes
            ],
            equipment=[folder for each in prepared for folder in each.equipment],
        )
        for place in places:
            place.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        containers = zip(self._processes.containers, prepared, strict=True)
        told = {"log_bytes_per_s": self._settings.log_bytes_per_s}
        await all_of(process.fork(each.nursery, each.launch | told) for process, each in containers)
        self._keys = [each.key for each in prepared]
        if self._places.has_front:
            await self._processes.main.fork(prepared[0].nursery, front_launch(spec, self._places) | told)

    async def _prepare(self, container: Container, place: Place, data: ContainerData) -> Prepared:
        def say(text: str) -> None:
            self._standing.log(text, place.log)

        try:
            return await self._preparer.prepare(
                self.record.spec, container, place, data=data, staged=self._folder.data, say=say
            )
        except (Unlaunchable, *_TRANSIENT) as error:
            raise type(error)(place.named(str(error))) from error

    async def _take_over(self) -> None:
        """Watch processes that another agent had forked."""
        if not await self._processes.find():
            await self._end_what_is_left()
        elif self._standing.state is not InstanceState.STARTING or await self._start_up():
            await self._live()

    async def _end_what_is_left(self) -> None:
        """Of an instance that is not all there when its agent comes: it is lost, unless it had ended before."""
        await self._processes.find()
        await self._processes.kill()
        if not self._standing.has_ended:
            self._say_it_was_lost()

    async def _start_up(self) -> bool:
        """Wait until it is ready, for as long as it may take; whether it is. Raises Unlaunchable."""
        limit_s = self.record.spec.variant.startup_timeout_s
        waited = self._clock.now() - (self.record.forked_at or self._clock.now())
        left_s = max(0.0, (timedelta(seconds=limit_s) - waited).total_seconds())
        try:
            async with asyncio.timeout(left_s):
                ended = await self._processes.first_ended(self._processes.until_ready())
        except TimeoutError:
            ready = [process.is_ready for process in self._processes.containers]
            raise Unlaunchable(say_who_is_late(self.record.spec.variant, ready)) from None
        if ended is not None:
            await self._bury(ended)
            return False
        self._standing.change(InstanceState.READY)
        for process, key in zip(self._processes.containers, self._keys, strict=False):
            if process.verdict is not None:
                self._preparer.verdicts.note(key, process.verdict)
        return True

    async def _live(self) -> None:
        async with supplied(self.record.spec, self._places.containers, self._demands, self._clock):
            ended = await self._processes.first_ended(self._check_health())
        if ended is not None:
            await self._bury(ended)

    async def _check_health(self) -> None:
        misses = 0
        while True:
            await self._clock.sleep(self._settings.health_interval_s)
            if await self._processes.main.answers():
                misses = 0
                if self._standing.state is InstanceState.UNHEALTHY:
                    self._standing.change(InstanceState.READY)
                continue
            misses += 1
            if misses >= self._settings.misses_max and self._standing.state is InstanceState.READY:
                reason = f"The instance has not answered the last {misses} /ping requests"
                self._standing.change(InstanceState.UNHEALTHY, reason)

    # -- the end ------------------------------------------------------------------------------------------------------

    async def _bury(self, ended: InstanceProcess) -> None:
        """One of its processes has ended: so has the instance, for that reason."""
        status = await ended.status()
        was_ready = self._standing.state is not InstanceState.STARTING
        if not was_ready:
            await self._processes.kill()  # whoever reads of the end shall find no process
        if not self._has_said_why():
            self._standing.end(*ended.explain_end(status, was_ready=was_ready))
        await self._processes.end()  # after it has been said: no more requests come while the last are answered

    def _say_it_was_lost(self) -> None:
        """It ended while no agent was there to see how."""
        if not self._has_said_why():
            self._standing.end(InstanceState.LOST, "The model server ended while Moorage was away")

    def _has_said_why(self) -> bool:
        """Whether a process itself has written down why it ended; if so, that is taken over."""
        failure = self._processes.failure()
        if failure is not None:
            self._standing.change(InstanceState.FAILED, failure)  # the process has written it to its log
        return failure is not None

    async def _end_with(self, state: InstanceState, reason: str) -> None:
        await self._processes.kill()  # whoever reads of the end shall find no process
        self._standing.end(state, reason)


def say_who_is_late(variant: Variant, ready: Iterable[bool]) -> str:
    """Why an instance did not become ready in time. `ready` says of each container whether it was."""
    containers = zip(variant.containers, ready, strict=True)
    late = next((container.name for container, is_ready in containers if not is_ready), None)
    if late is None:
        return "The containers are ready, and the front before them did not begin to answer in time"
    return (
        f"The {late} container for production variant {variant.name} did not pass the ping health check. Please"
        " check CloudWatch logs for this endpoint."
    )
