"""One process of an instance, of a container or the front: forked or found, watched and ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any, Final

from moorage.core.model import InstanceState
from moorage.runners.process.isolation.control_groups import kill_members, remove
from moorage.runners.process.nursery import Nursery, NurseryLost
from moorage.runners.process.place import Place
from moorage.runners.process.probe import ping
from moorage.runners.process.process_folder import Claim
from moorage.runners.process.procfs import Gone, Identity, WatchedProcess, kill_session, kill_user, say_status
from moorage.runners.process.report import Report
from moorage.system.clock import Clock

_VERDICT: Final = b"verdict "
_PROBE_DELAY_S: Final = 0.005
_PROBE_DELAY_MAX_S: Final = 0.25
_FAULTS_OF_THE_MODEL: Final = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT})


class InstanceProcess:
    """The process that claims the folder of `place`."""

    def __init__(self, place: Place, *, clock: Clock, ping_timeout_s: float) -> None:
        self.place = place
        self.is_ready = False
        """Whether it has answered a ping since this agent knows it."""
        self.verdict: bytes | None = None
        """What it said of its compiled model before it was ready, see `verdicts`."""
        self._clock = clock
        self._ping_timeout_s = ping_timeout_s
        self._process: WatchedProcess | None = None
        self._report: Report | None = None
        self._parent: tuple[Nursery, int] | None = None
        """If it is a nursery of this agent's, which says how it ends, and its pid to ask for."""

    @property
    def pid(self) -> int | None:
        """While it lives."""
        return self._process.identity.pid if self._process is not None and self._process.is_alive else None

    # -- the beginning ------------------------------------------------------------------------------------------------

    async def fork(self, nursery: Nursery, launch: dict[str, Any]) -> None:
        """Have it forked, and wait until it has claimed its folder. Raises NurseryLost."""
        folder = self.place.folder
        self._report = await Report.open(nursery.fork(folder.path, folder.open_claim(launch)))
        claimed = await self._report.read()
        identity = folder.close_claim().identity
        if claimed != b"claimed" or identity is None:
            raise NurseryLost("The model server ended before it began")
        self._parent = nursery, identity.pid
        try:
            self._process = WatchedProcess(identity)
        except Gone:  # and what it started goes on
            self._kill_rest(identity)

    def look(self, *, is_same_boot: bool) -> Claim:
        """Who claimed the folder. If nobody holds it, nobody can any more, and what is left of its session is ended."""
        claim = self.place.folder.close_claim()
        if claim.identity is not None and not claim.is_held and is_same_boot:
            self._kill_rest(claim.identity)
        return claim

    async def find(self) -> bool:
        """Watch the process that claimed the folder, if there is one; after False none can any more."""
        while self._process is None and (claim := self.place.folder.close_claim()).is_held:
            if claim.identity is not None:
                try:
                    self._process = WatchedProcess(claim.identity)
                    break
                except Gone:  # and what it started goes on, and holds the lock with it
                    self._kill_rest(claim.identity)
            await self._clock.sleep(_PROBE_DELAY_S)  # between its lock and its name, or its end and the lock's
        return self._process is not None

    async def until_ready(self) -> None:
        """Wait until it answers a ping."""
        if self._report is not None:
            word = await self._report.read()
            if word.startswith(_VERDICT):
                self.verdict = word.removeprefix(_VERDICT)
                await self._report.read()
            # b"ready" has come now; or its end, if the model's code closed it: then only pings tell
            self._close_report()
        delay_s = _PROBE_DELAY_S
        while not await self.answers():
            await self._clock.sleep(delay_s)
            delay_s = min(_PROBE_DELAY_MAX_S, delay_s * 1.5)
        self.is_ready = True

    async def answers(self) -> bool:
        """Whether it answers `/ping` in time."""
        return await ping(self.place.socket, timeout_s=self._ping_timeout_s)

    # -- the end ------------------------------------------------------------------------------------------------------

    async def ended(self) -> None:
        """Wait for its end."""
        if self._process is not None:
            await self._process.wait()

    async def status(self) -> int | None:
        """The wait status it ended with, if anybody can say it. To be asked once."""
        status = await self._process.wait() if self._process is not None else None
        if status is None and self._parent is not None:
            nursery, pid = self._parent
            status = await nursery.status_of(pid)
        return status

    async def kill(self) -> None:
        """SIGKILL it, its session and whatever else its user runs, and wait for their end."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            while await asyncio.to_thread(self._kill_rest, self._process.identity):
                await self._clock.sleep(_PROBE_DELAY_S)
            remove(self.place.folder.confined.control_groups)

    async def end(self, *, grace_s: float) -> None:
        """SIGTERM, and SIGKILL if it lives on. Returns when it is gone, and its socket with it."""
        if await self.find():
            assert self._process is not None
            self._process.signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._process.wait()
            await self.kill()
        self.place.socket.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Listen no longer to what it reports."""
        self._close_report()

    def explain_end(self, status: int | None, *, was_ready: bool) -> tuple[InstanceState, str]:
        """What it is that it ended so: a fault of the model if it would end so again before it is ready."""
        how = f"The model server {say_status(status)}"
        if was_ready:
            return InstanceState.EXITED, self.place.named(how)
        state = InstanceState.FAILED if _is_fault_of_the_model(status) else InstanceState.EXITED
        return state, self.place.named(f"{how} before it was ready")

    def failure(self) -> str | None:
        """Why the model can never be served, if the process has written that down."""
        failure = self.place.folder.failure()
        return failure and self.place.named(failure)

    def _kill_rest(self, leader: Identity) -> bool:
        """SIGKILL what it has started, also what left its session if there is a mark to know it by; whether any was."""
        confined = self.place.folder.confined
        had_session = kill_session(leader)
        had_user = confined.user is not None and kill_user(confined.user)
        return kill_members(confined.control_groups) or had_user or had_session

    def _close_report(self) -> None:
        if self._report is not None:
            self._report.close()
            self._report = None


def _is_fault_of_the_model(status: int | None) -> bool:
    """Whether a process that ended so before it was ready would end so again."""
    if status is None:
        return False
    return bool(status >> 8) or (status & 0x7F) in _FAULTS_OF_THE_MODEL
