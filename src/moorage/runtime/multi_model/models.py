"""The models of this instance: taken and given back by requests, and brought by the agent.

All who want a model that is missing wait for the same load. It is for requests to come and go in the middle of
anything: what is decided here is decided on the event loop, between two awaits.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moorage.runtime.failures import say
from moorage.runtime.multi_model.faults import Broken, NotReady, NotServed, Stuck
from moorage.runtime.multi_model.limits import Limits
from moorage.runtime.multi_model.loading import Loader
from moorage.runtime.multi_model.room import Loaded
from moorage.runtime.multi_model.shelf import Shelf, Slot
from moorage.runtime.multi_model.statistics import Statistics
from moorage.runtime.multi_model.wants import Wants

_FAILURES_MAX: Final = 10_000
_CHECKS_MAX: Final = 20
"""Each costs agent and control some milliseconds of work."""
_IMPROVED_AT: Final = 3
"""Each so many uses show that a model is worth more time than loading takes. Most of many are used once in a while."""


@dataclass(frozen=True, slots=True)
class _Failure:
    error: NotServed | Broken
    version: str
    until: float
    """When the model is asked for again."""


class Models:
    """The models of an instance by name, which is that of their object below the prefix."""

    def __init__(
        self,
        shelf: Shelf[Loaded],
        loader: Loader,
        *,
        limits: Limits,
        statistics: Statistics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shelf = shelf
        self.wants = Wants()
        self.statistics = statistics
        self._loader = loader
        self._limits = limits
        self._monotonic = monotonic
        self._waiting: dict[str, list[asyncio.Future[Slot[Loaded]]]] = {}
        self._loading: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, _Failure] = {}
        self._loop = asyncio.get_running_loop()

    # -- requests -----------------------------------------------------------------------------------------------------

    def take_loaded(self, name: str) -> Slot[Loaded] | None:
        """The model until it is given back, if it is loaded."""
        slot = self.shelf.find(name)
        if slot is not None:
            self.statistics.count_use(name, was_loaded=True)
            self.shelf.take(slot)
            if slot.model.is_guest and slot.uses % _IMPROVED_AT == 0:
                self._loader.improve(slot)
        return slot

    async def take(self, name: str) -> Slot[Loaded]:
        """The model until it is given back, as soon as it is loaded. Raises NotServed, Broken."""
        began = self._monotonic()
        slot = self.shelf.find(name)
        if slot is not None:
            self.shelf.take(slot)
        else:
            slot = await self._wait_for(name)
        self.statistics.count_use(name, was_loaded=False)
        self.statistics.ModelLoadingWaitTime.add(int((self._monotonic() - began) * 1e6))
        return slot

    def give_back(self, slot: Slot[Loaded]) -> None:
        """A request is over."""
        if self.shelf.give_back(slot):
            self._loader.close([slot])
        elif not (self._limits.keeps_models or slot.users or slot.is_retired) and slot.model.is_managed:
            self._loader.close(self.shelf.drop(slot.name))

    async def _wait_for(self, name: str) -> Slot[Loaded]:
        """The model, taken for us by whoever loaded it: before we are awake it may have to go again."""
        self._check_failure(name)
        waiter: asyncio.Future[Slot[Loaded]] = self._loop.create_future()
        self._waiting.setdefault(name, []).append(waiter)
        if name not in self._loading:
            self.wants.add(name, hurry=True)
        try:
            done, _ = await asyncio.wait({waiter}, timeout=self._limits.wait_s)
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise
        if not done:
            waiter.cancel()
            raise NotReady(f"Model {name} is not ready for inference yet: it is still being fetched or loaded.")
        return waiter.result()

    def _give_up(self, waiter: asyncio.Future[Slot[Loaded]]) -> None:
        """The caller has left. What may have been taken for it meanwhile is given back."""
        if not waiter.cancel() and waiter.exception() is None:
            self.give_back(waiter.result())

    def _check_failure(self, name: str) -> None:
        failure = self._failures.get(name)
        if failure is not None and failure.until > self._monotonic():
            raise failure.error

    # -- what the agent brings ----------------------------------------------------------------------------------------

    async def supply(self, name: str, version: str, folder: Path, *, downloading_us: int) -> None:
        """Load what was wanted, unless this very version is here. Returns when that has come to an end."""
        if downloading_us:
            self.statistics.ModelDownloadingTime.add(downloading_us)
        task = self._loading.get(name)
        if task is None:
            slot = self.shelf.find(name)
            if slot is not None and slot.version == version:
                self._answer(name)
                return
            if (error := self._still_broken(name, version)) is not None:
                self._fail(name, version, error)
                return
            task = self._loading[name] = self._loop.create_task(self._load(name, version, folder))
        await asyncio.shield(task)

    def confirm(self, name: str) -> None:
        """The version that was here is still the one in S3."""
        self._answer(name)

    def refuse(self, name: str, error: NotServed | Broken, *, is_gone: bool) -> None:
        """It cannot be had. If it is gone, it is not served from memory either."""
        if is_gone:
            self._loader.close(self.shelf.drop(name))
        if isinstance(error, Broken):
            self._fail(name, "", error)
        else:
            self._answer(name, error)

    def want_changes(self) -> None:
        """Want to hear whether models are still those in S3, if they were used since they were last compared.

        Only so many at once: to be called every second.
        """
        now = self._monotonic()
        due = [slot for slot in self.shelf if self._is_due(slot, now) and slot.name not in self._loading]
        due.sort(key=lambda slot: slot.model.checked_at)
        for slot in due[:_CHECKS_MAX]:
            self.wants.add(slot.name, slot.version, hurry=False)

    def _is_due(self, slot: Slot[Loaded], now: float) -> bool:
        loaded = slot.model
        is_used = loaded.uses_checked != slot.uses
        return loaded.is_managed and is_used and now - loaded.checked_at >= self._limits.revalidate_s

    async def _load(self, name: str, version: str, folder: Path) -> None:
        error: NotServed | Broken | None = None
        try:
            await self._loader.load(name, version, folder, is_managed=True)
        except (NotServed, Broken) as fault:
            error = fault
        except Exception as fault:  # one of our own: those who wait shall not wait for the end
            traceback.print_exc()
            error = Broken(say(fault))
        del self._loading[name]  # whoever comes from now on has to want it again
        if error is not None:
            self._fail(name, version, error)
        else:
            self._failures.pop(name, None)
            self._answer(name)

    def _still_broken(self, name: str, version: str) -> Stuck | None:
        """Why it is no use to load this version again: one that never ends would take one more thread each time."""
        failure = self._failures.get(name)
        if failure is not None and failure.version == version and isinstance(failure.error, Stuck):
            return failure.error
        return None

    def _fail(self, name: str, version: str, error: NotServed | Broken) -> None:
        if len(self._failures) >= _FAILURES_MAX:
            self._failures.clear()
        self._failures[name] = _Failure(error, version, self._monotonic() + self._limits.retry_s)
        self._answer(name, error)

    def _answer(self, name: str, error: Exception | None = None) -> None:
        """The agent has said what there is to say of the model."""
        self.wants.remove(name)
        slot = self.shelf.find(name)
        if slot is not None:
            slot.model.uses_checked = slot.uses
            slot.model.checked_at = self._monotonic()
        waiters = [waiter for waiter in self._waiting.pop(name, ()) if not waiter.done()]
        if waiters and slot is None and error is None:  # it had to go as soon as it was there
            self._waiting[name] = waiters
            self.wants.add(name, hurry=True)
            return
        for waiter in waiters:
            if slot is not None:
                self.shelf.take(slot)
                waiter.set_result(slot)
            elif error is not None:
                waiter.set_exception(error)
                waiter.exception()  # looked at here, for whoever waited may be gone

    # -- the container API --------------------------------------------------------------------------------------------

    async def load(self, name: str, folder: Path) -> bool:
        """Load a model beside those that there are; whether it was not there yet. Raises NoRoom, Broken."""
        if self.shelf.find(name) is not None or name in self._loading:
            return False
        task = self._loading[name] = self._loop.create_task(self._loader.load(name, "", folder, is_managed=False))
        task.add_done_callback(lambda _: self._loading.pop(name, None))
        await asyncio.shield(task)
        return True

    def unload(self, name: str) -> bool:
        """Take a model out of memory, once its last request is over; whether there was one."""
        is_known = self.shelf.find(name) is not None
        self._loader.close(self.shelf.drop(name))
        return is_known
