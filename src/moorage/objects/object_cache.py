"""Fetched objects on this machine: one immutable file a version of an object, the least recently used removed first.

A file is named by a digest of where it came from and by the SHA-256 of what it holds, so the folder tells all there is
to know, and is read once. What instances have linked costs no room, and removing it would free none: it neither counts
nor goes. Everything here blocks.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from moorage.system.entropy import new_uid

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


class ObjectCache:
    """The folder of objects, held below `bytes_max` as far as `GRACE` and those who hold files let it."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._paths: dict[str, Path] = {}
        """By origin."""
        self._held: Counter[str] = Counter()
        """Likewise."""
        self._has_grown = True

    def prepare(self) -> None:
        """Make the folder, clear away downloads that never ended, and see what is there."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in self._folder.glob(f"*{_PARTIAL}"):
            path.unlink()
        self._paths = {path.name.partition("-")[0]: path for path in self._folder.iterdir()}

    def find(self, objects: Iterable[tuple[str, str]], *, now: datetime) -> list[LocalFile | None]:
        """Each of the objects, by URL and ETag, if it is here; it counts as used now."""
        with self._lock:
            return [self._find(url, etag, now) for url, etag in objects]

    def new_path(self, size: int, *, now: datetime) -> Path:
        """Where to download `size` bytes to. Raises OSError where the disk has no room for them."""
        with self._lock:
            self._remove_least_used(size - self._free(), now)
        if self._free() < size:
            raise OSError(errno.ENOSPC, f"No space left on device for {size} bytes")
        return self._folder / f"{new_uid()}{_PARTIAL}"

    def keep(self, downloaded: Path, url: str, *, etag: str, sha256: str, now: datetime) -> None:
        """Take a whole download into the cache. Raises OSError.

        Its content is durable before it has its name; a power cut that takes the name away costs a download.
        """
        origin = _origin(url, etag)
        path = self._folder / f"{origin}-{sha256}"
        with downloaded.open("rb") as file:
            os.fchmod(file.fileno(), 0o444)  # models link it, and may run as users of their own
            os.fsync(file.fileno())
        _touch(downloaded, now)
        downloaded.rename(path)
        with self._lock:
            self._paths[origin] = path
            self._has_grown = True

    def hold(self, objects: Iterable[tuple[str, str]]) -> None:
        """Keep objects, from now on and whether or not they are here yet, until `release`."""
        with self._lock:
            self._held.update(_origin(url, etag) for url, etag in objects)

    def release(self, objects: Iterable[tuple[str, str]], *, now: datetime) -> None:
        """Let go of what was held, which counts as used now, and make room."""
        with self._lock:
            for url, etag in objects:
                origin = _origin(url, etag)
                self._held[origin] -= 1
                if not self._held[origin]:
                    del self._held[origin]
                self._use(origin, now)
            if self._has_grown:
                self._has_grown = False
                size = sum(size for _, size, _ in self._unlinked())
                self._remove_least_used(size - self._bytes_max, now)

    def _find(self, url: str, etag: str, now: datetime) -> LocalFile | None:
        path = self._use(_origin(url, etag), now)
        return None if path is None else LocalFile(path, path.name.rpartition("-")[2], etag)

    def _use(self, origin: str, now: datetime) -> Path | None:
        path = self._paths.get(origin)
        if path is not None:
            try:
                _touch(path, now)
            except FileNotFoundError:  # somebody made room by hand
                del self._paths[origin]
                return None
        return path

    def _remove_least_used(self, surplus: int, now: datetime) -> None:
        if surplus <= 0:
            return
        for used_at, size, origin in sorted(self._unlinked()):
            if surplus <= 0 or used_at > (now - GRACE).timestamp():
                return
            if origin not in self._held:
                self._paths.pop(origin).unlink(missing_ok=True)
                surplus -= size

    def _unlinked(self) -> Iterator[tuple[float, int, str]]:
        """When each was last used, its bytes and origin, of those that no instance has linked."""
        for origin, path in self._paths.items():
            with suppress(FileNotFoundError):
                status = path.stat()
                if status.st_nlink == 1:
                    yield status.st_mtime, status.st_size, origin

    def _free(self) -> int:
        return shutil.disk_usage(self._folder).free


def _origin(url: str, etag: str) -> str:
    return hashlib.sha256(f"{url}\n{etag}".encode()).hexdigest()[:32]


def _touch(path: Path, now: datetime) -> None:
    os.utime(path, (now.timestamp(), now.timestamp()))
