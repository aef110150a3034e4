"""Fetched archives on this machine: one immutable file a version of an object, the least recently used removed first.

A file is named by a digest of where it came from and by the SHA-256 of what it holds, so the folder is its own index.
Everything here blocks.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from moorage.system.entropy import new_uid
from moorage.system.files import sync_folder

GRACE = timedelta(minutes=10)
"""How long a file is left alone once it was handed out, whatever the folder holds: its caller has yet to link it."""

_PARTIAL = ".part"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that will not change. It may be removed later: link it (`os.link`) to keep it."""

    path: Path
    sha256: str
    """In hexadecimal."""
    etag: str
    """Of the object it was read from."""


class ArchiveCache:
    """The folder of archives, held below `bytes_max` as far as `GRACE` lets it."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max

    def prepare(self) -> None:
        """Make the folder and clear away downloads that never ended."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob(f"*{_PARTIAL}"):
            path.unlink()

    def find(self, url: str, etag: str, *, now: datetime) -> LocalFile | None:
        """The archive, if it is here; it counts as used now."""
        for path in self._folder.glob(f"{_origin(url, etag)}-*"):
            if path.suffix != _PARTIAL:
                _touch(path, now)
                return LocalFile(path, path.name.rpartition("-")[2], etag)
        return None

    def new_path(self) -> Path:
        """Where to download to."""
        return self._folder / f"{new_uid()}{_PARTIAL}"

    def keep(self, downloaded: Path, url: str, *, etag: str, sha256: str, now: datetime) -> LocalFile:
        """Take a whole download into the cache, durably, and make room for it. Raises OSError."""
        path = self._folder / f"{_origin(url, etag)}-{sha256}"
        with downloaded.open("rb") as file:
            os.fchmod(file.fileno(), 0o400)
            os.fsync(file.fileno())
        downloaded.rename(path)
        sync_folder(self._folder)
        _touch(path, now)
        self._make_room(now)
        return LocalFile(path, sha256, etag)

    def _make_room(self, now: datetime) -> None:
        entries = sorted(self._entries())
        surplus = sum(size for _, size, _ in entries) - self._bytes_max
        for used_at, size, path in entries:
            if surplus <= 0 or used_at > (now - GRACE).timestamp():
                return
            path.unlink()
            surplus -= size

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.iterdir():
            if path.suffix != _PARTIAL:
                status = path.stat()
                yield status.st_mtime, status.st_size, path


def _origin(url: str, etag: str) -> str:
    return hashlib.sha256(f"{url}\n{etag}".encode()).hexdigest()[:32]


def _touch(path: Path, now: datetime) -> None:
    os.utime(path, (now.timestamp(), now.timestamp()))
