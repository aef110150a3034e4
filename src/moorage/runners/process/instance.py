"""One instance in the agent's hands, from its record to its end.

    bring up ──► forked ──► answering /ping ──► watched until it ends
       │            │                                 │
       └── FAILED ──┴── FAILED or EXITED ─────────────┘

Everything an instance does is one task, so that stopping it is cancelling that task and then ending the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

import msgspec

from moorage.core.model import InstanceState, Observation
from moorage.runners.process import images
from moorage.runners.process.environment import instance_environment
from moorage.runners.process.folder import InstanceFolder, Record
from moorage.runners.process.instance_log import append_line, log_path
from moorage.runners.process.models import ArchiveRefused, ModelFolders, UnpackFailed
from moorage.runners.process.nursery import FrameworkAbsent, Nurseries, NurseryLost
from moorage.runners.process.probe import ping
from moorage.runners.process.procfs import Gone, WatchedProcess, boot_id, kill_session, say_status
from moorage.runners.process.report import Report
from moorage.runners.process.settings import AgentSettings
from moorage.system.clock import Clock

REASON_CHARACTERS_MAX: Final = 1024
_ISOLATION: Final = "isolation: a process, session and environment of its own, and no new privileges; the agent's user"
_PROBE_DELAY_S: Final = 0.005
_PROBE_DELAY_MAX_S: Final = 0.25
_ENDED: Final = frozenset({InstanceState.FAILED, InstanceState.EXITED, InstanceState.LOST})
_FAULTS_OF_THE_MODEL: Final = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT})

log = logging.getLogger(__name__)


class Unlaunchable(Exception):
    """Starting this again would end the same way; the message is the reason."""


class Instance:
    """An instance the agent knows of."""

    def __init__(
        self,
        folder: InstanceFolder,
        record: Record,
        *,
        settings: AgentSettings,
        clock: Clock,
        models: ModelFolders,
        nurseries: Nurseries,
        on_change: Callable[[], None],
    ) -> None:
        self.record = record
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._models = models
        self._nurseries = nurseries
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None
        self._process: WatchedProcess | None = None
        self._is_forked_by_us = False
        self._socket = settings.instance_sockets_dir / f"{record.spec.id.removeprefix('i-')}.sock"
        self._log = log_path(settings.logs_dir, record.spec)

    # -- what others ask ----------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        return self._process.identity.pid if self._process is not None and self._process.is_alive else None

    def observe(self) -> Observation:
        """How it is now."""
        spec, record = self.record.spec, self.record
        serves = record.state in (InstanceState.READY, InstanceState.UNHEALTHY)
        return Observation(
            id=spec.id,
            uid=spec.uid,
            endpoint=spec.endpoint,
            state=record.state,
            address=str(self._socket) if serves else None,
            reason=record.reason,
            since=record.since,
        )

    def begin(self) -> None:
        """Bring it up."""
        self._task = asyncio.create_task(self._run(self._bring_up()))

    def adopt(self) -> None:
        """Take over what another agent began: watch the process if it lives, else say how it ended or begin again."""
        claim = self._folder.close_claim()
        if claim.is_held:
            self._task = asyncio.create_task(self._run(self._take_over()))
            return
        if claim.identity is not None and self.record.boot_id == boot_id():
            kill_session(claim.identity)
        if self.record.state in _ENDED:
            return
        if claim.identity is None and self.record.state is InstanceState.STARTING:
            self.begin()
        else:
            self._say_it_was_lost()

    async def stop(self) -> None:
        """End it and remove every trace but its log. Returns when it is gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        process = self._process or await self._find_process()
        if process is not None:
            await self._end(process)
        self._socket.unlink(missing_ok=True)
        await asyncio.to_thread(self._folder.remove)

    def let_go(self) -> None:
        """Stop watching; the process lives on for the next agent."""
        if self._task is not None:
            self._task.cancel()

    # -- the task -----------------------------------------------------------------------------------------------------

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Unlaunchable as fault:
            self._fail(str(fault))
        except (UnpackFailed, NurseryLost) as error:
            self._exit(str(error))
        except Exception as error:
            log.exception("%s: an instance's task failed", self.record.spec.id)
            cause = error.strerror if isinstance(error, OSError) else None
            self._exit(f"The instance could not be started: {cause or type(error).__name__}")
        if self._process is not None:
            self._process.kill()

    async def _bring_up(self) -> None:
        with await self._fork() as report:
            claimed = await report.read()
            identity = self._folder.close_claim().identity
            if claimed != b"claimed" or identity is None:
                raise NurseryLost("The model server ended before it began")
            self._is_forked_by_us = True
            try:
                self._process = WatchedProcess(identity)
            except Gone:
                await self._bury(identity.pid, None)
                return
            is_ready = await self._start_up(self._process, report)
        if is_ready:
            await self._live(self._process)

    async def _fork(self) -> Report:
        """Prepare everything, then have the nursery fork. Raises Unlaunchable, UnpackFailed, NurseryLost."""
        spec, digest = self.record.spec, self.record.digest
        try:
            image = images.resolve(spec.variant.containers[0].image)
            unpacked, nursery = await asyncio.gather(self._unpack(), self._nurseries.get(image.framework))
        except (images.UnknownImage, ArchiveRefused, FrameworkAbsent) as error:
            raise Unlaunchable(str(error)) from error
        work = self._folder.work
        model_folder = work / "model" if digest is None else self._models.path_of(digest)
        note = images.mismatch(image, nursery.versions)
        notes = [text for text in (unpacked, note, *image.notes) if text]
        launch = {
            "socket": str(self._socket),
            "log": str(self._log),
            "model_folder": str(model_folder),
            "work_folder": str(work),
            "environment": instance_environment(spec, model_folder=model_folder, work_folder=work),
            "framework": image.framework.name,
            "notes": notes,
        }
        self._log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write(
            msgspec.structs.replace(
                self.record,
                forked_at=self._clock.now(),
                boot_id=boot_id(),
                diagnostics=(*notes, _ISOLATION),
            )
        )
        return await Report.open(nursery.fork(self._folder.path, self._folder.open_claim(launch)))

    async def _unpack(self) -> str | None:
        if self.record.digest is None:
            return None
        done = await self._models.ensure(self.record.digest, self._folder.archive)
        self._folder.archive.unlink(missing_ok=True)
        return done

    async def _take_over(self) -> None:
        """Watch a process that another agent had forked."""
        process = self._process = await self._find_process()
        if process is None:
            self._say_it_was_lost()
            return
        if self.record.state is not InstanceState.STARTING or await self._start_up(process, None):
            await self._live(process)

    async def _start_up(self, process: WatchedProcess, report: Report | None) -> bool:
        """Wait until it is ready, for as long as it may take; whether it is. Raises Unlaunchable."""
        limit_s = self.record.spec.variant.startup_timeout_s
        waited = self._clock.now() - (self.record.forked_at or self._clock.now())
        left_s = max(0.0, (timedelta(seconds=limit_s) - waited).total_seconds())
        try:
            async with asyncio.timeout(left_s):
                is_ready = await _unless_ended(process, self._until_ready(report))
        except TimeoutError:
            process.kill()
            await process.wait()  # whoever reads of the failure shall find no process
            variant = self.record.spec.variant.name
            raise Unlaunchable(
                f"The primary container for production variant {variant} did not pass the ping health check. Please"
                " check CloudWatch logs for this endpoint."
            ) from None
        if is_ready:
            self._change(InstanceState.READY, None)
        else:
            await self._bury(process.identity.pid, await process.wait())
        return is_ready

    async def _until_ready(self, report: Report | None) -> None:
        if report is not None:
            await report.read()  # b"ready"; or the end of a report closed by the model's code, and then only pings tell
        delay_s = _PROBE_DELAY_S
        while not await ping(self._socket, timeout_s=self._settings.ping_timeout_s):
            await self._clock.sleep(delay_s)
            delay_s = min(_PROBE_DELAY_MAX_S, delay_s * 1.5)

    async def _live(self, process: WatchedProcess) -> None:
        await _unless_ended(process, self._check_health())
        await self._bury(process.identity.pid, await process.wait())

    async def _check_health(self) -> None:
        misses = 0
        while True:
            await self._clock.sleep(self._settings.health_interval_s)
            if await ping(self._socket, timeout_s=self._settings.ping_timeout_s):
                misses = 0
                if self.record.state is InstanceState.UNHEALTHY:
                    self._change(InstanceState.READY, None)
                continue
            misses += 1
            if misses >= self._settings.misses_max and self.record.state is InstanceState.READY:
                self._change(InstanceState.UNHEALTHY, f"The instance has not answered the last {misses} /ping requests")

    async def _bury(self, pid: int, status: int | None) -> None:
        if status is None and self._is_forked_by_us:
            status = await self._nurseries.statuses.take(pid)
        self._say_how_it_ended(status)

    def _say_it_was_lost(self) -> None:
        """It ended while no agent was there to see how."""
        if not self._has_said_why():
            reason = "The model server ended while Moorage was away"
            self._log_line(reason)
            self._change(InstanceState.LOST, reason)

    def _has_said_why(self) -> bool:
        """Whether the instance itself has written down why it ended; if so, that is taken over."""
        failure = self._folder.failure()
        if failure is not None:
            self._change(InstanceState.FAILED, failure)  # the instance has written it to the log itself
        return failure is not None

    def _say_how_it_ended(self, status: int | None) -> None:
        if self._has_said_why():
            return
        how = f"The model server {say_status(status)}"
        if self.record.state is not InstanceState.STARTING:
            self._exit(how)
        elif _is_fault_of_the_model(status):
            self._fail(f"{how} before it was ready")
        else:
            self._exit(f"{how} before it was ready")

    # -- the end ------------------------------------------------------------------------------------------------------

    async def _find_process(self) -> WatchedProcess | None:
        """The process that claimed the instance; after None none can any more."""
        while (claim := self._folder.close_claim()).is_held:
            if claim.identity is not None:
                with contextlib.suppress(Gone):
                    return WatchedProcess(claim.identity)
            await self._clock.sleep(_PROBE_DELAY_S)  # between its lock and its name, or between its end and the lock's
        return None

    async def _end(self, process: WatchedProcess) -> None:
        process.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stop_grace_s):
                await process.wait()
        process.kill()
        await process.wait()

    # -- the record ---------------------------------------------------------------------------------------------------

    def _fail(self, reason: str) -> None:
        self._log_line(reason)
        self._change(InstanceState.FAILED, reason)

    def _exit(self, reason: str) -> None:
        self._log_line(reason)
        self._change(InstanceState.EXITED, reason)

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

    def _log_line(self, text: str) -> None:
        try:
            append_line(self._log, text, now=self._clock.now())
        except OSError as error:
            log.warning("%s: its log cannot be written: %s", self.record.spec.id, error)


def _is_fault_of_the_model(status: int | None) -> bool:
    """Whether a process that ended so before it was ready would end so again."""
    if status is None:
        return False
    return bool(status >> 8) or (status & 0x7F) in _FAULTS_OF_THE_MODEL


async def _unless_ended(process: WatchedProcess, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work for as long as the process lives; whether the work was done first."""
    working, ended = asyncio.ensure_future(work), asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return False
        await working
        return True
    finally:
        for task in (working, ended):
            task.cancel()
        await asyncio.wait({working, ended})
