"""A file system that fails when it is told to: full at some write, or gone for good at some step."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Literal

from moorage.objects.disk import SystemDisk


class PowerCut(Exception):
    """The machine is off. Nothing that comes after it leaves a trace."""


class FullDisk(SystemDisk):
    """Takes `bytes_max` bytes and no more."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_left = bytes_max

    def write(self, descriptor: int, data: bytes) -> None:
        if len(data) > self.bytes_left:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.bytes_left -= len(data)
        super().write(descriptor, data)


class MortalDisk(SystemDisk):
    """Works for `steps` steps. The next one is done or not (`last`), and then the power is off."""

    def __init__(self, steps: int, last: Literal["done", "not done"]) -> None:
        self.steps_left = steps
        self._last = last

    @property
    def is_dead(self) -> bool:
        """Whether the power is off."""
        return self.steps_left < 0

    def create(self, path: Path) -> int:
        self._before()
        descriptor = super().create(path)
        self._after()
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        self._before()
        super().write(descriptor, data)
        self._after()

    def sync(self, descriptor: int) -> None:
        self._before()
        super().sync(descriptor)
        self._after()

    def rename(self, old: Path, new: Path) -> None:
        self._before()
        super().rename(old, new)
        self._after()

    def sync_folder(self, folder: Path) -> None:
        self._before()
        super().sync_folder(folder)
        self._after()

    def remove(self, path: Path) -> None:
        self._before()
        super().remove(path)
        self._after()

    def _before(self) -> None:
        if self.is_dead:
            raise PowerCut
        self.steps_left -= 1
        if self.steps_left < 0 and self._last == "not done":
            raise PowerCut

    def _after(self) -> None:
        if self.is_dead:
            raise PowerCut
