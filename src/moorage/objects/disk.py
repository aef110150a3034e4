"""The few things the object store asks of a file system when it writes, so that tests can let any of them fail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from moorage.system.files import sync_folder


class Disk(Protocol):
    """Writes. Each may raise OSError; a power cut between any two of them must lose nothing acknowledged."""

    def create(self, path: Path) -> int:
        """A descriptor of a new, private file."""
        ...

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of `data`."""
        ...

    def sync(self, descriptor: int) -> None:
        """Make the file's content durable."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Move within the file system."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Make the folder's entries durable."""
        ...

    def remove(self, path: Path) -> None:
        """Delete; no error if it is gone."""
        ...


class SystemDisk:
    """The machine's file system."""

    def create(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        os.rename(old, new)

    def sync_folder(self, folder: Path) -> None:
        sync_folder(folder)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
