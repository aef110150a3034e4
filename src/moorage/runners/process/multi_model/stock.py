"""The unpacked models of one instance: a folder each, named by the digest of its archive, within a cap of bytes.

They are the instance's own: what one instance loads, another one of the same variant hardly ever does. What is not in
memory stays for the next time, until the room is needed; then the one goes that was asked for longest ago.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Set
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from moorage.runners.process.models import ModelFolders
from moorage.system.tasks import to_its_end

_AT_ONCE: Final = 4
"""Archives that are being unpacked, each in a process of its own."""


class Stock:
    """The models unpacked below `root`."""

    def __init__(self, root: Path, *, bytes_max: int) -> None:
        self._root = root
        self._bytes_max = bytes_max
        self._folders = ModelFolders(root)
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def open(self) -> None:
        """Find what is there, from before this agent. Raises OSError."""
        self._sizes = await to_its_end(asyncio.to_thread(self._look))

    @asynccontextmanager
    async def unpacked(self, digest: str, archive: Path) -> AsyncIterator[Path]:
        """The folder of a model, which stays for as long as this lasts. Raises ArchiveRefused, UnpackFailed."""
        self._held[digest] += 1
        try:
            folder = self._folders.path_of(digest)
            async with self._turns:
                await self._folders.ensure(digest, archive)
                if digest not in self._sizes:
                    self._sizes[digest] = await asyncio.to_thread(_size_of, folder)
            self._sizes.move_to_end(digest)
            yield folder
        finally:
            self._held[digest] -= 1
            self._held += Counter()  # without those that nobody holds

    @property
    def is_over(self) -> bool:
        """Whether it holds more than it may."""
        return sum(self._sizes.values()) > self._bytes_max

    async def shrink(self, in_use: Callable[[], Awaitable[Set[Path]]]) -> None:
        """Remove what is not in use, the longest unwanted first, until the rest may stay.

        `in_use` answers which folders are. What is held when it is asked may be in use by the time it has answered.
        """
        held = set(self._held)
        used = await in_use()
        surplus = sum(self._sizes.values()) - self._bytes_max
        for digest, size in list(self._sizes.items()):
            if surplus <= 0:
                break
            if self._folders.path_of(digest) not in used and digest not in held | self._held.keys():
                del self._sizes[digest]
                surplus -= size
        await self._folders.keep_only(self._sizes.keys() | self._held.keys())

    def _look(self) -> OrderedDict[str, int]:
        self._folders.sweep()
        found = [path for path in self._root.iterdir() if path.is_dir()]
        found.sort(key=lambda path: path.stat().st_mtime)
        return OrderedDict((path.name, _size_of(path)) for path in found)


def _size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
