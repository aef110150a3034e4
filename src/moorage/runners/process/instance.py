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
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

import msgspec

from moorage.core.model import Container, InstanceState, Observation
from moorage.runners.process.environments.environments import EnvironmentUnavailable
from moorage.runners.process.folder import InstanceFolder, Record
from moorage.runners.process.front import front_launch
from moorage.runners.process.instance_log import append_line
from moorage.runners.process.instance_process import InstanceProcess, first_ended
from moorage.runners.process.models import UnpackFailed
from moorage.runners.process.multi_model.containers import supplied
from moorage.runners.process.multi_model.demands import Demands
from moorage.runners.process.nursery import ExitStatuses, NurseryLost
from moorage.runners.process.place import Place, places_of
from moorage.runners.process.preparation import Prepared, Preparer, Unlaunchable
from moorage.runners.process.procfs import boot_id
from moorage.runners.process.settings import AgentSettings
from moorage.runners.process.staging import ContainerData
from moorage.system.clock import Clock
from moorage.system.tasks import all_of

REASON_CHARACTERS_MAX: Final = 1024
_TRANSIENT: Final = (UnpackFailed, EnvironmentUnavailable, NurseryLost)
_ENDED: Final = frozenset({InstanceState.FAILED, InstanceState.EXITED, InstanceState.LOST})

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
        statuses: ExitStatuses,
        demands: Demands,
        on_change: Callable[[], None],
    ) -> None:
        self.record = record
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._preparer = preparer
        self._demands = demands
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None
        self._places = places_of(record.spec, folder, settings)

        def process_at(place: Place) -> InstanceProcess:
            return InstanceProcess(place, clock=clock, statuses=statuses, ping_timeout_s=settings.ping_timeout_s)

        self._main = process_at(self._places.main)
        self._containers = tuple(map(process_at, self._places.containers)) if self._places.has_front else (self._main,)
        self._processes = tuple(dict.fromkeys((self._main, *self._containers)))

    # -- what others ask ----------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """The process that answers for the instance."""
        return self._main.pid

    def observe(self) -> Observation:
        """How it is now."""
        spec, record = self.record.spec, self.record
        serves = record.state in (InstanceState.READY, InstanceState.UNHEALTHY)
        return Observation(
            id=spec.id,
            uid=spec.uid,
            endpoint=spec.endpoint,
            state=record.state,
            address=str(self._places.main.socket) if serves else None,
            reason=record.reason,
            since=record.since,
        )

    def begin(self) -> None:
        """Bring it up."""
        self._task = asyncio.create_task(self._run(self._bring_up()))

    def adopt(self) -> None:
        """Take over what another agent began: watch it if all of it lives, else say how it ended or begin again."""
        is_same_boot = self.record.boot_id == boot_id()
        claims = [process.look(is_same_boot=is_same_boot) for process in self._processes]
        has_begun = any(claim.identity is not None for claim in claims)
        if all(claim.is_held for claim in claims):
            self._task = asyncio.create_task(self._run(self._take_over()))
        elif any(claim.is_held for claim in claims):
            self._task = asyncio.create_task(self._run(self._end_what_is_left()))
        elif self.record.state in _ENDED:
            return
        elif self.record.state is InstanceState.STARTING and not has_begun:
            self.begin()
        else:
            self._say_it_was_lost()

    async def stop(self) -> None:
        """End it and remove every trace but its log. Returns when it is gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._end()
        await asyncio.to_thread(self._folder.remove)

    def let_go(self) -> None:
        """Stop watching; the processes live on for the next agent."""
        if self._task is not None:
            self._task.cancel()

    # -- the task -----------------------------------------------------------------------------------------------------

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
            for process in self._processes:
                process.let_go()

    async def _bring_up(self) -> None:
        await self._fork()
        if await self._start_up():
            await self._live()

    async def _fork(self) -> None:
        """Prepare everything, then have the nurseries fork. Raises Unlaunchable, or one of `_TRANSIENT`."""
        containers = self.record.spec.variant.containers
        places = self._places.containers
        prepared = await all_of(map(self._prepare, containers, places, self.record.data))
        notes = [place.named(note) for place, each in zip(places, prepared, strict=True) for note in each.notes]
        self._write(
            msgspec.structs.replace(
                self.record,
                forked_at=self._clock.now(),
                boot_id=boot_id(),
                diagnostics=tuple(notes),
                equipment=tuple({str(folder) for each in prepared for folder in each.equipment}),
            )
        )
        for place in places:
            place.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await all_of(
            process.fork(each.nursery, each.launch) for process, each in zip(self._containers, prepared, strict=True)
        )
        if self._places.has_front:
            await self._main.fork(prepared[0].nursery, front_launch(self.record.spec, self._places))

    async def _prepare(self, container: Container, place: Place, data: ContainerData) -> Prepared:
        def say(text: str) -> None:
            self._log_line(text, place)

        try:
            return await self._preparer.prepare(
                self.record.spec, container, place, data=data, staged=self._folder.data, say=say
            )
        except (Unlaunchable, *_TRANSIENT) as error:
            raise type(error)(place.named(str(error))) from error

    async def _take_over(self) -> None:
        """Watch processes that another agent had forked."""
        if not all(await all_of(process.find() for process in self._processes)):
            await self._end_what_is_left()
        elif self.record.state is not InstanceState.STARTING or await self._start_up():
            await self._live()

    async def _end_what_is_left(self) -> None:
        """Of an instance that is not all there when its agent comes: it is lost, unless it had ended before."""
        await all_of(process.find() for process in self._processes)
        await self._kill()
        if self.record.state not in _ENDED:
            self._say_it_was_lost()

    async def _start_up(self) -> bool:
        """Wait until it is ready, for as long as it may take; whether it is. Raises Unlaunchable."""
        limit_s = self.record.spec.variant.startup_timeout_s
        waited = self._clock.now() - (self.record.forked_at or self._clock.now())
        left_s = max(0.0, (timedelta(seconds=limit_s) - waited).total_seconds())
        try:
            async with asyncio.timeout(left_s):
                ended = await first_ended(self._processes, asyncio.ensure_future(self._until_ready()))
        except TimeoutError:
            raise Unlaunchable(self._say_who_is_late()) from None
        if ended is not None:
            await self._bury(ended)
            return False
        self._change(InstanceState.READY, None)
        return True

    async def _until_ready(self) -> None:
        await all_of(process.until_ready() for process in self._containers)
        if self._places.has_front:
            await self._main.until_ready()

    def _say_who_is_late(self) -> str:
        containers = zip(self.record.spec.variant.containers, self._containers, strict=True)
        late = next((container.name for container, process in containers if not process.is_ready), None)
        if late is None:
            return "The containers are ready, and the front before them did not begin to answer in time"
        return (
            f"The {late} container for production variant {self.record.spec.variant.name} did not pass the ping health"
            " check. Please check CloudWatch logs for this endpoint."
        )

    async def _live(self) -> None:
        async with supplied(self.record.spec, self._places.containers, self._demands, self._clock):
            ended = await first_ended(self._processes, asyncio.ensure_future(self._check_health()))
        if ended is not None:
            await self._bury(ended)

    async def _check_health(self) -> None:
        misses = 0
        while True:
            await self._clock.sleep(self._settings.health_interval_s)
            if await self._main.answers():
                misses = 0
                if self.record.state is InstanceState.UNHEALTHY:
                    self._change(InstanceState.READY, None)
                continue
            misses += 1
            if misses >= self._settings.misses_max and self.record.state is InstanceState.READY:
                self._change(InstanceState.UNHEALTHY, f"The instance has not answered the last {misses} /ping requests")

    # -- the end ------------------------------------------------------------------------------------------------------

    async def _bury(self, ended: InstanceProcess) -> None:
        """One of its processes has ended: so has the instance, for that reason."""
        status = await ended.status()
        was_ready = self.record.state is not InstanceState.STARTING
        if not was_ready:
            await self._kill()  # whoever reads of the end shall find no process
        if not self._has_said_why():
            self._end_as(*ended.explain_end(status, was_ready=was_ready))
        await self._end()  # after it has been said, so that no more requests come while the last are answered

    def _say_it_was_lost(self) -> None:
        """It ended while no agent was there to see how."""
        if not self._has_said_why():
            self._end_as(InstanceState.LOST, "The model server ended while Moorage was away")

    def _has_said_why(self) -> bool:
        """Whether a process itself has written down why it ended; if so, that is taken over."""
        failure = next(filter(None, (process.failure() for process in self._processes)), None)
        if failure is not None:
            self._change(InstanceState.FAILED, failure)  # the process has written it to the log itself
        return failure is not None

    async def _end_with(self, state: InstanceState, reason: str) -> None:
        await self._kill()  # whoever reads of the end shall find no process
        self._end_as(state, reason)

    def _end_as(self, state: InstanceState, reason: str) -> None:
        self._log_line(reason, self._places.main)
        self._change(state, reason)

    async def _end(self) -> None:
        """The front goes first, and with it what it has in flight: that needs the containers."""
        if self._places.has_front:
            await self._main.end(grace_s=self._settings.stop_grace_s)
        await all_of(process.end(grace_s=self._settings.stop_grace_s) for process in self._containers)

    async def _kill(self) -> None:
        await all_of(process.kill() for process in self._processes)

    # -- the record ---------------------------------------------------------------------------------------------------

    def _change(self, state: InstanceState, reason: str | None) -> None:
        reason = reason[:REASON_CHARACTERS_MAX] if reason else None
        self._write(msgspec.structs.replace(self.record, state=state, reason=reason, since=self._clock.now()))
        self._on_change()

    def _write(self, record: Record) -> None:
        self.record = record
        try:
            self._folder.write(record)
        except OSError as error:  # the next agent will find out by /ping what this one could not write down
            log.warning("%s: its record cannot be written: %s", record.spec.id, error)

    def _log_line(self, text: str, place: Place) -> None:
        try:
            append_line(place.log, text, now=self._clock.now())
        except OSError as error:
            log.warning("%s: its log cannot be written: %s", self.record.spec.id, error)
