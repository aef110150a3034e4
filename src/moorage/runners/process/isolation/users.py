"""Users for instances: uids and gids without an entry in any list, each for one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from moorage.system import entropy

_PROC: Final = Path("/proc")


class UserRange(NamedTuple):
    """Uids from `first`, `size` of them. No account of the machine may be among them."""

    first: int
    size: int

    @property
    def group(self) -> int:
        """The gid after the last: the one that all these users share, if they need one."""
        return self.first + self.size


class NoUserLeft(Exception):
    """Every user of the range has files or processes."""


class Users:
    """Gives out users that own no process, nor any folder named when one is asked for.

    They are given out in turn from somewhere, so that one is met again as late as can be, and two Moorages on one
    machine hardly ever meet.
    """

    def __init__(self, users: UserRange) -> None:
        self.range = users
        self._next = entropy.random_below(max(1, users.size))

    def take(self, taken: Iterable[int]) -> int:
        """A user that nobody is. `taken` are the owners of folders. Raises NoUserLeft."""
        owners = {*taken, *_owners_of_processes()}
        for _ in range(self.range.size):
            user = self.range.first + self._next
            self._next = (self._next + 1) % self.range.size
            if user not in owners:
                return user
        raise NoUserLeft(f"every user from {self.range.first} on, {self.range.size} of them, has files or processes")


def _owners_of_processes() -> Iterator[int]:
    for entry in os.scandir(_PROC):
        if entry.name.isdigit():
            try:
                yield entry.stat().st_uid
            except OSError:  # it has ended
                continue
