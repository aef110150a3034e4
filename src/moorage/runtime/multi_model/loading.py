"""Loading models in turn and closing them, so that together they stay within the memory they may take.

What counts is how much the process has grown since it began. What each model has to do with it is a guess from its size
on disk and from what others made the process grow by. To see that, models are loaded one at a time; but one that takes
long holds up no other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from moorage.runtime.multi_model import memory
from moorage.runtime.multi_model.faults import NoRoom, Stuck
from moorage.runtime.multi_model.limits import Limits
from moorage.runtime.multi_model.shelf import Shelf, Slot
from moorage.runtime.multi_model.statistics import Statistics
from moorage.wire.messages import Begin, Reply, Request


class Kind(Protocol):
    """How models are loaded and served."""

    def load(self, folder: Path) -> Any:
        """The model in `folder`. Runs in a thread. Raises Broken, MemoryError."""
        ...

    def serve(self, model: Any) -> Begin:
        """What begins its requests."""
        ...


R = TypeVar("R")

_TURN_S: Final = 1.0
_GROWTH_MAX: Final = 16.0
"""What a first model makes the process import is not to be taken for the size of models."""


@dataclass(slots=True)
class Loaded:
    """A model that can be asked."""

    begin: Begin
    folder: Path
    is_managed: bool
    """Whether it follows its object in S3; one that was loaded by way of the container API does not."""
    checked_at: float
    """When it was last known to be what is in S3, in monotonic seconds."""
    uses_checked: int = 0
    """How often it had been used by then."""


class Loader:
    """Puts models on the shelf. `threads` is where they are loaded and closed."""

    def __init__(
        self,
        shelf: Shelf[Loaded],
        kind: Kind,
        *,
        threads: Executor,
        limits: Limits,
        statistics: Statistics,
        resident: Callable[[], int] = memory.resident_bytes,
    ) -> None:
        self._shelf = shelf
        self._kind = kind
        self._threads = threads
        self._limits = limits
        self._statistics = statistics
        self._turns = asyncio.Lock()
        self._growth = 1.0
        """What a byte of a model on disk takes of memory, as the last ones did."""
        self._resident = resident
        self._baseline = resident()
        self._loop = asyncio.get_running_loop()
        self._closing: set[asyncio.Task[None]] = set()

    async def load(self, name: str, version: str, folder: Path, *, is_managed: bool) -> None:
        """Load a model, which takes the place of an older version. Raises NoRoom, Broken.

        One that is managed has others unloaded to make room; for any other there has to be room.
        """
        size = await self._run(memory.size_on_disk, folder)
        turn = await Turn.begin(self._turns)
        try:
            self._make_room(name, int(size * self._growth), evicts=is_managed)
            began, before = time.monotonic(), self._resident()
            model = await self._load_evicting(name, folder, evicts=is_managed)
            self._statistics.ModelLoadingTime.add(int((time.monotonic() - began) * 1e6))
            if turn.is_ours:
                self._learn(size, self._resident() - before)
            loaded = Loaded(self._kind.serve(model), folder, is_managed, checked_at=time.monotonic())
            self.close(self._shelf.put(Slot(name, version, loaded, int(size * self._growth))))
            await self._make_good(name)
        finally:
            turn.end()

    def close(self, slots: list[Slot[Loaded]]) -> None:
        """Let go of models that nobody uses any more, in the background."""
        for slot in slots:
            task = self._loop.create_task(self._close(slot))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _load_evicting(self, name: str, folder: Path, *, evicts: bool) -> Any:
        while True:
            try:
                return await self._load_in_time(folder)
            except MemoryError:
                if not (evicts and await self._evict_one(name)):
                    raise NoRoom(_no_room(name)) from None

    async def _load_in_time(self, folder: Path) -> Any:
        loading = self._loop.run_in_executor(self._threads, self._kind.load, folder)
        done, _ = await asyncio.wait({loading}, timeout=self._limits.load_s)
        if not done:  # a thread cannot be ended: what it loads is forgotten when it comes
            loading.add_done_callback(_look_at)
            raise Stuck(f"the model was not loaded within {self._limits.load_s:g} s")
        return loading.result()

    def _make_room(self, name: str, size: int, *, evicts: bool) -> None:
        if not evicts:
            if not self._shelf.has_room(size):
                raise NoRoom(_no_room(name))
            return
        evicted = self._shelf.make_room(size, keep=name, wish=self._grown() + size - self._limits.bytes_max)
        if evicted is None:
            raise NoRoom(_no_room(name))
        self.close(evicted)

    async def _make_good(self, name: str) -> None:
        """Evict as much as was guessed too little."""
        while self._grown() > self._limits.bytes_max:
            await self._run(memory.give_back)
            if self._grown() <= self._limits.bytes_max or not await self._evict_one(name):
                return  # what is left is not the models'

    def _grown(self) -> int:
        return self._resident() - self._baseline

    def _learn(self, size: int, grown: int) -> None:
        """A model of `size` bytes on disk has made the process grow. If it has not, there was memory to spare."""
        if grown > 0:
            ratio = min(max(1.0, grown / max(1, size)), _GROWTH_MAX)
            self._growth += (ratio - self._growth) / 8

    async def _evict_one(self, keep: str) -> bool:
        """Close the least used model but `keep`; whether there was one."""
        slot = self._shelf.least_used(keep=keep)
        if slot is not None:
            self._shelf.drop(slot.name)
            await self._close(slot)
        return slot is not None

    async def _has_outgrown(self) -> bool:
        """Whether the process has grown by more than the models may take, also without what it need not keep."""
        if memory.resident_bytes() - self._baseline <= self._limits.bytes_max:
            return False
        await self._run(memory.give_back)
        return memory.resident_bytes() - self._baseline > self._limits.bytes_max

    def _estimate(self, size: int, grown: int) -> int:
        """What a model of `size` bytes on disk takes, that has made the process grow by `grown`.

        It grows by less than the model takes where it had memory to spare, so others are believed that took more.
        """
        ratio = grown / max(1, size)
        if ratio > self._growth:
            self._growth += (ratio - self._growth) / 4
        return max(grown, int(size * self._growth))

    async def _close(self, slot: Slot[Loaded]) -> None:
        began = time.monotonic()
        last = [slot.model.begin]
        slot.model.begin = _closed
        await self._run(last.clear)  # it may take long to free
        self._statistics.ModelUnloadingTime.add(int((time.monotonic() - began) * 1e6))

    async def _run(self, function: Callable[..., R], *arguments: Any) -> R:
        return await self._loop.run_in_executor(self._threads, function, *arguments)


class Turn:
    """The right to be the only load, for as long as it takes and at most `_TURN_S`."""

    def __init__(self, turns: asyncio.Lock) -> None:
        self.is_ours = True
        self._turns = turns

    @classmethod
    async def begin(cls, turns: asyncio.Lock) -> Turn:
        """Wait for it."""
        await turns.acquire()
        turn = cls(turns)
        asyncio.get_running_loop().call_later(_TURN_S, turn.end)
        return turn

    def end(self) -> None:
        """Let the next one begin."""
        if self.is_ours:
            self.is_ours = False
            self._turns.release()


def _closed(_request: Request, _reply: Reply) -> None:
    raise AssertionError("a model is closed only when nobody uses it")


def _look_at(late: asyncio.Future[Any]) -> None:
    if not late.cancelled():
        late.exception()


def _no_room(name: str) -> str:
    return f"There is not enough memory to load model {name}."
