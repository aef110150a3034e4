"""Room in memory for models: who has to go, so that all of them stay within what they may take together.

What counts is how much the instance's processes have grown. What each model has to do with it is a guess from its size
on disk and from what others made a process grow by.

Models are in two processes (see `annex`), each with memory of its own, which a process seldom gives back. So those that
are not used a lot, the guests, are held to a share: else the first hundreds of them would take all there is, and keep
it. That is a segmented cache, as in SLRU.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from moorage.runtime.multi_model.faults import NoRoom
from moorage.runtime.multi_model.growth import Growth
from moorage.runtime.multi_model.limits import Limits
from moorage.runtime.multi_model.shelf import Among, Shelf, Slot
from moorage.wire.messages import Begin


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


_WAIT_S: Final = 5.0
"""How long a load waits for models in use, which are so for milliseconds as a rule."""
_LOOK_S: Final = 0.005
_TIDY_S: Final = 10.0
"""How often memory is searched for what can be given back: that takes milliseconds, and nobody can allocate any."""
_GUESTS_SHARE: Final = 1 / 4
_GUESTS_MIN: Final = 8
"""So many there may be in any case, if there is room."""
_AIM: Final = 0.95
"""How full memory gets, as far as it can be foreseen."""
_FUTILE_MAX: Final = 1
"""After so many evictions that gave nothing back: what they left is for the next models to use."""


class Room:
    """Room on a shelf. `close` lets go of a model that has left it, and `begin_to_close` has that done soon."""

    def __init__(
        self,
        shelf: Shelf[Loaded],
        memory: Memory,
        limits: Limits,
        *,
        close: Callable[[Slot[Loaded]], Awaitable[None]],
        begin_to_close: Callable[[list[Slot[Loaded]]], None],
    ) -> None:
        self._shelf = shelf
        self._memory = memory
        self._bytes_max = limits.bytes_max
        self._guests_bytes_max = int(limits.bytes_max * _GUESTS_SHARE)
        self._close = close
        self._begin_to_close = begin_to_close
        allocated = memory.allocated()
        self._of_guests = Growth(allocated.by_guests, ratio=1.0)
        self._of_settled = Growth(allocated.by_settled, ratio=2.0)
        self._tidied_at = 0.0

    def bytes_of_guest(self, disk_bytes: int) -> int:
        """What a model will probably take when it is loaded."""
        return self._of_guests.bytes_of(disk_bytes)

    def bytes_of_settled(self, disk_bytes: int) -> int:
        """What it will where it settles."""
        return self._of_settled.bytes_of(disk_bytes)

    def check(self, name: str, size: int) -> None:
        """Raises NoRoom if a model of `size` bytes does not fit beside all that are there."""
        if not self._shelf.has_room(size):
            raise NoRoom(_no_room(name))

    async def make_to_load(self, name: str, size: int) -> None:
        """Evict what has to go before a model of `size` bytes is loaded. Raises NoRoom."""
        self._hold_guests_to_share(size)
        lacking = self._lacking(size)
        deadline = time.monotonic() + _WAIT_S
        while (evicted := self._shelf.make_room(size, keep=name, wish=min(size, lacking))) is None:
            if not self._shelf.is_used or time.monotonic() > deadline:
                raise NoRoom(_no_room(name))
            await asyncio.sleep(_LOOK_S)
        self._begin_to_close(evicted)

    async def make_more(self, name: str) -> None:
        """Evict one more: loading a model has failed for want of memory. Raises NoRoom."""
        if not await self._evict_one(name, is_guest):
            raise NoRoom(_no_room(name))

    def make_to_settle(self, slot: Slot[Loaded], size: int) -> bool:
        """Evict those that are used less than `slot` from where it is to settle; whether there is room then."""
        surplus = self.bytes_of_settled(self._disk_bytes(is_settled)) + size
        surplus = max(surplus - (self._bytes_max - self._guests_bytes_max), min(size, self._lacking(size)))
        while surplus > 0:
            least = self._shelf.least_used(among=is_settled)
            if least is None or least.rank >= slot.rank:
                return False
            surplus -= self.bytes_of_settled(least.model.disk_bytes)
            self._begin_to_close(self._shelf.evict(least))
        return True

    async def make_good(self, name: str, *, first: Among[Loaded]) -> None:
        """A model has come: learn from it, and evict as much as was guessed too little.

        The `first` to go are those where it is, for what they leave behind may be of use only there.
        """
        self._learn()
        if not self._is_below():
            await self._tidy()
        futile, lowest = 0, self._grown()
        while not self._is_below() and futile < _FUTILE_MAX and await self._evict_one(name, first):
            futile = futile + 1 if self._grown() >= lowest else 0
            lowest = min(lowest, self._grown())

    async def _tidy(self) -> None:
        """Give back what can be, now and then."""
        if time.monotonic() - self._tidied_at > _TIDY_S:
            self._tidied_at = time.monotonic()
            await self._memory.trim()
            if not self._is_below():
                await self._memory.collect()

    def _hold_guests_to_share(self, size: int) -> None:
        surplus = self.bytes_of_guest(self._disk_bytes(is_guest)) + size - self._guests_bytes_max
        count = sum(map(is_guest, self._shelf))
        while surplus > 0 and count > _GUESTS_MIN:
            least = self._shelf.least_used(among=is_guest)
            if least is None:
                return
            surplus -= self.bytes_of_guest(least.model.disk_bytes)
            count -= 1
            self._begin_to_close(self._shelf.evict(least))

    async def _evict_one(self, keep: str, first: Among[Loaded]) -> bool:
        """Close the least used model but `keep`, of the `first` ones if there are any; whether there was one."""
        slot = self._shelf.least_used(keep=keep, among=first) or self._shelf.least_used(keep=keep)
        if slot is not None:
            self._shelf.evict(slot)
            await self._close(slot)
        return slot is not None

    def _learn(self) -> None:
        allocated = self._memory.allocated()
        self._of_guests.note(allocated.by_guests, size=self._disk_bytes(is_guest))
        self._of_settled.note(allocated.by_settled, size=self._disk_bytes(is_settled))

    def _lacking(self, size: int) -> int:
        """How much there is too little for one more: from here on one goes for each that comes."""
        return self._grown() + size - int(self._bytes_max * _AIM)

    def _is_below(self) -> bool:
        return self._grown() <= self._bytes_max

    def _grown(self) -> int:
        allocated = self._memory.allocated()
        return self._of_guests.grown(allocated.by_guests) + self._of_settled.grown(allocated.by_settled)

    def _disk_bytes(self, among: Among[Loaded]) -> int:
        return sum(slot.model.disk_bytes for slot in self._shelf if among(slot))


def is_guest(slot: Slot[Loaded]) -> bool:
    """Whether a model is where it was loaded."""
    return slot.model.is_guest


def is_settled(slot: Slot[Loaded]) -> bool:
    """Whether it is where those are that are used a lot."""
    return not slot.model.is_guest


def _no_room(name: str) -> str:
    return f"There is not enough memory to load model {name}."
