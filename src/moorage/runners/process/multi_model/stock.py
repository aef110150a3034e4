"""The unpacked models of one instance: a folder each, named by the digest of its archive, within a cap of bytes.

They are the instance's own: what one instance loads, another one of the same variant hardly ever does. What is not in
memory stays for the next time, until the room is needed; then the one goes that was asked for longest ago.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Set
from pathlib import Path

from moorage.runners.process.models import ModelFolders


class Stock:
    """The models unpacked below `root`."""

    def __init__(self, root: Path, *, bytes_max: int) -> None:
        self._root = root
        self._bytes_max = bytes_max
        self._folders = ModelFolders(root)
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._unpacking: set[str] = set()

    async def open(self) -> None:
        """Find what is there, from before this agent. Raises OSError."""
        self._sizes = await asyncio.to_thread(self._look)

    async def ensure(self, digest: str, archive: Path) -> Path:
        """The folder of a model. Raises ArchiveRefused, UnpackFailed."""
        folder = self._folders.path_of(digest)
        self._unpacking.add(digest)
        try:
            await self._folders.ensure(digest, archive)
        finally:
            self._unpacking.discard(digest)
        if digest not in self._sizes:
            self._sizes[digest] = await asyncio.to_thread(_size_of, folder)
        self._sizes.move_to_end(digest)
        return folder

    @property
    def is_over(self) -> bool:
        """Whether it holds more than it may."""
        return sum(self._sizes.values()) > self._bytes_max

    async def shrink(self, in_use: Set[Path]) -> None:
        """Remove what is not in use, the longest unwanted first, until the rest may stay."""
        surplus = sum(self._sizes.values()) - self._bytes_max
        for digest, size in list(self._sizes.items()):
            if surplus <= 0:
                break
            if self._folders.path_of(digest) not in in_use and digest not in self._unpacking:
                del self._sizes[digest]
                surplus -= size
        await self._folders.keep_only({*self._sizes, *self._unpacking})

    def _look(self) -> OrderedDict[str, int]:
        self._folders.sweep()
        found = [path for path in self._root.iterdir() if path.is_dir()]
        found.sort(key=lambda path: path.stat().st_mtime)
        return OrderedDict((path.name, _size_of(path)) for path in found)


def _size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
