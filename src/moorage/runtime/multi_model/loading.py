"""Loading models in turn and closing them, so that together they stay within the memory they may take.

What counts is how much the instance's processes have grown since they began. What each model has to do with it is a
guess from its size on disk and from what others made them grow by. To see that, models are loaded one at a time; but
one that takes long holds up no other.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from moorage.runtime.multi_model.faults import Broken, NoRoom, Stuck
from moorage.runtime.multi_model.growth import Growth
from moorage.runtime.multi_model.limits import Limits
from moorage.runtime.multi_model.memory import size_on_disk
from moorage.runtime.multi_model.shelf import Among, Shelf, Slot
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


class Allocated(NamedTuple):
    """What two processes have of their own in memory: bytes that are in no file as well."""

    by_guests: int
    """Of the one where models are loaded."""
    by_settled: int
    """Of the one where those are that are used a lot."""


class Memory(Protocol):
    """What the instance's processes take of memory."""

    def allocated(self) -> Allocated:
        """As of now."""
        ...

    async def trim(self) -> None:
        """Return to the kernel what has been freed."""
        ...

    async def collect(self) -> None:
        """The same after a search for garbage."""
        ...


R = TypeVar("R")

_ROOM_S: Final = 5.0
"""How long a load waits for models in use, which are so for milliseconds as a rule."""
_LOOK_S: Final = 0.005
_TRIM_S: Final = 10.0
"""How often memory that was freed is given back to be counted as free: nobody can allocate any meanwhile."""
_GUESTS_SHARE: Final = 1 / 4
"""How much of the memory those may take that are not used a lot: a process seldom gives back what it once had."""
_GUESTS_MIN: Final = 8
"""But so many there may be in any case, if there is room."""
_FUTILE_MAX: Final = 4
"""After so many evictions that freed nothing, what is left is not the models', or too scattered to be freed."""


@dataclass(slots=True)
class Loaded:
    """A model that can be asked."""

    model: Any
    begin: Begin
    folder: Path
    disk_bytes: int
    is_managed: bool
    """Whether it follows its object in S3; one that was loaded by way of the container API does not."""
    checked_at: float
    """When it was last known to be what is in S3, in monotonic seconds."""
    uses_checked: int = 0
    """How often it had been used by then."""
    is_guest: bool = True
    """Whether it is where models are loaded, and not yet where those are that are used a lot."""


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
        self._memory = memory
        allocated = memory.allocated()
        self._of_guests = Growth(allocated.by_guests, ratio=1.0)
        self._of_settled = Growth(allocated.by_settled, ratio=2.0)
        self._guests_bytes_max = int(limits.bytes_max * _GUESTS_SHARE)
        self._trimmed_at = 0.0
        self._collected_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, name: str, version: str, folder: Path, *, is_managed: bool) -> None:
        """Load a model, which takes the place of an older version. Raises NoRoom, Broken.

        One that is managed has others unloaded to make room; for any other there has to be room.
        """
        size = await self._run(size_on_disk, folder)
        turn = await Turn.begin(self._turns)
        try:
            expected = self._of_guests.bytes_of(size)
            if is_managed:
                self._make_room_for_guest(expected)
            await self._make_room(name, expected, evicts=is_managed)
            began = time.monotonic()
            model = await self._load_evicting(name, folder, evicts=is_managed)
            self._statistics.ModelLoadingTime.add(int((time.monotonic() - began) * 1e6))
            loaded = Loaded(model, self._kind.serve(model), folder, size, is_managed, checked_at=time.monotonic())
            self.close(self._shelf.put(Slot(name, version, loaded, expected)))
            self._of_guests.note(self._memory.allocated().by_guests, size=self._size_of(_is_guest))
            await self._make_good(name, first=_is_guest)
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
        size = self._of_settled.bytes_of(slot.model.disk_bytes)
        if not self._make_room_to_settle(slot, size):
            return
        former = slot.model.model
        better = await self._kind.improve(slot.name, former)
        if slot.is_retired:
            await self._kind.close(better)
            return
        slot.model.model, slot.model.begin, slot.model.is_guest = better, self._kind.serve(better), False
        self._start(self._kind.close(former))
        self._shelf.resize(slot, size)
        self._of_settled.note(self._memory.allocated().by_settled, size=self._size_of(_is_settled))
        await self._make_good(slot.name, first=_is_settled)

    async def _load_evicting(self, name: str, folder: Path, *, evicts: bool) -> Any:
        while True:
            try:
                return await self._load_in_time(name, folder)
            except MemoryError:
                if not (evicts and await self._evict_one(name, _is_guest)):
                    raise NoRoom(_no_room(name)) from None

    async def _load_in_time(self, name: str, folder: Path) -> Any:
        loading = self._loop.create_task(self._kind.load(name, folder))
        done, _ = await asyncio.wait({loading}, timeout=self._limits.load_s)
        if not done:  # a thread cannot be ended: what it loads is forgotten when it comes
            loading.add_done_callback(self._forget)
            raise Stuck(f"the model was not loaded within {self._limits.load_s:g} s")
        return loading.result()

    async def _make_room(self, name: str, size: int, *, evicts: bool) -> None:
        if not evicts:
            if not self._shelf.has_room(size):
                raise NoRoom(_no_room(name))
            return
        bytes_max = self._limits.bytes_max
        if self._grown() + size > bytes_max and time.monotonic() - self._trimmed_at > _TRIM_S:
            self._trimmed_at = time.monotonic()
            await self._memory.trim()
        deadline = time.monotonic() + _ROOM_S
        while (evicted := self._shelf.make_room(size, keep=name, wish=self._grown() + size - bytes_max)) is None:
            if not self._shelf.is_used or time.monotonic() > deadline:
                raise NoRoom(_no_room(name))
            await asyncio.sleep(_LOOK_S)
        self.close(evicted)

    def _make_room_for_guest(self, size: int) -> None:
        """Evict guests that take more than their share."""
        surplus = self._of_guests.bytes_of(self._size_of(_is_guest)) + size - self._guests_bytes_max
        count = sum(map(_is_guest, self._shelf))
        while surplus > 0 and count > _GUESTS_MIN:
            least = self._shelf.least_used(among=_is_guest)
            if least is None:
                return
            surplus -= self._of_guests.bytes_of(least.model.disk_bytes)
            count -= 1
            self.close(self._shelf.evict(least))

    def _make_room_to_settle(self, slot: Slot[Loaded], size: int) -> bool:
        """Evict those that are used less than `slot` from where it is to settle; whether there is room then."""
        settled = self._of_settled.bytes_of(self._size_of(_is_settled))
        surplus = settled + size - (self._limits.bytes_max - self._guests_bytes_max)
        while surplus > 0:
            least = self._shelf.least_used(among=_is_settled)
            if least is None or least.rank >= slot.rank:
                return False
            surplus -= self._of_settled.bytes_of(least.model.disk_bytes)
            self.close(self._shelf.evict(least))
        return True

    async def _make_good(self, name: str, *, first: Among[Loaded]) -> None:
        """Evict as much as was guessed too little, first where the memory is needed: it may be of use only there."""
        if self._is_below():
            return
        await self._memory.trim()
        if not self._is_below() and time.monotonic() - self._collected_at > _TRIM_S:
            self._collected_at = time.monotonic()
            await self._memory.collect()
        futile, lowest = 0, self._grown()
        while not self._is_below() and futile < _FUTILE_MAX and await self._evict_one(name, first):
            await self._memory.trim()
            futile = futile + 1 if self._grown() >= lowest else 0
            lowest = min(lowest, self._grown())

    def _is_below(self) -> bool:
        return self._grown() <= self._limits.bytes_max

    def _grown(self) -> int:
        allocated = self._memory.allocated()
        return self._of_guests.grown(allocated.by_guests) + self._of_settled.grown(allocated.by_settled)

    def _size_of(self, among: Among[Loaded]) -> int:
        """What some models take on disk."""
        return sum(slot.model.disk_bytes for slot in self._shelf if among(slot))

    async def _evict_one(self, keep: str, first: Among[Loaded]) -> bool:
        """Close the least used model but `keep`, of the `first` ones if there are any; whether there was one."""
        slot = self._shelf.least_used(keep=keep, among=first) or self._shelf.least_used(keep=keep)
        if slot is not None:
            self._shelf.evict(slot)
            await self._close(slot)
        return slot is not None

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


def _is_guest(slot: Slot[Loaded]) -> bool:
    return slot.model.is_guest


def _is_settled(slot: Slot[Loaded]) -> bool:
    return not slot.model.is_guest


def _closed(_request: Request, _reply: Reply) -> None:
    raise AssertionError("a model is closed only when nobody uses it")


def _no_room(name: str) -> str:
    return f"There is not enough memory to load model {name}."
