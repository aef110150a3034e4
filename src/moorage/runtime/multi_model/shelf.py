"""Which models are in memory, and which of them have to go to make room. Sans-I/O.

    put ──► on the shelf ──► taken ⇄ given back ──► evicted, dropped, or replaced by a newer version
                                                     └─ closed by whoever gives it back last

The least used goes first: by how often it has been used, and how long ago that was (LFU with dynamic aging, Arlitt et
al., 2000). By recency alone, the many that are asked for once in a while would push out what is asked for all the time.
One that is in use or pinned is never chosen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Set
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """A loaded version of a model. Hold it between `Shelf.take` and `Shelf.give_back`."""

    __slots__ = ("bytes", "frequency", "is_retired", "model", "name", "rank", "users", "uses", "version")

    def __init__(self, name: str, version: str, model: T, size: int) -> None:
        self.name = name
        self.version = version
        self.model = model
        self.bytes = size
        """What it takes of memory, as far as that is known."""
        self.users = 0
        self.uses = 0
        """How often this version has been taken."""
        self.frequency = 0
        """How often the model has, other versions included."""
        self.rank = 0
        """The lowest goes first: the shelf's age when it was taken last, and its frequency."""
        self.is_retired = False
        """Whether it has left the shelf: it is closed when its last user has given it back."""


Among = Callable[[Slot[T]], bool]
"""Whether a model is one of those that are meant."""


def _any(_slot: Slot[Any]) -> bool:
    return True


class Shelf(Generic[T]):
    """The loaded models by name, within `bytes_max` and `count_max`."""

    def __init__(self, *, bytes_max: int, count_max: int, pinned: Set[str] = frozenset()) -> None:
        self._bytes_max = bytes_max
        self._count_max = count_max
        self._pinned = pinned
        self._slots: OrderedDict[str, Slot[T]] = OrderedDict()
        self._bytes = 0
        self._age = 0
        """The highest rank that has had to go: what was used often once, and no more, is overtaken by it."""

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot[T]]:
        return iter(self._slots.values())

    @property
    def bytes(self) -> int:
        """What all of them take."""
        return self._bytes

    @property
    def is_used(self) -> bool:
        """Whether a request is at any of them."""
        return any(slot.users for slot in self._slots.values())

    def find(self, name: str) -> Slot[T] | None:
        """The model of that name, without counting as a use."""
        return self._slots.get(name)

    def take(self, slot: Slot[T]) -> None:
        """Begin to use a model that is on the shelf."""
        slot.users += 1
        slot.uses += 1
        slot.frequency += 1
        slot.rank = self._age + slot.frequency
        self._slots.move_to_end(slot.name)

    def give_back(self, slot: Slot[T]) -> bool:
        """End a use; whether the model is to be closed now, for it has left the shelf and nobody uses it any more."""
        slot.users -= 1
        return slot.is_retired and not slot.users

    def put(self, slot: Slot[T]) -> list[Slot[T]]:
        """Put a model on the shelf in place of any other version; what is to be closed."""
        slot.rank = self._age
        replaced = self._slots.get(slot.name)
        if replaced is not None:
            slot.frequency, slot.rank = replaced.frequency, replaced.rank
        closing = self.drop(slot.name)
        self._slots[slot.name] = slot
        self._bytes += slot.bytes
        return closing

    def drop(self, name: str) -> list[Slot[T]]:
        """Take a model off the shelf, in use or not; what is to be closed now: the model, unless it is in use."""
        slot = self._slots.pop(name, None)
        if slot is None:
            return []
        self._bytes -= slot.bytes
        slot.is_retired = True
        return [] if slot.users else [slot]

    def resize(self, slot: Slot[T], size: int) -> None:
        """A model on the shelf is known to take another size."""
        self._bytes += size - slot.bytes
        slot.bytes = size

    def has_room(self, size: int) -> bool:
        """Whether a model of `size` bytes fits beside all that are there."""
        return self._bytes + size <= self._bytes_max and len(self._slots) < self._count_max

    def make_room(self, size: int, *, keep: str | None = None, wish: int = 0) -> list[Slot[T]] | None:
        """Take off what has to go before a model of `size` bytes fits; what is to be closed, least used first.

        None if it cannot fit: then nothing is taken off. `wish` is how many bytes should go in any case, as far as
        there are that many. The model called `keep` stays: it is about to be replaced.
        """
        surplus = self._bytes + size - self._bytes_max
        excess = len(self._slots) + 1 - self._count_max - (keep in self._slots)
        chosen: list[Slot[T]] = []
        for slot in self._evictable(keep):
            if max(surplus, excess, wish) <= 0:
                break
            chosen.append(slot)
            surplus -= slot.bytes
            wish -= slot.bytes
            excess -= 1
        if surplus > 0 or excess > 0:
            return None
        for slot in chosen:
            self.evict(slot)
        return chosen

    def least_used(self, *, keep: str | None = None, among: Among[T] = _any) -> Slot[T] | None:
        """The next to go of some, if any of them may."""
        return next((slot for slot in self._evictable(keep) if among(slot)), None)

    def evict(self, slot: Slot[T]) -> list[Slot[T]]:
        """Take a model off the shelf to make room; as `drop`."""
        self._age = max(self._age, slot.rank)
        return self.drop(slot.name)

    def _evictable(self, keep: str | None) -> list[Slot[T]]:
        """Those that may go, in that order; of equal rank the least recently used first."""
        free = (
            slot
            for slot in self._slots.values()
            if not slot.users and slot.name not in self._pinned and slot.name != keep
        )
        return sorted(free, key=lambda slot: slot.rank)
