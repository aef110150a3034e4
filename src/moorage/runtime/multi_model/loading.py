"""Loading models in turn, having them settle where they are served best, and closing them.

To see what they take of memory, models are loaded one at a time; but one that takes long holds up no other, unless
both have scripts (see `namespace`).
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from moorage.runtime.multi_model.faults import Broken, NoRoom, Stuck
from moorage.runtime.multi_model.limits import Limits
from moorage.runtime.multi_model.memory import size_on_disk
from moorage.runtime.multi_model.room import Loaded, Memory, Room, is_guest, is_settled
from moorage.runtime.multi_model.shelf import Shelf, Slot
from moorage.runtime.multi_model.statistics import Statistics
from moorage.runtime.multi_model.turns import Turn
from moorage.wire.messages import Begin, Reply, Request


class Kind(Protocol):
    """How models are loaded and served."""

    async def load(self, name: str, folder: Path) -> Any:
        """The model in `folder`, soon. Raises Broken, MemoryError."""
        ...

    async def improve(self, name: str, model: Any) -> Any:
        """The same model where it is served best, which may take its time. Raises as `load`."""
        ...

    def serve(self, model: Any) -> Begin:
        """What begins its requests."""
        ...

    async def close(self, model: Any) -> None:
        """A model is asked no more."""
        ...


R = TypeVar("R")


class Loader:
    """Puts models on the shelf. `threads` is where they are loaded and closed."""

    def __init__(
        self,
        shelf: Shelf[Loaded],
        kind: Kind,
        *,
        threads: Executor,
        limits: Limits,
        memory: Memory,
        statistics: Statistics,
    ) -> None:
        self._shelf = shelf
        self._kind = kind
        self._threads = threads
        self._limits = limits
        self._statistics = statistics
        self._turns = asyncio.Lock()
        self._room = Room(shelf, memory, limits, close=self._close, begin_to_close=self.close)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, name: str, version: str, folder: Path, *, is_managed: bool) -> None:
        """Load a model, which takes the place of an older version. Raises NoRoom, Broken.

        One that is managed has others unloaded to make room; for any other there has to be room.
        """
        size = await self._run(size_on_disk, folder)
        turn = await Turn.begin(self._turns)
        try:
            expected = self._room.bytes_of_guest(size)
            if is_managed:
                await self._room.make_to_load(name, expected)
            else:
                self._room.check(name, expected)
            began = time.monotonic()
            model = await self._load_evicting(name, folder, evicts=is_managed)
            self._statistics.ModelLoadingTime.add(int((time.monotonic() - began) * 1e6))
            loaded = Loaded(model, self._kind.serve(model), folder, size, is_managed, checked_at=time.monotonic())
            self.close(self._shelf.put(Slot(name, version, loaded, expected)))
            await self._room.make_good(name, first=is_guest)
        finally:
            turn.end()

    def improve(self, slot: Slot[Loaded]) -> None:
        """Make a model quicker that is used a lot, in the background; it serves as it is meanwhile."""
        self._start(self._improve(slot))

    def close(self, slots: list[Slot[Loaded]]) -> None:
        """Let go of models that nobody uses any more, in the background."""
        for slot in slots:
            self._start(self._close(slot))

    async def _improve(self, slot: Slot[Loaded]) -> None:
        turn = await Turn.begin(self._turns)
        try:
            if slot.model.is_guest and not slot.is_retired:
                await self._settle(slot)
        except (NoRoom, Broken, MemoryError):
            pass  # as it was before
        except Exception:
            traceback.print_exc()  # it goes on as it is
        finally:
            turn.end()

    async def _settle(self, slot: Slot[Loaded]) -> None:
        """Put a better one in the place of a model. Which of the two is asked changes between two requests."""
        size = self._room.bytes_of_settled(slot.model.disk_bytes)
        if not self._room.make_to_settle(slot, size):
            return
        former = slot.model.model
        better = await self._kind.improve(slot.name, former)
        if slot.is_retired:
            await self._kind.close(better)
            return
        slot.model.model, slot.model.begin, slot.model.is_guest = better, self._kind.serve(better), False
        self._start(self._kind.close(former))
        self._shelf.resize(slot, size)
        await self._room.make_good(slot.name, first=is_settled)

    async def _load_evicting(self, name: str, folder: Path, *, evicts: bool) -> Any:
        while True:
            try:
                return await self._load_in_time(name, folder)
            except MemoryError:
                if not evicts:
                    raise NoRoom(f"There is not enough memory to load model {name}.") from None
                await self._room.make_more(name)

    async def _load_in_time(self, name: str, folder: Path) -> Any:
        loading = self._loop.create_task(self._kind.load(name, folder))
        done, _ = await asyncio.wait({loading}, timeout=self._limits.load_s)
        if not done:  # a thread cannot be ended: what it loads is forgotten when it comes
            loading.add_done_callback(self._forget)
            raise Stuck(f"the model was not loaded within {self._limits.load_s:g} s")
        return loading.result()

    async def _close(self, slot: Slot[Loaded]) -> None:
        began = time.monotonic()
        last = [slot.model.model, slot.model.begin]
        slot.model.model, slot.model.begin = None, _closed
        await self._kind.close(last[0])
        await self._run(last.clear)  # it may take long to free
        self._statistics.ModelUnloadingTime.add(int((time.monotonic() - began) * 1e6))

    def _forget(self, late: asyncio.Task[Any]) -> None:
        """A model comes whose time was over."""
        if not late.cancelled() and late.exception() is None:
            self._start(self._kind.close(late.result()))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, function: Callable[..., R], *arguments: Any) -> R:
        return await self._loop.run_in_executor(self._threads, function, *arguments)


def _closed(_request: Request, _reply: Reply) -> None:
    raise AssertionError("a model is closed only when nobody uses it")
